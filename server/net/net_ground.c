/* SPDX-License-Identifier: Apache-2.0 */
/* What connections, listeners and the sweep ask of their worker: its clock, its turn, what it
 * holds, its log, its end. Everything else of net stands on this, and this on none of it. */
#include "server/net/net_worker.h"

uint64_t net_worker_now(struct net_worker *worker)
{
    if (!worker->now_known) {
        uint64_t now_ns = net_server_now(worker->server);
        worker->now_ns = now_ns == 0 ? 1 : now_ns; /* 0 means "no time" in net_conn */
        worker->now_known = true;
    }
    return worker->now_ns;
}

void net_worker_turn(struct net_worker *worker)
{
    const struct net_handler *handler = &worker->server->handler;
    if (worker->turn_begun) {
        return;
    }
    worker->turn_begun = true;
    worker->turned = true;
    worker->awake = true;
    if (handler->on_turn != NULL) {
        handler->on_turn(handler->context, worker->context);
    }
}

void net_worker_hold(struct net_worker *worker, size_t more, size_t less)
{
    if (more >= less) {
        atomic_fetch_add_explicit(&worker->server->held, more - less, memory_order_relaxed);
    } else {
        atomic_fetch_sub_explicit(&worker->server->held, less - more, memory_order_relaxed);
    }
}

bool net_worker_crowded(const struct net_worker *worker, size_t more)
{
    size_t held = atomic_load_explicit(&worker->server->held, memory_order_relaxed);
    size_t most = worker->server->options.bytes_max;
    return held > most || more > most - held;
}

void net_worker_log_write(struct net_worker *worker, enum base_log_level level, const char *message,
                          const struct base_log_field *fields, size_t count)
{
    struct base_log *log = worker->server->options.log;
    uint64_t second = net_worker_now(worker) / UINT64_C(1000000000);
    if (second != worker->log_second) {
        worker->log_second = second;
        worker->log_lines = 0;
    }
    if (worker->log_lines == NET_LOG_LINES_PER_SECOND) {
        worker->log_left_out++;
        return;
    }
    worker->log_lines++;
    if (worker->log_left_out > 0) {
        base_log(log, level, "net", "lines were left out",
                 BASE_FIELDS(base_field_uint("lines", worker->log_left_out)));
    }
    worker->log_left_out = 0;
    base_log_write(log, level, "net", message, fields, count);
}

void net_worker_end_if_done(struct net_worker *worker)
{
    if (worker->draining && worker->open == 0) {
        uv_stop(&worker->loop);
    }
}

void net_worker_keep_busy(struct net_worker *worker)
{
    uv_idle_start(&worker->busy, worker->on_busy);
}
