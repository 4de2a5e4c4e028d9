/* SPDX-License-Identifier: Apache-2.0 */
/* A confidence sequence for the mean of what comes one after another: intervals that may be looked
 * at after each of them, again and again, and together hold the mean with 1 − α.
 *
 * Empirical Bernstein with a gamma-exponential mixture:
 *   x̄_n ± u(V_n)/n,  V_n = max(1, Σ (x_i − x̄_{i−1})²),  x̄_0 = 0
 * u(v) solves M(u, v) = 2/α, M the mixture of exp(λs − ψ(λ)v) over λ. Values are scaled to a range
 * of length 2 before, and back.
 * Assumptions: each value lies in a range of that length which was known before it came. It need
 * not be independent of the others, nor equally distributed: the mean is that of the expectations,
 * each given what came before.
 * Shapes: x[count] in the order in which they came. Errors: none; count 0 or width 0: −width …
 * width. Threads: pure. Cost: O(count), and some 100 evaluations of P. Source: Howard et al. 2021,
 * Choe and Ramdas 2023; docs/methods/drift.md. */
#ifndef MATH_SEQUENCE_H
#define MATH_SEQUENCE_H

#include <stddef.h>

struct math_sequence {
    double mean, low, high;
};

struct math_sequence_options {
    double width; /* of the range of a value */
    double best;  /* V at which the interval is tightest, of values in a range of length 2 */
    double alpha;
};

struct math_sequence math_sequence_mean(const double *x, size_t count,
                                        const struct math_sequence_options *options);

#endif
