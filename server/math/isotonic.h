/* SPDX-License-Identifier: Apache-2.0 */
/* Isotonic regression: the non-decreasing sequence nearest to y in weighted squares.
 * Shapes: y[count] in the order of the predictor, weights[count] > 0 or NULL for equal ones.
 * Ownership: fitted is the caller's, count entries, may be y itself. Errors: false is "no memory".
 * Threads: pure. Cost: O(n). Source: pool adjacent violators (Ayer et al. 1955); Zadrozny and Elkan
 * 2002. */
#ifndef MATH_ISOTONIC_H
#define MATH_ISOTONIC_H

#include <stdbool.h>
#include <stddef.h>

bool math_isotonic(const double *y, const double *weights, size_t count, double *fitted);

#endif
