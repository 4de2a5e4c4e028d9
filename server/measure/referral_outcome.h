/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table of referrals, and those of what became of accounts. Within this folder.
 *
 * Shapes: shares and counts of accounts; those of a network are numbers below its `account_count`.
 * Ownership: borrows; rows are added to the table, which copies texts. Errors: NO_MEMORY; too few
 * accounts are a verdict in their row, not an error. Threads: pure. Cost: a walk over the referrals
 * and one over the accounts. Sources: referral.h. */
#ifndef MEASURE_REFERRAL_OUTCOME_H
#define MEASURE_REFERRAL_OUTCOME_H

#include "server/measure/referral.h"

/* value: the figure and the ends of its interval, NAN where there is none. n: what it is over. */
void measure_referral_row(struct measure_table *table, const char *figure, const char *of,
                          const double value[3], int64_t n, const char *verdict);
/* part / n with Wilson's interval; insufficient below `least`. */
void measure_referral_rate(struct measure_table *table, const char *figure, const char *of,
                           double part, double n, unsigned least);
/* Reproduction, rates of the referred and of others, and their difference over strata. */
bool measure_referral_outcomes(const struct measure_network *network,
                               const struct measure_referral_options *options,
                               struct measure_table *table, struct proto_fault *fault);

#endif
