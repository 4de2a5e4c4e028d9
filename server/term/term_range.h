/* SPDX-License-Identifier: Apache-2.0 */
/* Within which bounds a lift lies, kept up block by block, so that it can be told after each of
 * them what was known then.
 *
 *     E_more(w) = mean over z of L(w e^z) / L(w)      E_less(w) = mean over z of L(w e^-z) / L(w)
 *
 * L is the likelihood of all blocks so far (term_lift.h), z the 60 midpoints of a half normal. The
 * *rule's* bounds are the odds ratios w at which E_more(w) = 1 / (0.8 alpha) and E_less(w) =
 * 1 / (0.2 alpha): a list is supported exactly when the lower one lies above 1 and refuted exactly
 * when the upper one lies below 1, since at w = 1 these are the E of term_lift_verdict. Each is the
 * E of a one-sided test at all times, so together they miss the odds ratio in alpha of all terms at
 * most. The *interval* is the two-sided one of term_lift_interval, every w against which the
 * mixture around 1 stays below 1 / alpha.
 *
 * L is kept on a grid of ln w from -11 to 11 in steps of 1/50 and read between its points by a
 * cubic through four of them, 1e-8 of what it is; ends beyond e^-8 and e^8 are open (0 and
 * infinity). Ownership: values, of 9 kB. Errors: none. Threads: pure. Cost: 1,101 times that of a
 * block's probability a block, some 0.3 ms; bounds some 50,000 readings, 1 ms. Source: term_lift.h;
 * that ln L is concave in ln w makes E_more fall and E_less rise in w. */
#ifndef TERM_TERM_RANGE_H
#define TERM_TERM_RANGE_H

#include "server/term/term_lift.h"

enum { TERM_RANGE_POINTS = 1101 };

struct term_range {
    struct term_lift lift;
    double log_likelihood[TERM_RANGE_POINTS];
};

struct term_bounds {
    double low, high;              /* the interval */
    double rule_low, rule_high;    /* the rule's bounds */
    double log_e_more, log_e_less; /* against an odds ratio of 1 */
    enum term_verdict verdict;
};

void term_range_begin(struct term_range *range);
void term_range_add(struct term_range *range, const struct term_block *block);
/* 0 < alpha < 1 */
void term_range_bounds(const struct term_range *range, double alpha, struct term_bounds *bounds);

#endif
