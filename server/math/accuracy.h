/* SPDX-License-Identifier: Apache-2.0 */
/* How far stated probabilities are from what happened, and intervals of rates.
 * Shapes: p[count] in [0, 1], labels[count] 0 or 1, count ≥ 1; losses are means per row, natural
 * log. Errors: none. Threads: pure. Cost: O(n), no allocation. Source: GLOSSARY.md, measures;
 * Wilson 1927; Platt 1999. See docs/methods/calibration.md. */
#ifndef MATH_ACCURACY_H
#define MATH_ACCURACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MATH_ECE_BINS 10

double math_brier(const double *p, const uint8_t *labels, size_t count);
/* p is kept within 1e-15 of 0 and 1. */
double math_log_loss(const double *p, const uint8_t *labels, size_t count);
/* Over `bins` (1 … 64) bins of equal width in p, upper end included in the last. */
double math_ece(const double *p, const uint8_t *labels, size_t count, unsigned bins);

/* Wilson's 95 % interval of a rate; total ≥ 1. And at any point z of the normal distribution, of a
 * share of n > 0, which need not be whole (an effective number). */
void math_wilson(size_t positives, size_t total, double *low, double *high);
void math_wilson_share(double share, double n, double z, double *low, double *high);

/* p = logistic(offset + slope · x), fitted by maximum likelihood with Platt's targets
 * ((n⁺+1)/(n⁺+2) and 1/(n⁻+2)), by at most 100 Newton steps with halving. slope ≥ 0: a fit that
 * would turn the order around gives slope 0. False if there is no positive or no negative. */
struct math_platt {
    double offset;
    double slope;
};
bool math_platt_fit(const double *x, const uint8_t *labels, size_t count, struct math_platt *fit);

#endif
