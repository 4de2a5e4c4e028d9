/* SPDX-License-Identifier: Apache-2.0 */
/* The load generator: one thread, epoll, any number of streams of requests in one loop.
 *
 * A stream is a set of connections to one server, with one kind of requests. Closed loop (rate 0):
 * each connection sends `depth` requests in one piece, waits for all their replies, sends the next.
 * Open loop: requests go out when the schedule says, over the connections in turn, however many are
 * unanswered, and a latency is counted from the time that the schedule meant, so a server that
 * stalls cannot hide it (coordinated omission). A stream may state the time and the connection of
 * each request instead (a replay); it is an open loop too. Warm-up is not counted.
 *
 * Ownership: options are borrowed for the run; load_result_fini frees. Errors: a fault if a
 * connection cannot be made or is lost; replies with an error status are counted, not faults.
 * Threads: one; pins the calling thread if cpu >= 0. Cost of the generator itself: its processor
 * time is in the result (`self`); see docs/bench.md. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdio.h>

#include "bench/load/load_arrival.h"
#include "bench/load/load_stages.h"
#include "bench/load/load_traffic.h"
#include "bench/load/load_usage.h"
#include "bench/load/load_wire.h"
#include "server/base/clock.h"
#include "server/base/histogram.h"

#define LOAD_STREAMS_MAX 4
/* Unanswered requests of one connection; a schedule that would go beyond waits. */
#define LOAD_OUTSTANDING_MAX 16384
/* Seconds after the end in which replies are still waited for. */
#define LOAD_DRAIN_S 2.0

struct load_target {
    uint16_t port;    /* on 127.0.0.1 */
    const char *path; /* a Unix socket instead; NULL = TCP */
};

/* When each request of a traffic is meant to be sent, and on which connection. With more than one
 * connection the wire must have ids. */
struct load_schedule {
    uint64_t *at_ns;      /* from the start of the run; never goes back */
    uint32_t *connection; /* below `connections` */
    uint32_t count;       /* at most that of the traffic */
    uint32_t connections;
};

struct load_stream {
    const struct load_wire *wire;
    const struct load_traffic *traffic;
    struct load_target target;
    size_t reply_bytes; /* for wires whose replies have one size */
    unsigned connections;
    unsigned depth;                       /* closed loop */
    struct load_arrival_options arrival;  /* open loop if arrival.rate > 0 */
    const struct load_schedule *schedule; /* open loop by it; NULL: none */
};

static inline bool load_stream_is_open(const struct load_stream *stream)
{
    return stream->arrival.rate > 0 || stream->schedule != NULL;
}

struct load_options {
    struct load_stream streams[LOAD_STREAMS_MAX];
    unsigned stream_count;
    double warmup_s;
    double measure_s;
    uint64_t requests_max; /* the run is the first so many of stream 0 (a closed loop, at most its
                              traffic), each once whichever connection is faster; 0: time */
    uint64_t seed;
    int cpu;           /* pin to it; -1: do not */
    pid_t server_pid;  /* whose processor time is measured; 0: nobody's */
    FILE *ndjson;      /* one line a second; NULL: none */
    FILE *hlog;        /* the latencies of each second, load_hlog.h; NULL: none */
    const char *label; /* in those lines */
    struct base_clock clock;
};

/* One second of a run. */
struct load_second {
    uint64_t completed;
    uint64_t p50_ns, p99_ns, max_ns;
};

struct load_result {
    double seconds; /* measured */
    uint64_t sent, completed;
    uint64_t status[256];          /* completed, by status; [0] = ok */
    uint64_t misplaced;            /* replies whose id was not asked for */
    uint64_t unanswered;           /* open loop: meant to be sent in time, no reply until the end */
    double rate;                   /* completed a second */
    double offered;                /* open loop: the schedule's own, as drawn */
    struct base_histogram latency; /* ns */
    struct base_histogram late;    /* ns that the generator itself sent too late (open loop) */
    struct load_usage server, self;
    uint64_t stolen_ns;        /* of all processors, by other guests of the machine */
    struct load_stages stages; /* for the caller to fill in; not known to the load generator */
    struct load_second *timeline;
    size_t timeline_count;
    uint64_t request_bytes, reply_bytes; /* received and sent, all */
};

/* results: one for each stream, zeroed by the call. */
bool load_run(const struct load_options *options, struct load_result *results,
              struct proto_fault *fault);
void load_result_fini(struct load_result *result);

/* Replies whose status is not 0. */
uint64_t load_result_errors(const struct load_result *result);
/* The name of the most frequent of them by proto/error.def ("none", "unknown"), static. */
const char *load_result_error(const struct load_result *result);
/* The share of the run in which server or generator stood ready to run and another program, of this
 * machine or of another guest on it, had the processor; NAN where the system does not say. Threads
 * of the server that share its processor wait for each other, too: of a server that works with one
 * thread it says most. */
double load_result_busy(const struct load_result *result);
/* One sentence, or "" if nothing needs saying: the offered rate that was not reached, errors,
 * replies that were never asked for, a generator that was itself the limit. */
void load_result_remark(const struct load_result *result, char *text, size_t text_bytes);

#endif
