/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of columns whose joint effect the single columns miss.
 *
 * Each column is made coarse (at most LEARN_PAIR_GROUPS groups of bins, missing apart), so that a
 * cell of a pair is again one code and a pair is boosted like a column. Pairs are ranked by how
 * much the residuals of the one-column model vary over their cells, less what noise alone would
 * give: score = Σ over cells (G² − H) / (H + l2) with G the sum of p − y and H of p(1 − p), on
 * scores out of fold. Source: FAST of Lou et al. 2013; we take all cells of a coarse grid instead
 * of the best cut into four, and take off the expectation under noise.
 *
 * What was found on some rows is proved on others: there, what rows and columns of the table of
 * cells explain by themselves is taken off first, so that what the single columns missed of their
 * own effects does not pass for a joint one; then X² = Σ G²/H over the cells. Under noise it has
 * mean d, the degrees of freedom that are left, and variance Σ (2 + k/H²), k the sum of the fourth
 * cumulants v(1 − 6v), v = p(1 − p). A pair is proved if (X² − d) / σ ≥ LEARN_PAIR_PROOF.
 * Threads: pure. Cost: 496 pairs · min(rows, 2 · LEARN_PAIR_ROWS_MAX) · 2 ns to find, and one pass
 * for each that is found. */
#ifndef LEARN_PAIRS_H
#define LEARN_PAIRS_H

#include "server/learn/boost.h"

#define LEARN_PAIR_GROUPS 15 /* 225 cells: one byte */
/* One-sided chance 0.0002: of 16 pairs of noise, proved in both directions, one in 130 sets passes
 * one. */
#define LEARN_PAIR_PROOF 3.5
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

/* Rows that are looked at to find pairs, at most; all prove them. 255 cells have some 500 each. */
#define LEARN_PAIR_ROWS_MAX 131072

/* Rows by which pairs are found or proved: those with half[row] == side; half NULL: all. */
struct learn_pair_rows {
    const double *scores; /* out of fold */
    const uint8_t *half;
    uint8_t side;
};

/* The `most` best pairs with a score above 0. importance[columns]. */
bool learn_pairs_find(const struct learn_grid *grid, const double *importance,
                      const struct learn_pair_rows *rows, size_t most, struct learn_pairs *pairs);
/* Leaves the pairs that these rows prove. */
bool learn_pairs_prove(const struct learn_grid *grid, const struct learn_pair_rows *rows,
                       struct learn_pairs *pairs);
/* Adds the pairs of more that are not there yet, the `most` of best score in all. */
void learn_pairs_merge(struct learn_pairs *pairs, const struct learn_pairs *more, size_t most);
/* One column per pair, codes = cells. NULL: no memory. */
struct learn_grid *learn_pairs_grid(const struct learn_grid *grid, const struct learn_pairs *pairs);

#endif
