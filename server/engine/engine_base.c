/* SPDX-License-Identifier: Apache-2.0 */
/* What every other file of the engine asks of it: its store, its clock, its log,
 * memory that grows, and whether work is to go on. */
#include <stdlib.h>

#include "server/engine/engine_internal.h"
#include "server/engine/worker.h"

struct store *engine_store(struct engine *engine)
{
    return engine->store;
}

int64_t engine_now_ms(const struct engine *engine)
{
    return engine->options.now_ms(engine->options.now_context);
}

struct base_log *engine_log(const struct engine *engine)
{
    return engine->options.log;
}

void engine_lost(void *context, const struct proto_fault *fault)
{
    const struct engine *engine = context;
    base_log(engine_log(engine), BASE_LOG_ERROR, "engine", "the server cannot go on",
             BASE_FIELDS(base_field_error(fault->code), base_field_text("reason", fault->message)));
    if (engine->options.on_lost) {
        engine->options.on_lost(engine->options.lost_context, fault);
    }
}

void *engine_scratch_grow(void *memory, size_t *count, size_t wanted, size_t bytes_each,
                          struct proto_fault *fault)
{
    if (wanted <= *count) {
        return memory;
    }
    void *larger = realloc(memory, wanted * bytes_each);
    if (!larger) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to score");
        return memory;
    }
    *count = wanted;
    return larger;
}

uint64_t engine_job_number(struct engine *engine)
{
    return atomic_fetch_add(&engine->last_job, 1) + 1;
}

static bool is_past(const struct engine *engine, int64_t moment_ms)
{
    return moment_ms > 0 && engine_now_ms(engine) > moment_ms;
}

bool engine_job_in_time(const struct engine_job *job, struct proto_fault *fault)
{
    struct engine_lane *lane = job->lane; /* NULL: somebody runs it without one */
    if (lane && is_past(job->engine, atomic_load_explicit(&lane->until_ms, memory_order_relaxed))) {
        return proto_fault_set(fault, PROTO_SHUTTING_DOWN, "", "the server is stopping");
    }
    return !is_past(job->engine, job->deadline_ms) ||
           proto_fault_set(fault, PROTO_DEADLINE, "deadline_ms",
                           "the %s did not end in time: the request's deadline_ms, or the server's "
                           "scan_ms",
                           lane ? lane->row->name : "work");
}

void engine_scan_until(struct engine_job *job, int64_t deadline_ms)
{
    if (deadline_ms != 0 && (job->deadline_ms == 0 || deadline_ms < job->deadline_ms)) {
        job->deadline_ms = deadline_ms;
    }
}

bool engine_scan_goes_on(const struct engine_job *job, struct proto_fault *fault)
{
    if (!job) {
        return true;
    }
    if (atomic_load_explicit(&job->cancel, memory_order_relaxed)) {
        return proto_fault_set(fault, PROTO_CANCELLED, "", "the scan was cancelled");
    }
    if (job->worker && !store_view_young(job->worker->view, fault)) {
        return false;
    }
    return engine_job_in_time(job, fault);
}
