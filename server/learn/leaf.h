/* SPDX-License-Identifier: Apache-2.0 */
/* One step of boosting on one column: from the sums of gradients and hessians per bin to what is
 * added to each bin's table entry. value of a leaf = −rate · G / (H + l2);   gain of a split =
 * G²/(H+l2) left + right − whole Ordered bins get a small tree of at most leaves_max intervals; the
 * missing bin is always a leaf of its own. Unordered bins are a leaf each, drawn together by
 * l2_category alone: a rare category then takes many rounds to move, and early stopping leaves it
 * near the average. Shapes: sums[bins], values[bins]. Threads: pure. Cost: O(leaves_max · bins).
 * Source: Friedman 2001; Chen and Guestrin 2016 (second order); Lou et al. 2012 (one column at a
 * time). */
#ifndef LEARN_LEAF_H
#define LEARN_LEAF_H

#include <stdbool.h>
#include <stddef.h>

struct learn_sums {
    double gradient;
    double hessian;
};

struct learn_leaf_options {
    double rate;
    double l2;
    double l2_category;
    double hessian_min; /* of a leaf; p(1−p) summed, so 2.5 is some ten rows at even odds */
    unsigned leaves_max;
};

/* False if nothing is to be added. */
bool learn_leaf_values(const struct learn_sums *sums, size_t bins, bool ordered,
                       const struct learn_leaf_options *options, double *values);

#endif
