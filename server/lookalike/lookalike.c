/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <syslog.h>

#include "server/lookalike/lookalike_parts.h"

/* Slots that may wait: more than a minute of work, and 256 MiB. Beyond, the set is given up. */
#define PENDING_MAX ((size_t)1 << 26)

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

/* Of each commit, on the writer thread. */
static void note(void *context, const struct store_commit *commit)
{
    struct lookalike *lookalike = context;
    if (commit->phase != STORE_COMMIT_DONE) {
        return;
    }
    pthread_mutex_lock(&lookalike->lock);
    if (lookalike->noting) {
        lookalike->noted_seq = commit->seq;
        bool good = !lookalike->ready ||
                    lookalike_slots_add(&lookalike->pending, commit->slots, commit->count);
        good = (!lookalike->building ||
                lookalike_slots_add(&lookalike->replayed, commit->slots, commit->count)) &&
               good;
        lookalike->lost = lookalike->lost || !good;
        pthread_cond_signal(&lookalike->wake);
    }
    pthread_mutex_unlock(&lookalike->lock);
}

/* Notes commits before the keeper takes its first view, so that it misses none. */
static bool start(struct lookalike *lookalike, struct proto_fault *fault)
{
    const struct engine_follower follower = {.context = lookalike, .on_commit = note};
    lookalike->building = true;
    lookalike->opening = true;
    lookalike->noting = true;
    if (!engine_follow(lookalike->engine, &follower, fault)) {
        return false;
    }
    lookalike->started = pthread_create(&lookalike->thread, NULL, lookalike_keep, lookalike) == 0;
    return lookalike->started ||
           proto_fault_set(fault, PROTO_INTERNAL, "", "the look-alike thread cannot be started");
}

struct lookalike *lookalike_create(struct engine *engine, struct proto_fault *fault)
{
    struct lookalike *lookalike = calloc(1, sizeof *lookalike);
    if (!lookalike) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for look-alike search");
        return NULL;
    }
    lookalike->engine = engine;
    pthread_rwlock_init(&lookalike->set_lock, NULL);
    pthread_mutex_init(&lookalike->lock, NULL);
    pthread_cond_init(&lookalike->wake, NULL);
    pthread_cond_init(&lookalike->changed, NULL);
    if (!start(lookalike, fault)) {
        lookalike_destroy(lookalike);
        return NULL;
    }
    return lookalike;
}

static void stop(struct lookalike *lookalike)
{
    engine_unfollow(lookalike->engine, lookalike);
    if (!lookalike->started) {
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

void lookalike_destroy(struct lookalike *lookalike)
{
    if (!lookalike) {
        return;
    }
    stop(lookalike);
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

void lookalike_stats(struct lookalike *lookalike, struct lookalike_stats *stats)
{
    *stats = (struct lookalike_stats){0};
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

json_t *lookalike_wish_now(struct lookalike *lookalike)
{
    pthread_mutex_lock(&lookalike->lock);
    json_t *wish = json_deep_copy(lookalike->wish);
    pthread_mutex_unlock(&lookalike->lock);
    return wish;
}

void lookalike_wish_note(struct lookalike *lookalike, const json_t *wish)
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

char *lookalike_wishes(struct lookalike *lookalike)
{
    json_t *wish = lookalike_wish_now(lookalike);
    char *text = wish ? json_dumps(wish, JSON_COMPACT) : NULL;
    json_decref(wish);
    return text;
}

char *lookalike_plan(struct lookalike *lookalike)
{
    pthread_rwlock_rdlock(&lookalike->set_lock);
    char *text = lookalike->set ? feature_vectorizer_print(lookalike->set->plan) : NULL;
    pthread_rwlock_unlock(&lookalike->set_lock);
    return text;
}
