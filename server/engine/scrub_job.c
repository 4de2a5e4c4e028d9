/* SPDX-License-Identifier: Apache-2.0 */
/* The job: the store's own scrub at the rate that was asked for; each fault is kept as a line,
 * once, the first so many of them; a cancel is heard within a twentieth of a second. */
#include "server/engine/scrub_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine/engine_create.h"
#include "server/engine/job.h"

struct scrub_job {
    struct engine_job *job;
    struct engine_scrub_result *result;
    uint64_t bytes_per_second;
};

static void fault_take(void *context, const char *what)
{
    struct scrub_job *scrub = context;
    struct engine_scrub_result *result = scrub->result;
    if (result->told == ENGINE_SCRUB_TOLD_MAX) {
        return;
    }
    char *text = result->texts[result->told];
    snprintf(text, ENGINE_SCRUB_TEXT_BYTES, "%s", what);
    for (size_t i = 0; i < result->told; i++) {
        if (strcmp(result->texts[i], text) == 0) {
            return; /* a damaged bucket is met by each of its ids */
        }
    }
    result->told++;
}

static bool progress_take(void *context, double done, const char *stage)
{
    const struct scrub_job *scrub = context;
    return engine_job_progress(scrub->job, done, stage);
}

static bool scrub_run(struct engine_job *job, struct proto_fault *fault)
{
    struct scrub_job *scrub = job->context;
    scrub->job = job;
    *scrub->result = (struct engine_scrub_result){0};
    const struct store_scrub_request request = {.on_bad = fault_take,
                                                .on_progress = progress_take,
                                                .context = scrub,
                                                .bytes_per_second = scrub->bytes_per_second};
    scrub->result->faults = store_scrub_paced(engine_store(job->engine), &request, fault);
    return fault->code == PROTO_OK;
}

uint64_t engine_scrub_start(struct engine *engine, const struct engine_scrub_request *request,
                            struct proto_fault *fault)
{
    struct scrub_job *scrub = calloc(1, sizeof *scrub);
    if (scrub == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a job");
        return 0;
    }
    scrub->result = request->result;
    scrub->bytes_per_second = request->bytes_per_second;
    const struct engine_job job = {.deadline_ms = request->deadline_ms,
                                   .lane_id = ENGINE_LANE_SCRUB,
                                   .context = scrub,
                                   .run = scrub_run,
                                   .destroy = free,
                                   .on_progress = request->on_progress,
                                   .on_done = request->on_done,
                                   .callback_context = request->context};
    return engine_job_submit(engine, PROTO_OP_SCRUB, &job, fault);
}
