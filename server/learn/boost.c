/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/boost.h"

#include <assert.h>
#include <stdlib.h>

#include "server/learn/boost_bag.h"

static bool boost_init(struct learn_boost *boost, const struct learn_grid *grid, unsigned folds)
{
    *boost = (struct learn_boost){.columns = grid->columns, .folds = folds};
    boost->offsets = calloc(grid->columns + 1, sizeof *boost->offsets);
    if (boost->offsets == NULL) {
        return false;
    }
    for (size_t c = 0; c < grid->columns; c++) {
        boost->offsets[c + 1] = boost->offsets[c] + grid->bins[c];
    }
    size_t entries = boost->offsets[grid->columns];
    boost->tables = calloc(entries + 1, sizeof *boost->tables);
    boost->fold_tables = calloc(entries * folds + 1, sizeof *boost->fold_tables);
    return boost->tables != NULL && boost->fold_tables != NULL;
}

static void bags_average(struct learn_boost *boost, unsigned bags)
{
    size_t entries = boost->offsets[boost->columns];
    double n = (double)bags;
    for (unsigned k = 0; k < bags; k++) {
        boost->intercept += boost->fold_intercepts[k] / n;
        for (size_t e = 0; e < entries; e++) {
            boost->tables[e] += boost->fold_tables[k * entries + e] / n;
        }
    }
}

bool learn_boost_fit(const struct learn_grid *grid, const uint8_t *folds, unsigned fold_count,
                     const double *start, const struct learn_boost_options *options,
                     struct learn_boost *boost, struct proto_fault *fault)
{
    assert(fold_count >= 2 && fold_count <= LEARN_FOLDS_MAX);
    unsigned bags = options->bags == 0 ? fold_count : options->bags;
    bool ok = boost_init(boost, grid, fold_count);
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the tables of %zu columns",
                        grid->columns);
    }
    for (unsigned k = 0; ok && k < bags; k++) {
        struct learn_bag bag = {.grid = grid,
                                .folds = folds,
                                .fold = k,
                                .start = start == NULL ? NULL : start + k * grid->rows,
                                .offsets = boost->offsets,
                                .options = options,
                                .done_from = (double)k / bags,
                                .done_share = 1.0 / bags};
        struct learn_bag_result result = {boost->fold_tables + k * boost->offsets[grid->columns],
                                          0.0, 0.0, 0};
        ok = learn_bag_fit(&bag, &result, fault);
        boost->fold_intercepts[k] = result.intercept;
        boost->losses[k] = result.loss;
        boost->rounds[k] = result.rounds;
    }
    if (!ok) {
        learn_boost_fini(boost);
        return false;
    }
    bags_average(boost, bags);
    return true;
}

void learn_boost_fini(struct learn_boost *boost)
{
    free(boost->offsets);
    free(boost->tables);
    free(boost->fold_tables);
    *boost = (struct learn_boost){0};
}

void learn_boost_add(const struct learn_boost *boost, const struct learn_grid *grid, int bag,
                     double *scores)
{
    const double *tables = boost->tables;
    double intercept = boost->intercept;
    if (bag >= 0) {
        tables = boost->fold_tables + (size_t)bag * boost->offsets[boost->columns];
        intercept = boost->fold_intercepts[bag];
    }
    for (size_t i = 0; i < grid->rows; i++) {
        scores[i] += intercept;
    }
    for (size_t c = 0; c < grid->columns; c++) {
        const uint8_t *codes = learn_grid_column(grid, c);
        const double *table = tables + boost->offsets[c];
        for (size_t i = 0; i < grid->rows; i++) {
            scores[i] += table[codes[i]];
        }
    }
}

bool learn_boost_out_of_fold(const struct learn_boost *boost, const struct learn_grid *grid,
                             const uint8_t *folds, double *scores)
{
    double *bag_scores = malloc((grid->rows + 1) * sizeof *bag_scores);
    if (bag_scores == NULL) {
        return false;
    }
    for (unsigned k = 0; k < boost->folds; k++) {
        for (size_t i = 0; i < grid->rows; i++) {
            bag_scores[i] = 0.0;
        }
        learn_boost_add(boost, grid, (int)k, bag_scores);
        for (size_t i = 0; i < grid->rows; i++) {
            if (folds[i] == k) {
                scores[i] = bag_scores[i];
            }
        }
    }
    free(bag_scores);
    return true;
}
