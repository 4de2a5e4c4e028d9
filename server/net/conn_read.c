/* SPDX-License-Identifier: Apache-2.0 */
/* Input of a connection. Small remains of a read are copied in front of the next read, into the
 * buffer that all connections of the worker share, so that a read is always large and the frames
 * lie in one piece. Only a frame that outgrows NET_SMALL_BYTES is read into a buffer of its own,
 * which doubles with the bytes that really came, up to the size that the frame states. */
#include <assert.h>
#include <stdlib.h>

#include "server/net/net_worker.h"

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Whether the next read goes into the connection's own buffer. */
static bool reads_into_own(const struct net_conn *conn)
{
    return conn->in.bytes > NET_SMALL_BYTES;
}

bool net_conn_may_serve(const struct net_conn *conn)
{
    return !conn->choked && !conn->held && conn->quiet_ns == 0 &&
           conn->pending < conn->worker->server->options.pending_max;
}

void net_conn_read_place(struct net_conn *conn, uint8_t **base, size_t *bytes)
{
    *base = conn->worker->read_buffer + NET_SMALL_BYTES;
    *bytes = NET_READ_BYTES;
    if (conn->phase == NET_OPEN && reads_into_own(conn)) {
        assert(conn->in.start == 0 && conn->in.capacity > conn->in.bytes);
        *base = conn->in.data + conn->in.bytes;
        /* Never more at a time: other connections wait meanwhile. */
        *bytes = min_size(conn->in.capacity - conn->in.bytes, NET_READ_BYTES);
    }
}

void *net_conn_take_input(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    const struct proto_frame *frame = &worker->frames[0];
    assert(worker->serving == conn);
    if (!reads_into_own(conn) || conn->in.bytes != PROTO_HEADER_BYTES + frame->payload.bytes ||
        frame->payload.data != conn->in.data + PROTO_HEADER_BYTES) {
        return NULL;
    }
    void *data = conn->in.data;
    net_worker_hold(worker, 0, conn->in.capacity);
    conn->in = (struct net_buffer){0};
    return data;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct net_conn *conn = handle->data;
    uint8_t *base = conn->worker->cipher_buffer;
    size_t bytes = NET_READ_BYTES;
    (void)suggested;
    net_stage_start(conn->worker);
    if (conn->secure == NULL) {
        net_conn_read_place(conn, &base, &bytes);
    }
    *buf = uv_buf_init((char *)base, (unsigned)bytes);
}

/* Keeps the unused end of a read. Sizes go up in steps, so that a dripping client does not make
 * every byte an allocation. */
static bool keep(struct net_conn *conn, struct proto_span rest)
{
    if (rest.bytes == 0) {
        conn->in.bytes = 0;
        if (conn->in.capacity > NET_KEEP_BYTES) {
            net_buffer_free(conn->worker, &conn->in);
        }
        return true;
    }
    bool oversize = conn->in.capacity > NET_KEEP_BYTES && rest.bytes <= NET_KEEP_BYTES;
    assert(conn->in.start == 0);
    if (conn->in.capacity >= rest.bytes && !oversize) {
        if (rest.data != conn->in.data) { /* else it is where it was read: a frame that grows */
            memmove(conn->in.data, rest.data, rest.bytes);
        }
        conn->in.bytes = rest.bytes;
        return true;
    }
    struct net_buffer fresh = {0};
    size_t capacity = rest.bytes <= 512              ? 512
                      : rest.bytes <= NET_KEEP_BYTES ? NET_KEEP_BYTES
                                                     : rest.bytes;
    if (!net_buffer_reserve(conn->worker, &fresh, capacity)) {
        return false;
    }
    memcpy(fresh.data, rest.data, rest.bytes); /* the rest may lie in the buffer freed next */
    fresh.bytes = rest.bytes;
    net_buffer_free(conn->worker, &conn->in);
    conn->in = fresh;
    return true;
}

/* A partial frame is at the front of `in`: makes sure that the next read has room, or answers BUSY
 * and passes over the frame. */
static bool make_room(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    if (conn->blocked || !reads_into_own(conn)) {
        return true;
    }
    struct proto_header header;
    proto_header_decode(conn->in.data, &header);
    size_t total = PROTO_HEADER_BYTES + (size_t)header.payload_bytes;
    assert(conn->in.bytes < total); /* else it would not be partial */
    if (conn->in.capacity > conn->in.bytes) {
        return true;
    }
    size_t capacity = min_size(total, conn->in.bytes * 2);
    if (!net_worker_crowded(worker, capacity)) {
        return net_buffer_reserve(worker, &conn->in, capacity);
    }
    conn->skip_bytes = total - conn->in.bytes;
    conn->in.bytes = 0;
    net_buffer_free(worker, &conn->in);
    NET_TALLY(worker, frames_busy, 1);
    net_conn_answer(conn, PROTO_BUSY, header.request_id,
                    "the server holds as many bytes of requests and replies as it may (bytes_max)");
    net_conn_send_out(conn);
    return true;
}

/* Serves what `bytes` holds and keeps the rest. The bytes may lie in `in` itself. */
static void take(struct net_conn *conn, struct proto_span bytes)
{
    bool was_partial = conn->frame_ns != 0;
    bool was_skipping = conn->skip_bytes > 0;
    size_t used = net_conn_serve(conn, bytes);
    if (conn->phase != NET_OPEN) {
        return;
    }
    struct proto_span rest = {bytes.data + used, bytes.bytes - used};
    if (!keep(conn, rest) || !make_room(conn)) {
        net_conn_close(conn, &conn->worker->tally.closed_error);
        return;
    }
    if (rest.bytes == 0 && conn->skip_bytes == 0) {
        conn->frame_ns = 0;
    } else if (!was_partial || (used > 0 && !(was_skipping && conn->skip_bytes > 0))) {
        conn->frame_ns = net_worker_now(conn->worker);
    }
}

void net_conn_serve_held(struct net_conn *conn)
{
    assert(conn->phase == NET_OPEN && conn->blocked);
    conn->blocked = false;
    take(conn, (struct proto_span){conn->in.data, conn->in.bytes});
}

/* Whether a read is to wait for the other reads of the turn. What is anything but a few whole
 * requests on a quiet connection is served at once. */
static bool may_gather(const struct net_conn *conn, size_t bytes)
{
    const struct net_worker *worker = conn->worker;
    return worker->server->handler.on_peek != NULL && bytes <= NET_GATHER_BYTES &&
           conn->in.bytes == 0 && conn->skip_bytes == 0 && conn->frame_ns == 0 &&
           !worker->draining && net_conn_may_serve(conn);
}

static bool gather(struct net_conn *conn, struct proto_span bytes)
{
    struct net_worker *worker = conn->worker;
    if (!keep(conn, bytes)) {
        return false;
    }
    conn->blocked = true;
    conn->stopped = true;
    conn->gathered = true;
    conn->next_stopped = worker->stopped;
    worker->stopped = conn;
    worker->gathering = true;
    return true;
}

/* Serves what was gathered of a connection before something else happens to it. */
static void ungather(struct net_conn *conn)
{
    if (!conn->gathered) {
        return;
    }
    net_conn_unstop(conn);
    net_conn_settle(conn);
}

void net_conn_serve_gathered(struct net_worker *worker)
{
    const struct net_handler *handler = &worker->server->handler;
    if (!worker->gathering) {
        return;
    }
    worker->gathering = false;
    net_stage_start(worker);
    net_worker_turn(worker);
    /* For one alone there is nothing to hide its wait behind. */
    unsigned steps =
        worker->stopped != NULL && worker->stopped->next_stopped != NULL ? NET_PEEK_STEPS : 0;
    for (unsigned step = 0; step < steps; step++) {
        for (const struct net_conn *at = worker->stopped; at != NULL; at = at->next_stopped) {
            if (at->gathered) {
                handler->on_peek(handler->context, worker->context,
                                 (struct proto_span){at->in.data, at->in.bytes}, step);
            }
        }
    }
    net_stage_end(worker, &worker->stages.serve_ns);
    net_conn_resume_stopped(worker);
}

void net_conn_read_take(struct net_conn *conn, uint8_t *base, size_t bytes)
{
    struct net_worker *worker = conn->worker;
    net_stage_end(worker, &worker->stages.read_ns);
    ungather(conn);
    NET_TALLY(worker, reads, 1);
    NET_TALLY(worker, bytes_in, bytes);
    if (conn->phase != NET_OPEN) {
        return; /* lingering: what comes now is thrown away */
    }
    conn->spoken = true;
    conn->read_ns = net_worker_now(worker);
    if (reads_into_own(conn)) {
        conn->in.bytes += bytes;
        take(conn, (struct proto_span){conn->in.data, conn->in.bytes});
    } else {
        size_t before = conn->in.bytes;
        assert(base == worker->read_buffer + NET_SMALL_BYTES);
        if (may_gather(conn, bytes) && gather(conn, (struct proto_span){base, bytes})) {
            return;
        }
        if (before > 0) {
            memcpy(base - before, conn->in.data, before);
        }
        take(conn, (struct proto_span){base - before, before + bytes});
    }
    net_conn_settle(conn);
}

void net_conn_read_end(struct net_conn *conn, _Atomic uint64_t *reason)
{
    ungather(conn);
    net_conn_finish(conn, reason);
    net_conn_settle(conn);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct net_conn *conn = stream->data;
    if (count == 0) {
        return;
    }
    if (count > 0 && conn->secure == NULL) {
        net_conn_read_take(conn, (uint8_t *)buf->base, (size_t)count);
        return;
    }
    if (count > 0) {
        net_conn_secure_bytes(conn, (struct proto_span){(uint8_t *)buf->base, (size_t)count});
        return;
    }
    bool gone = count == UV_EOF || count == UV_ECONNRESET;
    _Atomic uint64_t *reason =
        gone ? &conn->worker->tally.closed_peer : &conn->worker->tally.closed_error;
    conn->input_ended = true;
    if (conn->phase != NET_OPEN || count != UV_EOF) {
        ungather(conn);
        net_conn_close(conn, conn->phase == NET_LINGER ? conn->reason : reason);
        return;
    }
    net_conn_read_end(conn, reason);
}

void net_conn_read_start(struct net_conn *conn)
{
    if (conn->reading || (conn->secure != NULL && conn->secure->works)) {
        return;
    }
    conn->reading = true;
    if (conn->secure != NULL && conn->secure->more) {
        net_secure_later(conn->secure);
    }
    /* While we did not read, the peer could not finish its frame: its time begins anew. */
    if (conn->frame_ns != 0) {
        conn->frame_ns = net_worker_now(conn->worker);
    }
    int rc = uv_read_start(&conn->uv.stream, on_alloc, on_read);
    if (rc != 0) {
        net_conn_close(conn, &conn->worker->tally.closed_error);
    }
}

void net_conn_read_stop(struct net_conn *conn)
{
    if (!conn->reading) {
        return;
    }
    conn->reading = false;
    uv_read_stop(&conn->uv.stream);
    NET_TALLY(conn->worker, reads_paused, conn->phase == NET_OPEN ? 1 : 0);
}

void net_conn_resume_stopped(struct net_worker *worker)
{
    /* A connection that stops again joins the next turn's list. */
    struct net_conn *conn = worker->stopped;
    worker->stopped = NULL;
    for (struct net_conn *at = conn; at != NULL; at = at->next_stopped) {
        at->stopped = at->gathered = false;
    }
    while (conn != NULL) {
        struct net_conn *next = conn->next_stopped;
        conn->next_stopped = NULL;
        net_conn_settle(conn); /* closes no other connection, and frees none in this turn */
        conn = next;
    }
}
