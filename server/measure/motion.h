/* SPDX-License-Identifier: Apache-2.0 */
/* Ways of selling side by side: how many journeys each has, how many it wins and how soon, what it
 * costs, and whether it takes more than it brings.
 *
 * A journey is of the group (a motion, function, campaign …) of its first step; an account's
 * revenue is of the group of its first journey that was won, else of its first; spend is of the
 * group that the event names. Over a period:
 *
 *   share       journeys created in it, of all
 *   conversion  of those that are old enough, however they went, the share that was won
 *   cycle       median days from creation to won, of those created in it
 *   spend       of all accounts, in the same stretch `lag` earlier
 *   cac         spend for an account that was won in it for the first time
 *   payback     months: spend over the monthly revenue of accounts that are new in it, times margin
 *   efficiency  spend over net new annual revenue, 12 · (MRR at the end − MRR at the start). It is
 *               refused where that is not positive: a ratio to it would mean nothing
 *   drain       share of all spend less share of what outcomes won in it were worth
 *
 * A group drains if the interval of its drain lies above 0. Intervals at 95 %: shares by Wilson,
 * cycle by order statistics (none for fewer than eight), ratios and drain by linearisation over
 * accounts, which are independent of each other; for k groups those of drain are at 1 − 0.05/k. A
 * ratio whose denominator is not sure to be positive has none.
 *
 * Shapes: groups below MEASURE_MOTIONS_MAX; money in whole minor units ≥ 0. Ownership:
 * measure_motions_fini frees; names are borrowed. Errors: NO_EVIDENCE for fewer journeys than
 * `least`, LIMIT for more groups or a sum beyond 64 bits, NO_MEMORY, what the pace says. Threads:
 * pure. Cost: some 50 ns a journey. Memory: 8 bytes a journey won, 400 a group. Source: Cochran
 * 1977 (ratio estimator); docs/methods/motions.md. */
#ifndef MEASURE_MOTION_H
#define MEASURE_MOTION_H

#include "server/measure/journey.h"
#include "server/measure/measure.h"

#define MEASURE_MOTIONS_MAX 10000

struct measure_motion_options {
    int64_t from_ms, to_ms; /* the period; the latter exclusive */
    int64_t mature_ms;
    double margin; /* of revenue, 0 … 1 */
    bool by_count; /* an outcome is worth one, whatever its amount */
    unsigned least;
};

/* Sums over accounts of one group. */
struct measure_motion {
    size_t journeys, mature, mature_won, spends, customers, fresh;
    int64_t spend, fresh_mrr, mrr_from, mrr_to;
    double value; /* of outcomes won in the period */
    double *cycles;
    size_t cycle_count, cycle_room;
    /* Of the account under way. */
    uint64_t account;
    double s, v, c, r, a; /* spend, value, customers, new MRR, net new ARR */
    /* Sums of products over accounts; capitals: of all groups of the account. */
    double ss, sS, sv, sV, vv, vS, vV, cc, sc, rr, sr, aa, sa;
};

struct measure_motions {
    struct measure_motion_options options;
    int64_t as_of_ms;
    const struct measure_pace *pace;
    struct measure_motion *items; /* by group */
    uint32_t count;
    size_t room;
    struct measure_motion all; /* its squares: SS, SV, VV in ss, sv, vv */
    uint32_t *touched;         /* groups of the account under way */
    uint32_t touched_count;
    uint64_t account;
    /* Of the account under way: its first journey that was won, its first, its revenue. */
    int64_t won_ms, created_ms, mrr_from, mrr_to;
    uint32_t won_group, created_group;
    bool fresh;
    size_t accounts; /* that have spend or value */
};

void measure_motions_fini(struct measure_motions *motions);
void measure_motions_account(struct measure_motions *motions);
/* A journey of the account, whatever the period; amount: of its outcome, minor units. */
bool measure_motions_journey(struct measure_motions *motions, uint32_t group,
                             const struct measure_journey *journey, int64_t amount,
                             struct proto_fault *fault);
/* Spend of the period (the lag is the caller's). */
bool measure_motions_spend(struct measure_motions *motions, uint32_t group, int64_t amount,
                           struct proto_fault *fault);
/* Monthly revenue of the account at the ends of the period; fresh: it had none before. */
void measure_motions_revenue(struct measure_motions *motions, int64_t mrr_from, int64_t mrr_to,
                             bool fresh);
/* none: the group of an account without a journey. */
bool measure_motions_account_end(struct measure_motions *motions, uint32_t none,
                                 struct proto_fault *fault);
/* All first, then groups by their journeys. units: minor units of one of the currency. */
bool measure_motions_table(struct measure_motions *motions, const char *const *names, double units,
                           struct measure_table *table, struct proto_fault *fault);

#endif
