/* SPDX-License-Identifier: Apache-2.0 */
/* What every other file of the engine asks of it: its store, its clock, its log,
 * memory that grows, and whether work is to go on. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>

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

void engine_log(const struct engine *engine, int level, const char *format, ...)
{
    if (!engine->options.on_log) {
        return;
    }
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    engine->options.on_log(engine->options.log_context, level, message);
}

void engine_lost(void *context, const struct proto_fault *fault)
{
    const struct engine *engine = context;
    engine_log(engine, LOG_CRIT, "the server cannot go on: %s", fault->message);
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

bool engine_scan_goes_on(const struct engine_job *job, struct proto_fault *fault)
{
    if (!job) {
        return true;
    }
    if (atomic_load_explicit(&job->cancel, memory_order_relaxed)) {
        return proto_fault_set(fault, PROTO_CANCELLED, "", "the scan was cancelled");
    }
    return job->deadline_ms == 0 || engine_now_ms(job->engine) <= job->deadline_ms ||
           proto_fault_set(fault, PROTO_DEADLINE, "deadline_ms",
                           "the scan did not end before the request's deadline");
}
