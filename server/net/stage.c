/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "server/net/net_worker.h"

/* Processor time of this thread. It takes a system call, so it is asked for twice in a timed turn
 * and not for each stage. */
static uint64_t cpu_now(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) != 0) {
        return 0;
    }
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

void net_stages_begin(struct net_worker *worker)
{
    worker->timing =
        ++worker->turns % NET_STAGES_EVERY == 0 && worker->server->handler.on_stages != NULL;
    if (worker->timing) {
        worker->stages = (struct net_stages){0};
        worker->stages_cpu_ns = cpu_now();
    }
}

void net_stage_time(struct net_worker *worker, uint64_t *stage_ns)
{
    uint64_t now_ns = net_server_now(worker->server);
    if (stage_ns != NULL) {
        *stage_ns += now_ns - worker->stage_ns;
    }
    worker->stage_ns = now_ns;
}

/* A turn that took longer by the clock than on the processor was interrupted by another thread or
 * process: what it shows is not where this server's time goes. */
static bool interrupted(const struct net_worker *worker)
{
    const struct net_stages *stages = &worker->stages;
    uint64_t sum_ns = stages->read_ns + stages->split_ns + stages->serve_ns + stages->write_ns;
    return sum_ns > cpu_now() - worker->stages_cpu_ns;
}

void net_stages_tell(struct net_worker *worker)
{
    const struct net_handler *handler = &worker->server->handler;
    if (worker->timing && worker->stages.frames > 0 && !interrupted(worker)) {
        handler->on_stages(handler->context, worker->context, &worker->stages);
    }
    worker->timing = false;
}
