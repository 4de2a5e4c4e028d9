/* SPDX-License-Identifier: Apache-2.0 */
/* What the trainer works on: rows of codes by column, and labels. Nothing else of an account is
 * left. Shapes: codes[column · rows + row] < bins[column] ≤ PROTO_BINS_MAX; labels 0 or 1.
 * Ownership: learn_grid_create owns all arrays. Threads: immutable while a fit runs. */
#ifndef LEARN_GRID_H
#define LEARN_GRID_H

#include "server/learn/leaf_cells.h"

struct learn_grid {
    size_t rows;
    size_t columns;
    uint8_t *codes;
    uint16_t *bins;
    int8_t *directions; /* of an ordered column: 1 its points never fall from bin 1 on, -1 they
                         * never rise, 0 as they come */
    bool *ordered; /* bins from 1 up have an order (numbers); code 0 is missing and stands apart */
    struct learn_cells *cells; /* of columns that are cells of two; NULL: none is */
    uint8_t *labels;
    double *weights; /* of rows in learning, mean 1; NULL: each counts once */
};

/* All zero, without weights; NULL: no memory. */
struct learn_grid *learn_grid_create(size_t rows, size_t columns);
void learn_grid_destroy(struct learn_grid *grid); /* NULL is fine */
/* The given rows alone, in the given order. NULL: no memory. */
struct learn_grid *learn_grid_pick(const struct learn_grid *grid, const uint32_t *rows,
                                   size_t count);

static inline const uint8_t *learn_grid_column(const struct learn_grid *grid, size_t column)
{
    return grid->codes + column * grid->rows;
}

size_t learn_grid_positives(const struct learn_grid *grid);

#endif
