/* SPDX-License-Identifier: Apache-2.0 */
/* All contenders in one alternating run, and what came of it: gate_case.def says what is measured,
 * gate_entry.def who takes part, gate_row.def what must hold.
 * Ownership: gate_destroy ends every process that the gate started and frees. Errors: a fault
 * where icpd or the floor cannot be measured; a peer that is not installed is left out with a note.
 * Threads: one. */
#ifndef BENCH_GATE_H
#define BENCH_GATE_H

#include <jansson.h>

#include "bench/gate/gate_frame.h"
#include "bench/load/load.h"
#include "bench/load/load_workload.h"
#include "bench/peer/peer.h"
#include "bench/peer/peer_base.h"
#include "bench/report/report_median.h"

enum gate_case {
#define C(ID, name, workload, depth, loop, writes, scores, text) GATE_##ID,
#include "bench/gate/gate_case.def"
#undef C
    GATE_WHOLE,  /* a list built from the whole base, timed as a call */
    GATE_MEMORY, /* read from /proc, not driven */
    GATE_SWEEP,  /* open loop at one rate after another, for the report */
    GATE_NONE,
    GATE_CASES
};

enum gate_contender {
#define A(ID, PEER, name, does) GATE_BY_##ID,
#include "bench/peer/peer_ask.def"
#undef A
    GATE_BY_ECHO,
    GATE_BY_ICP,
    GATE_BY_SMALL,
    GATE_BY_LARGE,
    GATE_BY_NONE,
    GATE_CONTENDERS
};

enum gate_metric {
    GATE_RATE,
    GATE_SCORES,
    GATE_P50,
    GATE_P99,
    GATE_CPU,
    GATE_SHARE_BUSY,
    GATE_BYTES,
    GATE_METRICS
};

struct gate_series {
    double values[GATE_METRICS][REPORT_RUNS_MAX];
    size_t count;
    uint64_t wrong; /* errors, misplaced and unanswered, all runs */
    json_t *runs;
};

struct gate_options {
    const char *icpd;   /* program */
    const char *self;   /* icp-bench, to run the echo with */
    const char *folder; /* bases and logs; kept */
    const char *workloads;
    uint64_t accounts, small, large; /* large 0: not measured */
    unsigned rounds, connections;
    double warmup_s, measure_s;
    int server_cpu, load_cpu;
    bool peers;
    bool smoke; /* fewer cases: does everything work at all */
};

/* What the rows speak of; a run with less is one to try things out with. */
#define GATE_ACCOUNTS 1000000
#define GATE_LARGE 10000000
#define GATE_ROUNDS 7

struct gate;

struct gate *gate_create(const struct gate_options *options, struct proto_fault *fault);
bool gate_measure(struct gate *gate, struct proto_fault *fault);
/* Fills lines[] from the series; returns how many. */
size_t gate_rows(const struct gate *gate, struct gate_line *lines, size_t lines_max);
const struct gate_series *gate_series(const struct gate *gate, enum gate_case what,
                                      enum gate_contender who);
/* Everything, for reports; the caller owns it. */
json_t *gate_json(const struct gate *gate);
void gate_destroy(struct gate *gate);

const char *gate_case_name(enum gate_case what);
const char *gate_contender_name(enum gate_contender who);

#endif
