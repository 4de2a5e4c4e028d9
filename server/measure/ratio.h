/* SPDX-License-Identifier: Apache-2.0 */
/* The discount of deals: 1 − Σ amount / Σ list, with the interval of a ratio over deals.
 *
 * Shapes: sums that start at 0. Errors: NAN where nothing, or for an interval fewer than two, were
 * added. Threads: pure. Source: Cochran 1977, chapter 6. */
#ifndef MEASURE_RATIO_H
#define MEASURE_RATIO_H

#include <stddef.h>

struct measure_ratio {
    size_t n;
    double part, whole;
    double part_squares, whole_squares, products;
};

void measure_ratio_add(struct measure_ratio *ratio, double part, double whole);
/* 1 − part / whole; *error: its standard error. */
double measure_ratio_discount(const struct measure_ratio *ratio, double *error);

#endif
