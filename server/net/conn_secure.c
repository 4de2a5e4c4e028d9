/* SPDX-License-Identifier: Apache-2.0 */
/* A connection behind TLS. What comes is fed to its session; until hands are shaken that is all,
 * and the connection is not read while another thread does it. Then plain bytes go where those of
 * any connection go, as long as it wants to read; what is left is held and read on when it does.
 *
 * A session that fails has told its peer why, and ends like a connection whose framing is lost. A
 * peer that says it will send no more still gets what it is owed. */
#include "server/net/net_worker.h"

static void send_records(struct net_conn *conn)
{
    struct tls_session *session = conn->secure->session;
    struct proto_span records = tls_session_out(session);
    if (records.bytes == 0) {
        return;
    }
    net_conn_send_bytes(conn, records);
    if (conn->phase != NET_CLOSED) {
        tls_session_sent(session);
    }
}

static void failed(struct net_conn *conn, const struct proto_fault *fault)
{
    struct net_worker *worker = conn->worker;
    char address[64];
    net_conn_address(conn, address, sizeof address);
    NET_TALLY(worker, tls_failed, 1);
    net_worker_log(worker, BASE_LOG_INFO, "a TLS session failed",
                   BASE_FIELDS(base_field_text("address", address),
                               base_field_text("reason", fault->message)));
    conn->secure->ended = true;
    send_records(conn);
    net_conn_finish(conn, &worker->tally.closed_tls);
    net_conn_settle(conn);
}

/* Plain bytes go on as long as there are some and they are wanted. */
static void pump(struct net_conn *conn)
{
    struct net_secure *secure = conn->secure;
    struct proto_fault fault = {.code = PROTO_OK};
    ssize_t count = 1;
    secure->more = false;
    while (count > 0 && conn->phase == NET_OPEN && conn->reading &&
           tls_session_waits(secure->session)) {
        uint8_t *base;
        size_t room;
        net_conn_read_place(conn, &base, &room);
        count = tls_session_read(secure->session, base, room, &fault);
        if (count > 0) {
            net_conn_read_take(conn, base, (size_t)count);
        }
    }
    if (count == -1) {
        net_conn_read_end(conn, &conn->worker->tally.closed_peer);
    } else if (count < 0) {
        failed(conn, &fault);
    }
    if (conn->phase == NET_CLOSED) {
        return; /* and the session is gone */
    }
    if (!tls_session_hold(secure->session)) {
        net_conn_close(conn, &conn->worker->tally.closed_error);
        return;
    }
    secure->more = conn->phase == NET_OPEN && tls_session_waits(secure->session);
    if (conn->phase == NET_OPEN) {
        send_records(conn);
    }
    if (conn->phase != NET_CLOSED) {
        net_secure_count(secure);
    }
}

/* A handshake that was begun and never goes on costs more than a connection, so that there are only
 * so many: the one that waits longest makes room. */
static void wait_for_client(struct net_conn *conn)
{
    struct net_conn *longest = net_secure_half(conn->secure);
    if (longest != NULL) {
        net_conn_close(longest, &conn->worker->tally.closed_stranger);
    }
}

static void on_shaken(struct net_conn *conn)
{
    struct net_secure *secure = conn->secure;
    if (conn->phase != NET_OPEN) {
        return; /* it was finished meanwhile, and nothing is read any more */
    }
    if (secure->shaken == TLS_SHAKE_FAILED) {
        failed(conn, &secure->fault);
        return;
    }
    send_records(conn);
    if (conn->phase != NET_OPEN) {
        return;
    }
    net_secure_count(secure);
    if (secure->shaken == TLS_SHAKES) {
        wait_for_client(conn);
    } else {
        net_secure_whole(secure);
    }
    net_conn_read_start(conn);
    if (secure->shaken == TLS_SHAKEN && conn->phase == NET_OPEN) {
        NET_TALLY(conn->worker, tls_handshakes, 1);
        conn->frame_ns = 0;
        conn->active_ns = net_worker_now(conn->worker);
        pump(conn);
    }
}

/* The whole handshake has the time of one frame. Another thread is only asked when there is a
 * record for it. */
static void shake(struct net_conn *conn)
{
    if (conn->frame_ns == 0) {
        conn->frame_ns = net_worker_now(conn->worker);
    }
    if (!tls_session_hold(conn->secure->session)) {
        net_conn_close(conn, &conn->worker->tally.closed_error);
        return;
    }
    net_secure_count(conn->secure);
    if (tls_session_waits(conn->secure->session)) {
        net_conn_read_stop(conn);
        net_secure_shake(conn->secure, on_shaken);
    }
}

void net_conn_secure_bytes(struct net_conn *conn, struct proto_span bytes)
{
    if (conn->phase != NET_OPEN) {
        return; /* lingering: what comes now is thrown away */
    }
    conn->spoken = true;
    if (!tls_session_feed(conn->secure->session, bytes)) {
        net_conn_close(conn, &conn->worker->tally.closed_error);
    } else if (conn->secure->shaken == TLS_SHAKEN) {
        pump(conn);
    } else {
        shake(conn);
    }
}

void net_conn_secure_resume(struct net_worker *worker)
{
    struct net_secure *list = worker->secure_more;
    worker->secure_more = NULL;
    for (struct net_secure *at = list; at != NULL; at = at->next) {
        at->later = false;
    }
    while (list != NULL) {
        struct net_secure *secure = list;
        list = secure->next; /* a connection closes no other one than itself */
        if (secure->more && secure->conn->reading) {
            pump(secure->conn);
        }
    }
}

bool net_conn_secure_end(struct net_conn *conn)
{
    if (conn->secure == NULL || conn->secure->ended || conn->secure->works) {
        return false;
    }
    conn->secure->ended = true;
    tls_session_end(conn->secure->session);
    send_records(conn);
    return conn->phase == NET_CLOSED || net_conn_unsent(conn) > 0;
}
