/* SPDX-License-Identifier: Apache-2.0 */
/* Work for a lane, as use cases make it: a job that runs for minutes, or a scan that somebody waits
 * for (engine_scan). Ownership: a queued job is its lane's, which frees it; context is freed by
 * destroy(). Threads: submit any; the rest on the lane's thread. */
#ifndef ENGINE_JOB_H
#define ENGINE_JOB_H

#include <stdatomic.h>

#include "server/base/log.h"
#include "server/engine/engine.h"

struct engine_lane;

/* A job, or a scan: one piece of work of a lane. run() fills info->icp and info->fault; it returns
 * whether it succeeded. Both it and done() run on the lane's thread; destroy() frees the context
 * after them. */
struct engine_job {
    struct engine_job *next;
    struct engine *engine;
    uint64_t owner;           /* whose turns these are: a connection; 0: nobody's */
    size_t bytes;             /* that it keeps, of the lane's bytes_max */
    size_t reply_bytes;       /* about, beside those of its owner that run with it */
    struct engine_lane *lane; /* this and the next three are the lane's */
    uint64_t turn;
    struct engine_worker *worker; /* of the thread that runs it; NULL: the lane has no views */
    struct engine_job_info info;  /* guarded by lane->lock once queued */
    _Atomic bool cancel;
    int64_t deadline_ms;         /* wall clock by which it must begin, 0: none */
    uint64_t min_seq;            /* it begins when that is applied (applied.h); 0: whenever */
    int64_t wait_until_ms;       /* wall clock until which it waits for that; then it is refused */
    enum engine_lane_id lane_id; /* of jobs; the zeroth is ENGINE_LANE_JOB */
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

/* Makes a job of *request (its own fields as said above; engine, lane and info are filled) and
 * queues it in the lane of its lane_id. Takes request->context: it is destroyed on failure as well.
 */
uint64_t engine_job_submit(struct engine *engine, enum proto_op op,
                           const struct engine_job *request, struct proto_fault *fault);
/* From run(): notes progress and tells on_progress when it moved; false if the job is to end. */
bool engine_job_progress(struct engine_job *job, double done, const char *stage);

/* False with *fault if its time is over: its deadline's, or the lane's. */
bool engine_job_in_time(const struct engine_job *job, struct proto_fault *fault);

/* The next one, of all lanes. */
uint64_t engine_job_number(struct engine *engine);

/* Where the engine and what stands on it log; NULL: nowhere. */
struct base_log *engine_log(const struct engine *engine);

#endif
