/* SPDX-License-Identifier: Apache-2.0 */
/* A stranger is a connection that has shown no token yet, on a server that wants one. It may say
 * little, be owed little and stay for a while; when there is room for nobody else, the one that has
 * been here longest makes room, so that strangers never keep out who is known. Whoever shows a
 * wrong token is answered at once and heard again only later; after a few it is closed. */
#include <assert.h>
#include <sys/socket.h>

#include "server/net/net_worker.h"

static int buffer_of(int fd, int option)
{
    int bytes = 0;
    socklen_t size = sizeof bytes;
    return getsockopt(fd, SOL_SOCKET, option, &bytes, &size) == 0 ? bytes : 0;
}

/* Bounds what the kernel keeps for the connection. Where that fails it keeps more, and nothing is
 * wrong. */
static void narrow(struct net_conn *conn, int fd)
{
    int send = NET_STRANGER_SEND_BYTES;
    int receive = NET_STRANGER_RECEIVE_BYTES;
    conn->kernel_send = buffer_of(fd, SO_SNDBUF);
    conn->kernel_receive = buffer_of(fd, SO_RCVBUF);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
}

/* As it was before, and as large as the kernel finds good from now on, which it only does where
 * nobody has said a size: that is taken back too (SO_BUF_LOCK, Linux 5.14). Without it both sizes
 * stay as they are asked for here. */
static void widen(const struct net_conn *conn)
{
    int send = conn->kernel_send / 2; /* it told twice what it would be asked for */
    int receive = conn->kernel_receive / 2;
    uv_os_fd_t fd;
    if (send == 0 || receive == 0 || uv_fileno(&conn->uv.handle, &fd) != 0) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send, sizeof send);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof receive);
#ifdef SO_BUF_LOCK
    int nothing = 0;
    setsockopt(fd, SOL_SOCKET, SO_BUF_LOCK, &nothing, sizeof nothing);
#endif
}

void net_stranger_enter(struct net_conn *conn, int fd, enum net_kind kind)
{
    struct net_strangers *all = &conn->worker->strangers;
    conn->known = !conn->worker->server->options.strangers;
    if (conn->known) {
        return;
    }
    conn->older = all->newest;
    conn->newer = NULL;
    *(all->newest != NULL ? &all->newest->newer : &all->oldest) = conn;
    all->newest = conn;
    if (kind != NET_UNIX) {
        narrow(conn, fd);
    }
    NET_TALLY(conn->worker, strangers_open, 1);
}

void net_stranger_leave(struct net_conn *conn)
{
    struct net_strangers *all = &conn->worker->strangers;
    if (conn->known) {
        return;
    }
    conn->known = true;
    *(conn->older != NULL ? &conn->older->newer : &all->oldest) = conn->newer;
    *(conn->newer != NULL ? &conn->newer->older : &all->newest) = conn->older;
    conn->older = conn->newer = NULL;
    NET_TALLY(conn->worker, strangers_open, UINT64_MAX);
}

void net_conn_known(struct net_conn *conn)
{
    if (!conn->known) {
        widen(conn);
    }
    net_stranger_leave(conn);
}

void net_conn_mistrust(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    assert(worker->serving == conn);
    conn->quiet_ns = net_worker_now(worker) + NET_QUIET_MS * UINT64_C(1000000);
    conn->mistrust++;
}

bool net_conn_is_quiet(struct net_conn *conn, uint64_t now_ns)
{
    if (conn->quiet_ns != 0 && now_ns >= conn->quiet_ns) {
        conn->quiet_ns = 0;
    }
    return conn->quiet_ns != 0;
}

size_t net_conn_frame_bytes_max(const struct net_conn *conn)
{
    size_t most = conn->worker->server->options.frame_bytes_max;
    return conn->known || most < NET_STRANGER_BYTES_MAX ? most : NET_STRANGER_BYTES_MAX;
}

size_t net_conn_out_high(const struct net_conn *conn)
{
    const struct net_worker *worker = conn->worker;
    if (!conn->known) {
        return NET_STRANGER_OUT_BYTES;
    }
    return net_worker_crowded(worker, 0) ? NET_SMALL_BYTES : worker->server->options.out_bytes_high;
}
