/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the load generator: load.c keeps time, phases and results; load_io.c sends, reads
 * and counts. Ownership: struct load owns connections and buffers for one run. Threads: one. */
#ifndef BENCH_LOAD_PARTS_H
#define BENCH_LOAD_PARTS_H

#include "bench/load/load_conn.h"

/* A read takes at most READ_BYTES, behind the room for the rest of the read before it. */
#define LOAD_READ_BYTES ((size_t)1 << 18)
#define LOAD_PARTIAL_BYTES_MAX ((size_t)PROTO_FRAME_BYTES_MAX + PROTO_HEADER_BYTES)

enum load_phase { PHASE_WARMUP, PHASE_MEASURE, PHASE_DRAIN };

struct stream_run {
    const struct load_stream *options;
    struct load_result *result;
    struct load_arrival arrival;
    uint64_t due_ns; /* of the next arrival, on the run's clock; UINT64_MAX: there is none */
    uint32_t cursor; /* of the schedule */
    unsigned turn;   /* whose connection is next */
    unsigned first_conn;
    struct base_histogram second; /* latencies of this second */
    uint64_t second_completed;
    uint64_t meant; /* open loop: arrivals within the measured window */
    uint64_t met;   /* of those, answered */
};

struct load {
    const struct load_options *options;
    struct stream_run streams[LOAD_STREAMS_MAX];
    struct load_conn *conns;
    unsigned conn_count;
    int epoll;
    uint8_t *buffer; /* LOAD_PARTIAL_BYTES_MAX of room, then LOAD_READ_BYTES */
    struct load_split split;
    enum load_phase phase;
    uint64_t start_ns, measure_ns, end_ns, second_ns;
    uint64_t dealt;     /* where requests_max bounds stream 0: given to its connections */
    uint64_t completed; /* of stream 0, in every phase */
    struct load_usage server_before, self_before;
    uint64_t stolen_before_ns;
    struct proto_fault *fault;
};

static inline uint64_t load_now(const struct load *load)
{
    return base_clock_now_ns(&load->options->clock);
}

/* Watches for replies, and for room to write if something is unsent. */
bool load_watch(struct load *load, struct load_conn *conn, int op, bool write);
bool load_flush(struct load *load, struct load_conn *conn);
/* Closed loop: the next `depth` requests in one piece. */
bool load_batch_send(struct load *load, struct load_conn *conn);
bool load_on_readable(struct load *load, struct load_conn *conn);
/* Open loop: what is due. A connection that can take no more holds the schedule up: its requests go
 * out late, and their latency says so. */
bool load_arrivals_send(struct load *load, struct stream_run *stream, uint64_t at_ns);
/* When the next arrival is due. */
void load_stream_next(const struct load *load, struct stream_run *stream);

#endif
