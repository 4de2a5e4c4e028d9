/* SPDX-License-Identifier: Apache-2.0 */
/* Accepting, and turning away: a connection past the limit, or past the descriptors of the process,
 * is told BUSY and closed. For the second each worker keeps one descriptor in reserve. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/net_worker.h"

static void refused_close_all(struct net_worker *worker)
{
    for (unsigned i = 0; i < worker->refused_count; i++) {
        close(worker->refused[i]);
    }
    worker->refused_count = 0;
}

/* Says BUSY without waiting: a socket that was just accepted has room for one small frame. */
static void say_busy(int fd, const char *message)
{
    struct proto_fault fault;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_fault_set(&fault, PROTO_BUSY, "", "%s", message);
    proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, 0);
    if (proto_writer_ok(&writer)) {
        (void)!send(fd, writer.data, writer.bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    proto_writer_fini(&writer);
    shutdown(fd, SHUT_WR);
}

/* Closed at the next sweep, by when the peer's first request, if it sent one at once, has come:
 * closing with unread input would reset the connection before it could read why. */
static void hold_refused(struct net_worker *worker, int fd)
{
    if (worker->refused_count == NET_REFUSED_HELD) {
        refused_close_all(worker);
    }
    worker->refused[worker->refused_count++] = fd;
}

/* Whether the layer above takes the connection; if not, it is told why and closed. */
static bool is_welcome(struct net_listener *listener, int fd, uint32_t *guest)
{
    struct net_worker *worker = listener->worker;
    const struct net_handler *handler = &worker->server->handler;
    struct sockaddr_storage from = {0};
    socklen_t bytes = sizeof from;
    struct proto_fault fault = {0};
    *guest = 0;
    if (handler->on_guest == NULL || listener->kind == NET_UNIX ||
        getpeername(fd, (struct sockaddr *)&from, &bytes) != 0 ||
        handler->on_guest(handler->context, (const struct sockaddr *)&from, guest, &fault)) {
        return true;
    }
    NET_TALLY(worker, refused_address, 1);
    if (listener->kind == NET_TLS) {
        close(fd); /* it could not read why */
        return false;
    }
    say_busy(fd, fault.message);
    hold_refused(worker, fd);
    return false;
}

/* Whoever speaks TLS could not read why. */
static void refuse_full(struct net_listener *listener, int fd)
{
    struct net_worker *worker = listener->worker;
    NET_TALLY(worker, connections_refused, 1);
    net_worker_log(
        worker, BASE_LOG_WARN, "connection refused",
        BASE_FIELDS(base_field_uint("connections_max", worker->server->options.connections_max)));
    if (listener->kind == NET_TLS) {
        close(fd);
        return;
    }
    say_busy(fd, "connections_max connections are open; close one or try again later");
    hold_refused(worker, fd);
}

void net_accept_adopt(struct net_worker *worker, int fd, enum net_kind kind, uint32_t guest)
{
    int on = 1;
    if (kind != NET_UNIX && worker->server->options.tcp_nodelay) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                   sizeof on); /* without it: slower, not wrong */
    }
    if (worker->draining || !net_conn_open(worker, fd, kind, guest)) {
        net_guest_gone(worker, guest);
        NET_TALLY(worker, closed_error, worker->draining ? 0 : 1);
        NET_TALLY(worker, closed_drain, worker->draining ? 1 : 0);
        atomic_fetch_sub_explicit(&worker->server->open, 1, memory_order_relaxed);
        close(fd);
    }
}

/* Closes the stranger that has been here longest; false if there is none. */
static bool make_room(struct net_worker *worker)
{
    struct net_conn *oldest = worker->strangers.oldest;
    if (oldest != NULL) {
        net_conn_close(oldest, &worker->tally.closed_stranger);
    }
    return oldest != NULL;
}

static void welcome(struct net_listener *listener, int fd)
{
    struct net_worker *worker = listener->worker;
    struct net_server *server = worker->server;
    uint32_t guest;
    if (!is_welcome(listener, fd, &guest)) {
        return;
    }
    /* A stranger that makes room is counted out when its memory is freed, a moment later. */
    if (atomic_fetch_add_explicit(&server->open, 1, memory_order_relaxed) >=
            server->options.connections_max &&
        !make_room(worker)) {
        atomic_fetch_sub_explicit(&server->open, 1, memory_order_relaxed);
        net_guest_gone(worker, guest);
        refuse_full(listener, fd);
        return;
    }
    NET_TALLY(worker, connections_accepted, 1);
    struct net_worker *target = worker;
    if (listener->kind == NET_UNIX) {
        target = &server->workers[server->next_worker++ % server->workers_count];
    }
    if (target == worker) {
        net_accept_adopt(worker, fd, listener->kind, guest);
    } else if (!net_mail_socket(target, fd, NET_MAIL_SOCKET)) {
        NET_TALLY(worker, closed_error, 1);
        atomic_fetch_sub_explicit(&server->open, 1, memory_order_relaxed);
        close(fd);
    }
}

static void reserve_open(struct net_worker *worker)
{
    if (worker->reserve_fd < 0) {
        worker->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

static void pause_accepting(struct net_listener *listener)
{
    uv_poll_stop(&listener->poll); /* net_accept_tick starts it again */
    listener->polling = false;
}

/* Out of descriptors: uses the one in reserve to take the connection and tell it. Returns false if
 * nobody waits, or if that failed too: then the listener rests, since polling it would spin. */
static bool turn_away(struct net_listener *listener)
{
    struct net_worker *worker = listener->worker;
    int fd = -1;
    int error = EMFILE;
    if (worker->reserve_fd >= 0) {
        close(worker->reserve_fd);
        worker->reserve_fd = -1;
        fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        error = errno;
    }
    if (fd >= 0) {
        NET_TALLY(worker, accept_emfile, 1);
        net_worker_log(worker, BASE_LOG_ERROR,
                       "out of file descriptors, connections are turned away: raise the limit "
                       "(ulimit -n) or lower connections_max",
                       BASE_NO_FIELDS);
        if (listener->kind != NET_TLS) {
            say_busy(fd, "the server has no file descriptor left; try again later");
        }
        close(fd);
    }
    reserve_open(worker);
    if (fd < 0 && error != EAGAIN) {
        pause_accepting(listener);
    }
    return fd >= 0;
}

static void pace_over(uv_timer_t *timer);

/* Whether one more connection may be accepted now; if not, the listener rests for a moment. The
 * Unix socket is paced by nobody: who may open it works on this machine, and is trusted with it. */
static bool pace_allows(struct net_listener *listener)
{
    struct net_worker *worker = listener->worker;
    struct net_server *server = worker->server;
    struct auth_rate rate = {server->options.accepts_max, server->options.accepts_max};
    uint64_t amount = listener->kind == NET_TLS ? NET_TLS_ACCEPTS : 1;
    uint64_t wait_ns;
    if (listener->kind == NET_UNIX ||
        auth_bucket_take(&server->accepts, &rate, amount, net_worker_now(worker), &wait_ns)) {
        return true;
    }
    NET_TALLY(worker, accept_rests, 1);
    pause_accepting(listener);
    if (!uv_is_active((const uv_handle_t *)&worker->pace)) {
        uv_timer_start(&worker->pace, pace_over, NET_PACE_MS, 0);
    }
    return false;
}

/* What pace_allows took for a connection that was not there. */
static void pace_return(const struct net_listener *listener)
{
    struct net_server *server = listener->worker->server;
    struct auth_rate rate = {server->options.accepts_max, server->options.accepts_max};
    if (listener->kind != NET_UNIX) {
        auth_bucket_return(&server->accepts, &rate,
                           listener->kind == NET_TLS ? NET_TLS_ACCEPTS : 1);
    }
}

static void accept_ready(uv_poll_t *poll, int status, int events)
{
    struct net_listener *listener = poll->data;
    (void)events;
    if (status != 0) {
        NET_TALLY(listener->worker, accept_failed, 1);
        pause_accepting(listener);
        return;
    }
    for (unsigned i = 0; i < NET_ACCEPTS_PER_TURN && pace_allows(listener); i++) {
        int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            welcome(listener, fd);
            continue;
        }
        pace_return(listener);
        if (errno == EAGAIN) {
            return;
        }
        if (errno == EMFILE || errno == ENFILE) {
            if (!turn_away(listener)) {
                return;
            }
        } else if (errno == ENOBUFS || errno == ENOMEM) {
            NET_TALLY(listener->worker, accept_failed, 1);
            pause_accepting(listener);
            return;
        } else if (errno != EINTR) {
            NET_TALLY(listener->worker, accept_failed, 1); /* the peer gave up, and the like */
        }
    }
}

static void listeners_start(struct net_worker *worker)
{
    if (!worker->draining) {
        net_listener_start(&worker->tcp, accept_ready);
        net_listener_start(&worker->local, accept_ready);
        net_listener_start(&worker->tls, accept_ready);
    }
}

static void pace_over(uv_timer_t *timer)
{
    listeners_start(timer->data);
}

void net_accept_tick(struct net_worker *worker)
{
    refused_close_all(worker);
    if (worker->draining) {
        return;
    }
    reserve_open(worker);
    listeners_start(worker);
}

void net_accept_fini(struct net_worker *worker)
{
    refused_close_all(worker);
    net_listener_close(&worker->tcp);
    net_listener_close(&worker->local);
    net_listener_close(&worker->tls);
    if (worker->reserve_fd >= 0) {
        close(worker->reserve_fd);
    }
    worker->reserve_fd = -1;
}
