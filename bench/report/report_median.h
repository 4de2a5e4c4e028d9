/* SPDX-License-Identifier: Apache-2.0 */
/* What repeated runs say together. Ratios are taken run by run (A and B of one round ran next to
 * each other, so what the machine did to one it did to the other), then their median. The interval
 * is from the smallest to the largest value: for n independent runs it holds the true median with a
 * chance of 1 − 2^(1−n), 98.4 % for 7 (sign test; no assumption on the distribution). Ownership:
 * plain values. Threads: pure. */
#ifndef BENCH_REPORT_MEDIAN_H
#define BENCH_REPORT_MEDIAN_H

#include <stdbool.h>
#include <stddef.h>

#define REPORT_RUNS_MAX 64

struct report_spread {
    double median, low, high;
    size_t count; /* 0: nothing was measured, the others are NaN */
};

/* count ≤ REPORT_RUNS_MAX; the rest is passed over. */
struct report_spread report_spread_of(const double *values, size_t count);
/* Of a[i] / b[i], as many as both have; a pair with b[i] ≤ 0 is passed over. */
struct report_spread report_spread_ratio(const double *a, const double *b, size_t count);

/* How much a figure may change from one file to the next before it counts, if there are fewer than
 * 4 runs on a side and so no interval worth the name; and the least change that counts at all. */
#define REPORT_CHANGE_FEW 0.25
#define REPORT_CHANGE_LEAST 0.05

enum report_change { REPORT_SAME, REPORT_BETTER, REPORT_WORSE };
/* B against A: beyond noise if the medians differ by the least change and the intervals do not
 * meet. higher_is_better: rates; else times. */
enum report_change report_spread_change(const struct report_spread *a,
                                        const struct report_spread *b, bool higher_is_better);

#endif
