/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_load.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench_conn.h"

/* A read takes at most READ_BYTES, behind the room for the rest of the read before it. */
#define READ_BYTES ((size_t)1 << 18)
#define PARTIAL_BYTES_MAX ((size_t)PROTO_FRAME_BYTES_MAX + PROTO_HEADER_BYTES)
#define EVENTS 64
/* Nearer than this an arrival is awaited by looking again and not by sleeping. */
#define SPIN_NS 60000
#define TIMELINE_MAX 86400

enum phase { PHASE_WARMUP, PHASE_MEASURE, PHASE_DRAIN };

struct stream_run {
    const struct bench_stream *options;
    struct bench_result *result;
    struct bench_arrival arrival;
    uint64_t due_ns; /* of the next arrival, on the run's clock */
    unsigned turn;   /* whose connection is next */
    unsigned first_conn;
    struct base_histogram second; /* latencies of this second */
    uint64_t second_completed;
    uint64_t meant; /* open loop: arrivals within the measured window */
    uint64_t met;   /* of those, answered */
};

struct load {
    const struct bench_load_options *options;
    struct stream_run streams[BENCH_STREAMS_MAX];
    struct bench_conn *conns;
    unsigned conn_count;
    int epoll;
    uint8_t *buffer; /* PARTIAL_BYTES_MAX of room, then READ_BYTES */
    struct bench_split split;
    enum phase phase;
    uint64_t start_ns, measure_ns, end_ns, second_ns;
    uint64_t completed; /* of stream 0, in every phase */
    struct bench_usage server_before, self_before;
    struct bench_usage server_second;
    struct proto_fault *fault;
};

static uint64_t now(const struct load *load)
{
    return base_clock_now_ns(&load->options->clock);
}

static bool is_open(const struct bench_stream *stream)
{
    return stream->arrival.rate > 0;
}

static bool watch(struct load *load, struct bench_conn *conn, int op, bool write)
{
    struct epoll_event event = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = conn};
    conn->wants_write = write;
    return epoll_ctl(load->epoll, op, conn->fd, &event) == 0 ||
           proto_fault_set(load->fault, PROTO_IO, "", "epoll_ctl: %s", strerror(errno));
}

static bool flush(struct load *load, struct bench_conn *conn)
{
    if (!bench_conn_send(conn, load->fault))
        return false;
    bool write = conn->unsent_bytes > 0;
    return write == conn->wants_write || watch(load, conn, EPOLL_CTL_MOD, write);
}

/* Closed loop: the next `depth` requests in one piece. */
static bool batch_send(struct load *load, struct bench_conn *conn)
{
    struct stream_run *stream = &load->streams[conn->stream];
    const struct bench_traffic *traffic = stream->options->traffic;
    unsigned depth = stream->options->depth;
    if (load->phase == PHASE_DRAIN)
        return true;
    if (conn->next + depth > traffic->count)
        conn->next = 0;
    conn->ids_left = (uint64_t)depth * conn->next + (uint64_t)depth * (depth - 1) / 2;
    for (unsigned i = 0; i < depth; i++)
        bench_conn_queue(conn, traffic);
    if (load->phase == PHASE_MEASURE)
        stream->result->sent += depth;
    conn->batch_ns = now(load);
    return flush(load, conn);
}

static void latency_record(struct load *load, struct stream_run *stream, uint64_t ns,
                           uint64_t count)
{
    base_histogram_record_many(&stream->second, ns, count);
    base_histogram_record_many(&stream->result->latency, ns, count);
    stream->second_completed += count;
    (void)load;
}

static void statuses_count(struct load *load, struct stream_run *stream)
{
    const struct bench_split *split = &load->split;
    uint32_t bad = 0;
    for (uint32_t i = 0; i < split->count; i++)
        bad |= split->status[i];
    if (bad == 0) {
        stream->result->status[0] += split->count;
        return;
    }
    for (uint32_t i = 0; i < split->count; i++)
        stream->result->status[split->status[i]]++;
}

/* Replies of a closed loop all belong to the one batch of their connection. */
static void closed_replies(struct load *load, struct bench_conn *conn, uint64_t at_ns)
{
    struct stream_run *stream = &load->streams[conn->stream];
    const struct bench_split *split = &load->split;
    uint64_t ids = 0;
    if (stream->options->wire->has_ids)
        for (uint32_t i = 0; i < split->count; i++)
            ids += split->id[i];
    conn->outstanding -= split->count;
    conn->ids_left -= ids;
    if (conn->outstanding == 0 && stream->options->wire->has_ids && conn->ids_left != 0)
        stream->result->misplaced++;
    if (load->phase != PHASE_MEASURE)
        return;
    latency_record(load, stream, at_ns - conn->batch_ns, split->count);
    statuses_count(load, stream);
    stream->result->completed += split->count;
}

static void open_replies(struct load *load, struct bench_conn *conn, uint64_t at_ns)
{
    struct stream_run *stream = &load->streams[conn->stream];
    const struct bench_split *split = &load->split;
    bool has_ids = stream->options->wire->has_ids;
    uint32_t mask = stream->options->traffic->count - 1;
    if (load->phase == PHASE_MEASURE)
        stream->result->completed += split->count;
    for (uint32_t i = 0; i < split->count; i++) {
        uint32_t index = has_ids ? split->id[i] & mask : conn->next_reply;
        uint64_t *meant = &conn->meant_ns[index & (conn->ring - 1)];
        conn->next_reply = (conn->next_reply + 1) & mask;
        conn->outstanding--;
        if (*meant == 0)
            stream->result->misplaced++;
        if (*meant >= load->measure_ns && *meant < load->end_ns) {
            latency_record(load, stream, at_ns > *meant ? at_ns - *meant : 0, 1);
            stream->result->status[split->status[i]]++;
            stream->met++;
        }
        *meant = 0;
    }
}

static bool bytes_take(struct load *load, struct bench_conn *conn, const uint8_t *data,
                       size_t bytes, uint64_t at_ns)
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
        if (load->split.broken || load->split.count > conn->outstanding)
            return proto_fault_set(load->fault, PROTO_BAD_FRAME, "",
                                   "%s: the server sent what is no reply to anything asked",
                                   stream->options->wire->name);
        if (used == 0)
            break;
        if (is_open(stream->options))
            open_replies(load, conn, at_ns);
        else
            closed_replies(load, conn, at_ns);
        if (conn->stream == 0)
            load->completed += load->split.count;
        data += used;
        bytes -= used;
    }
    if (bytes > PARTIAL_BYTES_MAX)
        return proto_fault_set(load->fault, PROTO_TOO_LARGE, "", "a reply does not end");
    return bench_conn_keep(conn, data, bytes, load->fault);
}

static bool on_readable(struct load *load, struct bench_conn *conn)
{
    struct stream_run *stream = &load->streams[conn->stream];
    uint8_t *into = load->buffer + PARTIAL_BYTES_MAX;
    ssize_t count = recv(conn->fd, into, READ_BYTES, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (count <= 0)
        return proto_fault_set(load->fault, PROTO_IO, "", "%s: the server closed a connection%s%s",
                               stream->options->wire->name, count < 0 ? ": " : "",
                               count < 0 ? strerror(errno) : "");
    uint64_t at_ns = now(load);
    if (load->phase == PHASE_MEASURE)
        stream->result->reply_bytes += (uint64_t)count;
    size_t before = conn->partial_bytes;
    if (before > 0)
        memcpy(into - before, conn->partial, before);
    if (!bytes_take(load, conn, into - before, before + (size_t)count, at_ns))
        return false;
    if (conn->outstanding == 0 && !is_open(stream->options) && conn->greeting_left == 0)
        return batch_send(load, conn);
    return true;
}

/* Sends what is due; false on a fault. A connection that can take no more holds the schedule up:
 * its requests go out late, and their latency says so. */
static bool arrivals_send(struct load *load, struct stream_run *stream, uint64_t at_ns)
{
    while (stream->due_ns <= at_ns && load->phase != PHASE_DRAIN) {
        struct bench_conn *conn = &load->conns[stream->first_conn + stream->turn];
        uint32_t slot = conn->next & (conn->ring - 1);
        if (conn->outstanding >= conn->ring || conn->greeting_left > 0 ||
            conn->meant_ns[slot] != 0 || !bench_conn_queue(conn, stream->options->traffic))
            return true;
        conn->meant_ns[slot] = stream->due_ns;
        if (stream->due_ns >= load->measure_ns && stream->due_ns < load->end_ns) {
            stream->meant++;
            stream->result->sent++;
            base_histogram_record(&stream->result->late, at_ns - stream->due_ns);
        }
        stream->turn = (stream->turn + 1) % stream->options->connections;
        stream->due_ns = load->start_ns + bench_arrival_next(&stream->arrival);
        if (!flush(load, conn))
            return false;
    }
    return true;
}

static void second_end(struct load *load, struct stream_run *stream, unsigned index)
{
    struct bench_result *result = stream->result;
    struct bench_second second = {
        .completed = stream->second_completed,
        .p50_ns = base_histogram_percentile(&stream->second, 0.5),
        .p99_ns = base_histogram_percentile(&stream->second, 0.99),
        .max_ns = base_histogram_max(&stream->second),
    };
    if (result->timeline_count < TIMELINE_MAX &&
        (result->timeline_count & (result->timeline_count - 1)) == 0) {
        size_t room = result->timeline_count == 0 ? 1 : result->timeline_count * 2;
        void *larger = realloc(result->timeline, room * sizeof second);
        if (larger == NULL)
            return;
        result->timeline = larger;
    }
    if (result->timeline_count < TIMELINE_MAX)
        result->timeline[result->timeline_count++] = second;
    if (load->options->ndjson != NULL) {
        fprintf(load->options->ndjson,
                "{\"label\":\"%s\",\"stream\":%u,\"second\":%zu,\"completed\":%llu,"
                "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"errors\":%llu}\n",
                load->options->label != NULL ? load->options->label : "", index,
                result->timeline_count, (unsigned long long)second.completed,
                (double)second.p50_ns / 1e3, (double)second.p99_ns / 1e3,
                (double)second.max_ns / 1e3, (unsigned long long)bench_result_errors(result));
        fflush(load->options->ndjson);
    }
    base_histogram_reset(&stream->second);
    stream->second_completed = 0;
}

static void usage_end(struct load *load)
{
    struct bench_usage server, self;
    bench_usage_read(load->options->server_pid, &server);
    bench_usage_read(getpid(), &self);
    bench_usage_since(&load->server_before, &server);
    bench_usage_since(&load->self_before, &self);
    for (unsigned i = 0; i < load->options->stream_count; i++) {
        struct bench_result *result = load->streams[i].result;
        result->server = server;
        result->self = self;
        result->seconds = (double)(now(load) - load->measure_ns) / 1e9;
    }
}

static void phase_step(struct load *load, uint64_t at_ns)
{
    const struct bench_load_options *options = load->options;
    if (load->phase == PHASE_WARMUP && at_ns >= load->measure_ns) {
        load->phase = PHASE_MEASURE;
        load->second_ns = load->measure_ns + 1000000000;
        bench_usage_read(options->server_pid, &load->server_before);
        bench_usage_read(getpid(), &load->self_before);
    }
    if (load->phase == PHASE_MEASURE && at_ns >= load->second_ns) {
        for (unsigned i = 0; i < options->stream_count; i++)
            second_end(load, &load->streams[i], i);
        load->second_ns += 1000000000;
    }
    if (load->phase == PHASE_MEASURE &&
        (at_ns >= load->end_ns ||
         (options->requests_max > 0 && load->completed >= options->requests_max))) {
        usage_end(load);
        load->phase = PHASE_DRAIN;
    }
}

static bool drained(const struct load *load)
{
    for (unsigned i = 0; i < load->conn_count; i++)
        if (load->conns[i].outstanding > 0)
            return false;
    return true;
}

/* How long may be slept: to the next arrival, or to look at the clock. */
static struct timespec wait_for(const struct load *load, uint64_t at_ns)
{
    uint64_t most_ns = 10000000;
    for (unsigned i = 0; i < load->options->stream_count && load->phase != PHASE_DRAIN; i++) {
        const struct stream_run *stream = &load->streams[i];
        if (!is_open(stream->options))
            continue;
        uint64_t left_ns = stream->due_ns > at_ns ? stream->due_ns - at_ns : 0;
        left_ns = left_ns > SPIN_NS ? left_ns - SPIN_NS / 2 : 0;
        most_ns = left_ns < most_ns ? left_ns : most_ns;
    }
    return (struct timespec){0, (long)most_ns};
}

static bool turn(struct load *load)
{
    struct epoll_event events[EVENTS];
    uint64_t at_ns = now(load);
    phase_step(load, at_ns);
    for (unsigned i = 0; i < load->options->stream_count; i++)
        if (is_open(load->streams[i].options) && !arrivals_send(load, &load->streams[i], at_ns))
            return false;
    struct timespec wait = wait_for(load, at_ns);
    int count = epoll_pwait2(load->epoll, events, EVENTS, &wait, NULL);
    if (count < 0 && errno != EINTR)
        return proto_fault_set(load->fault, PROTO_IO, "", "epoll_pwait2: %s", strerror(errno));
    for (int i = 0; i < count; i++) {
        struct bench_conn *conn = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0 && !flush(load, conn))
            return false;
        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !on_readable(load, conn))
            return false;
    }
    return true;
}

static bool conns_open(struct load *load)
{
    const struct bench_load_options *options = load->options;
    for (unsigned i = 0; i < options->stream_count; i++)
        load->conn_count += options->streams[i].connections;
    load->conns = calloc(load->conn_count, sizeof *load->conns);
    load->buffer = malloc(PARTIAL_BYTES_MAX + READ_BYTES);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->conns == NULL || load->buffer == NULL || load->epoll < 0)
        return proto_fault_set(load->fault, PROTO_NO_MEMORY, "", "no memory for connections");
    for (unsigned i = 0; i < load->conn_count; i++)
        load->conns[i].fd = -1;
    unsigned at = 0;
    for (unsigned s = 0; s < options->stream_count; s++) {
        const struct bench_stream *stream = &options->streams[s];
        load->streams[s].first_conn = at;
        for (unsigned i = 0; i < stream->connections; i++, at++) {
            struct bench_conn *conn = &load->conns[at];
            conn->stream = s;
            conn->next = (uint32_t)((uint64_t)stream->traffic->count * i / stream->connections);
            conn->next_reply = conn->next;
            if (!bench_conn_open(conn, stream, load->fault) ||
                !watch(load, conn, EPOLL_CTL_ADD, false))
                return false;
        }
    }
    return true;
}

static void begin(struct load *load)
{
    const struct bench_load_options *options = load->options;
    load->start_ns = now(load);
    load->measure_ns = load->start_ns + (uint64_t)(options->warmup_s * 1e9);
    load->end_ns = load->measure_ns + (uint64_t)(options->measure_s * 1e9);
    for (unsigned i = 0; i < options->stream_count; i++) {
        struct stream_run *stream = &load->streams[i];
        if (is_open(stream->options)) {
            bench_arrival_init(&stream->arrival, &stream->options->arrival, options->seed + i);
            stream->due_ns = load->start_ns + bench_arrival_next(&stream->arrival);
        }
    }
}

static bool run(struct load *load)
{
    begin(load);
    for (unsigned i = 0; i < load->conn_count; i++) {
        struct bench_conn *conn = &load->conns[i];
        if (!is_open(load->streams[conn->stream].options) && conn->greeting_left == 0 &&
            !batch_send(load, conn))
            return false;
    }
    while (load->phase != PHASE_DRAIN)
        if (!turn(load))
            return false;
    uint64_t give_up_ns = now(load) + (uint64_t)(BENCH_DRAIN_S * 1e9);
    while (!drained(load) && now(load) < give_up_ns)
        if (!turn(load))
            return false;
    return true;
}

static void results_finish(struct load *load)
{
    for (unsigned i = 0; i < load->options->stream_count; i++) {
        struct stream_run *stream = &load->streams[i];
        struct bench_result *result = stream->result;
        const struct bench_traffic *traffic = stream->options->traffic;
        result->rate = result->seconds > 0 ? (double)result->completed / result->seconds : 0;
        result->request_bytes =
            (uint64_t)(bench_traffic_mean_bytes(traffic) * (double)result->sent);
        if (is_open(stream->options)) {
            result->offered = (double)stream->meant / load->options->measure_s;
            result->unanswered = stream->meant - stream->met;
        }
    }
}

static void pin(int cpu)
{
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET((size_t)cpu, &one);
    /* Where it fails (a single processor), the run is as good as the machine allows. */
    (void)sched_setaffinity(0, sizeof one, &one);
}

bool bench_load_run(const struct bench_load_options *options, struct bench_result *results,
                    struct proto_fault *fault)
{
    struct load *load = calloc(1, sizeof *load);
    memset(results, 0, options->stream_count * sizeof *results);
    if (load == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    load->options = options;
    load->fault = fault;
    load->epoll = -1;
    for (unsigned i = 0; i < options->stream_count; i++) {
        load->streams[i].options = &options->streams[i];
        load->streams[i].result = &results[i];
    }
    if (options->cpu >= 0)
        pin(options->cpu);
    bool ok = conns_open(load) && run(load);
    if (ok)
        results_finish(load);
    for (unsigned i = 0; load->conns != NULL && i < load->conn_count; i++)
        bench_conn_close(&load->conns[i]);
    if (load->epoll >= 0)
        close(load->epoll);
    free(load->conns);
    free(load->buffer);
    free(load);
    return ok;
}
