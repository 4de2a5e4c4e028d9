/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of look-alike search share, and what none of them calls up from: sets and slots,
 * wishes, waiting for the keeper, and putting a set in its place. */
#include "server/lookalike/lookalike_parts.h"

#include <stdlib.h>
#include <time.h>

/* Slots that may wait: more than a minute of work, and 256 MiB. Beyond, the set is given up. */
#define PENDING_MAX ((size_t)1 << 26)
enum { WAIT_MS = 20 }; /* how often who waits asks whether it is to go on */
#define SEED 0x1cf

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

void lookalike_wait_changed(struct lookalike *lookalike)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&lookalike->changed, &lookalike->lock, &until);
}

bool lookalike_wait_applied(struct lookalike *lookalike, const struct engine_job *job,
                            struct proto_fault *fault)
{
    bool good = true;
    pthread_mutex_lock(&lookalike->lock);
    uint64_t target = lookalike->noted_seq;
    while (good && lookalike->ready && !lookalike->lost && lookalike->applied_seq < target) {
        lookalike_wait_changed(lookalike);
        good = lookalike->stopping
                   ? proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping")
                   : engine_scan_goes_on(job, fault);
    }
    pthread_mutex_unlock(&lookalike->lock);
    return good;
}

void lookalike_let_go(struct lookalike *lookalike)
{
    pthread_rwlock_unlock(&lookalike->set_lock);
}

struct similar_options lookalike_options(const struct lookalike_set *set)
{
    return (struct similar_options){
        .dim = set->plan->dims,
        .metric = (enum similar_metric)set->plan->metric,
        .seed = SEED,
        .source = lookalike_blocks_source(set->blocks),
        .graph_bytes_max = set->graph_bytes_max,
    };
}

void lookalike_build_end(struct lookalike *lookalike, struct lookalike_set *made, uint64_t seq)
{
    struct lookalike_set *old = NULL;
    pthread_rwlock_wrlock(&lookalike->set_lock);
    pthread_mutex_lock(&lookalike->lock);
    lookalike->building = false;
    lookalike->opening = false;
    if (made) {
        old = lookalike->set;
        lookalike->set = made;
        struct lookalike_slots done = lookalike->pending;
        lookalike->pending = lookalike->replayed;
        lookalike->replayed = done;
        lookalike->lost = false;
        lookalike->ready = true;
        lookalike->applied_seq = seq;
        lookalike->noted_seq = lookalike->noted_seq > seq ? lookalike->noted_seq : seq;
        if (lookalike->keeping) {
            store_view_keep_slots(lookalike->keeping, seq);
        }
    }
    lookalike->replayed.count = 0;
    lookalike->noting = lookalike->ready;
    pthread_cond_broadcast(&lookalike->wake);
    pthread_cond_broadcast(&lookalike->changed);
    pthread_mutex_unlock(&lookalike->lock);
    pthread_rwlock_unlock(&lookalike->set_lock);
    lookalike_set_destroy(old);
}
