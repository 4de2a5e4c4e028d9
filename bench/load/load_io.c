/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_parts.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

bool load_watch(struct load *load, struct load_conn *conn, int op, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = conn};
    conn->wants_write = write;
    return epoll_ctl(load->epoll, op, conn->fd, &event) == 0 ||
           proto_fault_set(load->fault, PROTO_IO, "", "epoll_ctl: %s", strerror(errno));
}

bool load_flush(struct load *load, struct load_conn *conn)
{
    if (!load_conn_send(conn, load->fault)) {
        return false;
    }
    bool write = conn->unsent_bytes > 0;
    return write == conn->wants_write || load_watch(load, conn, EPOLL_CTL_MOD, write);
}

/* Where a connection goes on, and with how many requests. By time each goes round the traffic for
 * itself; of a bounded number nobody takes what another has. */
static unsigned batch_place(struct load *load, struct load_conn *conn)
{
    const struct load_stream *stream = load->streams[conn->stream].options;
    uint64_t most = conn->stream == 0 ? load->options->requests_max : 0;
    if (most == 0) {
        if (conn->next + stream->depth > stream->traffic->count) {
            conn->next = 0;
        }
        return stream->depth;
    }
    uint64_t left = most - load->dealt;
    unsigned depth = left < stream->depth ? (unsigned)left : stream->depth;
    conn->next = (uint32_t)load->dealt;
    load->dealt += depth;
    return depth;
}

bool load_batch_send(struct load *load, struct load_conn *conn)
{
    struct stream_run *stream = &load->streams[conn->stream];
    const struct load_traffic *traffic = stream->options->traffic;
    if (load->phase == PHASE_DRAIN) {
        return true;
    }
    unsigned depth = batch_place(load, conn);
    if (depth == 0) {
        return true;
    }
    conn->ids_left = (uint64_t)depth * conn->next + (uint64_t)depth * (depth - 1) / 2;
    for (unsigned i = 0; i < depth; i++) {
        load_conn_queue(conn, traffic);
    }
    if (load->phase == PHASE_MEASURE) {
        stream->result->sent += depth;
    }
    conn->batch_ns = load_now(load);
    return load_flush(load, conn);
}

static void latency_record(struct stream_run *stream, uint64_t ns, uint64_t count)
{
    base_histogram_record_many(&stream->second, ns, count);
    base_histogram_record_many(&stream->result->latency, ns, count);
    stream->second_completed += count;
}

static void statuses_count(struct load *load, struct stream_run *stream)
{
    const struct load_split *split = &load->split;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < split->count; i++) {
        bad |= split->status[i];
    }
    if (bad == 0) {
        stream->result->status[0] += split->count;
        return;
    }
    for (uint32_t i = 0; i < split->count; i++) {
        stream->result->status[split->status[i]]++;
    }
}

/* Replies of a closed loop all belong to the one batch of their connection. */
static void closed_replies(struct load *load, struct load_conn *conn, uint64_t at_ns)
{
    struct stream_run *stream = &load->streams[conn->stream];
    const struct load_split *split = &load->split;
    uint64_t ids = 0;
    if (stream->options->wire->has_ids) {
        for (uint32_t i = 0; i < split->count; i++) {
            ids += split->id[i];
        }
    }
    conn->outstanding -= split->count;
    conn->ids_left -= ids;
    if (conn->outstanding == 0 && stream->options->wire->has_ids && conn->ids_left != 0) {
        stream->result->misplaced++;
    }
    if (load->phase != PHASE_MEASURE) {
        return;
    }
    latency_record(stream, at_ns - conn->batch_ns, split->count);
    statuses_count(load, stream);
    stream->result->completed += split->count;
}

static void open_replies(struct load *load, struct load_conn *conn, uint64_t at_ns)
{
    struct stream_run *stream = &load->streams[conn->stream];
    const struct load_split *split = &load->split;
    bool has_ids = stream->options->wire->has_ids;
    uint32_t mask = stream->options->traffic->count - 1;
    if (load->phase == PHASE_MEASURE) {
        stream->result->completed += split->count;
    }
    for (uint32_t i = 0; i < split->count; i++) {
        uint32_t index = has_ids ? split->id[i] & mask : conn->next_reply;
        uint64_t *meant = &conn->meant_ns[index & (conn->ring - 1)];
        conn->next_reply = (conn->next_reply + 1) & mask;
        conn->outstanding--;
        if (*meant == 0) {
            stream->result->misplaced++;
        }
        if (*meant >= load->measure_ns && *meant < load->end_ns) {
            latency_record(stream, at_ns > *meant ? at_ns - *meant : 0, 1);
            stream->result->status[split->status[i]]++;
            stream->met++;
        }
        *meant = 0;
    }
}

static bool bytes_take(struct load *load, struct load_conn *conn, const uint8_t *data, size_t bytes,
                       uint64_t at_ns)
{
    struct stream_run *stream = &load->streams[conn->stream];
    if (conn->greeting_left > 0) {
        size_t skip = bytes < conn->greeting_left ? bytes : conn->greeting_left;
        conn->greeting_left -= skip;
        data += skip;
        bytes -= skip;
    }
    while (bytes > 0) {
        size_t used =
            stream->options->wire->split(data, bytes, stream->options->reply_bytes, &load->split);
        if (load->split.broken || load->split.count > conn->outstanding) {
            return proto_fault_set(load->fault, PROTO_BAD_FRAME, "",
                                   "%s: the server sent what is no reply to anything asked",
                                   stream->options->wire->name);
        }
        if (used == 0) {
            break;
        }
        if (load_stream_is_open(stream->options)) {
            open_replies(load, conn, at_ns);
        } else {
            closed_replies(load, conn, at_ns);
        }
        if (conn->stream == 0) {
            load->completed += load->split.count;
        }
        data += used;
        bytes -= used;
    }
    if (bytes > LOAD_PARTIAL_BYTES_MAX) {
        return proto_fault_set(load->fault, PROTO_TOO_LARGE, "", "a reply does not end");
    }
    return load_conn_keep(conn, data, bytes, load->fault);
}

bool load_on_readable(struct load *load, struct load_conn *conn)
{
    struct stream_run *stream = &load->streams[conn->stream];
    uint8_t *into = load->buffer + LOAD_PARTIAL_BYTES_MAX;
    ssize_t count = recv(conn->fd, into, LOAD_READ_BYTES, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
        return true;
    }
    if (count <= 0) {
        return proto_fault_set(load->fault, PROTO_IO, "", "%s: the server closed a connection%s%s",
                               stream->options->wire->name, count < 0 ? ": " : "",
                               count < 0 ? strerror(errno) : "");
    }
    uint64_t at_ns = load_now(load);
    if (load->phase == PHASE_MEASURE) {
        stream->result->reply_bytes += (uint64_t)count;
    }
    size_t before = conn->partial_bytes;
    if (before > 0) {
        memcpy(into - before, conn->partial, before);
    }
    if (!bytes_take(load, conn, into - before, before + (size_t)count, at_ns)) {
        return false;
    }
    if (conn->outstanding == 0 && !load_stream_is_open(stream->options) &&
        conn->greeting_left == 0) {
        return load_batch_send(load, conn);
    }
    return true;
}

void load_stream_next(const struct load *load, struct stream_run *stream)
{
    const struct load_schedule *schedule = stream->options->schedule;
    if (schedule == NULL) {
        stream->due_ns = load->start_ns + load_arrival_next(&stream->arrival);
    } else if (stream->cursor < schedule->count) {
        stream->due_ns = load->start_ns + schedule->at_ns[stream->cursor];
    } else {
        stream->due_ns = UINT64_MAX;
    }
}

/* Whose turn it is: the next connection, or the one that the schedule names. */
static struct load_conn *arrival_conn(struct load *load, struct stream_run *stream)
{
    const struct load_schedule *schedule = stream->options->schedule;
    if (schedule == NULL) {
        return &load->conns[stream->first_conn + stream->turn];
    }
    struct load_conn *conn =
        &load->conns[stream->first_conn + schedule->connection[stream->cursor]];
    conn->next = stream->cursor;
    return conn;
}

bool load_arrivals_send(struct load *load, struct stream_run *stream, uint64_t at_ns)
{
    while (stream->due_ns <= at_ns && stream->due_ns < load->end_ns) {
        struct load_conn *conn = arrival_conn(load, stream);
        uint32_t slot = conn->next & (conn->ring - 1);
        if (conn->outstanding >= conn->ring || conn->greeting_left > 0 ||
            conn->meant_ns[slot] != 0 || !load_conn_queue(conn, stream->options->traffic)) {
            return true;
        }
        conn->meant_ns[slot] = stream->due_ns;
        if (stream->due_ns >= load->measure_ns && stream->due_ns < load->end_ns) {
            stream->meant++;
            stream->result->sent++;
            base_histogram_record(&stream->result->late, at_ns - stream->due_ns);
        }
        stream->turn = (stream->turn + 1) % stream->options->connections;
        stream->cursor++;
        load_stream_next(load, stream);
        if (!load_flush(load, conn)) {
            return false;
        }
    }
    return true;
}
