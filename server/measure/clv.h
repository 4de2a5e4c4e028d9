/* SPDX-License-Identifier: Apache-2.0 */
/* How long customers stay and what they are worth, by models of customers that differ.
 *
 * Under contract, lives in whole periods T ≥ 1:
 *   sBG  P(T = t) = B(α + 1, β + t − 1) / B(α, β), S(t) = B(α, β + t) / B(α, β): each customer has
 *        a chance of leaving of his own, which does not change (Fader and Hardie 2007)
 *   BdW  S(t) = B(α, β + t^c) / B(α, β): the chance changes with time, c = 1 is sBG (2018)
 *   residual value of a customer who has renewed n − 1 times, a margin of 1 at each renewal to
 * come, the next one now, discounted by d (DERL, 2010): (β + n − 1)/(α + β + n − 1) · ₂F₁(1, β + n;
 * α + β + n; 1/(1 + d)) Without contract, purchases at any time: BG/NBD  x repeat purchases, the
 * last at tx, watched until T (Fader, Hardie and Lee 2005) gamma-gamma  mean value m of x repeat
 * purchases (Fader and Hardie 2013) Arpa · margin / churn rate is no substitute: it takes all
 * customers for one, and so is low.
 *
 * Fits: maximum likelihood by math_simplex in logarithms of the parameters; intervals at 95 % from
 * the curvature there, on the logarithm (low and high NAN where a parameter is not determined).
 * Assumptions: customers are independent, alike but for what the model lets differ, and go on as
 * they did; of gamma-gamma that value and frequency do not hang together (clv_value_correlation
 * says). Shapes: periods, and times in one unit. Ownership: borrows. Errors: BAD_FIELD for data
 * that fit no model (nobody lost, more lost than there were, tx > T), NO_EVIDENCE where the
 * likelihood has no lowest point. Threads: pure. Cost: some 300 evaluations a parameter, each
 * O(rows). Source: as named; docs/methods/clv.md. */
#ifndef MEASURE_CLV_H
#define MEASURE_CLV_H

#include "server/measure/spell.h"

#define MEASURE_FIT_PARAMETERS 4
#define MEASURE_PERIODS_MAX 1200

struct measure_fit {
    size_t count; /* parameters */
    double value[MEASURE_FIT_PARAMETERS];
    double low[MEASURE_FIT_PARAMETERS], high[MEASURE_FIT_PARAMETERS];
    double log_likelihood;
    size_t n; /* customers */
};

/* lost[i] left at the end of period i + 1, of `customers` at the start; the rest are still there.
 */
bool measure_sbg_fit(const uint32_t *lost, size_t periods, uint32_t customers,
                     struct measure_fit *fit, struct proto_fault *fault); /* α, β */
bool measure_bdw_fit(const uint32_t *lost, size_t periods, uint32_t customers,
                     struct measure_fit *fit, struct proto_fault *fault); /* α, β, c */
/* S(t) of either fit, and the share of those there at t − 1 who are there at t. */
double measure_contract_survival(const struct measure_fit *fit, double t);
double measure_contract_retention(const struct measure_fit *fit, double t);
/* DERL: discount > 0 a period, renewals = n ≥ 1. Of BdW by summing until a term is nothing. */
double measure_contract_residual(const struct measure_fit *fit, double discount, unsigned n);

struct measure_buyer {
    uint32_t repeats;  /* x, purchases after the first */
    double last;       /* tx, of the last after the first, 0 without repeats */
    double watched;    /* T, since the first */
    double mean_value; /* m, of the repeats */
};

/* pace is asked within each pass over the buyers; NULL: always. */
bool measure_bgnbd_fit(const struct measure_buyer *buyers, size_t count,
                       const struct measure_pace *pace, struct measure_fit *fit,
                       struct proto_fault *fault); /* r, α, a, b */
/* Chance that the buyer still is one; purchases to be expected within `time` more. */
double measure_bgnbd_alive(const struct measure_fit *fit, const struct measure_buyer *buyer);
double measure_bgnbd_expected(const struct measure_fit *fit, const struct measure_buyer *buyer,
                              double time);
/* Over buyers with a repeat of some value; needs two. */
bool measure_gamma_fit(const struct measure_buyer *buyers, size_t count,
                       const struct measure_pace *pace, struct measure_fit *fit,
                       struct proto_fault *fault); /* p, q, γ */
/* Mean value of a purchase to be expected of the buyer. */
double measure_gamma_value(const struct measure_fit *fit, const struct measure_buyer *buyer);
/* Of x and m over the buyers that gamma-gamma is fitted on: near 0 if its assumption holds. */
double measure_value_correlation(const struct measure_buyer *buyers, size_t count);

#endif
