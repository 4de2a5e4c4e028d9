/* SPDX-License-Identifier: Apache-2.0 */
/* Where work and money go, beside where the expected value is: for each group (a grade or a
 * segment) its share of a resource less its share of value, and a split that would be better if one
 * assumption holds.
 *
 *   gap    Σ e over the group / Σ e − Σ v over the group / Σ v, e the resource of an account, v its
 *          expected value
 *   split  e_g ∝ (V_g / n_g^β)^(1/(1−β)), which is the best of all splits of the same total where
 *          the value of a group answers effort as V_g·(e_g/n_g)^β, 0 < β < 1 with the same β for
 *          all; β → 0 is the law of logarithms, where the best split is that of value itself
 *
 * The interval of a gap is by linearisation over accounts, at 1 − 0.05/k for k groups. β is not
 * measured here: only work that is dealt out at random would tell it, so the split is an assumption
 * made visible and no finding. Assumptions: accounts are independent; expected values are right on
 * average over each group (`icp verdict` says whether).
 *
 * Shapes: e and v ≥ 0. Ownership: borrows; the table is filled. Errors: NO_EVIDENCE where
 * nothing was used or no value is expected, NO_MEMORY. Threads: pure. Cost: two walks over the
 * accounts. Source: Cochran 1977, chapter 6; Nerlove and Arrow 1962 for the law;
 * docs/methods/resources.md. */
#ifndef MEASURE_RESOURCE_H
#define MEASURE_RESOURCE_H

#include "server/measure/measure.h"
#include "server/measure/spell.h"

enum measure_resource { MEASURE_RESOURCE_ACTS, MEASURE_RESOURCE_SPEND, MEASURE_RESOURCES };

struct measure_endowed {
    uint32_t group;
    double used[MEASURE_RESOURCES]; /* acts; minor units */
    double value;
};

struct measure_endowments {
    struct measure_endowed *items;
    size_t count, room;
};
bool measure_endowments_add(struct measure_endowments *all, const struct measure_endowed *account,
                            struct proto_fault *fault);
void measure_endowments_fini(struct measure_endowments *all);

/* Shares of the best split by that assumption; 0 where a group has no value. */
void measure_split(const double *values, const double *accounts, size_t groups, double elasticity,
                   double *shares);

struct measure_resource_options {
    double elasticity; /* β, 0 ≤ β ≤ 0.9 */
    unsigned least;    /* accounts of a group that had any of the resource */
    double units;      /* minor units of one unit of the currency */
};
/* Each resource that was used, by group in the order of names. */
bool measure_resource_table(const struct measure_endowments *all, const char *const *names,
                            size_t groups, const struct measure_resource_options *options,
                            struct measure_table *table, struct proto_fault *fault);

#endif
