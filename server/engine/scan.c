/* SPDX-License-Identifier: Apache-2.0 */
/* Scans: requests on the lanes that have a worker for each thread. The worker is refreshed before a
 * scan, or before all that run together, and lets go of its view after. */
#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/worker.h"

struct engine_worker *engine_lane_worker(struct engine *engine, unsigned place)
{
    for (unsigned i = 0; i < ENGINE_LANES; i++) {
        const struct engine_lane *lane = &engine->lanes[i];
        if (place < lane->row->threads) {
            return lane->threads[place].worker;
        }
        place -= lane->row->threads;
    }
    return NULL;
}

static bool scan_run(struct engine_job *job, struct proto_fault *fault)
{
    const struct engine_scan *scan = job->context;
    struct engine_worker *worker = job->worker;
    bool ok = engine_worker_refresh(worker, fault) && scan->run(scan->context, worker, job, fault);
    engine_worker_rest(worker);
    if (ok) {
        *fault = (struct proto_fault){0}; /* what was tried and did not matter in the end */
    }
    return ok;
}

/* The contexts of scans that run together, for the function that they share. */
static void scan_run_many(struct engine_job *const *jobs, size_t count, bool *oks,
                          struct proto_fault *faults)
{
    void *contexts[ENGINE_TOGETHER_MAX];
    struct engine_job *each[ENGINE_TOGETHER_MAX];
    const struct engine_scan *scan = jobs[0]->context;
    struct engine_worker *worker = jobs[0]->worker;
    for (size_t i = 0; i < count; i++) {
        contexts[i] = ((const struct engine_scan *)jobs[i]->context)->context;
        each[i] = jobs[i];
    }
    struct proto_fault fault = {0};
    if (engine_worker_refresh(worker, &fault)) {
        scan->run_many(contexts, each, count, worker, oks, faults);
    } else {
        for (size_t i = 0; i < count; i++) {
            oks[i] = false;
            faults[i] = fault;
        }
    }
    engine_worker_rest(worker);
    for (size_t i = 0; i < count; i++) {
        faults[i] = oks[i] ? (struct proto_fault){0} : faults[i];
    }
}

bool engine_scan(struct engine *engine, const struct engine_scan *scan, struct proto_fault *fault)
{
    struct engine_job *job = calloc(1, sizeof *job);
    struct engine_scan *own = malloc(sizeof *own);
    if (!job || !own) {
        free(job);
        free(own);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a scan");
    }
    *own = *scan;
    job->engine = engine;
    job->info.op = scan->op;
    job->owner = scan->owner;
    job->bytes = scan->bytes;
    job->reply_bytes = scan->reply_bytes;
    job->deadline_ms = scan->deadline_ms;
    job->min_seq = scan->min_seq;
    job->wait_until_ms = scan->wait_until_ms;
    job->context = own;
    job->run = scan_run;
    job->run_many = scan->run_many ? scan_run_many : NULL;
    job->on_done = scan->on_done;
    job->callback_context = scan->context;
    job->destroy = free;
    if (engine_lane_queue(&engine->lanes[scan->lane], job, fault) > 0) {
        return true;
    }
    free(own);
    free(job);
    return false;
}
