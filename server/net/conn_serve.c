/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to replies: splits, hands over in batches, answers what is not a good frame, and sends
 * all of it with one write (more only if the replies pass the high-water mark on the way). */
#include <assert.h>
#include <stdlib.h>

#include "server/net/net_worker.h"

/* Whole frames at the front of some bytes, and what came after them. */
struct batch {
    size_t count;
    size_t bytes;                /* of the `count` frames */
    enum proto_frame_state next; /* what follows them; WHOLE = the batch is full */
    size_t next_bytes;           /* if SPOILT: size of that frame */
    struct proto_header header;  /* if SPOILT or REFUSED: its header */
    struct proto_fault fault;
};

static void batch_split(const struct net_conn *conn, struct proto_span bytes, size_t count_max,
                        struct batch *batch)
{
    struct net_worker *worker = conn->worker;
    size_t payload_bytes_max = net_conn_frame_bytes_max(conn);
    batch->count = batch->bytes = 0;
    batch->next = PROTO_FRAME_WHOLE;
    while (batch->count < count_max) {
        struct proto_frame *frame = &worker->frames[batch->count];
        struct proto_span rest = {bytes.data + batch->bytes, bytes.bytes - batch->bytes};
        size_t used = 0;
        batch->next = proto_frame_split(rest, payload_bytes_max, false, &frame->header,
                                        &frame->payload, &used, &batch->fault);
        if (batch->next != PROTO_FRAME_WHOLE) {
            batch->header = frame->header;
            batch->next_bytes = used;
            return;
        }
        batch->count++;
        batch->bytes += used;
    }
}

void net_conn_answer(struct net_conn *conn, enum proto_error code, uint32_t request_id,
                     const char *message)
{
    struct proto_fault fault;
    proto_fault_set(&fault, code, "", "%s", message);
    proto_write_fault(&conn->worker->out, &fault, PROTO_FLAG_REPLY, request_id);
}

size_t net_conn_out_room(const struct net_conn *conn)
{
    size_t high = net_conn_out_high(conn);
    size_t unsent = net_conn_unsent(conn);
    return unsent < high ? high - unsent : 0;
}

void net_conn_stop(struct net_conn *conn, size_t frames_done)
{
    assert(conn->worker->serving == conn && frames_done >= 1);
    conn->worker->stop_at = frames_done;
}

void net_conn_hold(struct net_conn *conn)
{
    assert(conn->worker->serving == conn);
    conn->held = true;
}

static void stop_until_next_turn(struct net_conn *conn)
{
    struct net_worker *worker = conn->worker;
    conn->blocked = true;
    if (conn->stopped) {
        return;
    }
    net_worker_keep_busy(worker);
    conn->stopped = true;
    conn->next_stopped = worker->stopped;
    worker->stopped = conn;
}

/* Returns the bytes of the frames that the handler took. */
static size_t hand_over(struct net_conn *conn, const struct batch *batch)
{
    struct net_worker *worker = conn->worker;
    const struct net_handler *handler = &worker->server->handler;
    net_worker_turn(worker);
    worker->serving = conn;
    worker->stop_at = batch->count;
    size_t later = handler->on_frames(handler->context, worker->context, conn, worker->frames,
                                      batch->count, &worker->out);
    worker->serving = NULL;
    size_t done = worker->stop_at;
    assert(done <= batch->count && later <= done);
    conn->pending += later;
    conn->active_ns = net_worker_now(worker);
    NET_TALLY(worker, requests_pending, later);
    NET_TALLY(worker, frames_in, done);
    NET_TALLY(worker, batches, 1);
    if (done == batch->count) {
        return batch->bytes;
    }
    stop_until_next_turn(conn);
    size_t used = 0;
    for (size_t i = 0; i < done; i++) {
        used += PROTO_HEADER_BYTES + (size_t)worker->frames[i].header.payload_bytes;
    }
    return used;
}

static size_t turn_away(struct net_conn *conn, const struct batch *batch)
{
    struct net_worker *worker = conn->worker;
    for (size_t i = 0; i < batch->count; i++) {
        net_conn_answer(conn, PROTO_SHUTTING_DOWN, worker->frames[i].header.request_id,
                        "the server is shutting down and takes no new requests");
    }
    NET_TALLY(worker, frames_draining, batch->count);
    return batch->bytes;
}

static void refuse(struct net_conn *conn, const struct batch *batch)
{
    struct net_worker *worker = conn->worker;
    NET_TALLY(worker, frames_refused, 1);
    net_worker_log(worker, BASE_LOG_WARN, "framing lost, closing the connection",
                   BASE_FIELDS(base_field_error(batch->fault.code)));
    proto_write_fault(&worker->out, &batch->fault, PROTO_FLAG_REPLY, batch->header.request_id);
    net_conn_send_out(conn);
    net_conn_finish(conn, &worker->tally.closed_framing);
}

/* One batch. Returns the bytes used; 0 means that nothing more can be done with these bytes now. */
static size_t serve_batch(struct net_conn *conn, struct proto_span bytes)
{
    struct net_worker *worker = conn->worker;
    const struct net_options *options = &worker->server->options;
    bool serve = !worker->draining || conn->serve_bytes > 0;
    if (worker->draining && serve && bytes.bytes > conn->serve_bytes) {
        bytes.bytes = conn->serve_bytes;
    }
    size_t room = options->pending_max - conn->pending;
    struct batch batch;
    bool was_known = conn->known;
    batch_split(conn, bytes, room < NET_BATCH_FRAMES ? room : NET_BATCH_FRAMES, &batch);
    net_stage_end(worker, &worker->stages.split_ns);
    size_t used = 0;
    if (batch.count > 0) {
        used = serve ? hand_over(conn, &batch) : turn_away(conn, &batch);
        net_stage_end(worker, &worker->stages.serve_ns);
        worker->stages.frames += batch.count;
        if (conn->stopped) {
            return used;
        }
    }
    if (batch.next == PROTO_FRAME_SPOILT) {
        NET_TALLY(worker, frames_spoilt, 1);
        proto_write_fault(&worker->out, &batch.fault, PROTO_FLAG_REPLY, batch.header.request_id);
        used += batch.next_bytes;
    } else if (batch.next == PROTO_FRAME_REFUSED && conn->known == was_known) {
        refuse(conn, &batch);
        return 0;
    }
    return used;
}

size_t net_conn_whole_bytes(const struct net_conn *conn)
{
    size_t at = 0;
    while (conn->in.bytes - at >= PROTO_HEADER_BYTES) {
        struct proto_header header;
        proto_header_decode(conn->in.data + at, &header);
        size_t total = PROTO_HEADER_BYTES + (size_t)header.payload_bytes;
        if (total > conn->in.bytes - at) {
            break;
        }
        at += total;
    }
    return at;
}

static size_t skip(struct net_conn *conn, size_t bytes)
{
    size_t skipped = bytes < conn->skip_bytes ? bytes : conn->skip_bytes;
    conn->skip_bytes -= skipped;
    return skipped;
}

size_t net_conn_serve(struct net_conn *conn, struct proto_span bytes)
{
    struct net_worker *worker = conn->worker;
    assert(worker->out.bytes == 0 && worker->serving == NULL);
    size_t used = skip(conn, bytes.bytes);
    while (used < bytes.bytes && conn->phase == NET_OPEN && !conn->stopped) {
        if (!net_conn_may_serve(conn)) {
            conn->blocked = true;
            break;
        }
        size_t step = serve_batch(conn, (struct proto_span){bytes.data + used, bytes.bytes - used});
        if (worker->draining) {
            conn->serve_bytes -= step < conn->serve_bytes ? step : conn->serve_bytes;
        }
        used += step;
        if (step == 0) {
            break;
        }
        if (worker->out.bytes >= net_conn_out_room(conn)) {
            net_conn_send_out(conn);
        }
        if (conn->mistrust >= NET_MISTRUST_MAX && conn->phase == NET_OPEN) {
            net_conn_send_out(conn);
            net_conn_finish(conn, &worker->tally.closed_stranger);
        }
    }
    net_conn_send_out(conn);
    return used;
}
