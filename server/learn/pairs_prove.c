/* SPDX-License-Identifier: Apache-2.0 */
/* Whether pairs that were found on some rows hold on others: residuals are summed by cell, what
 * either column explains alone is taken off, and what is left is compared with noise. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/pairs.h"
#include "server/math/portable.h"

/* Turns over rows and columns of the table until what they explain alone is off it. */
#define SWEEPS 8
/* Cells with less say nothing by themselves. */
#define CELL_HESSIAN_MIN 1.0
#define CELLS_MAX (LEARN_PAIR_GROUPS * LEARN_PAIR_GROUPS)

struct cell {
    double gradient, hessian, cumulant;
};

struct table {
    struct cell cells[CELLS_MAX];
    size_t a, b; /* groups */
};

static void table_fill(const struct learn_grid *grid, const struct learn_pair_rows *rows,
                       const struct learn_pair *pair, struct table *table)
{
    const uint8_t *a = learn_grid_column(grid, pair->column_a);
    const uint8_t *b = learn_grid_column(grid, pair->column_b);
    memset(table, 0, sizeof *table);
    table->a = pair->groups_a;
    table->b = pair->groups_b;
    for (size_t i = 0; i < grid->rows; i++) {
        if (rows->half != NULL && rows->half[i] != rows->side) {
            continue;
        }
        double p = math_logistic(rows->scores[i]);
        double v = p * (1.0 - p);
        struct cell *cell = &table->cells[pair->group_a[a[i]] * table->b + pair->group_b[b[i]]];
        cell->gradient += p - (double)grid->labels[i];
        cell->hessian += v;
        cell->cumulant += v * (1.0 - 6.0 * v);
    }
}

/* Takes off what the lines of one direction explain; returns how many have anything. */
static size_t lines_take(struct table *table, size_t lines, size_t line_step, size_t across,
                         size_t across_step)
{
    size_t used = 0;
    for (size_t l = 0; l < lines; l++) {
        double gradient = 0.0;
        double hessian = 0.0;
        for (size_t k = 0; k < across; k++) {
            const struct cell *cell = &table->cells[l * line_step + k * across_step];
            gradient += cell->hessian >= CELL_HESSIAN_MIN ? cell->gradient : 0.0;
            hessian += cell->hessian >= CELL_HESSIAN_MIN ? cell->hessian : 0.0;
        }
        used += hessian > 0.0;
        for (size_t k = 0; hessian > 0.0 && k < across; k++) {
            struct cell *cell = &table->cells[l * line_step + k * across_step];
            cell->gradient -= cell->hessian * gradient / hessian;
        }
    }
    return used;
}

/* Standard errors by which the cells differ more than noise would make them. */
static double table_proof(struct table *table)
{
    size_t lines = 0;
    for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
        lines = lines_take(table, table->a, table->b, table->b, 1);
        lines += lines_take(table, table->b, 1, table->a, table->b);
    }
    double x2 = 0.0;
    double variance = 0.0;
    size_t cells = 0;
    for (size_t c = 0; c < table->a * table->b; c++) {
        const struct cell *cell = &table->cells[c];
        if (cell->hessian >= CELL_HESSIAN_MIN) {
            x2 += cell->gradient * cell->gradient / cell->hessian;
            variance += 2.0 + cell->cumulant / (cell->hessian * cell->hessian);
            cells++;
        }
    }
    if (cells < lines || variance <= 0.0) {
        return 0.0;
    }
    double freedom = (double)(cells - lines + 1);
    return (x2 - freedom) / sqrt(variance * freedom / (double)cells);
}

bool learn_pairs_prove(const struct learn_grid *grid, const struct learn_pair_rows *rows,
                       struct learn_pairs *pairs)
{
    struct table *table = malloc(sizeof *table);
    size_t kept = 0;
    for (size_t k = 0; table != NULL && k < pairs->count; k++) {
        table_fill(grid, rows, &pairs->pairs[k], table);
        if (table_proof(table) >= LEARN_PAIR_PROOF) {
            pairs->pairs[kept++] = pairs->pairs[k];
        }
    }
    pairs->count = kept;
    free(table);
    return table != NULL;
}

static int score_order(const void *x, const void *y)
{
    const struct learn_pair *a = x;
    const struct learn_pair *b = y;
    return (a->score < b->score) - (a->score > b->score);
}

static int pair_order(const void *x, const void *y)
{
    const struct learn_pair *a = x;
    const struct learn_pair *b = y;
    int by_a = (a->column_a > b->column_a) - (a->column_a < b->column_a);
    return by_a != 0 ? by_a : (a->column_b > b->column_b) - (a->column_b < b->column_b);
}

static bool pair_is_in(const struct learn_pairs *pairs, const struct learn_pair *pair)
{
    for (size_t k = 0; k < pairs->count; k++) {
        if (pair_order(&pairs->pairs[k], pair) == 0) {
            return true;
        }
    }
    return false;
}

void learn_pairs_merge(struct learn_pairs *pairs, const struct learn_pairs *more, size_t most)
{
    for (size_t k = 0; k < more->count && pairs->count < LEARN_PAIRS_MAX; k++) {
        if (!pair_is_in(pairs, &more->pairs[k])) {
            pairs->pairs[pairs->count++] = more->pairs[k];
        }
    }
    qsort(pairs->pairs, pairs->count, sizeof pairs->pairs[0], score_order);
    pairs->count = pairs->count < most ? pairs->count : most;
    qsort(pairs->pairs, pairs->count, sizeof pairs->pairs[0], pair_order);
}
