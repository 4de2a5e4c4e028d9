/* SPDX-License-Identifier: Apache-2.0 */
/* How soon a server answers again: icpd after a stop and after kill -9 under load, Redis with as
 * many records from its RDB file. Each the median of three. Times are milliseconds from the start
 * of the process to the reply of the first request, asked every millisecond. */
#ifndef BENCH_GATE_RESTART_H
#define BENCH_GATE_RESTART_H

#include "bench/gate/gate_ingest_parts.h"

struct gate_restart {
    double clean_ms, killed_ms;
    double redis_ms; /* 0: it is not installed */
};

/* Stops and starts the icpd of `ingest`, which runs; updates and scores are requests to it. */
bool gate_restart_measure(struct gate_ingest *ingest, const struct load_traffic *updates,
                          const struct load_traffic *scores, struct gate_restart *out,
                          struct proto_fault *fault);

#endif
