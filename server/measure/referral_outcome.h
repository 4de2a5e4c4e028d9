/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the table of referrals, and those of what became of accounts. Within this folder; shapes,
 * errors and sources are those of referral.h. */
#ifndef MEASURE_REFERRAL_OUTCOME_H
#define MEASURE_REFERRAL_OUTCOME_H

#include "server/measure/referral.h"

/* figure: value and the ends of its interval. */
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
