/* SPDX-License-Identifier: Apache-2.0 */
/* How far the accounts that a group works are from those of a list, over segments: the distance of
 * Jensen and Shannon,
 *
 *   D² = ½ Σ p log₂(p/m) + ½ Σ q log₂(q/m),  m = ½ (p + q),  0 ≤ D ≤ 1
 *
 * p the shares of the group's accounts over segments, q those of the list's. Two samples of one
 * market are apart by chance already, the more the smaller they are, so D stands beside what chance
 * gives: accounts of group and list are put together and dealt out anew, and p is the share of
 * dealings (the one that was seen among them) that are as far apart. Over groups p is Holm's.
 *
 * The interval is the basic bootstrap of D² over the group's accounts, at 95 %, by a seed: the list
 * is what it is, and the bias upwards of D² is taken off. Where the group works accounts of the
 * list itself the two samples share accounts, and p is too large rather than too small.
 *
 * Assumptions: accounts come into a group's work independently of each other; segments were chosen
 * before the figures were seen. Shapes: counts ≥ 0. Ownership: borrows; the table is filled.
 * Errors: NO_EVIDENCE for a list of fewer accounts than `least`, or no group, NO_MEMORY, what the
 * pace says. Threads: pure. Cost: permutations × 2 draws an account of the group. Source: Lin 1991,
 * IEEE Trans. Inf. Theory 37; Phipson and Smyth 2010 (p of permutations); Davison and Hinkley 1997;
 * docs/methods/divergence.md. */
#ifndef MEASURE_DIVERGENCE_H
#define MEASURE_DIVERGENCE_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

#define MEASURE_DIVERGENCE_SEGMENTS_MAX 10000

/* Accounts by group and segment. */
struct measure_crowd {
    double *counts; /* [group * segments + segment] */
    const double *listed;
    size_t groups, segments;
};

/* D² in bits; NAN where either is empty. */
double measure_divergence(const double *p, const double *q, size_t segments);

struct measure_divergence_options {
    unsigned permutations, seed, least;
    unsigned top;      /* groups to name */
    unsigned segments; /* to name for each group, those that part them most first */
};
/* Groups, those with most accounts first, each with its segments. */
bool measure_divergence_table(const struct measure_crowd *crowd, const char *const *groups,
                              const char *const *segments,
                              const struct measure_divergence_options *options,
                              const struct measure_pace *pace, struct measure_table *table,
                              struct proto_fault *fault);

#endif
