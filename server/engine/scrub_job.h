/* SPDX-License-Identifier: Apache-2.0 */
/* A scrub of a running server, as a job: everything that is stored is read once, at no more than a
 * stated rate, and what is damaged is told. Scores and writes go on beside it.
 *
 * Ownership: *request is copied; result is borrowed until on_done has run. Errors: PROTO_CANCELLED,
 * those of a job's queue. What is damaged is no error, but the result. Threads: any; the job runs
 * on a lane of its own, so that no other waits for it. */
#ifndef ENGINE_SCRUB_JOB_H
#define ENGINE_SCRUB_JOB_H

#include "server/engine/engine.h"

#define ENGINE_SCRUB_TOLD_MAX 100 /* faults that are told one by one */
#define ENGINE_SCRUB_TEXT_BYTES 256

struct engine_scrub_result {
    uint64_t faults;
    size_t told;
    char texts[ENGINE_SCRUB_TOLD_MAX][ENGINE_SCRUB_TEXT_BYTES];
};

struct engine_scrub_request {
    uint64_t bytes_per_second;
    int64_t deadline_ms;
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
    struct engine_scrub_result *result;
};

/* Queues the job; 0 with *fault, and then no callback runs. */
uint64_t engine_scrub_start(struct engine *engine, const struct engine_scrub_request *request,
                            struct proto_fault *fault);

#endif
