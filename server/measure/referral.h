/* SPDX-License-Identifier: Apache-2.0 */
/* Who referred whom, as a network of accounts: whether referrals stay within a segment, how dense
 * they are, how many new customers a customer brings, and whether who was referred is won more
 * often than others of equal fit.
 *
 *   assortativity  r = (Σ e_ii − Σ a_i b_i) / (1 − Σ a_i b_i), e_ij the share of referrals from
 *                  segment i to segment j, a and b its sums (Newman 2003). p: segments are shuffled
 *                  over the accounts of the network; (1 + as much or more) / (1 + permutations)
 *   density        referrals / (n (n − 1)), n accounts of the network
 *   reproduction   accounts won that a customer referred, over customers
 *   lift           difference of the won share of the referred and of others over strata of equal
 *                  fit, weighed by n1 n2 / (n1 + n2) (Mantel and Haenszel 1959; variance by
 *                  Greenland and Robins 1985)
 *
 * Intervals at 95 %: of assortativity and density percentiles of a Poisson bootstrap by the account
 * that refers, of reproduction the normal law over customers, of rates Wilson's. Assumptions: those
 * who refer are independent of each other; a stratum's accounts are alike but for the referral.
 *
 * Shapes: accounts are numbers below `accounts`; a segment and a stratum for each. Ownership:
 * borrows; the table is filled. Errors: NO_EVIDENCE where there is no referral, NO_MEMORY, what the
 * pace says. Threads: pure. Cost: a shuffle of the accounts and a walk over the referrals for each
 * permutation. Source: Newman 2003, Phys. Rev. E 67, 026126; docs/methods/referral.md. */
#ifndef MEASURE_REFERRAL_H
#define MEASURE_REFERRAL_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

#define MEASURE_REFERRAL_SEGMENTS_MAX 1000

struct measure_referral {
    uint32_t from, to; /* accounts: who referred, who was referred */
    double count;      /* so many alike; ≥ 0 */
};

/* Counts of referrals from segment i (row) to segment j; NAN where there are none, or where all are
 * of one segment. */
double measure_assortativity(const double *counts, size_t segments);

/* What became of an account. */
struct measure_referred {
    uint32_t segment, stratum;
    bool known; /* it was won, lost, or is open and mature */
    bool won;
};

struct measure_referral_options {
    unsigned permutations, seed;
    unsigned segments; /* in the network, without which assortativity is insufficient */
    unsigned least;
    bool outcomes; /* it is told what became of accounts */
};

struct measure_network {
    const struct measure_referral *referrals;
    size_t count;
    const struct measure_referred *accounts;
    uint32_t account_count;
    const char *const *segments; /* names */
    uint32_t segment_count;
    uint32_t stratum_count;
    bool by_segment; /* strata are segments, for nothing scores */
    size_t unknown;  /* referrals by somebody who is none of the accounts */
};
bool measure_referral_table(const struct measure_network *network,
                            const struct measure_referral_options *options,
                            const struct measure_pace *pace, struct measure_table *table,
                            struct proto_fault *fault);

#endif
