/* SPDX-License-Identifier: Apache-2.0 */
/* The rows are laid out twice, those to learn from and those left out; rounds of steps follow, each
 * on the residuals that the one before left, until the rows left out are told no better. Failures
 * are of memory, and cancelling. */
#include "server/learn/boost_bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/kernel.h"
#include "server/math/portable.h"

/* Share of the loss that must go while patience lasts: of 100,000 rows left out, less would be a
 * third of a natural unit of likelihood in all, and rounds would go on for hundreds. */
#define GAIN_LEAST 1e-5

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

/* What a bag works with. */
struct bag_work {
    const struct learn_bag *bag;
    const struct learn_kernel *kernel;
    struct bag_side inner, outer;
    double *tables;
    double *gains; /* by column, of a greedy round */
    struct learn_sums sums[PROTO_BINS_MAX + 1];
    double values[PROTO_BINS_MAX + 1];
};

/* What a step on the column would add, in sums and values. */
static bool column_look(struct bag_work *work, size_t c)
{
    const struct learn_grid *grid = work->bag->grid;
    work->kernel->sums(learn_grid_column(work->inner.grid, c), work->inner.derivatives,
                       work->inner.grid->rows, grid->bins[c], work->sums);
    return learn_leaf_values(work->sums, grid->bins[c], grid->ordered[c], &work->bag->options->leaf,
                             work->tables + work->bag->offsets[c], work->values);
}

static void column_step(struct bag_work *work, size_t c)
{
    if (!column_look(work, c)) {
        return;
    }
    double *table = work->tables + work->bag->offsets[c];
    for (size_t b = 0; b < work->bag->grid->bins[c]; b++) {
        table[b] += work->values[b];
    }
    scores_update(&work->inner, c, work->values);
    derivatives_update(work->kernel, &work->inner);
    scores_update(&work->outer, c, work->values);
}

/* Steps the columns of largest gain, as it was when the round began; ties in order of columns. */
static void greedy_round(struct bag_work *work)
{
    const struct learn_grid *grid = work->bag->grid;
    for (size_t c = 0; c < grid->columns; c++) {
        work->gains[c] = column_look(work, c)
                             ? learn_leaf_gain(work->sums, grid->bins[c], grid->ordered[c],
                                               &work->bag->options->leaf, work->values)
                             : -HUGE_VAL;
    }
    for (size_t s = 0; s < work->bag->options->steps; s++) {
        size_t best = 0;
        for (size_t c = 1; c < grid->columns; c++) {
            best = work->gains[c] > work->gains[best] ? c : best;
        }
        if (work->gains[best] == -HUGE_VAL) {
            return;
        }
        work->gains[best] = -HUGE_VAL;
        column_step(work, best);
    }
}

/* One turn over all columns: each sees the residuals that the one before it left. */
static void round_run(struct bag_work *work)
{
    if (work->bag->options->steps > 0) {
        greedy_round(work);
        return;
    }
    for (size_t c = 0; c < work->bag->grid->columns; c++) {
        column_step(work, c);
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

/* Rounds until patience ends; result->tables receives those of the best round. */
static bool rounds_run(struct bag_work *work, struct learn_bag_result *result,
                       struct proto_fault *fault)
{
    const struct learn_bag *bag = work->bag;
    size_t entries = bag->offsets[bag->grid->columns];
    bool ok = true;
    result->loss = loss(&work->outer);
    result->rounds = 0;
    double told = result->loss; /* when patience began */
    unsigned since = 0;
    derivatives_update(work->kernel, &work->inner);
    for (unsigned round = 1; ok && round <= bag->options->rounds_max; round++) {
        round_run(work);
        double now = loss(&work->outer);
        if (now < result->loss) {
            result->loss = now;
            result->rounds = round;
            memcpy(result->tables, work->tables, entries * sizeof *work->tables);
        }
        if (now < told * (1.0 - GAIN_LEAST)) {
            told = now;
            since = round;
        } else if (round - since >= bag->options->patience) {
            break;
        }
        ok = progress(bag, round) ||
             proto_fault_set(fault, PROTO_CANCELLED, "", "learning was cancelled");
    }
    return ok;
}

static struct bag_work *work_create(const struct learn_bag *bag)
{
    struct bag_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return NULL;
    }
    work->bag = bag;
    work->kernel = learn_kernel_choose();
    work->tables = calloc(bag->offsets[bag->grid->columns] + 1, sizeof *work->tables);
    work->gains = calloc(bag->grid->columns + 1, sizeof *work->gains);
    return work;
}

static void work_destroy(struct bag_work *work)
{
    if (work != NULL) {
        side_fini(&work->inner);
        side_fini(&work->outer);
        free(work->tables);
        free(work->gains);
        free(work);
    }
}

bool learn_bag_fit(const struct learn_bag *bag, struct learn_bag_result *result,
                   struct proto_fault *fault)
{
    struct bag_work *work = work_create(bag);
    bool ok = work != NULL && work->tables != NULL && work->gains != NULL &&
              side_init(&work->inner, bag, false) && side_init(&work->outer, bag, true);
    if (!ok) {
        no_memory(bag, fault);
    } else {
        result->intercept = 0.0;
        if (bag->start == NULL) {
            result->intercept = base_score(work->inner.grid);
            scores_shift(&work->inner, result->intercept);
            scores_shift(&work->outer, result->intercept);
        }
        ok = rounds_run(work, result, fault);
    }
    work_destroy(work);
    return ok;
}
