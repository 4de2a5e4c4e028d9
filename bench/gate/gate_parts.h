/* SPDX-License-Identifier: Apache-2.0 */
/* Inside a gate: gate.c starts and repeats, gate_run.c drives one entry, gate_rows.c judges.
 * Ownership: struct gate owns all. Threads: one. */
#ifndef BENCH_GATE_PARTS_H
#define BENCH_GATE_PARTS_H

#include "bench/gate/gate.h"

enum gate_loop { GATE_LOOP_CLOSED, GATE_LOOP_OPEN };

struct gate_case_info {
    const char *name;
    const char *workload;
    unsigned depth;
    int loop;
    unsigned writes;
    unsigned scores;
    const char *text;
};

struct gate_entry {
    enum gate_case what;
    enum gate_contender who;
};

#define GATE_BASES 3
#define GATE_TRAFFICS_MAX 32

struct gate_echo {
    struct peer_process process;
    uint16_t port;
    size_t request_bytes, reply_bytes;
};

/* Requests that several cases share. */
struct gate_traffic {
    enum gate_contender who;
    const char *workload;
    struct load_traffic traffic;
    double reply_bytes; /* mean, as first seen */
    bool touched;
};

struct gate {
    struct gate_options options;
    char work[64];
    struct peer_base bases[GATE_BASES];
    struct peer peers[PEER_COUNT];
    struct gate_echo echoes[GATE_CASES];
    struct gate_traffic traffics[GATE_TRAFFICS_MAX];
    unsigned traffic_count;
    double open_rate; /* half of the echo's at depth 1 */
    struct gate_series series[GATE_CASES][GATE_CONTENDERS];
};

const struct gate_case_info *gate_case_info(enum gate_case what);

/* Makes the entry's requests, starts its echo, and sends every request once. */
bool gate_prepare(struct gate *gate, const struct gate_entry *entry, struct proto_fault *fault);
/* Finds the rate of the open loops. */
bool gate_calibrate(struct gate *gate, struct proto_fault *fault);
/* results[LOAD_STREAMS_MAX]; the caller finishes each. */
bool gate_run(struct gate *gate, const struct gate_entry *entry, struct load_result *results,
              struct proto_fault *fault);

#endif
