/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of columns whose joint effect the single columns miss.
 *
 * Each column is made coarse (at most LEARN_PAIR_GROUPS groups of bins, missing apart), so that a
 * cell of a pair is one code and a pair is boosted like a column, by steps of four leaves
 * (leaf_cells.h). Pairs are ranked by what the best such step would explain of the residuals of the
 * one-column model, on scores out of fold, after what either column of the pair explains by itself
 * is taken off the cells, in turns over rows and columns of their table: what the single columns
 * missed of their own effects so does not pass for a joint one.
 *
 * Ranking proves nothing: the best of some hundred pairs of noise explain something too. Who finds
 * pairs on some rows holds them against others (fit.c).
 * Threads: pure. Cost: 496 pairs · min(rows, LEARN_PAIR_ROWS_MAX) · 2 ns to find. Source: FAST of
 * Lou et al. 2013. */
#ifndef LEARN_PAIRS_H
#define LEARN_PAIRS_H

#include "server/learn/boost.h"

#define LEARN_PAIR_GROUPS LEARN_CELL_GROUPS
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

/* Rows that are looked at to find pairs, at most. 225 cells have some 500 each. */
#define LEARN_PAIR_ROWS_MAX 131072

/* Rows by which pairs are found: those with half[row] == side; half NULL: all. */
struct learn_pair_rows {
    const double *scores; /* out of fold */
    const uint8_t *half;
    uint8_t side;
};

/* The `most` best pairs with a score above 0. importance[columns]. */
bool learn_pairs_find(const struct learn_grid *grid, const double *importance,
                      const struct learn_pair_rows *rows, const struct learn_leaf_options *leaf,
                      size_t most, struct learn_pairs *pairs);
/* One column per pair, codes = cells. NULL: no memory. */
struct learn_grid *learn_pairs_grid(const struct learn_grid *grid, const struct learn_pairs *pairs);

#endif
