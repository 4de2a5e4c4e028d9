/* SPDX-License-Identifier: Apache-2.0 */
/* The rows are laid out twice, those to learn from and those left out; rounds of steps follow, each
 * on the residuals that the one before left. Of very many rows a round looks at a part, the next
 * round at the next one: rows stand in no order, so that each part says the same but for noise,
 * which the small rate averages away. Failures are of memory. */
#include "server/learn/boost_bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/kernel.h"
#include "server/math/portable.h"

/* Rows of one side of the split, laid out for the inner loops. */
struct bag_side {
    struct learn_grid *grid;
    double *starts;                 /* where scores start from; NULL: 0 */
    double *scores;                 /* of the rows that are looked at */
    struct learn_sums *derivatives; /* of the loss by the score of each row; greedy rounds only */
};

static void side_fini(struct bag_side *side)
{
    learn_grid_destroy(side->grid);
    free(side->starts);
    free(side->scores);
    free(side->derivatives);
}

/* The first `most` rows in (or not in) the bag's fold, with the scores that they start from. */
static bool side_init(struct bag_side *side, const struct learn_bag *bag, bool held_out,
                      size_t most)
{
    size_t rows = bag->grid->rows;
    uint32_t *picked = calloc(rows + 1, sizeof *picked);
    if (picked == NULL) {
        return false;
    }
    size_t count = 0;
    for (size_t i = 0; i < rows && count < most; i++) {
        if ((bag->folds[i] == bag->fold) == held_out) {
            picked[count++] = (uint32_t)i;
        }
    }
    side->grid = learn_grid_pick(bag->grid, picked, count);
    if (bag->start != NULL) {
        side->starts = calloc(count + 1, sizeof *side->starts);
        for (size_t i = 0; side->starts != NULL && i < count; i++) {
            side->starts[i] = bag->start[picked[i]];
        }
    }
    free(picked);
    return side->grid != NULL && (bag->start == NULL || side->starts != NULL);
}

struct learn_bag_work {
    const struct learn_bag *bag;
    const struct learn_kernel *kernel;
    struct bag_side inner, outer;
    size_t from, rows; /* of the inner rows, those that this round looks at */
    size_t parts;      /* that the inner rows are looked at in */
    unsigned round;    /* that were gone */
    double intercept;
    double *tables;
    double *gains; /* by column, of a greedy round */
    double gain;   /* of the column of cells looked at last */
    struct learn_sums sums[PROTO_BINS_MAX + 1];
    double values[PROTO_BINS_MAX + 1];
};

static const uint8_t *inner_column(const struct learn_bag_work *work, size_t c)
{
    return learn_grid_column(work->inner.grid, c) + work->from;
}

/* Scores of some rows of a side, by the tables as they are. */
static void scores_make(const struct learn_bag_work *work, struct bag_side *side, size_t from,
                        size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        side->scores[i] = work->intercept + (side->starts == NULL ? 0.0 : side->starts[from + i]);
    }
    for (size_t c = 0; c < side->grid->columns; c++) {
        work->kernel->update(learn_grid_column(side->grid, c) + from,
                             work->tables + work->bag->offsets[c], rows, side->scores);
    }
}

/* Room for the rows of a part, and scores of the first. */
static bool scores_init(struct learn_bag_work *work)
{
    size_t inner = work->inner.grid->rows;
    size_t outer = work->outer.grid->rows;
    bool greedy = work->bag->options->steps > 0;
    work->parts = inner / LEARN_PART_ROWS + (inner < LEARN_PART_ROWS);
    work->rows = inner / work->parts;
    work->inner.scores = calloc(work->rows + 1, sizeof *work->inner.scores);
    work->outer.scores = calloc(outer + 1, sizeof *work->outer.scores);
    work->inner.derivatives = calloc(greedy ? work->rows + 1 : 1, sizeof *work->inner.derivatives);
    if (work->inner.scores == NULL || work->outer.scores == NULL ||
        work->inner.derivatives == NULL) {
        return false;
    }
    scores_make(work, &work->inner, 0, work->rows);
    scores_make(work, &work->outer, 0, outer);
    return true;
}

/* The next part of the rows, if there are several. */
static void part_next(struct learn_bag_work *work)
{
    if (work->parts > 1) {
        work->from = work->round % work->parts * work->rows;
        scores_make(work, &work->inner, work->from, work->rows);
    }
}

/* As if all rows had been looked at, so that what draws to the average weighs the same. */
static void sums_scale(struct learn_bag_work *work, size_t bins)
{
    double scale = (double)work->inner.grid->rows / (double)work->rows;
    for (size_t b = 0; work->parts > 1 && b < bins; b++) {
        work->sums[b].gradient *= scale;
        work->sums[b].hessian *= scale;
    }
}

/* What a step on the column would add, in values, from its sums; false: nothing. */
static bool column_values(struct learn_bag_work *work, size_t c)
{
    const struct learn_grid *grid = work->bag->grid;
    struct learn_leaf_options leaf = work->bag->options->leaf;
    const int8_t direction = grid->directions[c];
    sums_scale(work, grid->bins[c]);
    if (grid->cells != NULL) {
        work->gain = learn_cells_values(work->sums, &grid->cells[c], &leaf, work->values);
        return work->gain > 0.0;
    }
    /* A cut that goes against the direction is taken back, which must leave another. */
    leaf.leaves_max += direction != 0;
    bool any = learn_leaf_values(work->sums, grid->bins[c], grid->ordered[c], &leaf,
                                 work->tables + work->bag->offsets[c], work->values);
    return any && direction != 0
               ? learn_leaf_monotone(work->sums, grid->bins[c], direction, &leaf, work->values)
               : any;
}

/* Takes the values into the tables and the scores of the rows left out. */
static void column_take(struct learn_bag_work *work, size_t c)
{
    double *table = work->tables + work->bag->offsets[c];
    for (size_t b = 0; b < work->bag->grid->bins[c]; b++) {
        table[b] += work->values[b];
    }
    work->kernel->update(learn_grid_column(work->outer.grid, c), work->values,
                         work->outer.grid->rows, work->outer.scores);
}

/* Weights of the rows that this round looks at; NULL: 1 each. */
static const double *inner_weights(const struct learn_bag_work *work)
{
    const double *weights = work->inner.grid->weights;
    return weights == NULL ? NULL : weights + work->from;
}

/* Takes the step of column c, if it has one, and sums up column next in the same pass. */
static void pass(struct learn_bag_work *work, size_t c, bool steps, size_t next)
{
    const struct learn_pass pass = {
        .labels = work->inner.grid->labels + work->from,
        .weights = inner_weights(work),
        .rows = work->rows,
        .codes = steps ? inner_column(work, c) : NULL,
        .values = work->values,
        .next = inner_column(work, next),
        .bins = work->bag->grid->bins[next],
    };
    work->kernel->pass(&pass, work->inner.scores, work->sums);
}

/* One turn over all columns: each sees the residuals that the one before it left. */
static void cyclic_round(struct learn_bag_work *work)
{
    size_t columns = work->bag->grid->columns;
    if (columns == 0) {
        return;
    }
    pass(work, 0, false, 0);
    for (size_t c = 0; c < columns; c++) {
        bool steps = column_values(work, c);
        if (steps) {
            column_take(work, c);
        }
        if (c + 1 < columns) {
            pass(work, c, steps, c + 1);
        } else if (steps && work->parts == 1) {
            work->kernel->update(inner_column(work, c), work->values, work->rows,
                                 work->inner.scores);
        }
    }
}

static void derivatives_update(struct learn_bag_work *work)
{
    work->kernel->derivatives(work->inner.scores, work->inner.grid->labels + work->from,
                              inner_weights(work), work->rows, work->inner.derivatives);
}

static bool column_look(struct learn_bag_work *work, size_t c)
{
    work->kernel->sums(inner_column(work, c), work->inner.derivatives, work->rows,
                       work->bag->grid->bins[c], work->sums);
    return column_values(work, c);
}

/* Of the step that values hold, by which columns are compared. */
static double column_gain(const struct learn_bag_work *work, size_t c)
{
    const struct learn_grid *grid = work->bag->grid;
    return grid->cells != NULL ? work->gain
                               : learn_leaf_gain(work->sums, grid->bins[c], grid->ordered[c],
                                                 &work->bag->options->leaf, work->values);
}

/* Steps the columns of largest gain, as it was when the round began; ties in order of columns. */
static void greedy_round(struct learn_bag_work *work)
{
    const struct learn_grid *grid = work->bag->grid;
    derivatives_update(work);
    for (size_t c = 0; c < grid->columns; c++) {
        work->gains[c] = column_look(work, c) ? column_gain(work, c) : -HUGE_VAL;
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
        if (column_look(work, best)) {
            column_take(work, best);
            work->kernel->update(inner_column(work, best), work->values, work->rows,
                                 work->inner.scores);
            derivatives_update(work);
        }
    }
}

static double base_score(const struct learn_grid *grid)
{
    double positives = 0.0;
    double all = 0.0;
    for (size_t i = 0; i < grid->rows; i++) {
        double weight = grid->weights == NULL ? 1.0 : grid->weights[i];
        positives += weight * grid->labels[i];
        all += weight;
    }
    /* Half a row on each side keeps a bag of one class finite. */
    return math_log((positives + 0.5) / (all - positives + 0.5));
}

void learn_bag_go(struct learn_bag_work *work, unsigned rounds)
{
    for (unsigned end = work->round + rounds; work->round < end; work->round++) {
        part_next(work);
        if (work->bag->options->steps > 0) {
            greedy_round(work);
        } else {
            cyclic_round(work);
        }
    }
}

double learn_bag_loss(const struct learn_bag_work *work)
{
    const struct bag_side *side = &work->outer;
    const double *weights = side->grid->weights;
    double sum = 0.0;
    for (size_t i = 0; i < side->grid->rows; i++) {
        sum += math_logistic_loss(side->scores[i], side->grid->labels[i]) *
               (weights == NULL ? 1.0 : weights[i]);
    }
    return sum;
}

const double *learn_bag_tables(const struct learn_bag_work *work)
{
    return work->tables;
}

double learn_bag_intercept(const struct learn_bag_work *work)
{
    return work->intercept;
}

void learn_bag_end(struct learn_bag_work *work)
{
    if (work != NULL) {
        side_fini(&work->inner);
        side_fini(&work->outer);
        free(work->tables);
        free(work->gains);
        free(work);
    }
}

struct learn_bag_work *learn_bag_begin(const struct learn_bag *bag)
{
    struct learn_bag_work *work = calloc(1, sizeof *work);
    if (work == NULL) {
        return NULL;
    }
    work->bag = bag;
    work->kernel = learn_kernel_choose();
    work->tables = calloc(bag->offsets[bag->grid->columns] + 1, sizeof *work->tables);
    work->gains = calloc(bag->grid->columns + 1, sizeof *work->gains);
    bool ok = work->tables != NULL && work->gains != NULL &&
              side_init(&work->inner, bag, false, SIZE_MAX) &&
              side_init(&work->outer, bag, true, LEARN_STOP_ROWS_MAX);
    if (ok) {
        work->intercept = bag->start == NULL ? base_score(work->inner.grid) : 0.0;
        ok = scores_init(work);
    }
    if (!ok) {
        learn_bag_end(work);
        return NULL;
    }
    return work;
}
