/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper: changes the set as accounts change. */
#include <stdlib.h>
#include <string.h>

#include "server/engine/slots.h"
#include "server/engine/walk.h"
#include "server/lookalike/lookalike_parts.h"

enum {
    CHUNK = 32,               /* accounts changed under one write lock: below a millisecond */
    SAVE_CHANGES_MIN = 50000, /* a start follows so many in a second or two */
    SAVE_PART = 2,            /* and half of the vectors: a stored set is written whole */
};

/* What the keeper works with. */
struct keeping {
    struct lookalike *lookalike;
    struct engine_worker *worker;
    struct lookalike_slots taken;
    uint64_t target; /* commit that the taken slots lead to */
    float *vectors;  /* CHUNK of them */
    size_t vector_room;
    bool living[CHUNK];
};

/* Takes what was noted; false at the end. */
static bool take(struct keeping *keeping)
{
    struct lookalike *lookalike = keeping->lookalike;
    pthread_mutex_lock(&lookalike->lock);
    while (!lookalike->stopping &&
           (!lookalike->ready || lookalike->applied_seq == lookalike->noted_seq)) {
        pthread_cond_wait(&lookalike->wake, &lookalike->lock);
    }
    struct lookalike_slots empty = keeping->taken;
    empty.count = 0;
    keeping->taken = lookalike->pending;
    lookalike->pending = empty;
    keeping->target = lookalike->noted_seq;
    bool on = !lookalike->stopping;
    pthread_mutex_unlock(&lookalike->lock);
    return on;
}

static bool vectors_ready(struct keeping *keeping, uint32_t dims)
{
    size_t room = (size_t)CHUNK * dims;
    if (room > keeping->vector_room) {
        float *vectors = realloc(keeping->vectors, room * sizeof *vectors);
        if (!vectors) {
            return false;
        }
        keeping->vectors = vectors;
        keeping->vector_room = room;
    }
    return true;
}

/* Vectors of some slots, outside of any lock but the reference to the plan. */
static bool vectors_make(struct keeping *keeping, const struct feature_vectorizer *plan,
                         const uint32_t *slots, size_t count)
{
    struct engine_worker *worker = keeping->worker;
    for (size_t i = 0; i < count; i++) {
        struct proto_fault fault = {0};
        keeping->living[i] = engine_values(worker, slots[i], NULL, &fault);
        if (keeping->living[i]) {
            feature_vectorizer_vector(plan, worker->values, worker->value_slots,
                                      keeping->vectors + i * plan->dims);
        } else if (fault.code != PROTO_NOT_FOUND && fault.code != PROTO_CORRUPT) {
            return false;
        }
        /* A damaged account has no vector: it cannot be shown either. */
    }
    return true;
}

static bool set_change(struct keeping *keeping, const struct lookalike_set *set,
                       const uint32_t *slots, size_t count)
{
    size_t bytes = set->plan->dims * sizeof(float);
    for (size_t i = 0; i < count; i++) {
        const float *now = similar_get(set->set, slots[i]);
        const float *next = keeping->living[i] ? keeping->vectors + i * set->plan->dims : NULL;
        if (now && next && memcmp(now, next, bytes) == 0) {
            continue; /* nothing that the vector is made of has changed */
        }
        enum similar_status status = similar_remove(set->set, slots[i]);
        if (status == SIMILAR_OK || status == SIMILAR_ERROR_ABSENT) {
            status = next ? similar_insert(set->set, slots[i], next) : SIMILAR_OK;
        }
        if (status != SIMILAR_OK) {
            base_log(engine_log(keeping->lookalike->engine), BASE_LOG_ERROR, "lookalike",
                     "a vector cannot be changed",
                     BASE_FIELDS(base_field_text("reason", similar_status_text(status))));
            return false;
        }
    }
    return true;
}

/* Brings the taken slots into the set; false if another set came meanwhile or the set is lost. */
static bool apply(struct keeping *keeping, struct lookalike_set *set,
                  const struct feature_vectorizer *plan)
{
    struct lookalike *lookalike = keeping->lookalike;
    struct proto_fault fault = {0};
    bool good =
        vectors_ready(keeping, plan->dims) && engine_worker_refresh(keeping->worker, &fault);
    bool same = true;
    keeping->taken.count = engine_slots_unique(keeping->taken.list, keeping->taken.count);
    for (size_t i = 0; good && same && i < keeping->taken.count; i += CHUNK) {
        size_t count = keeping->taken.count - i < CHUNK ? keeping->taken.count - i : CHUNK;
        const uint32_t *slots = keeping->taken.list + i;
        good = vectors_make(keeping, plan, slots, count);
        pthread_rwlock_wrlock(&lookalike->set_lock);
        same = lookalike->set == set;
        good = good && (!same || set_change(keeping, set, slots, count));
        pthread_rwlock_unlock(&lookalike->set_lock);
    }
    engine_worker_rest(keeping->worker);
    if (!good) {
        base_log(engine_log(lookalike->engine), BASE_LOG_ERROR, "lookalike",
                 "a change was missed, vectors must be built anew",
                 BASE_FIELDS(base_field_error(fault.code)));
        pthread_mutex_lock(&lookalike->lock);
        lookalike->lost = lookalike->lost || same;
        pthread_mutex_unlock(&lookalike->lock);
    }
    return good && same;
}

/* Whether changes wait to be followed, or the server stops. */
static bool is_wanted(struct lookalike *lookalike)
{
    pthread_mutex_lock(&lookalike->lock);
    bool wanted = lookalike->stopping || lookalike->applied_seq != lookalike->noted_seq;
    pthread_mutex_unlock(&lookalike->lock);
    return wanted;
}

/* Splits and dissolves lists and mends the graph, a little at a time, so that queries wait for none
 * of it for long; changes come first, and it goes on after them. */
static void balance(struct keeping *keeping, struct lookalike_set *set)
{
    struct lookalike *lookalike = keeping->lookalike;
    bool due = true;
    while (due) {
        uint32_t done = 0;
        pthread_rwlock_wrlock(&lookalike->set_lock);
        due = lookalike->set == set && similar_balance_due(set->set) &&
              similar_balance(set->set, 1, &done) == SIMILAR_OK && done > 0;
        pthread_rwlock_unlock(&lookalike->set_lock);
        due = due && !is_wanted(lookalike);
    }
}

static void keep_once(struct keeping *keeping)
{
    struct lookalike *lookalike = keeping->lookalike;
    pthread_rwlock_rdlock(&lookalike->set_lock);
    struct lookalike_set *set = lookalike->set;
    struct feature_vectorizer *plan = set ? feature_vectorizer_retain(set->plan) : NULL;
    pthread_rwlock_unlock(&lookalike->set_lock);
    if (!set) {
        return;
    }
    bool applied = apply(keeping, set, plan);
    feature_vectorizer_release(plan);
    pthread_rwlock_rdlock(&lookalike->set_lock);
    pthread_mutex_lock(&lookalike->lock);
    if (lookalike->set == set && (applied || lookalike->lost)) {
        lookalike->applied_seq = keeping->target;
        store_view_keep_slots(keeping->worker->view, keeping->target);
    }
    lookalike->changed_since_save += keeping->taken.count;
    bool save = lookalike->set == set && lookalike->changed_since_save >
                                             SAVE_CHANGES_MIN + similar_count(set->set) / SAVE_PART;
    pthread_cond_broadcast(&lookalike->changed);
    pthread_mutex_unlock(&lookalike->lock);
    pthread_rwlock_unlock(&lookalike->set_lock);
    if (applied) {
        balance(keeping, set);
    }
    if (save) {
        lookalike_save_later(lookalike);
    }
}

void *lookalike_keep(void *context)
{
    struct keeping keeping = {.lookalike = context};
    struct proto_fault fault = {0};
    keeping.worker = engine_worker_create(keeping.lookalike->engine, &fault);
    if (!keeping.worker) {
        base_log(engine_log(keeping.lookalike->engine), BASE_LOG_ERROR, "lookalike",
                 "commits cannot be followed", BASE_FIELDS(base_field_error(fault.code)));
        lookalike_build_end(keeping.lookalike, NULL, 0);
        return NULL;
    }
    engine_worker_rest(keeping.worker);
    pthread_mutex_lock(&keeping.lookalike->lock);
    keeping.lookalike->keeping = keeping.worker->view;
    pthread_mutex_unlock(&keeping.lookalike->lock);
    lookalike_open(keeping.lookalike);
    while (take(&keeping)) {
        keep_once(&keeping);
    }
    pthread_mutex_lock(&keeping.lookalike->lock);
    keeping.lookalike->keeping = NULL;
    pthread_mutex_unlock(&keeping.lookalike->lock);
    engine_worker_destroy(keeping.worker);
    free(keeping.taken.list);
    free(keeping.vectors);
    return NULL;
}
