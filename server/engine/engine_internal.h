/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the engine share and nobody else sees. */
#ifndef ENGINE_ENGINE_INTERNAL_H
#define ENGINE_ENGINE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/engine/engine.h"

struct engine_job;
struct engine_lookalike;
struct engine_scores_keeper;

/* A lane: one thread, the queue that it works off, and what it did. Jobs and scans have one each.
 */
struct engine_lane_options {
    const char *what; /* "job" or "scan", for messages */
    size_t queued_max;
    size_t past_max; /* ended work that is remembered; 0: none */
    int nice;        /* of the thread; 0: as the server's */
    bool quiet;      /* does not log what ends */
};

struct engine_lane {
    struct engine *engine;
    struct engine_lane_options options;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool started;
    bool stopping;
    uint64_t last;              /* number of the newest job */
    struct engine_job *head;    /* queued, oldest first */
    struct engine_job **tail;   /* where the next one goes */
    struct engine_job *running; /* and those that run in the same call, by next */
    size_t queued;
    struct engine_job_info *past; /* ring of ended jobs */
    size_t past_count;
};

struct engine {
    struct engine_options options;
    struct store *store;
    pthread_mutex_t state_lock;  /* guards state; held for a pointer swap only */
    struct engine_state *state;  /* never NULL */
    _Atomic uint64_t generation; /* of state: lets workers see a change without the lock */
    struct engine_lane jobs;
    struct engine_lane scans;
    struct engine_lookalike *lookalike;  /* lookalike.h */
    struct engine_scores_keeper *scores; /* scores.h */
    struct engine_worker *scan_worker;   /* of the scan thread; NULL while it does not run */
};

void engine_log(const struct engine *engine, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* registry.c: the store tells of a schema, an ICP version or a switch. */
void engine_registry_change(void *context, const struct store_change *change);
/* After the store is open: works out who is on a list. */
bool engine_registry_members(struct engine *engine, struct proto_fault *fault);
/* Tells the store how rows of the active version are encoded. */
void engine_registry_encoder(struct engine *engine);

/* A job, or a scan: one piece of work of a lane. run() fills info->icp and info->fault; it returns
 * whether it succeeded. Both it and done() run on the lane's thread; destroy() frees the context
 * after them. */
struct engine_job {
    struct engine_job *next;
    struct engine *engine;
    struct engine_lane *lane;    /* set when it is queued */
    struct engine_job_info info; /* guarded by lane->lock once queued */
    _Atomic bool cancel;
    int64_t deadline_ms; /* wall clock by which it must begin, 0: none */
    void *context;
    bool (*run)(struct engine_job *job, struct proto_fault *fault);
    /* Not NULL: jobs that wait with the same function are run in one call, `count` of them, the
     * first of which is the oldest. Fills oks and faults. */
    void (*run_many)(struct engine_job *const *jobs, size_t count, bool *oks,
                     struct proto_fault *faults);
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *callback_context;
    void (*destroy)(void *context);
};

bool engine_lane_start(struct engine_lane *lane, struct engine *engine,
                       const struct engine_lane_options *options, struct proto_fault *fault);
/* Cancels all, waits for what runs, calls on_done of each. */
void engine_lane_stop(struct engine_lane *lane);
/* Takes the job. Returns its number, 0 with *fault (the job is then still the caller's). */
uint64_t engine_lane_queue(struct engine_lane *lane, struct engine_job *job,
                           struct proto_fault *fault);

/* The two lanes; _jobs_ and _scans_ differ in priority, bounds and memory of what ended. */
bool engine_jobs_start(struct engine *engine, struct proto_fault *fault);
bool engine_scans_start(struct engine *engine, struct proto_fault *fault);
uint64_t engine_job_queue(struct engine *engine, struct engine_job *job, struct proto_fault *fault);
/* Makes a job of *request (its own fields as said above; engine, lane and info are filled) and
 * queues it. Takes request->context: it is destroyed on failure as well. */
uint64_t engine_job_submit(struct engine *engine, enum proto_op op,
                           const struct engine_job *request, struct proto_fault *fault);
/* From run(): notes progress and tells on_progress when it moved; false if the job is to end. */
bool engine_job_progress(struct engine_job *job, double done, const char *stage);

#endif
