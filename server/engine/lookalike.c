/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <syslog.h>

#include "server/engine/lookalike_parts.h"

/* Slots that may wait: more than a minute of work, and 256 MiB. Beyond, the set is given up. */
#define PENDING_MAX ((size_t)1 << 26)

struct engine_lookalike *engine_lookalike_create(struct engine *engine, struct proto_fault *fault)
{
    struct engine_lookalike *lookalike = calloc(1, sizeof *lookalike);
    if (!lookalike) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for look-alike search");
        return NULL;
    }
    lookalike->engine = engine;
    pthread_rwlock_init(&lookalike->set_lock, NULL);
    pthread_mutex_init(&lookalike->lock, NULL);
    pthread_cond_init(&lookalike->wake, NULL);
    pthread_cond_init(&lookalike->changed, NULL);
    return lookalike;
}

bool engine_lookalike_start(struct engine_lookalike *lookalike, struct proto_fault *fault)
{
    lookalike->building = true;
    lookalike->opening = true;
    lookalike->noting = true;
    if (pthread_create(&lookalike->thread, NULL, lookalike_keep, lookalike) != 0) {
        return proto_fault_set(fault, PROTO_INTERNAL, "",
                               "the look-alike thread cannot be started");
    }
    lookalike->started = true;
    return true;
}

void engine_lookalike_stop(struct engine_lookalike *lookalike)
{
    if (!lookalike || !lookalike->started) {
        return;
    }
    pthread_mutex_lock(&lookalike->lock);
    lookalike->stopping = true;
    pthread_cond_broadcast(&lookalike->wake);
    pthread_cond_broadcast(&lookalike->changed);
    pthread_mutex_unlock(&lookalike->lock);
    pthread_join(lookalike->thread, NULL);
    lookalike->started = false;
}

void engine_lookalike_destroy(struct engine_lookalike *lookalike)
{
    if (!lookalike) {
        return;
    }
    engine_lookalike_stop(lookalike);
    lookalike_set_destroy(lookalike->set);
    free(lookalike->pending.list);
    free(lookalike->replayed.list);
    json_decref(lookalike->wish);
    pthread_cond_destroy(&lookalike->changed);
    pthread_cond_destroy(&lookalike->wake);
    pthread_mutex_destroy(&lookalike->lock);
    pthread_rwlock_destroy(&lookalike->set_lock);
    free(lookalike);
}

void lookalike_set_destroy(struct lookalike_set *set)
{
    if (!set) {
        return;
    }
    similar_scratch_destroy(set->scratch);
    similar_destroy(set->set);
    lookalike_blocks_destroy(set->blocks);
    feature_vectorizer_release(set->plan);
    json_decref(set->wish);
    free(set);
}

bool lookalike_slots_add(struct lookalike_slots *to, const uint32_t *slots, size_t count)
{
    if (count == 0) {
        return true;
    }
    if (count > PENDING_MAX - to->count) {
        return false;
    }
    if (to->count + count > to->room) {
        size_t room = (to->count + count) * 2;
        uint32_t *list = realloc(to->list, room * sizeof *list);
        if (!list) {
            return false;
        }
        to->list = list;
        to->room = room;
    }
    memcpy(to->list + to->count, slots, count * sizeof *slots);
    to->count += count;
    return true;
}

void engine_lookalike_note(void *context, uint64_t seq, const uint32_t *slots, size_t count)
{
    struct engine_lookalike *lookalike = context;
    pthread_mutex_lock(&lookalike->lock);
    if (lookalike->noting) {
        lookalike->noted_seq = seq;
        bool good = !lookalike->ready || lookalike_slots_add(&lookalike->pending, slots, count);
        good = (!lookalike->building || lookalike_slots_add(&lookalike->replayed, slots, count)) &&
               good;
        lookalike->lost = lookalike->lost || !good;
        pthread_cond_signal(&lookalike->wake);
    }
    pthread_mutex_unlock(&lookalike->lock);
}

bool lookalike_fault(enum similar_status status, struct proto_fault *fault)
{
    enum proto_error code = PROTO_INTERNAL;
    if (status == SIMILAR_ERROR_MEMORY) {
        code = PROTO_NO_MEMORY;
    } else if (status == SIMILAR_ERROR_NOT_FINITE || status == SIMILAR_ERROR_TOO_LARGE) {
        code = PROTO_BAD_FIELD;
    } else if (status == SIMILAR_ERROR_CORRUPT || status == SIMILAR_ERROR_VERSION) {
        code = PROTO_CORRUPT;
    }
    return proto_fault_set(fault, code, "", "look-alike search: %s", similar_status_text(status));
}

void engine_lookalike_stats(struct engine *engine, struct engine_lookalike_stats *stats)
{
    struct engine_lookalike *lookalike = engine->lookalike;
    *stats = (struct engine_lookalike_stats){0};
    pthread_rwlock_rdlock(&lookalike->set_lock);
    if (lookalike->set) {
        const struct lookalike_set *set = lookalike->set;
        stats->vectors = similar_count(set->set);
        stats->lists = similar_list_count(set->set);
        stats->dims = set->plan->dims;
        stats->metric = set->plan->metric;
        stats->opened = set->opened;
        stats->plan_digest = set->plan->digest;
        for (int kind = 0; kind < SIMILAR_KINDS; kind++) {
            stats->bytes += similar_memory_bytes(set->blocks->memory, (enum similar_kind)kind);
        }
    }
    pthread_mutex_lock(&lookalike->lock);
    stats->ready = lookalike->ready && !lookalike->lost;
    stats->building = lookalike->building;
    stats->pending = lookalike->pending.count;
    stats->seq = lookalike->applied_seq;
    pthread_mutex_unlock(&lookalike->lock);
    pthread_rwlock_unlock(&lookalike->set_lock);
}

json_t *lookalike_wish_now(struct engine_lookalike *lookalike)
{
    pthread_mutex_lock(&lookalike->lock);
    json_t *wish = json_deep_copy(lookalike->wish);
    pthread_mutex_unlock(&lookalike->lock);
    return wish;
}

void lookalike_wish_note(struct engine_lookalike *lookalike, const json_t *wish)
{
    json_t *copy = json_deep_copy(wish);
    if (copy) {
        pthread_mutex_lock(&lookalike->lock);
        json_t *before = lookalike->wish;
        lookalike->wish = copy;
        pthread_mutex_unlock(&lookalike->lock);
        json_decref(before);
    }
}

char *engine_lookalike_wishes(struct engine *engine)
{
    json_t *wish = lookalike_wish_now(engine->lookalike);
    char *text = wish ? json_dumps(wish, JSON_COMPACT) : NULL;
    json_decref(wish);
    return text;
}

char *engine_lookalike_plan(struct engine *engine)
{
    struct engine_lookalike *lookalike = engine->lookalike;
    pthread_rwlock_rdlock(&lookalike->set_lock);
    char *text = lookalike->set ? feature_vectorizer_print(lookalike->set->plan) : NULL;
    pthread_rwlock_unlock(&lookalike->set_lock);
    return text;
}
