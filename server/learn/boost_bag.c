/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/boost_bag.h"

#include <stdlib.h>
#include <string.h>

#include "server/learn/kernel.h"
#include "server/math/portable.h"

/* Rows of one side of the split, laid out for the inner loops. */
struct bag_side {
    struct learn_grid *grid;
    double *scores;
    struct learn_sums *derivatives; /* of the loss by the score of each row; inner side only */
};

static void side_fini(struct bag_side *side)
{
    learn_grid_destroy(side->grid);
    free(side->scores);
    free(side->derivatives);
}

/* The rows in (or not in) the bag's fold, with the scores that they start from. */
static bool side_init(struct bag_side *side, const struct learn_bag *bag, bool held_out)
{
    size_t rows = bag->grid->rows;
    uint32_t *picked = malloc((rows + 1) * sizeof *picked);
    if (picked == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < rows; i++) {
        if ((bag->folds[i] == bag->fold) == held_out) {
            picked[count++] = (uint32_t)i;
        }
    }
    side->grid = learn_grid_pick(bag->grid, picked, count);
    side->scores = calloc(count + 1, sizeof *side->scores);
    side->derivatives = calloc(held_out ? 1 : count + 1, sizeof *side->derivatives);
    bool ok = side->grid != NULL && side->scores != NULL && side->derivatives != NULL;
    for (size_t i = 0; ok && bag->start != NULL && i < count; i++) {
        side->scores[i] = bag->start[picked[i]];
    }
    free(picked);
    return ok;
}

static void scores_shift(struct bag_side *side, double by)
{
    for (size_t i = 0; i < side->grid->rows; i++) {
        side->scores[i] += by;
    }
}

static void scores_update(struct bag_side *side, size_t column, const double *values)
{
    const uint8_t *codes = learn_grid_column(side->grid, column);
    for (size_t i = 0; i < side->grid->rows; i++) {
        side->scores[i] += values[codes[i]];
    }
}

static void derivatives_update(const struct learn_kernel *kernel, struct bag_side *side)
{
    kernel->derivatives(side->scores, side->grid->labels, side->grid->rows, side->derivatives);
}

static double loss(const struct bag_side *side)
{
    double sum = 0.0;
    for (size_t i = 0; i < side->grid->rows; i++) {
        sum += math_logistic_loss(side->scores[i], side->grid->labels[i]);
    }
    return sum;
}

/* One turn over all columns: each sees the residuals that the one before it left. */
static void round_run(const struct learn_bag *bag, struct bag_side *inner, struct bag_side *outer,
                      double *tables)
{
    const struct learn_kernel *kernel = learn_kernel_choose();
    struct learn_sums sums[PROTO_BINS_MAX + 1];
    double values[PROTO_BINS_MAX + 1];
    for (size_t c = 0; c < bag->grid->columns; c++) {
        size_t bins = bag->grid->bins[c];
        kernel->sums(learn_grid_column(inner->grid, c), inner->derivatives, inner->grid->rows, bins,
                     sums);
        if (!learn_leaf_values(sums, bins, bag->grid->ordered[c], &bag->options->leaf, values)) {
            continue;
        }
        double *table = tables + bag->offsets[c];
        for (size_t b = 0; b < bins; b++) {
            table[b] += values[b];
        }
        scores_update(inner, c, values);
        derivatives_update(kernel, inner);
        scores_update(outer, c, values);
    }
}

static double base_score(const struct learn_grid *grid)
{
    double positives = (double)learn_grid_positives(grid);
    double negatives = (double)grid->rows - positives;
    /* Half a row on each side keeps a bag of one class finite. */
    return math_log((positives + 0.5) / (negatives + 0.5));
}

static bool progress(const struct learn_bag *bag, unsigned round)
{
    const struct learn_boost_options *options = bag->options;
    if (options->on_progress == NULL || round % 8 != 0) {
        return true;
    }
    double share = (double)round / (double)options->rounds_max;
    return options->on_progress(options->progress_context,
                                bag->done_from + bag->done_share * share);
}

static bool no_memory(const struct learn_bag *bag, struct proto_fault *fault)
{
    proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn from %zu rows",
                    bag->grid->rows);
    return false;
}

/* Rounds until patience ends; best receives the tables of the best round. */
static bool rounds_run(const struct learn_bag *bag, struct bag_side *inner, struct bag_side *outer,
                       double *best, unsigned *best_round, struct proto_fault *fault)
{
    const struct learn_kernel *kernel = learn_kernel_choose();
    size_t entries = bag->offsets[bag->grid->columns];
    double *tables = calloc(entries + 1, sizeof *tables);
    bool ok = tables != NULL || no_memory(bag, fault);
    double best_loss = loss(outer);
    *best_round = 0;
    derivatives_update(kernel, inner);
    for (unsigned round = 1; ok && round <= bag->options->rounds_max; round++) {
        round_run(bag, inner, outer, tables);
        double now = loss(outer);
        if (now < best_loss) {
            best_loss = now;
            *best_round = round;
            memcpy(best, tables, entries * sizeof *best);
        } else if (round - *best_round >= bag->options->patience) {
            break;
        }
        ok = progress(bag, round) ||
             proto_fault_set(fault, PROTO_CANCELLED, "", "learning was cancelled");
    }
    free(tables);
    return ok;
}

bool learn_bag_fit(const struct learn_bag *bag, double *tables, double *intercept, unsigned *rounds,
                   struct proto_fault *fault)
{
    struct bag_side inner = {0};
    struct bag_side outer = {0};
    bool ok = side_init(&inner, bag, false) && side_init(&outer, bag, true);
    if (!ok) {
        no_memory(bag, fault);
    } else {
        *intercept = 0.0;
        if (bag->start == NULL) {
            *intercept = base_score(inner.grid);
            scores_shift(&inner, *intercept);
            scores_shift(&outer, *intercept);
        }
        ok = rounds_run(bag, &inner, &outer, tables, rounds, fault);
    }
    side_fini(&inner);
    side_fini(&outer);
    return ok;
}
