/* SPDX-License-Identifier: Apache-2.0 */
/* Two result files held against each other: is icpd worse in B than in A, beyond noise?
 * What is compared: for every case that icpd has in both, its rate, p99 and processor time a
 * request. Where both files have the floor in the same case, rates and times are taken relative to
 * it, run by run, so that a slower or busier machine is not mistaken for a slower server.
 * See bench_spread_change for what counts. Ownership: borrows; names point into A. Threads: one. */
#ifndef BENCH_COMPARE_H
#define BENCH_COMPARE_H

#include <jansson.h>

#include "bench/bench_median.h"

#define BENCH_COMPARISONS_MAX 256

struct bench_comparison {
    const char *what;   /* case */
    const char *who;    /* contender */
    const char *metric; /* "rate", "p99", "cpu" */
    bool relative;      /* to the floor */
    struct bench_spread a, b;
    enum bench_change change;
};

/* Returns how many were put into out[out_max]. */
size_t bench_compare(const json_t *a, const json_t *b, struct bench_comparison *out,
                     size_t out_max);

#endif
