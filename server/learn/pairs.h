/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of columns whose joint effect the single columns miss.
 *
 * Each column is made coarse (at most LEARN_PAIR_GROUPS groups of bins, missing apart), so that a
 * cell of a pair is again one code and a pair is boosted like a column. Pairs are ranked by how
 * much the residuals of the one-column model vary over their cells, less what noise alone would
 * give: score = Σ over cells (G² − H) / (H + l2) with G the sum of p − y and H of p(1 − p), on
 * scores out of fold. Source: FAST of Lou et al. 2013; we take all cells of a coarse grid instead
 * of the best cut into four, and take off the expectation under noise. Threads: pure. Cost: pairs ·
 * rows · 2 ns. */
#ifndef LEARN_PAIRS_H
#define LEARN_PAIRS_H

#include "server/learn/boost.h"

#define LEARN_PAIR_GROUPS 12
/* Columns that may form pairs: the most important ones, 496 pairs. */
#define LEARN_PAIR_COLUMNS_MAX 32
#define LEARN_PAIRS_MAX 64

struct learn_pair {
    uint16_t column_a, column_b; /* a < b */
    double score;
    uint8_t group_a[256], group_b[256]; /* bin → group */
    uint8_t groups_a, groups_b;
};

struct learn_pairs {
    size_t count;
    struct learn_pair pairs[LEARN_PAIRS_MAX]; /* by (column_a, column_b) */
};

/* The `most` best pairs with a score above 0. importance[columns]; scores[rows] out of fold. */
bool learn_pairs_find(const struct learn_grid *grid, const double *importance, const double *scores,
                      size_t most, struct learn_pairs *pairs);
/* One column per pair, codes = cells. NULL: no memory. */
struct learn_grid *learn_pairs_grid(const struct learn_grid *grid, const struct learn_pairs *pairs);

#endif
