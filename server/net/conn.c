/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/net_worker.h"

struct net_ticket net_conn_ticket(const struct net_conn *conn)
{
    return (struct net_ticket){conn->worker->index, conn->slot, conn->generation};
}

void *net_conn_state(const struct net_conn *conn)
{
    return conn->state;
}

void net_conn_set_state(struct net_conn *conn, void *state)
{
    conn->state = state;
}

uint32_t net_conn_guest(const struct net_conn *conn)
{
    return conn->guest;
}

uint64_t net_conn_read_ns(const struct net_conn *conn)
{
    return conn->read_ns;
}

static void address_text(const struct sockaddr_storage *from, char *out, size_t out_bytes)
{
    char host[INET6_ADDRSTRLEN];
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &four->sin_addr, host, sizeof host);
        snprintf(out, out_bytes, "%s:%u", host, ntohs(four->sin_port));
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
        inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof host);
        snprintf(out, out_bytes, "[%s]:%u", host, ntohs(six->sin6_port));
    } else {
        snprintf(out, out_bytes, "unix");
    }
}

void net_conn_address(const struct net_conn *conn, char *out, size_t out_bytes)
{
    struct sockaddr_storage from = {0};
    socklen_t bytes = sizeof from;
    struct ucred peer;
    socklen_t peer_bytes = sizeof peer;
    uv_os_fd_t fd;
    if (uv_fileno(&conn->uv.handle, &fd) != 0 ||
        getpeername(fd, (struct sockaddr *)&from, &bytes) != 0) {
        snprintf(out, out_bytes, "unknown");
        return;
    }
    address_text(&from, out, out_bytes);
    if (from.ss_family == AF_UNIX &&
        getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) == 0) {
        snprintf(out, out_bytes, "unix pid %d", (int)peer.pid);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct net_conn *conn = handle->data;
    struct net_worker *worker = conn->worker;
    /* The write in flight was called back with UV_ECANCELED before this. */
    assert(!conn->sending);
    net_worker_hold(worker, 0, sizeof *conn);
    free(conn);
    worker->open--;
    atomic_fetch_sub_explicit(&worker->server->open, 1, memory_order_relaxed);
    net_worker_end_if_done(worker);
}

void net_conn_unstop(struct net_conn *conn)
{
    struct net_conn **link = &conn->worker->stopped;
    while (*link != conn) {
        assert(*link != NULL);
        link = &(*link)->next_stopped;
    }
    *link = conn->next_stopped;
    conn->stopped = conn->gathered = false;
}

void net_guest_gone(const struct net_worker *worker, uint32_t guest)
{
    const struct net_handler *handler = &worker->server->handler;
    if (handler->on_guest_gone != NULL && guest != 0) {
        handler->on_guest_gone(handler->context, guest);
    }
}

void net_conn_close(struct net_conn *conn, _Atomic uint64_t *reason)
{
    struct net_worker *worker = conn->worker;
    if (conn->phase == NET_CLOSED) {
        return;
    }
    assert(worker->serving != conn); /* the handler never closes the connection that it serves */
    conn->phase = NET_CLOSED;
    conn->reading = false;
    net_tally_add(reason, 1);
    if (conn->stopped) {
        net_conn_unstop(conn);
    }
    NET_TALLY(worker, requests_pending, 0 - (uint64_t)conn->pending);
    if (worker->server->handler.on_close != NULL) {
        worker->server->handler.on_close(worker->server->handler.context, worker->context, conn);
    }
    net_guest_gone(worker, conn->guest);
    net_stranger_leave(conn);
    net_secure_leave(conn->secure);
    net_slot_release(worker, conn);
    net_buffer_free(worker, &conn->in);
    net_buffer_free(worker, &conn->waiting);
    uv_close(&conn->uv.handle, on_closed);
}

void net_conn_finish(struct net_conn *conn, _Atomic uint64_t *reason)
{
    if (conn->phase != NET_OPEN) {
        return;
    }
    conn->phase = NET_FINISHING;
    conn->reason = reason;
    conn->blocked = false;
    conn->frame_ns = 0;
    if (conn->stopped) {
        net_conn_unstop(conn);
    }
    net_conn_read_stop(conn);
    net_buffer_free(conn->worker, &conn->in);
    const struct net_handler *handler = &conn->worker->server->handler;
    if (handler->on_finish != NULL) {
        handler->on_finish(handler->context, conn->worker->context, conn);
    }
}

/* Everything is sent: end the sending half, then wait for the peer to do the same. */
static void linger(struct net_conn *conn)
{
    uv_os_fd_t fd;
    if (net_conn_secure_end(conn)) {
        return; /* settled again when that is sent */
    }
    if (conn->input_ended || uv_fileno(&conn->uv.handle, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
        net_conn_close(conn, conn->reason);
        return;
    }
    conn->phase = NET_LINGER;
    conn->linger_ns = net_worker_now(conn->worker);
    net_conn_read_start(conn);
}

void net_conn_settle(struct net_conn *conn)
{
    if (conn->phase == NET_CLOSED || conn->phase == NET_LINGER) {
        return;
    }
    net_conn_flush(conn);
    if (conn->phase == NET_OPEN && conn->blocked && !conn->stopped && net_conn_may_serve(conn)) {
        net_conn_serve_held(conn);
    }
    if (conn->phase == NET_OPEN) {
        if (!conn->blocked && net_conn_may_serve(conn)) {
            net_conn_read_start(conn);
        } else {
            net_conn_read_stop(conn);
        }
    }
    if (conn->phase == NET_FINISHING && conn->pending == 0 && net_conn_unsent(conn) == 0) {
        linger(conn);
    }
}

static int stream_open(struct net_conn *conn, int fd, enum net_kind kind)
{
    uv_loop_t *loop = &conn->worker->loop;
    bool is_unix = kind == NET_UNIX;
    int rc = is_unix ? uv_pipe_init(loop, &conn->uv.pipe, 0) : uv_tcp_init(loop, &conn->uv.tcp);
    assert(rc == 0); /* neither allocates nor calls the system */
    (void)rc;
    return is_unix ? uv_pipe_open(&conn->uv.pipe, fd) : uv_tcp_open(&conn->uv.tcp, fd);
}

bool net_conn_open(struct net_worker *worker, int fd, enum net_kind kind, uint32_t guest)
{
    struct net_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return false;
    }
    conn->worker = worker;
    conn->guest = guest;
    conn->secure = kind == NET_TLS ? net_secure_create(worker, conn) : NULL;
    if ((kind == NET_TLS && conn->secure == NULL) || !net_slot_take(worker, conn)) {
        net_secure_leave(conn->secure);
        free(conn);
        return false;
    }
    conn->opened_ns = conn->active_ns = net_worker_now(worker);
    conn->serve_bytes = worker->draining ? 0 : SIZE_MAX;
    net_worker_hold(worker, sizeof *conn, 0);
    net_stranger_enter(conn, fd, kind);
    worker->open++;
    int rc = stream_open(conn, fd, kind);
    conn->uv.handle.data = conn;
    if (rc != 0) {
        close(fd);
        net_conn_close(conn, &worker->tally.closed_error);
        return true; /* on_closed counts it out */
    }
    net_conn_read_start(conn);
    return true;
}
