/* SPDX-License-Identifier: Apache-2.0 */
/* A ratio of two sums, Σ part / Σ whole, and how sure it is: where large ones weigh more, such as
 * what was paid of list prices, or the covered days of all days.
 *
 *   error = √(n/(n − 1) Σ(part − R whole)²) / Σ whole
 *
 * Assumptions: pairs are independent of each other, and many enough for the normal law. Shapes:
 * sums that start at 0, in any one unit. Ownership: values. Errors: NAN where the wholes come to
 * nothing, or for the error where fewer than two were added. Threads: pure. Cost: six sums a pair.
 * Source: Cochran 1977, chapter 6. The ratio of accounts whose values are kept is that of
 * retention.h. */
#ifndef MEASURE_RATIO_H
#define MEASURE_RATIO_H

#include <stddef.h>

struct measure_sums {
    size_t n;
    double part, whole;
    double part_squares, whole_squares, products;
};

void measure_sums_add(struct measure_sums *sums, double part, double whole);
/* part / whole; *error: its standard error, which is that of 1 − part / whole too. */
double measure_sums_ratio(const struct measure_sums *sums, double *error);

#endif
