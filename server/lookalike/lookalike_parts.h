/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of look-alike search share.
 *
 * Locks, in the order they are taken: set_lock (read: searching; write: changing the set, for
 * microseconds, or putting another in its place), then lock (all the rest, held briefly). */
#ifndef LOOKALIKE_PARTS_H
#define LOOKALIKE_PARTS_H

#include <pthread.h>

#include "server/engine/worker.h"
#include "server/lookalike/lookalike.h"
#include "server/lookalike/lookalike_blocks.h"
#include "server/lookalike/lookalike_wish.h"

/* A set with its plan and its blocks. */
struct lookalike_set {
    struct feature_vectorizer *plan;
    uint32_t schema_version; /* that the plan was fitted on */
    bool opened;             /* from the store, not built */
    json_t *wish;            /* lookalike_wish.h; never changes */
    struct lookalike_blocks *blocks;
    uint64_t graph_bytes_max; /* of lookalike_create */
    struct similar_set *set;
    struct similar_scratch *scratch; /* of the thread of lane SEARCH */
};

struct lookalike_slots {
    uint32_t *list;
    size_t count, room;
};

struct lookalike {
    struct engine *engine;
    uint64_t graph_bytes_max; /* never changes */
    pthread_rwlock_t set_lock;
    struct lookalike_set *set; /* NULL: none; guarded by set_lock */

    pthread_mutex_t lock;
    pthread_cond_t wake;    /* the keeper: there is something to do */
    pthread_cond_t changed; /* queries: applied_seq, ready or building changed */
    bool ready;             /* set is not NULL */
    bool building;
    bool lost; /* the set has missed a change, for want of memory: it must not be used */
    bool noting;
    bool opening; /* building, from the store */
    bool save_queued;
    uint64_t changed_since_save;     /* slots that a start would have to follow */
    struct lookalike_slots pending;  /* noted, not applied to the set */
    struct lookalike_slots replayed; /* noted since a build began */
    uint64_t noted_seq, applied_seq;
    struct store_view *keeping; /* the keeper's: slots are kept as of applied_seq, so that one that
                                   the set has is never that of another account; NULL: not open */
    json_t *wish; /* of the newest set, also of one that could not be opened; NULL: none */

    pthread_t thread;
    bool started, stopping;
};

/* False: no memory, or too many. */
bool lookalike_slots_add(struct lookalike_slots *to, const uint32_t *slots, size_t count);

/* lookalike_build.c: makes a set from what the view of a worker sees. progress may be NULL. */
struct lookalike_build {
    struct lookalike *lookalike;
    struct engine_job *job; /* NULL: on the thread of a scan */
    const struct engine_job *scan;
    json_t *wish; /* NULL: those of the newest set */
};
bool lookalike_build(const struct lookalike_build *build, struct proto_fault *fault);
void lookalike_set_destroy(struct lookalike_set *set); /* NULL is fine */
/* A copy of the wishes of the newest set that nobody else has; NULL without any, or memory. */
json_t *lookalike_wish_now(struct lookalike *lookalike);
/* Makes a copy of these the newest; NULL changes nothing. */
void lookalike_wish_note(struct lookalike *lookalike, const json_t *wish);
/* Puts `made` (NULL: nothing), which has seen `seq`, in place of the set in use, and what was noted
 * since the build began before it. */
void lookalike_build_end(struct lookalike *lookalike, struct lookalike_set *made, uint64_t seq);
/* How a set with this plan and these blocks is made or opened. */
struct similar_options lookalike_options(const struct lookalike_set *set);

/* lookalike_open.c: at the start, on the keeper's thread. */
void lookalike_open(struct lookalike *lookalike);
/* lookalike_save.c: stores the set in use, on the thread of a job; _later queues one. */
bool lookalike_save(struct lookalike *lookalike, struct engine_job *job, struct proto_fault *fault);
void lookalike_save_later(struct lookalike *lookalike);

/* lookalike_wait.c: waits until the set has seen what was acknowledged, builds a small one; then
 * holds set_lock for reading, with the worker's view on the commit that the set has seen. */
bool lookalike_hold(struct lookalike *lookalike, struct engine_worker *worker,
                    const struct engine_job *job, struct proto_fault *fault);
/* Waits a moment for `changed`; under lock. */
void lookalike_wait_changed(struct lookalike *lookalike);
/* Waits until the set has seen every commit that is noted now; true without a set as well. */
bool lookalike_wait_applied(struct lookalike *lookalike, const struct engine_job *scan,
                            struct proto_fault *fault);
void lookalike_let_go(struct lookalike *lookalike);

/* lookalike_keep.c */
void *lookalike_keep(void *lookalike);

/* Translates; always false. */
bool lookalike_fault(enum similar_status status, struct proto_fault *fault);

#endif
