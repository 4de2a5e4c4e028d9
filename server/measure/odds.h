/* SPDX-License-Identifier: Apache-2.0 */
/* Whether one thing goes with another at equal circumstances: tables of two by two, one for each
 * stratum, as one odds ratio and one test.
 *
 *              won  not
 *     with      a    b      ratio  Σ a d / N  over  Σ b c / N   (Mantel and Haenszel 1959)
 *     without   c    d      its logarithm's variance by Robins, Breslow and Greenland 1986
 *
 * The test is that of Mantel and Haenszel: Σ a beside what it is expected to be with the margins of
 * each stratum as they are, less half a case. Its normal law holds where Σ a could lie at least
 * MEASURE_ODDS_ROOM to either side of what is expected (Mantel and Fleiss 1980); elsewhere there is
 * no p, whatever the counts look like. Assumption: cases are independent, and the odds ratio is
 * about the same in the strata. A stratum where everybody has it, or nobody, says nothing and
 * changes nothing, so strata may be as thin as they like.
 *
 * Shapes: counts ≥ 0. Ownership: plain values. Errors: NAN where a figure is not defined. Threads:
 * pure. Cost: some 10 ns a stratum. */
#ifndef MEASURE_ODDS_H
#define MEASURE_ODDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURE_ODDS_ROOM 5

struct measure_odds {
    double n, with, won_with, won; /* cases, with it, both, won */
    double above, below;           /* Σ ad/N, Σ bc/N */
    double pr, ps_qr, qs;          /* of the variance of the logarithm */
    double expected, variance;     /* of Σ a */
    double least, most;            /* what Σ a could be */
};

void measure_odds_add(struct measure_odds *odds, double a, double b, double c, double d);
/* The ratio with its 95 % interval; 0 or infinite without one where only one side has any. */
void measure_odds_ratio(const struct measure_odds *odds, double *ratio, double *low, double *high);
/* Standard normal under no connection; NAN where the law does not hold. */
double measure_odds_z(const struct measure_odds *odds);
/* P(|Z| ≥ |z|), and P(Z ≥ z). */
double measure_two_sided(double z);
double measure_one_sided(double z);
/* Benjamini and Yekutieli 2001: p[i] becomes the least rate of false discoveries, under any
 * dependence, at which it would be among the found. Holm 1979: the least chance of one false
 * finding among all. order: indices of p, ascending. */
void measure_yekutieli(double *p, const uint32_t *order, size_t count);
void measure_holm(double *p, const uint32_t *order, size_t count);

#endif
