/* SPDX-License-Identifier: Apache-2.0 */
/* Half an hour of rates and latencies, so that whoever opens the console sees what was before.
 *
 * Shapes: totals since the start go in, one look each CONSOLE_TICK_S; what came between two looks
 * comes out, a second each, with the percentiles of the latencies of that time alone. Bounds: the
 * latest CONSOLE_SAMPLES_MAX are kept. Ownership: create to destroy. Errors: NULL, no memory.
 * Threads: one puts, any read, behind one lock. Cost: a look 20 µs, 25 KiB in all. */
#ifndef CONSOLE_CONSOLE_HISTORY_H
#define CONSOLE_CONSOLE_HISTORY_H

#include <stdbool.h>

#include "server/base/histogram.h"

#define CONSOLE_TICK_S 5
#define CONSOLE_SAMPLES_MAX 360

/* Totals since the start of the server, at one moment. */
struct console_look {
    uint64_t at_ns; /* monotonic */
    uint64_t requests, errors, scores, written;
    uint64_t connections;          /* open now */
    struct base_histogram latency; /* of all operations, ns */
};

struct console_sample {
    double at_s; /* of the later look, monotonic */
    double requests_s, errors_s, scores_s, written_s;
    double connections;
    double p50_us, p99_us; /* 0: nothing was asked */
};

struct console_history;

struct console_history *console_history_create(void);
void console_history_destroy(struct console_history *history);
void console_history_put(struct console_history *history, const struct console_look *look);
/* Copies the samples, the oldest first; returns how many. */
size_t console_history_read(struct console_history *history,
                            struct console_sample samples[CONSOLE_SAMPLES_MAX]);

#endif
