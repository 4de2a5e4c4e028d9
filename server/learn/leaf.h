/* SPDX-License-Identifier: Apache-2.0 */
/* One step of boosting on one column: from the sums of gradients and hessians per bin to what is
 * added to each bin's table entry.
 *
 *   ordered bins     a small tree of at most leaves_max intervals, the missing bin a leaf of its
 * own; value of a leaf = −rate · G / (H + l2), none below hessian_min gain of a split = G²/(H+l2)
 * left + right − whole unordered bins   a leaf each, however few rows it has: value = −rate · (G +
 * ridge · table) / (H + l2_category)
 *
 * ridge draws the entry of a category towards 0, where the average is: it is the precision of a
 * normal prior on the effect, so a category of H ends at about H / (H + ridge) of what its rows say
 * alone. l2_category only slows rare ones down, so that early stopping meets them before they have
 * learned their few rows by heart.
 * Shapes: sums[bins], table[bins], values[bins]. Threads: pure. Cost: O(leaves_max · bins).
 * Source: Friedman 2001; Chen and Guestrin 2016 (second order); Lou et al. 2012 (one column at a
 * time). */
#ifndef LEARN_LEAF_H
#define LEARN_LEAF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct learn_sums {
    double gradient;
    double hessian;
};

struct learn_leaf_options {
    double rate;
    double l2;
    double l2_category;
    double ridge;
    double hessian_min; /* of a leaf of numbers; p(1−p) summed: 2.5 is some ten rows at even odds */
    unsigned leaves_max;
};

/* table: what the entries are so far. False if nothing is to be added. */
bool learn_leaf_values(const struct learn_sums *sums, size_t bins, bool ordered,
                       const struct learn_leaf_options *options, const double *table,
                       double *values);
/* Draws the values of ordered bins together where they go against direction (1: never falling from
 * bin 1 on, -1: never rising), so that a sum of such steps goes one way too: neighbouring leaves
 * that do are one leaf (pool adjacent violators, Ayer et al. 1955). The missing bin stays apart.
 * False if nothing is to be added. */
bool learn_leaf_monotone(const struct learn_sums *sums, size_t bins, int direction,
                         const struct learn_leaf_options *options, double *values);
/* How much the loss would fall by such a step in full (rate 1) to second order, less what noise
 * alone would make of it: Σ (G² − H) / (H + l2) over its leaves. Compares columns. */
double learn_leaf_gain(const struct learn_sums *sums, size_t bins, bool ordered,
                       const struct learn_leaf_options *options, const double *values);

#endif
