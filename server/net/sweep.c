/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines and the drain: one timer per worker walks its connections, since a timer for each would
 * cost more than it tells. A deadline is kept to within one period of the sweep. */
#include <assert.h>

#include "server/net/net_worker.h"

#define NS_PER_MS UINT64_C(1000000)

static bool is_past(uint64_t since_ns, uint64_t now_ns, unsigned limit_ms)
{
    return limit_ms > 0 && now_ns > since_ns && now_ns - since_ns > limit_ms * NS_PER_MS;
}

/* The reason to close a connection whose input is late, or NULL. */
static _Atomic uint64_t *late_input(struct net_conn *conn, uint64_t now_ns)
{
    struct net_worker *worker = conn->worker;
    const struct net_options *options = &worker->server->options;
    if (conn->phase != NET_OPEN) {
        return NULL;
    }
    if (!conn->known && is_past(conn->opened_ns, now_ns, options->stranger_ms)) {
        return &worker->tally.closed_stranger;
    }
    if (!conn->reading) {
        return NULL; /* it is we who do not read */
    }
    if (!conn->spoken) {
        return is_past(conn->opened_ns, now_ns, options->first_byte_ms)
                   ? &worker->tally.closed_first_byte
                   : NULL;
    }
    if (conn->frame_ns != 0) {
        return is_past(conn->frame_ns, now_ns, options->frame_ms) ? &worker->tally.closed_frame
                                                                  : NULL;
    }
    bool idle = conn->pending == 0 && net_conn_unsent(conn) == 0;
    return idle && is_past(conn->active_ns, now_ns, options->idle_ms) ? &worker->tally.closed_idle
                                                                      : NULL;
}

/* The reason to close a connection that takes nothing of what is sent to it, or NULL. */
static _Atomic uint64_t *late_output(struct net_conn *conn, uint64_t now_ns)
{
    struct net_worker *worker = conn->worker;
    if (!conn->sending) {
        return NULL;
    }
    size_t written_later = uv_stream_get_write_queue_size(&conn->uv.stream);
    if (written_later != conn->progress_bytes) {
        conn->progress_bytes = written_later;
        conn->progress_ns = now_ns;
        return NULL;
    }
    return is_past(conn->progress_ns, now_ns, worker->server->options.write_ms)
               ? &worker->tally.closed_slow_reader
               : NULL;
}

/* Whether the layer above lets the connection go on; if not, it is told and ends. */
static bool may_go_on(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    const struct net_handler *handler = &worker->server->handler;
    struct proto_fault fault = {0};
    if (handler->on_look == NULL || conn->phase != NET_OPEN || conn->state == NULL ||
        handler->on_look(handler->context, worker->context, conn, &fault)) {
        return true;
    }
    proto_write_fault(&worker->out, &fault, PROTO_FLAG_REPLY, 0);
    net_conn_send_out(conn);
    net_conn_finish(conn, &worker->tally.closed_denied);
    net_conn_settle(conn);
    return false;
}

static void sweep_conn(struct net_conn *conn, uint64_t now_ns)
{
    struct net_worker *worker = conn->worker;
    _Atomic uint64_t *reason = late_input(conn, now_ns);
    if (reason == NULL) {
        reason = late_output(conn, now_ns);
    }
    if (reason == NULL && conn->phase == NET_LINGER &&
        is_past(conn->linger_ns, now_ns, NET_LINGER_MS)) {
        reason = conn->reason;
    }
    if (reason != NULL) {
        net_conn_close(conn, reason);
        return;
    }
    if (!may_go_on(conn)) {
        return;
    }
    if (conn->in.bytes == 0 && conn->in.capacity > 0) {
        net_buffer_free(worker, &conn->in); /* it was idle: nothing is held for it any more */
    }
    bool was_quiet = conn->quiet_ns != 0;
    bool heard_again = was_quiet && !net_conn_is_quiet(conn, now_ns);
    if (conn->choked || conn->blocked || heard_again) {
        net_conn_choke(conn); /* the crowd may have gone */
        net_conn_settle(conn);
    }
}

/* A connection that waits for nothing ends at the second sweep that finds it so: it is read for one
 * whole period between, and what was on its way is answered SHUTTING_DOWN. One that was not read,
 * since it waited for replies, has its period when it has them. */
static void drain_conn(struct net_conn *conn, bool is_over)
{
    struct net_worker *worker = conn->worker;
    if (is_over) {
        net_conn_close(conn, &worker->tally.closed_cut);
        return;
    }
    bool was_drained = conn->drained;
    conn->drained = conn->pending == 0 && !conn->blocked && net_conn_unsent(conn) == 0;
    if (conn->phase == NET_OPEN && was_drained && conn->drained) {
        net_conn_finish(conn, &worker->tally.closed_drain);
        net_conn_settle(conn);
    }
}

/* Tells the layer above to rest if no turn had frames since the last sweep. */
static void rest_if_idle(struct net_worker *worker)
{
    const struct net_handler *handler = &worker->server->handler;
    if (worker->awake && !worker->turned) {
        worker->awake = false;
        if (handler->on_rest != NULL) {
            handler->on_rest(handler->context, worker->context);
        }
    }
    worker->turned = false;
}

void net_sweep_tick(struct net_worker *worker)
{
    struct net_server *server = worker->server;
    uint64_t now_ns = net_worker_now(worker);
    bool is_over = false;
    net_accept_tick(worker);
    rest_if_idle(worker);
    if (worker->draining) {
        is_over = now_ns >= atomic_load(&server->drain_until_ns);
    }
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        struct net_conn *conn = worker->slots[i].conn;
        if (conn == NULL) {
            continue;
        }
        sweep_conn(conn, now_ns);
        if (worker->draining && conn->phase != NET_CLOSED) {
            drain_conn(conn, is_over);
        }
    }
    net_worker_end_if_done(worker);
}

void net_sweep_drain_begin(struct net_worker *worker)
{
    worker->draining = true;
    net_listener_close(&worker->tcp);
    net_listener_close(&worker->local);
    net_listener_close(&worker->tls);
    for (uint32_t i = 0; i < worker->slots_count; i++) {
        struct net_conn *conn = worker->slots[i].conn;
        if (conn != NULL) {
            conn->serve_bytes = conn->blocked ? net_conn_whole_bytes(conn) : 0;
        }
    }
    unsigned period = worker->server->sweep_ms;
    period = period < NET_SWEEP_MS_DRAIN ? period : NET_SWEEP_MS_DRAIN;
    uv_timer_set_repeat(&worker->timer, period);
    int rc = uv_timer_again(&worker->timer);
    assert(rc == 0); /* the handle is open and was started */
    (void)rc;
}
