/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/grid.h"

#include <stdlib.h>
#include <string.h>

struct learn_grid *learn_grid_create(size_t rows, size_t columns)
{
    struct learn_grid *grid = calloc(1, sizeof *grid);
    if (grid == NULL) {
        return NULL;
    }
    grid->rows = rows;
    grid->columns = columns;
    /* One more than needed, so that an empty grid is not mistaken for a lack of memory. */
    grid->codes = calloc(columns + 1, rows + 1);
    grid->bins = calloc(columns + 1, sizeof *grid->bins);
    grid->ordered = calloc(columns + 1, sizeof *grid->ordered);
    grid->directions = calloc(columns + 1, sizeof *grid->directions);
    grid->labels = calloc(rows + 1, 1);
    if (grid->codes == NULL || grid->bins == NULL || grid->ordered == NULL ||
        grid->directions == NULL || grid->labels == NULL) {
        learn_grid_destroy(grid);
        return NULL;
    }
    return grid;
}

void learn_grid_destroy(struct learn_grid *grid)
{
    if (grid != NULL) {
        free(grid->labels);
        free(grid->weights);
        free(grid->ordered);
        free(grid->directions);
        free(grid->cells);
        free(grid->bins);
        free(grid->codes);
        free(grid);
    }
}

struct learn_grid *learn_grid_pick(const struct learn_grid *grid, const uint32_t *rows,
                                   size_t count)
{
    struct learn_grid *picked = learn_grid_create(count, grid->columns);
    if (picked == NULL) {
        return NULL;
    }
    memcpy(picked->bins, grid->bins, grid->columns * sizeof *grid->bins);
    memcpy(picked->ordered, grid->ordered, grid->columns * sizeof *grid->ordered);
    memcpy(picked->directions, grid->directions, grid->columns * sizeof *grid->directions);
    for (size_t c = 0; c < grid->columns; c++) {
        const uint8_t *from = learn_grid_column(grid, c);
        uint8_t *to = picked->codes + c * count;
        for (size_t i = 0; i < count; i++) {
            to[i] = from[rows[i]];
        }
    }
    for (size_t i = 0; i < count; i++) {
        picked->labels[i] = grid->labels[rows[i]];
    }
    if (grid->cells != NULL) {
        picked->cells = calloc(grid->columns + 1, sizeof *picked->cells);
        if (picked->cells == NULL) {
            learn_grid_destroy(picked);
            return NULL;
        }
        memcpy(picked->cells, grid->cells, grid->columns * sizeof *grid->cells);
    }
    if (grid->weights != NULL) {
        picked->weights = malloc((count + 1) * sizeof *picked->weights);
        if (picked->weights == NULL) {
            learn_grid_destroy(picked);
            return NULL;
        }
        for (size_t i = 0; i < count; i++) {
            picked->weights[i] = grid->weights[rows[i]];
        }
    }
    return picked;
}

size_t learn_grid_positives(const struct learn_grid *grid)
{
    size_t positives = 0;
    for (size_t i = 0; i < grid->rows; i++) {
        positives += grid->labels[i];
    }
    return positives;
}
