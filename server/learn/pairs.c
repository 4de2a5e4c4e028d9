/* SPDX-License-Identifier: Apache-2.0 */
/* Columns are made coarse once, every two of them are ranked by the residuals over their cells, and
 * the best are kept. Memory is all that can fail. */
#include "server/learn/pairs.h"

#include <stdlib.h>
#include <string.h>

#include "server/math/portable.h"

/* Turns over rows and columns of a table until what they explain alone is off it. */
#define SWEEPS 4

/* One column made coarse. */
struct coarse {
    size_t column;
    unsigned groups;
    uint8_t group_of[256];
    uint8_t *codes; /* rows */
};

/* Ordered bins merge with their neighbours into groups of about equal rows. */
static void coarse_ordered(const size_t *rows, size_t bins, size_t total, struct coarse *coarse)
{
    size_t before = 0;
    for (size_t b = 1; b < bins; b++) {
        size_t middle = before + rows[b] / 2;
        size_t group = total == 0 ? 0 : middle * (LEARN_PAIR_GROUPS - 1) / total;
        coarse->group_of[b] =
            (uint8_t)(1 + (group < LEARN_PAIR_GROUPS - 1 ? group : LEARN_PAIR_GROUPS - 2));
        before += rows[b];
    }
}

/* The most frequent categories keep a group each, the others share the last. */
static void coarse_unordered(const size_t *rows, size_t bins, struct coarse *coarse)
{
    for (size_t b = 1; b < bins; b++) {
        size_t rank = 0;
        for (size_t other = 1; other < bins; other++) {
            rank += rows[other] > rows[b] || (rows[other] == rows[b] && other < b);
        }
        coarse->group_of[b] =
            (uint8_t)(1 + (rank < LEARN_PAIR_GROUPS - 2 ? rank : LEARN_PAIR_GROUPS - 2));
    }
}

static bool coarse_init(struct coarse *coarse, const struct learn_grid *grid, size_t column)
{
    size_t rows[256] = {0};
    const uint8_t *codes = learn_grid_column(grid, column);
    memset(coarse, 0, sizeof *coarse);
    coarse->column = column;
    for (size_t i = 0; i < grid->rows; i++) {
        rows[codes[i]]++;
    }
    if (grid->ordered[column]) {
        coarse_ordered(rows, grid->bins[column], grid->rows - rows[0], coarse);
    } else {
        coarse_unordered(rows, grid->bins[column], coarse);
    }
    for (size_t b = 0; b < grid->bins[column]; b++) {
        unsigned groups = coarse->group_of[b] + 1U;
        coarse->groups = groups > coarse->groups ? groups : coarse->groups;
    }
    coarse->codes = malloc(grid->rows + 1);
    for (size_t i = 0; coarse->codes != NULL && i < grid->rows; i++) {
        coarse->codes[i] = coarse->group_of[codes[i]];
    }
    return coarse->codes != NULL;
}

/* Takes off what the lines of one direction explain by themselves. */
static void lines_take(struct learn_sums *cells, size_t lines, size_t line_step, size_t across,
                       size_t across_step)
{
    for (size_t l = 0; l < lines; l++) {
        struct learn_sums line = {0.0, 0.0};
        for (size_t k = 0; k < across; k++) {
            const struct learn_sums *cell = &cells[l * line_step + k * across_step];
            line.gradient += cell->gradient;
            line.hessian += cell->hessian;
        }
        for (size_t k = 0; line.hessian > 0.0 && k < across; k++) {
            struct learn_sums *cell = &cells[l * line_step + k * across_step];
            cell->gradient -= cell->hessian * line.gradient / line.hessian;
        }
    }
}

static double pair_score(const struct learn_grid *grid, size_t rows, const struct coarse *a,
                         const struct coarse *b, const struct learn_leaf_options *leaf,
                         const struct learn_sums *residuals)
{
    struct learn_sums sums[LEARN_PAIR_GROUPS * LEARN_PAIR_GROUPS];
    const struct learn_cells cells = {(uint8_t)a->groups, (uint8_t)b->groups,
                                      grid->ordered[a->column], grid->ordered[b->column]};
    memset(sums, 0, sizeof sums);
    for (size_t i = 0; i < rows; i++) {
        struct learn_sums *cell = &sums[a->codes[i] * b->groups + b->codes[i]];
        cell->gradient += residuals[i].gradient;
        cell->hessian += residuals[i].hessian;
    }
    for (unsigned sweep = 0; sweep < SWEEPS; sweep++) {
        lines_take(sums, a->groups, b->groups, b->groups, 1);
        lines_take(sums, b->groups, 1, a->groups, b->groups);
    }
    return learn_cells_values(sums, &cells, leaf, NULL);
}

/* Keeps the list sorted by score, best first, ties in order of columns. */
static void pair_offer(struct learn_pairs *pairs, size_t most, const struct coarse *a,
                       const struct coarse *b, double score)
{
    size_t at = pairs->count;
    while (at > 0 && pairs->pairs[at - 1].score < score) {
        at--;
    }
    if (!(score > 0.0) || at >= most) {
        return;
    }
    size_t last = pairs->count < most ? pairs->count++ : most - 1;
    memmove(&pairs->pairs[at + 1], &pairs->pairs[at], (last - at) * sizeof pairs->pairs[0]);
    struct learn_pair *pair = &pairs->pairs[at];
    *pair = (struct learn_pair){.column_a = (uint16_t)a->column,
                                .column_b = (uint16_t)b->column,
                                .score = score,
                                .groups_a = (uint8_t)a->groups,
                                .groups_b = (uint8_t)b->groups};
    memcpy(pair->group_a, a->group_of, sizeof pair->group_a);
    memcpy(pair->group_b, b->group_of, sizeof pair->group_b);
}

/* The most important columns that have anything to say, ascending. Those that go one way form no
 * pairs, which would take them out of it. */
static size_t columns_choose(const struct learn_grid *grid, const double *importance,
                             size_t *chosen)
{
    size_t count = 0;
    for (size_t c = 0; c < grid->columns; c++) {
        size_t better = 0;
        for (size_t other = 0; other < grid->columns; other++) {
            better += importance[other] > importance[c] ||
                      (importance[other] == importance[c] && other < c);
        }
        if (importance[c] > 0.0 && grid->directions[c] == 0 && better < LEARN_PAIR_COLUMNS_MAX) {
            chosen[count++] = c;
        }
    }
    return count;
}

static int pair_order(const void *x, const void *y)
{
    const struct learn_pair *a = x;
    const struct learn_pair *b = y;
    int by_a = (a->column_a > b->column_a) - (a->column_a < b->column_a);
    return by_a != 0 ? by_a : (a->column_b > b->column_b) - (a->column_b < b->column_b);
}

/* Gradient and hessian of each of the first *end rows, among which are as many as are looked at; 0
 * of those that are not asked. */
static struct learn_sums *residuals_make(const struct learn_grid *grid,
                                         const struct learn_pair_rows *rows, size_t *end)
{
    size_t asked = 0;
    struct learn_sums *residuals = calloc(grid->rows + 1, sizeof *residuals);
    *end = 0;
    for (size_t i = 0; residuals != NULL && i < grid->rows && asked < LEARN_PAIR_ROWS_MAX; i++) {
        *end = i + 1;
        if (rows->half == NULL || rows->half[i] == rows->side) {
            asked++;
            double p = math_logistic(rows->scores[i]);
            residuals[i] = (struct learn_sums){p - (double)grid->labels[i], p * (1.0 - p)};
        }
    }
    return residuals;
}

bool learn_pairs_find(const struct learn_grid *grid, const double *importance,
                      const struct learn_pair_rows *rows, const struct learn_leaf_options *leaf,
                      size_t most, struct learn_pairs *pairs)
{
    size_t chosen[LEARN_PAIR_COLUMNS_MAX];
    struct coarse coarse[LEARN_PAIR_COLUMNS_MAX];
    size_t count = columns_choose(grid, importance, chosen);
    size_t end = 0;
    struct learn_sums *residuals = residuals_make(grid, rows, &end);
    bool ok = residuals != NULL;
    size_t made = 0;
    for (; ok && made < count; made++) {
        ok = coarse_init(&coarse[made], grid, chosen[made]);
    }
    pairs->count = 0;
    most = most < LEARN_PAIRS_MAX ? most : LEARN_PAIRS_MAX;
    for (size_t a = 0; ok && most > 0 && a < count; a++) {
        for (size_t b = a + 1; b < count; b++) {
            pair_offer(pairs, most, &coarse[a], &coarse[b],
                       pair_score(grid, end, &coarse[a], &coarse[b], leaf, residuals));
        }
    }
    qsort(pairs->pairs, pairs->count, sizeof pairs->pairs[0], pair_order);
    for (size_t i = 0; i < made; i++) {
        free(coarse[i].codes);
    }
    free(residuals);
    return ok;
}

struct learn_grid *learn_pairs_grid(const struct learn_grid *grid, const struct learn_pairs *pairs)
{
    struct learn_grid *cells = learn_grid_create(grid->rows, pairs->count);
    if (cells == NULL) {
        return NULL;
    }
    cells->cells = calloc(pairs->count + 1, sizeof *cells->cells);
    if (cells->cells == NULL) {
        learn_grid_destroy(cells);
        return NULL;
    }
    memcpy(cells->labels, grid->labels, grid->rows);
    if (grid->weights != NULL) {
        cells->weights = malloc((grid->rows + 1) * sizeof *cells->weights);
        if (cells->weights == NULL) {
            learn_grid_destroy(cells);
            return NULL;
        }
        memcpy(cells->weights, grid->weights, grid->rows * sizeof *cells->weights);
    }
    for (size_t k = 0; k < pairs->count; k++) {
        const struct learn_pair *pair = &pairs->pairs[k];
        const uint8_t *a = learn_grid_column(grid, pair->column_a);
        const uint8_t *b = learn_grid_column(grid, pair->column_b);
        uint8_t *codes = cells->codes + k * grid->rows;
        cells->bins[k] = (uint16_t)(pair->groups_a * pair->groups_b);
        cells->cells[k] =
            (struct learn_cells){pair->groups_a, pair->groups_b, grid->ordered[pair->column_a],
                                 grid->ordered[pair->column_b]};
        for (size_t i = 0; i < grid->rows; i++) {
            codes[i] = (uint8_t)(pair->group_a[a[i]] * pair->groups_b + pair->group_b[b[i]]);
        }
    }
    return cells;
}
