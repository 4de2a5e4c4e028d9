/* SPDX-License-Identifier: Apache-2.0 */
/* One step of boosting on the cells of two columns: a tree of three cuts, one along one column and
 * one along the other within each of its sides, so that four leaves at most say how the two act
 * together with as few numbers as a step on one column has.
 *
 *   a column with an order    is cut between neighbouring groups, missing (group 0) the lowest
 *   one without               first: one group from all others; second: the groups of a side in the
 *                             order of their own gradients, as Fisher 1958 cuts categories
 *   value of a leaf           −rate · G / (H + l2), none below hessian_min
 *
 * All first cuts along both columns are tried with their best second ones, so that an effect that
 * shows along neither column alone is found. Shapes: sums and values [a · b], cell = group_a · b +
 * group_b; a, b ≤ LEARN_CELL_GROUPS. Threads: pure; ties go to the first. Cost: O((a + b) · a · b).
 * Source: Lou et al. 2013 (FAST: four quadrants of a pair); Nori et al. 2019. */
#ifndef LEARN_LEAF_CELLS_H
#define LEARN_LEAF_CELLS_H

#include "server/learn/leaf.h"

#define LEARN_CELL_GROUPS 15 /* 225 cells: one byte */

struct learn_cells {
    uint8_t a, b; /* groups */
    bool ordered_a, ordered_b;
};

/* What the best tree explains, Σ G² / (H + l2) over its leaves less that of all cells together; 0
 * and no values if there is none. values: NULL, or what is added to each cell. */
double learn_cells_values(const struct learn_sums *sums, const struct learn_cells *cells,
                          const struct learn_leaf_options *options, double *values);

#endif
