/* SPDX-License-Identifier: Apache-2.0 */
/* Each bag begins at the logarithm of the mean and steps every column in turn, until the fold that
 * it does not learn from is no better for a while; the tables of its best round are added up. Then
 * tables are centred, and the whole is scaled to the total. Memory can be missing, nothing else
 * fails. */
#include "server/learn/value_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/fit.h"
#include "server/learn/leaf.h"
#include "server/math/portable.h"

enum { BINS_MAX = 256 };
#define VALUE_ROUNDS_MAX 500

struct bag {
    const struct learn_grid *grid;
    const double *values;
    const uint8_t *folds;
    unsigned fold;
    const size_t *offsets;
    double start;   /* ln of the mean */
    double *scores; /* ln, by row */
    double *tables, *best;
};

void learn_value_fit_fini(struct learn_value_fit *fit)
{
    free(fit->offsets);
    free(fit->tables);
    free(fit->out_of_fold);
    *fit = (struct learn_value_fit){.columns = 0};
}

double learn_value_deviance(double value, double logarithm)
{
    double ratio = value / math_exp(logarithm);
    double deviance = 2 * (ratio - 1 - math_log(ratio));
    return deviance > 0 ? deviance : 0;
}

double learn_value_fit_row(const struct learn_value_fit *fit, const struct learn_grid *grid,
                           size_t row)
{
    double sum = fit->intercept;
    for (size_t c = 0; c < fit->columns; c++) {
        sum += fit->tables[fit->offsets[c] + learn_grid_column(grid, c)[row]];
    }
    return sum;
}

/* Adds one step of one column to its table and to all scores. The gradient of a row is 1 − v/μ, its
 * expected hessian 1. */
static void column_step(struct bag *bag, size_t column)
{
    static const struct learn_leaf_options options = {.rate = LEARN_RATE,
                                                      .l2 = LEARN_L2,
                                                      .l2_category = LEARN_L2_CATEGORY,
                                                      .ridge = LEARN_RIDGE,
                                                      .hessian_min = LEARN_HESSIAN_MIN,
                                                      .leaves_max = LEARN_LEAVES_MAX};
    const struct learn_grid *grid = bag->grid;
    const uint8_t *codes = learn_grid_column(grid, column);
    size_t bins = grid->bins[column];
    struct learn_sums sums[BINS_MAX] = {{0}};
    double step[BINS_MAX];
    double *table = &bag->tables[bag->offsets[column]];
    for (size_t i = 0; i < grid->rows; i++) {
        if (bag->folds[i] != bag->fold) {
            sums[codes[i]].gradient += 1 - bag->values[i] / math_exp(bag->scores[i]);
            sums[codes[i]].hessian += 1;
        }
    }
    if (!learn_leaf_values(sums, bins, grid->ordered[column], &options, table, step)) {
        return;
    }
    for (size_t b = 0; b < bins; b++) {
        table[b] += step[b];
    }
    for (size_t i = 0; i < grid->rows; i++) {
        bag->scores[i] += step[codes[i]];
    }
}

static double fold_loss(const struct bag *bag)
{
    double loss = 0;
    for (size_t i = 0; i < bag->grid->rows; i++) {
        if (bag->folds[i] == bag->fold) {
            loss += learn_value_deviance(bag->values[i], bag->scores[i]);
        }
    }
    return loss;
}

static void bag_start(struct bag *bag)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < bag->grid->rows; i++) {
        if (bag->folds[i] != bag->fold) {
            sum += bag->values[i];
            count++;
        }
    }
    bag->start = math_log(count > 0 ? sum / (double)count : 1);
    for (size_t i = 0; i < bag->grid->rows; i++) {
        bag->scores[i] = bag->start;
    }
}

/* Leaves the tables of the best round in bag->best. */
static void bag_run(struct bag *bag)
{
    size_t bytes = bag->offsets[bag->grid->columns] * sizeof *bag->tables;
    memset(bag->tables, 0, bytes);
    memset(bag->best, 0, bytes);
    bag_start(bag);
    double least = fold_loss(bag);
    for (unsigned round = 0, since = 0; round < VALUE_ROUNDS_MAX && since < LEARN_PATIENCE;
         round++) {
        for (size_t c = 0; c < bag->grid->columns; c++) {
            column_step(bag, c);
        }
        double loss = fold_loss(bag);
        since++;
        if (loss < least * (1 - 1e-5)) {
            since = 0;
            least = loss;
            memcpy(bag->best, bag->tables, bytes);
        }
    }
}

/* What the bag says of the rows that it has not seen, and its share of the mean. */
static void bag_take(const struct bag *bag, unsigned bags, struct learn_value_fit *fit)
{
    const struct learn_grid *grid = bag->grid;
    fit->intercept += bag->start / bags;
    for (size_t i = 0; i < fit->offsets[fit->columns]; i++) {
        fit->tables[i] += bag->best[i] / bags;
    }
    for (size_t i = 0; i < grid->rows; i++) {
        if (bag->folds[i] != bag->fold) {
            continue;
        }
        fit->out_of_fold[i] = bag->start;
        for (size_t c = 0; c < grid->columns; c++) {
            fit->out_of_fold[i] += bag->best[bag->offsets[c] + learn_grid_column(grid, c)[i]];
        }
    }
}

/* Each table's mean over the rows goes into the intercept, and the scale to the total with it. */
static void centre(const struct learn_grid *grid, const double *values, struct learn_value_fit *fit)
{
    double said = 0;
    double was = 0;
    for (size_t c = 0; c < fit->columns; c++) {
        const uint8_t *codes = learn_grid_column(grid, c);
        double *table = &fit->tables[fit->offsets[c]];
        double mean = 0;
        for (size_t i = 0; i < grid->rows; i++) {
            mean += table[codes[i]] / (double)grid->rows;
        }
        for (size_t b = 0; b < grid->bins[c]; b++) {
            table[b] -= mean;
        }
        fit->intercept += mean;
    }
    for (size_t i = 0; i < grid->rows; i++) {
        said += math_exp(fit->out_of_fold[i]);
        was += values[i];
    }
    double scale = math_log(was / said);
    fit->intercept += scale;
    for (size_t i = 0; i < grid->rows; i++) {
        fit->out_of_fold[i] += scale;
    }
}

static bool fit_make(const struct learn_grid *grid, struct learn_value_fit *fit, struct bag *bag)
{
    *fit = (struct learn_value_fit){.columns = grid->columns};
    fit->offsets = calloc(grid->columns + 1, sizeof *fit->offsets);
    if (fit->offsets == NULL) {
        return false;
    }
    for (size_t c = 0; c < grid->columns; c++) {
        fit->offsets[c + 1] = fit->offsets[c] + grid->bins[c];
    }
    size_t entries = fit->offsets[grid->columns] + 1;
    fit->tables = calloc(entries, sizeof *fit->tables);
    fit->out_of_fold = calloc(grid->rows + 1, sizeof *fit->out_of_fold);
    bag->scores = calloc(grid->rows + 1, sizeof *bag->scores);
    bag->tables = calloc(entries, sizeof *bag->tables);
    bag->best = calloc(entries, sizeof *bag->best);
    bag->offsets = fit->offsets;
    return fit->tables && fit->out_of_fold && bag->scores && bag->tables && bag->best;
}

bool learn_value_fit_run(const struct learn_grid *grid, const double *values, const uint8_t *folds,
                         unsigned fold_count, struct learn_value_fit *fit,
                         struct proto_fault *fault)
{
    struct bag bag = {.grid = grid, .values = values, .folds = folds};
    bool ok = fit_make(grid, fit, &bag);
    if (ok) {
        for (bag.fold = 0; bag.fold < fold_count; bag.fold++) {
            bag_run(&bag);
            bag_take(&bag, fold_count, fit);
        }
        centre(grid, values, fit);
    } else {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn values of %zu rows",
                        grid->rows);
    }
    free(bag.scores);
    free(bag.tables);
    free(bag.best);
    return ok;
}
