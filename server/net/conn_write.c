/* SPDX-License-Identifier: Apache-2.0 */
/* Output of a connection: one libuv write at a time, and behind it one buffer that grows, so that
 * what lies unsent is known, bounded, and leaves with few writes. */
#include <assert.h>
#include <stdlib.h>

#include "server/net/net_worker.h"

/* The reply buffer of a worker is given back when one batch made it larger than this. */
#define OUT_KEEP_BYTES ((size_t)1 << 20)
/* Room beyond what is needed, at most, of replies that wait. */
#define OUT_SPARE_BYTES ((size_t)1 << 18)

void net_buffer_free(struct net_worker *worker, struct net_buffer *buffer)
{
    free(buffer->data);
    net_worker_hold(worker, 0, buffer->capacity);
    *buffer = (struct net_buffer){0};
}

bool net_buffer_reserve(struct net_worker *worker, struct net_buffer *buffer, size_t capacity)
{
    if (buffer->capacity >= capacity) {
        return true;
    }
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL) {
        return false;
    }
    net_worker_hold(worker, capacity, buffer->capacity);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

size_t net_frames_count(struct proto_span frames)
{
    size_t count = 0;
    size_t at = 0;
    while (at < frames.bytes) {
        struct proto_header header;
        assert(frames.bytes - at >= PROTO_HEADER_BYTES);
        proto_header_decode(frames.data + at, &header);
        assert(header.version == PROTO_VERSION && (header.flags & PROTO_FLAG_REPLY) != 0);
        at += PROTO_HEADER_BYTES + (size_t)header.payload_bytes;
        count++;
    }
    assert(at == frames.bytes); /* else the peer would lose the framing through our fault */
    return count;
}

size_t net_conn_unsent(const struct net_conn *conn)
{
    return uv_stream_get_write_queue_size(&conn->uv.stream) + conn->waiting.bytes;
}

size_t net_conn_owed(const struct net_conn *conn)
{
    return conn->sent.capacity + conn->waiting.capacity;
}

void net_conn_choke(struct net_conn *conn)
{
    size_t high = net_conn_out_high(conn);
    size_t unsent = net_conn_unsent(conn);
    bool was_choked = conn->choked;
    if (unsent >= high) {
        conn->choked = true;
    } else if (unsent <= high / 2) {
        conn->choked = false;
    }
    const struct net_handler *handler = &conn->worker->server->handler;
    if (conn->choked != was_choked && handler->on_owes != NULL) {
        handler->on_owes(handler->context, conn->worker->context, conn, conn->choked);
    }
}

/* Bytes stay unsent from now on: their time to make progress begins. */
static void progress_begin(struct net_conn *conn)
{
    conn->progress_ns = net_worker_now(conn->worker);
    conn->progress_bytes = net_conn_unsent(conn);
}

static void on_written(uv_write_t *write, int status)
{
    struct net_conn *conn = write->data;
    struct net_worker *worker = conn->worker;
    assert(conn->sending);
    conn->sending = false;
    NET_TALLY(worker, bytes_out, status == 0 ? conn->sent.bytes : 0);
    net_buffer_free(worker, &conn->sent);
    if (conn->phase == NET_CLOSED) {
        return;
    }
    if (status != 0) {
        net_conn_close(conn, status == UV_EPIPE || status == UV_ECONNRESET
                                 ? &worker->tally.closed_peer
                                 : &worker->tally.closed_error);
        return;
    }
    conn->active_ns = net_worker_now(worker);
    net_conn_choke(conn);
    net_conn_settle(conn);
}

/* Takes what the kernel takes at once; false if the connection failed and was closed. */
static bool write_now(struct net_conn *conn, struct proto_span *bytes)
{
    struct net_worker *worker = conn->worker;
    /* uv_buf_t has no const; libuv only reads. */
    uv_buf_t buf = {.base = (char *)(uintptr_t)bytes->data, .len = bytes->bytes};
    NET_TALLY(worker, writes, 1);
    int count = uv_try_write(&conn->uv.stream, &buf, 1);
    if (count == UV_EAGAIN) {
        return true;
    }
    if (count < 0) {
        net_conn_close(conn, count == UV_EPIPE || count == UV_ECONNRESET
                                 ? &worker->tally.closed_peer
                                 : &worker->tally.closed_error);
        return false;
    }
    NET_TALLY(worker, bytes_out, count);
    bytes->data += count;
    bytes->bytes -= (size_t)count;
    return true;
}

/* Whether `more` may be added; closes the connection if not. */
static bool has_room(struct net_conn *conn, size_t more)
{
    size_t unsent = net_conn_unsent(conn);
    size_t most = conn->worker->server->options.out_bytes_max;
    if (unsent <= most && more <= most - unsent) {
        return true;
    }
    net_worker_log(
        conn->worker, BASE_LOG_WARN, "closing a connection that does not read",
        BASE_FIELDS(base_field_uint("unsent_bytes", unsent), base_field_uint("more_bytes", more)));
    net_conn_close(conn, &conn->worker->tally.closed_over_limit);
    return false;
}

static bool append(struct net_conn *conn, struct proto_span bytes)
{
    struct net_buffer *waiting = &conn->waiting;
    size_t end = waiting->start + waiting->bytes;
    if (bytes.bytes > waiting->capacity - end) {
        size_t spare = waiting->capacity < OUT_SPARE_BYTES ? waiting->capacity : OUT_SPARE_BYTES;
        size_t capacity = end + bytes.bytes;
        if (capacity < waiting->capacity + spare) {
            capacity = waiting->capacity + spare;
        }
        if (!net_buffer_reserve(conn->worker, waiting, capacity)) {
            net_conn_close(conn, &conn->worker->tally.closed_error);
            return false;
        }
    }
    memcpy(waiting->data + end, bytes.data, bytes.bytes);
    waiting->bytes += bytes.bytes;
    return true;
}

/* Leaves `waiting`, from `rest` on, to libuv; the socket takes nothing more now. */
static void write_later(struct net_conn *conn, size_t rest)
{
    conn->sent = conn->waiting;
    conn->sent.start += conn->waiting.bytes - rest;
    conn->sent.bytes = rest;
    conn->waiting = (struct net_buffer){0};
    conn->sending = true;
    conn->write.data = conn;
    uv_buf_t buf = {.base = (char *)conn->sent.data + conn->sent.start, .len = conn->sent.bytes};
    int rc = uv_write(&conn->write, &conn->uv.stream, &buf, 1, on_written);
    if (rc != 0) {
        conn->sending = false;
        net_buffer_free(conn->worker, &conn->sent);
        net_conn_close(conn, &conn->worker->tally.closed_error);
        return;
    }
    progress_begin(conn);
    net_conn_choke(conn);
}

void net_conn_flush(struct net_conn *conn)
{
    struct net_buffer *waiting = &conn->waiting;
    if (waiting->bytes == 0 || conn->phase == NET_CLOSED) {
        return;
    }
    if (conn->sending) {
        net_conn_choke(conn); /* replies that were posted wait behind what the peer does not take */
        return;
    }
    struct proto_span rest = {waiting->data + waiting->start, waiting->bytes};
    if (!write_now(conn, &rest)) {
        return;
    }
    if (rest.bytes > 0) {
        write_later(conn, rest.bytes);
        return;
    }
    net_buffer_free(conn->worker, waiting);
    conn->active_ns = net_worker_now(conn->worker);
    net_conn_choke(conn);
}

/* Frames as they leave; false: the connection was closed, or has nobody yet who could read them. */
static bool seal(struct net_conn *conn, struct proto_span *frames)
{
    if (conn->secure == NULL || net_secure_seal(conn->secure, frames)) {
        return true;
    }
    if (conn->secure->shaken == TLS_SHAKEN) {
        net_conn_close(conn, &conn->worker->tally.closed_error);
    }
    return false;
}

static void sealed_sent(struct net_conn *conn)
{
    if (conn->secure != NULL && conn->phase != NET_CLOSED) {
        tls_session_sent(conn->secure->session);
    }
}

void net_conn_send(struct net_conn *conn, struct proto_span frames)
{
    if (frames.bytes == 0 || conn->phase == NET_CLOSED) {
        return;
    }
    NET_TALLY(conn->worker, frames_out, net_frames_count(frames));
    if (seal(conn, &frames)) {
        net_conn_send_bytes(conn, frames);
        sealed_sent(conn);
    }
}

void net_conn_send_bytes(struct net_conn *conn, struct proto_span bytes)
{
    if (!conn->sending && conn->waiting.bytes == 0 && !write_now(conn, &bytes)) {
        return;
    }
    if (bytes.bytes == 0 || !has_room(conn, bytes.bytes) || !append(conn, bytes)) {
        return;
    }
    if (!conn->sending) {
        write_later(conn, conn->waiting.bytes);
    } else {
        net_conn_choke(conn);
    }
}

void net_conn_send_out(struct net_conn *conn)
{
    struct proto_writer *out = &conn->worker->out;
    if (!proto_writer_ok(out)) {
        net_conn_close(conn, &conn->worker->tally.closed_error); /* replies are lost: no memory */
    } else {
        net_conn_send(conn, proto_writer_span(out));
    }
    net_stage_end(conn->worker, &conn->worker->stages.write_ns);
    if (out->capacity > OUT_KEEP_BYTES || !proto_writer_ok(out)) {
        proto_writer_fini(out);
        proto_writer_init(out);
    } else {
        proto_writer_reset(out);
    }
}

bool net_conn_queue(struct net_conn *conn, struct proto_span frames_taken)
{
    /* free() wants what malloc gave, which a span holds as const. */
    uint8_t *data = (uint8_t *)(uintptr_t)frames_taken.data;
    bool ok = conn->phase != NET_CLOSED && has_room(conn, frames_taken.bytes);
    if (ok && frames_taken.bytes > 0) {
        NET_TALLY(conn->worker, frames_out, net_frames_count(frames_taken));
        if (conn->waiting.capacity == 0 && conn->secure == NULL) {
            conn->waiting = (struct net_buffer){data, 0, frames_taken.bytes, frames_taken.bytes};
            net_worker_hold(conn->worker, frames_taken.bytes, 0);
            return true;
        }
        ok = seal(conn, &frames_taken) && append(conn, frames_taken);
        sealed_sent(conn);
    }
    free(data);
    return ok;
}
