/* SPDX-License-Identifier: Apache-2.0 */
/* The job: a copy of the request is queued, and backup_make.c does the work with the engine's
 * store, clock and log, telling the job's progress. */
#include "server/backup/backup.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/backup/backup_make.h"
#include "server/engine/engine_create.h"
#include "server/engine/job.h"

struct backup_work {
    char path[4096];
    bool full;
    struct backup_result *result;
};

static bool goes_on(void *context, double done, const char *stage)
{
    return engine_job_progress(context, done, stage);
}

static bool backup_run(struct engine_job *job, struct proto_fault *fault)
{
    const struct backup_work *work = job->context;
    const struct backup_making making = {.store = engine_store(job->engine),
                                         .path = work->path,
                                         .full = work->full,
                                         .now_ms = engine_now_ms(job->engine),
                                         .log = engine_log(job->engine),
                                         .goes_on = goes_on,
                                         .context = job};
    return backup_make(&making, work->result, fault);
}

uint64_t backup_start(struct engine *engine, const struct backup_request *request,
                      struct proto_fault *fault)
{
    struct backup_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a job");
        return 0;
    }
    work->full = request->full;
    work->result = request->result;
    if ((size_t)snprintf(work->path, sizeof work->path, "%s", request->path) >= sizeof work->path) {
        free(work);
        proto_fault_set(fault, PROTO_TOO_LARGE, "name", "the path of the backup is too long");
        return 0;
    }
    const struct engine_job job = {.deadline_ms = request->deadline_ms,
                                   .context = work,
                                   .run = backup_run,
                                   .destroy = free,
                                   .on_progress = request->on_progress,
                                   .on_done = request->on_done,
                                   .callback_context = request->context};
    return engine_job_submit(engine, PROTO_OP_BACKUP, &job, fault);
}
