/* SPDX-License-Identifier: Apache-2.0 */
/* 95 % intervals of the log loss and of the ECE (accuracy.h) of chances that were given before the
 * outcomes were looked at.
 *
 * Log loss: the delta method on the log scale, L · exp(∓ t · error / L), which stays above 0; error
 * is that of a mean of sums by group. ECE: gaps of the bins are near to normal, g = γ + ε, with the
 * covariance of sums by group. The absolute value makes noise count as error, so a plain interval
 * about the ECE would leave out 0 when chances are right. Instead, by the triangle inequality,
 *   low  = ECE − the 97.5 % point of Σ|ε|, by draws from that covariance with a fixed seed; 0 at
 *          least: right chances have a low above 0 in 2.5 % of cases;
 *   high = ECE + 1.96 · the error of Σ s·ε, s the signs of the gaps.
 * The interval is that of Σ|γ| over these bins, and is wider than need be where many gaps are real.
 *
 * Shapes: as accuracy.h; groups[count] < group_count: rows of one group may depend on one another;
 * NULL: every row is its own. Assumption: groups are independent. t is the 95 % point of Student's
 * t with one degree of freedom less than the rarer class has rows (or groups, if those are fewer).
 * Ownership: borrows. Errors: false is "no memory". With less than two of the rarer class or two
 * groups nothing is known: 0 to the largest that the figure can be. Threads: pure. Cost: O(n +
 * bins² · draws), some 2 ms for the draws. Source: Liang and Zeger 1986 (sums by group); van der
 * Vaart 1998, 3.1 (delta method); docs/methods/calibration.md. */
#ifndef MATH_ACCURACY_INTERVAL_H
#define MATH_ACCURACY_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATH_LOG_LOSS_MAX 34.538776394910684 /* −ln 1e-15 */
#define MATH_ECE_DRAWS 4000

struct math_interval {
    double low, high;
};

bool math_log_loss_interval(const double *p, const uint8_t *labels, size_t count,
                            const uint32_t *groups, size_t group_count,
                            struct math_interval *interval);
/* Over MATH_ECE_BINS bins. */
bool math_ece_interval(const double *p, const uint8_t *labels, size_t count, const uint32_t *groups,
                       size_t group_count, struct math_interval *interval);

#endif
