/* SPDX-License-Identifier: Apache-2.0 */
#include "server/net/net_worker.h"

void net_stages_begin(struct net_worker *worker)
{
    worker->timing =
        ++worker->turns % NET_STAGES_EVERY == 0 && worker->server->handler.on_stages != NULL;
    if (worker->timing)
        worker->stages = (struct net_stages){0};
}

void net_stage_time(struct net_worker *worker, uint64_t *stage_ns)
{
    uint64_t now_ns = net_server_now(worker->server);
    if (stage_ns != NULL)
        *stage_ns += now_ns - worker->stage_ns;
    worker->stage_ns = now_ns;
}

void net_stages_tell(struct net_worker *worker)
{
    const struct net_handler *handler = &worker->server->handler;
    if (worker->timing && worker->stages.frames > 0)
        handler->on_stages(handler->context, worker->context, &worker->stages);
    worker->timing = false;
}
