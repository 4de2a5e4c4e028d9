/* SPDX-License-Identifier: Apache-2.0 */
/* Two result files held against each other: is icpd worse in B than in A, beyond noise?
 * What is compared: for every case that icpd has in both, its rate, p99 and processor time a
 * request. Where both files have the floor in the same case, rates and times are taken relative to
 * it, run by run, so that a slower or busier machine is not mistaken for a slower server.
 * See report_spread_change for what counts. Ownership: borrows; names point into A. Threads: one.
 */
#ifndef BENCH_REPORT_COMPARE_H
#define BENCH_REPORT_COMPARE_H

#include <jansson.h>

#include "bench/report/report_median.h"

#define REPORT_COMPARISONS_MAX 256

struct report_comparison {
    const char *what;   /* case */
    const char *who;    /* contender */
    const char *metric; /* "rate", "p99", "cpu" */
    bool relative;      /* to the floor */
    struct report_spread a, b;
    enum report_change change;
};

/* Returns how many were put into out[out_max]. */
size_t report_compare(const json_t *a, const json_t *b, struct report_comparison *out,
                      size_t out_max);

#endif
