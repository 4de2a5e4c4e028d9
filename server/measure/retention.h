/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the revenue and of the customers of a start is there at an end.
 *
 * a_i, b_i: MRR of account i at start and end. Over the accounts with a_i > 0
 *   nrr-cohort    Σ b_i / Σ a_i             grr-cohort    Σ min(a_i, b_i) / Σ a_i
 * and by the movements of the months between, over all accounts,
 *   nrr-movement  (start + expansion − contraction − churn) / start
 *   grr-movement  (start − contraction − churn) / start
 * which differ where an account goes up and down. Under reactivation=within the MRR that came back
 * is added to the numerators of both NRR. Logo retention: customers of the start who are customers
 * at the end, over customers of the start.
 *
 * Intervals: ratio estimator, R ∓ 1.96 s with s² = Σ(b_i − R a_i)² / (n (n−1) ā²); of logos
 * Wilson's; intervals of GRR are cut to 0 … 1, which it cannot leave. Assumption: accounts are
 * independent, and those of the start a sample of such accounts. With fewer than 2 accounts, or
 * nothing at the start, there is no interval (low, high NAN). Shapes: minor units; sums and
 * residuals in doubles, exact below 2^53, else to 1e-12. Ownership: values. Errors: NO_MEMORY,
 * BAD_FIELD for a period that is none. Threads: pure. Cost: O(spells), some 100 ns an account.
 * Source: Cochran 1977, 6.4; METHODS and examples in docs/methods/retention.md. */
#ifndef MEASURE_RETENTION_H
#define MEASURE_RETENTION_H

#include "server/measure/measure_state.h"

struct measure_ratio {
    double value; /* NAN where the denominator is 0 */
    double error;
    double low, high;
    size_t n;
    int64_t numerator, denominator;
};

struct measure_ratio measure_ratio_of(const int64_t *now, const int64_t *then, size_t count);

enum measure_form {
    MEASURE_NRR_COHORT,
    MEASURE_GRR_COHORT,
    MEASURE_NRR_MOVEMENT,
    MEASURE_GRR_MOVEMENT,
    MEASURE_FORMS
};

/* What an account adds to the four forms; the denominator of each is its start. */
struct measure_retained {
    int64_t start, end; /* MRR */
    int64_t won, lost;  /* by its movements: expansion, and what came back within; the losses */
    bool customer_start, customer_end;
    bool paid_before; /* before the start */
    bool back;        /* it came back within the period, and that counts */
};
/* Whether it is one of those that the form is over, and its numerator then. */
static inline bool measure_retained_in(const struct measure_retained *one, enum measure_form form)
{
    return one->start > 0 ||
           (form == MEASURE_NRR_COHORT ? one->back
                                       : form != MEASURE_GRR_COHORT && (one->won | one->lost) != 0);
}
static inline int64_t measure_retained_now(const struct measure_retained *one,
                                           enum measure_form form)
{
    switch (form) {
    case MEASURE_NRR_COHORT:
        return one->end;
    case MEASURE_GRR_COHORT:
        return one->start < one->end ? one->start : one->end;
    case MEASURE_NRR_MOVEMENT:
        return one->start + one->won - one->lost;
    default:
        return one->start - one->lost;
    }
}

struct measure_retention {
    uint32_t members;  /* accounts of the group */
    uint32_t accounts; /* with MRR at the start */
    int64_t mrr_start, mrr_end;
    struct measure_ratio nrr_cohort, grr_cohort;
    struct measure_ratio nrr_movement, grr_movement;
    struct measure_ratio logo;
    double arpa;        /* MRR at the end over customers at the end; NAN without */
    double churn_gross; /* 1 − grr_cohort */
    double churn_net;   /* 1 − nrr_cohort */
};

/* What each account adds, worked out once for all groups; free(). NULL with *fault. Asks the
 * spells' pace. [from, to] is at most 1,200 months. */
struct measure_retained *measure_retained_make(const struct measure_spells *spells,
                                               const struct measure_rules *rules, int64_t from_ms,
                                               int64_t to_ms, struct proto_fault *fault);
/* Of all accounts of the spells, then of each group: 1 + count, free(). groups: by account, below
 * count; NULL with 0. NULL with *fault. Asks the spells' pace. */
struct measure_retention *measure_retained_sum(const struct measure_retained *retained,
                                               const struct measure_spells *spells,
                                               const uint32_t *groups, uint32_t count,
                                               struct proto_fault *fault);
/* Both, of all accounts. [from, to] is at most 1,200 months. */
bool measure_retention_of(const struct measure_spells *spells, const struct measure_rules *rules,
                          int64_t from_ms, int64_t to_ms, struct measure_retention *retention,
                          struct proto_fault *fault);

#endif
