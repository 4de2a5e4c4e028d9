/* SPDX-License-Identifier: Apache-2.0 */
/* How concentrated accounts are over groups, by their number (logos) and by what they are worth:
 *
 *   HHI        Σ s², s the share of a group
 *   unbiased   chance that two units of two different accounts are of one group:
 *              (Σ W_k² − Σ x²) / (W² − Σ x²), x what an account is worth; of logos, where x is 1,
 *              Σ n_k (n_k − 1) / (n (n − 1))
 *   effective  1 / HHI: so many groups of one size are as concentrated
 *   next deal  of w in group k: (W²·HHI + 2·W·s_k·w + w²) / (W + w)², less HHI
 *
 * Intervals are percentiles of a Poisson bootstrap by account, seeded. What is drawn is the
 * unbiased form: its mean over resamples is the HHI that was seen, while the HHI of a resample lies
 * above it. Groups of more than MEASURE_FOCUS_DRAWN units are drawn by the normal law of their
 * sums. Shares of logos have Wilson's interval, those of value that of a ratio. Assumption:
 * accounts are drawn independently of each other; the groups were chosen before the figures were
 * seen.
 *
 * Shapes: amounts in minor units, ≥ 0; a unit stands for `count` accounts with amount / count each.
 * Ownership: borrows; the table is filled. Errors: NO_EVIDENCE for fewer accounts than `least`,
 * NO_MEMORY, what the pace says. Threads: pure. Cost: a draw a unit and resample, of large groups
 * two a group. Source: Herfindahl 1950; Hirschman 1964; Simpson 1949 (the unbiased form); Hanley
 * and MacGibbon 2006; docs/methods/focus.md. */
#ifndef MEASURE_FOCUS_H
#define MEASURE_FOCUS_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

#define MEASURE_FOCUS_GROUPS_MAX 10000
#define MEASURE_FOCUS_DRAWN 200

struct measure_focus_unit {
    uint32_t group;
    double count;  /* accounts, whole */
    double amount; /* of all of them */
};

struct measure_focus {
    double hhi, unbiased, effective; /* NAN where they are not defined */
};

/* Of sums by group; squares: Σ x² over single accounts. */
void measure_focus_of(const double *sums, size_t count, double squares,
                      struct measure_focus *focus);
/* HHI after one more deal of the group that has `share` now; total > 0. */
double measure_focus_next(double hhi, double total, double share, double deal);

struct measure_focus_options {
    double deal;  /* of the next deal, minor units; 0: what an account has on average */
    unsigned top; /* groups to name */
    unsigned resamples, seed, least;
    bool units_alone; /* amounts are not told */
};
/* By logos, then by value: the three figures, then the groups, largest first. */
bool measure_focus_table(const struct measure_focus_unit *units, size_t count,
                         const char *const *names, size_t groups,
                         const struct measure_focus_options *options,
                         const struct measure_pace *pace, struct measure_table *table,
                         struct proto_fault *fault);

#endif
