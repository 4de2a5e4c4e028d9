/* SPDX-License-Identifier: Apache-2.0 */
/* Happy path: the node has applied what a request wants, and is young enough. Failure paths: it is
 * behind, or too old, and says how far it is. */
#include "server/engine/applied.h"

#include "server/engine/engine_internal.h"
#include "server/engine/worker.h"

uint64_t engine_applied(const struct engine *engine)
{
    return atomic_load(&engine->applied.seq);
}

static uint64_t age_ms_of(const struct engine *engine, int64_t as_of)
{
    const struct engine_route *route = &engine->route;
    return route->age_ms != NULL ? route->age_ms(route->context, as_of) : 0;
}

int64_t engine_as_of(const struct engine *engine)
{
    const struct engine_route *route = &engine->route;
    return route->as_of != NULL ? route->as_of(route->context) : 0;
}

uint64_t engine_age_ms(const struct engine *engine)
{
    return age_ms_of(engine, engine_as_of(engine));
}

uint64_t engine_worker_age_ms(const struct engine_worker *worker)
{
    return age_ms_of(worker->engine, worker->as_of);
}

bool engine_refuses(const struct engine *engine, struct proto_fault *fault)
{
    const struct engine_route *route = &engine->route;
    return route->refuses != NULL && route->refuses(route->context, fault);
}

uint64_t engine_log_id(const struct engine *engine)
{
    return atomic_load(&engine->applied.log);
}

void engine_applied_follow(struct engine *engine, uint64_t log)
{
    atomic_store(&engine->applied.log, log);
}

bool engine_has_applied(const struct engine *engine, uint64_t seq, struct proto_fault *fault)
{
    uint64_t applied = engine_applied(engine);
    return applied >= seq ||
           proto_fault_set(fault, PROTO_BEHIND, "min_seq",
                           "this server has applied sequence %llu and did not reach %llu in time; "
                           "another one may have",
                           (unsigned long long)applied, (unsigned long long)seq);
}

bool engine_is_young(const struct engine *engine, uint64_t age_ms_max, struct proto_fault *fault)
{
    uint64_t age_ms = engine_age_ms(engine);
    return age_ms <= age_ms_max ||
           proto_fault_set(fault, PROTO_BEHIND, "max_age_ms",
                           "what this server knows is %llu ms old, %llu are allowed; another one "
                           "may be nearer",
                           (unsigned long long)age_ms, (unsigned long long)age_ms_max);
}
