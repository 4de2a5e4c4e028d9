/* SPDX-License-Identifier: Apache-2.0 */
/* Gradient boosting of one table per column on the logistic loss, in as many bags as there are
 * folds. A round steps every column in turn (cyclic), or only the few of largest gain (greedy),
 * which leaves columns that say nothing alone. Bag k learns on all folds but k. All bags stop after
 * the same rounds, where the loss of each on its fold is least in sum: one fold alone is few rows,
 * and a bag that stops where those please it has learned them by heart. The model is the mean of
 * the bags; the score of each row by the one bag that has not seen it (out of fold) comes free and
 * serves calibration. Of a bag of twice LEARN_PART_ROWS (boost_bag.h) rows or more a round looks at
 * a part, which the next round changes. Shapes: a grid of rows in no order; folds[rows] <
 * fold_count; tables in logits, offsets[column] … offsets[column+1]. Ownership: learn_boost_fini
 * frees what a fit made. Errors: PROTO_NO_MEMORY, PROTO_CANCELLED. Threads: as many as options say,
 * each with its own bag; the result depends on the inputs alone, to the last bit. Cost: rounds ·
 * columns · min(rows, 2 · LEARN_PART_ROWS) · 3 ns a bag at most. Memory: (columns + 9) bytes a row
 * for each bag. Source: Lou, Caruana and Gehrke 2012; Nori et al. 2019; parts: Friedman 2002
 * (stochastic boosting). */
#ifndef LEARN_BOOST_H
#define LEARN_BOOST_H

#include "proto/fault.h"
#include "server/learn/grid.h"
#include "server/learn/leaf.h"

#define LEARN_FOLDS_MAX 16

struct learn_boost_options {
    struct learn_leaf_options leaf;
    unsigned rounds_max;
    unsigned patience; /* rounds in which the loss falls by less than 1 in 100,000 before the bags
                          stop */
    size_t steps;      /* columns that a round steps, those of largest gain; 0: all, in turn */
    uint32_t only;     /* bit k: bag k is fitted, and the mean is of such alone; 0: all */
    unsigned threads; /* that fit bags side by side, the caller's included; 0: 1. The same result */
    /* On the caller's thread. Called once a few rounds with the share of this fit that is done at
     * most; false cancels. */
    bool (*on_progress)(void *context, double done);
    void *progress_context;
};

struct learn_boost {
    size_t columns;
    size_t *offsets; /* columns + 1 */
    unsigned folds;
    double intercept;
    double *tables; /* mean of the bags */
    double fold_intercepts[LEARN_FOLDS_MAX];
    double *fold_tables;            /* folds · offsets[columns] */
    unsigned rounds;                /* where the bags stopped */
    double losses[LEARN_FOLDS_MAX]; /* of the rows that the bag left out, summed */
};

/* start: NULL, or scores to begin from for each bag and row (folds · rows), which the intercepts
 * then leave at 0. */
bool learn_boost_fit(const struct learn_grid *grid, const uint8_t *folds, unsigned fold_count,
                     const double *start, const struct learn_boost_options *options,
                     struct learn_boost *boost, struct proto_fault *fault);
void learn_boost_fini(struct learn_boost *boost);

/* Adds to scores[rows of grid] what the model says: bag < 0 the mean, else that bag alone. */
void learn_boost_add(const struct learn_boost *boost, const struct learn_grid *grid, int bag,
                     double *scores);
/* Score of each row by the bag that has not seen it, without start. */
bool learn_boost_out_of_fold(const struct learn_boost *boost, const struct learn_grid *grid,
                             const uint8_t *folds, double *scores);

#endif
