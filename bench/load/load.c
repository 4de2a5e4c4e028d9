/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/load/load_hlog.h"
#include "bench/load/load_parts.h"

#define EVENTS 64
/* Nearer than this an arrival is awaited by looking again and not by sleeping. */
#define SPIN_NS 60000
#define TIMELINE_MAX 86400

/* Seconds of the measured window are told by when they began. */
static void hlog_write(const struct load *load, const struct stream_run *stream, unsigned index,
                       double length_s)
{
    char tag[24] = "";
    if (load->options->hlog == NULL) {
        return;
    }
    if (load->options->stream_count > 1) {
        snprintf(tag, sizeof tag, "stream-%u", index);
    }
    load_hlog_line(load->options->hlog, &stream->second,
                   (double)(load->second_ns - load->start_ns) / 1e9 - 1, length_s, tag);
}

static void second_end(struct load *load, struct stream_run *stream, unsigned index)
{
    struct load_result *result = stream->result;
    struct load_second second = {
        .completed = stream->second_completed,
        .p50_ns = base_histogram_percentile(&stream->second, 0.5),
        .p99_ns = base_histogram_percentile(&stream->second, 0.99),
        .max_ns = base_histogram_max(&stream->second),
    };
    if (result->timeline_count < TIMELINE_MAX &&
        (result->timeline_count & (result->timeline_count - 1)) == 0) {
        size_t room = result->timeline_count == 0 ? 1 : result->timeline_count * 2;
        void *larger = realloc(result->timeline, room * sizeof second);
        if (larger == NULL) {
            return;
        }
        result->timeline = larger;
    }
    if (result->timeline_count < TIMELINE_MAX) {
        result->timeline[result->timeline_count++] = second;
    }
    if (load->options->ndjson != NULL) {
        fprintf(load->options->ndjson,
                "{\"label\":\"%s\",\"stream\":%u,\"second\":%zu,\"completed\":%llu,"
                "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,\"errors\":%llu}\n",
                load->options->label != NULL ? load->options->label : "", index,
                result->timeline_count, (unsigned long long)second.completed,
                (double)second.p50_ns / 1e3, (double)second.p99_ns / 1e3,
                (double)second.max_ns / 1e3, (unsigned long long)load_result_errors(result));
        fflush(load->options->ndjson);
    }
    hlog_write(load, stream, index, 1);
    base_histogram_reset(&stream->second);
    stream->second_completed = 0;
}

static void usage_end(struct load *load)
{
    struct load_usage server, self;
    uint64_t stolen_ns = load_stolen_ns() - load->stolen_before_ns;
    load_usage_read(load->options->server_pid, &server);
    load_usage_read(getpid(), &self);
    load_usage_since(&load->server_before, &server);
    load_usage_since(&load->self_before, &self);
    for (unsigned i = 0; i < load->options->stream_count; i++) {
        struct load_result *result = load->streams[i].result;
        result->server = server;
        result->self = self;
        result->stolen_ns = stolen_ns;
        result->seconds = (double)(load_now(load) - load->measure_ns) / 1e9;
    }
}

static void phase_step(struct load *load, uint64_t at_ns)
{
    const struct load_options *options = load->options;
    if (load->phase == PHASE_WARMUP && at_ns >= load->measure_ns) {
        load->phase = PHASE_MEASURE;
        load->second_ns = load->measure_ns + 1000000000;
        load_usage_read(options->server_pid, &load->server_before);
        load_usage_read(getpid(), &load->self_before);
        load->stolen_before_ns = load_stolen_ns();
    }
    if (load->phase == PHASE_MEASURE && at_ns >= load->second_ns) {
        for (unsigned i = 0; i < options->stream_count; i++) {
            second_end(load, &load->streams[i], i);
        }
        load->second_ns += 1000000000;
    }
    if (load->phase == PHASE_MEASURE &&
        (at_ns >= load->end_ns ||
         (options->requests_max > 0 && load->completed >= options->requests_max))) {
        usage_end(load);
        load->phase = PHASE_DRAIN;
        load->end_ns = at_ns < load->end_ns ? at_ns : load->end_ns;
    }
}

/* An arrival of the window that is not sent yet: this thread came late to it, or its connection has
 * no room. It is sent late, not left out. */
static bool is_behind(const struct load *load, const struct stream_run *stream)
{
    return load_stream_is_open(stream->options) && stream->due_ns < load->end_ns;
}

static bool drained(const struct load *load)
{
    for (unsigned i = 0; i < load->options->stream_count; i++) {
        if (is_behind(load, &load->streams[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < load->conn_count; i++) {
        if (load->conns[i].outstanding > 0) {
            return false;
        }
    }
    return true;
}

/* How long may be slept: to the next arrival, or to look at the clock. */
static struct timespec wait_for(const struct load *load, uint64_t at_ns)
{
    uint64_t most_ns = 10000000;
    for (unsigned i = 0; i < load->options->stream_count && load->phase != PHASE_DRAIN; i++) {
        const struct stream_run *stream = &load->streams[i];
        if (!load_stream_is_open(stream->options)) {
            continue;
        }
        uint64_t left_ns = stream->due_ns > at_ns ? stream->due_ns - at_ns : 0;
        left_ns = left_ns > SPIN_NS ? left_ns - SPIN_NS / 2 : 0;
        most_ns = left_ns < most_ns ? left_ns : most_ns;
    }
    return (struct timespec){0, (long)most_ns};
}

static bool turn(struct load *load)
{
    struct epoll_event events[EVENTS];
    uint64_t at_ns = load_now(load);
    phase_step(load, at_ns);
    for (unsigned i = 0; i < load->options->stream_count; i++) {
        if (load_stream_is_open(load->streams[i].options) &&
            !load_arrivals_send(load, &load->streams[i], at_ns)) {
            return false;
        }
    }
    struct timespec wait = wait_for(load, at_ns);
    int count = epoll_pwait2(load->epoll, events, EVENTS, &wait, NULL);
    if (count < 0 && errno != EINTR) {
        return proto_fault_set(load->fault, PROTO_IO, "", "epoll_pwait2: %s", strerror(errno));
    }
    for (int i = 0; i < count; i++) {
        struct load_conn *conn = events[i].data.ptr;
        if ((events[i].events & EPOLLOUT) != 0 && !load_flush(load, conn)) {
            return false;
        }
        if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 &&
            !load_on_readable(load, conn)) {
            return false;
        }
    }
    return true;
}

static bool conns_open(struct load *load)
{
    const struct load_options *options = load->options;
    for (unsigned i = 0; i < options->stream_count; i++) {
        load->conn_count += options->streams[i].connections;
    }
    load->conns = calloc(load->conn_count, sizeof *load->conns);
    load->buffer = malloc(LOAD_PARTIAL_BYTES_MAX + LOAD_READ_BYTES);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (load->conns == NULL || load->buffer == NULL || load->epoll < 0) {
        return proto_fault_set(load->fault, PROTO_NO_MEMORY, "", "no memory for connections");
    }
    for (unsigned i = 0; i < load->conn_count; i++) {
        load->conns[i].fd = -1;
    }
    unsigned at = 0;
    for (unsigned s = 0; s < options->stream_count; s++) {
        const struct load_stream *stream = &options->streams[s];
        load->streams[s].first_conn = at;
        for (unsigned i = 0; i < stream->connections; i++, at++) {
            struct load_conn *conn = &load->conns[at];
            conn->stream = s;
            conn->next = (uint32_t)((uint64_t)stream->traffic->count * i / stream->connections);
            conn->next_reply = conn->next;
            if (!load_conn_open(conn, stream, load->fault) ||
                !load_watch(load, conn, EPOLL_CTL_ADD, false)) {
                return false;
            }
        }
    }
    return true;
}

static void begin(struct load *load)
{
    const struct load_options *options = load->options;
    load->start_ns = load_now(load);
    if (options->hlog != NULL) {
        load_hlog_begin(options->hlog, base_clock_now_ms(&options->clock));
    }
    load->measure_ns = load->start_ns + (uint64_t)(options->warmup_s * 1e9);
    load->end_ns = load->measure_ns + (uint64_t)(options->measure_s * 1e9);
    for (unsigned i = 0; i < options->stream_count; i++) {
        struct stream_run *stream = &load->streams[i];
        if (load_stream_is_open(stream->options)) {
            load_arrival_init(&stream->arrival, &stream->options->arrival, options->seed + i);
            load_stream_next(load, stream);
        }
    }
}

static bool run(struct load *load)
{
    begin(load);
    for (unsigned i = 0; i < load->conn_count; i++) {
        struct load_conn *conn = &load->conns[i];
        if (!load_stream_is_open(load->streams[conn->stream].options) && conn->greeting_left == 0 &&
            !load_batch_send(load, conn)) {
            return false;
        }
    }
    while (load->phase != PHASE_DRAIN) {
        if (!turn(load)) {
            return false;
        }
    }
    uint64_t give_up_ns = load_now(load) + (uint64_t)(LOAD_DRAIN_S * 1e9);
    while (!drained(load) && load_now(load) < give_up_ns) {
        if (!turn(load)) {
            return false;
        }
    }
    return true;
}

/* What the schedule meant for the window and could not be sent until the end. */
static void left_count(const struct load *load, struct stream_run *stream)
{
    while (is_behind(load, stream)) {
        stream->meant += stream->due_ns >= load->measure_ns;
        stream->cursor++;
        load_stream_next(load, stream);
    }
}

static void results_finish(struct load *load)
{
    for (unsigned i = 0; i < load->options->stream_count; i++) {
        struct stream_run *stream = &load->streams[i];
        struct load_result *result = stream->result;
        const struct load_traffic *traffic = stream->options->traffic;
        /* What is left of the last second, and replies that came after the end. */
        if (base_histogram_total(&stream->second) > 0) {
            hlog_write(load, stream, i,
                       (double)load->end_ns / 1e9 + 1 - (double)load->second_ns / 1e9);
        }
        result->rate = result->seconds > 0 ? (double)result->completed / result->seconds : 0;
        result->request_bytes = (uint64_t)(load_traffic_mean_bytes(traffic) * (double)result->sent);
        if (load_stream_is_open(stream->options)) {
            left_count(load, stream);
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

bool load_run(const struct load_options *options, struct load_result *results,
              struct proto_fault *fault)
{
    struct load *load = calloc(1, sizeof *load);
    memset(results, 0, options->stream_count * sizeof *results);
    if (load == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    }
    load->options = options;
    load->fault = fault;
    load->epoll = -1;
    for (unsigned i = 0; i < options->stream_count; i++) {
        load->streams[i].options = &options->streams[i];
        load->streams[i].result = &results[i];
    }
    if (options->cpu >= 0) {
        pin(options->cpu);
    }
    bool ok = conns_open(load) && run(load);
    if (ok) {
        results_finish(load);
    }
    for (unsigned i = 0; load->conns != NULL && i < load->conn_count; i++) {
        load_conn_close(&load->conns[i]);
    }
    if (load->epoll >= 0) {
        close(load->epoll);
    }
    free(load->conns);
    free(load->buffer);
    free(load);
    return ok;
}
