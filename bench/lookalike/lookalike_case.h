/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contenders that do the same work, in alternating rounds: each makes one pass a round, another one
 * first in each. A ratio is taken within a round, so what the machine did to one it did to the
 * other. Units: passes of queries, seconds. Ownership: plain values; contexts are borrowed.
 * Threads: one.
 */
#ifndef ICP_BENCH_LOOKALIKE_CASE_H
#define ICP_BENCH_LOOKALIKE_CASE_H

#include <jansson.h>
#include <stdint.h>

#include "bench/report/report_median.h"

enum { LOOKALIKE_CONTENDERS_MAX = 8 };

struct lookalike_pass {
    uint32_t asked; /* queries */
    uint32_t found; /* of the true k nearest of each */
    double seconds;
};

struct lookalike_contender {
    char name[64];
    char setting[64]; /* what it was tuned to */
    double recall;
    void *context;
    struct lookalike_pass (*on_pass)(void *context);
    double per_second[REPORT_RUNS_MAX];
};

struct lookalike_case {
    char name[64];
    struct lookalike_contender contenders[LOOKALIKE_CONTENDERS_MAX];
    uint32_t count;
    uint32_t rounds;  /* done */
    uint32_t answers; /* true ones a query, to tell recall of what was measured; 0: no recall */
};

/* Room for one more, NULL when there is none. */
struct lookalike_contender *lookalike_contender_add(struct lookalike_case *what, const char *name);
void lookalike_case_run(struct lookalike_case *what, uint32_t rounds);
/* NULL if nobody of that name takes part. */
const struct lookalike_contender *lookalike_contender_find(const struct lookalike_case *what,
                                                           const char *name);
/* Throughput of `a` over that of `b`, round by round. */
struct report_spread lookalike_case_ratio(const struct lookalike_case *what,
                                          const struct lookalike_contender *a,
                                          const struct lookalike_contender *b);
/* A line for each contender. */
void lookalike_case_print(const struct lookalike_case *what);
/* The caller owns it. */
json_t *lookalike_case_json(const struct lookalike_case *what);

#endif
