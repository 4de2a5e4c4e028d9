/* SPDX-License-Identifier: Apache-2.0 */
/* Fits a whole scorecard to a grid: columns, pairs that earn it, rounding, calibration, reference.
 * Errors: PROTO_NO_MEMORY, PROTO_CANCELLED. Threads: pure, deterministic.
 * Tables are centred: the mean of each over the rows of the grid is 0 (to rounding), and the
 * intercept is the mean score; a contribution so says how a row differs from the average row. */
#ifndef LEARN_FIT_H
#define LEARN_FIT_H

#include "server/learn/boost.h"
#include "server/learn/pairs.h"
#include "server/learn/split.h"
#include "server/math/auc.h"
#include "server/model/scorecard.h"

/* The trainer's settings, written into every document. docs/methods/scorecard.md says what others
 * do on sets that are not of this project. */
#define LEARN_RATE 0.1
#define LEARN_L2 1.0
#define LEARN_L2_CATEGORY 10.0
#define LEARN_RIDGE 1.0
#define LEARN_HESSIAN_MIN 5.0
#define LEARN_LEAVES_MAX 2
#define LEARN_ROUNDS_MAX 2000
#define LEARN_PATIENCE 20
#define LEARN_BAGS 8
/* Of so many rows the mean of fewer bags scatters no more, and takes half of the time. */
#define LEARN_MANY_ROWS 100000
#define LEARN_BAGS_OF_MANY 4
/* Columns from which on greedy rounds are tried: on the first bags, and taken if they leave less
 * loss there. */
#define LEARN_GREEDY_COLUMNS 8
#define LEARN_GREEDY_STEPS 2
#define LEARN_GREEDY_BAGS 2
/* Of a round on pairs, which so leaves alone those that say nothing. */
#define LEARN_PAIR_STEPS 1
/* Rows for each column above which columns that say nothing do no harm. */
#define LEARN_GREEDY_ROWS_MAX 5000

struct learn_fit_options {
    const struct feature_codebook *codebook;
    const struct learn_split_rows *rows; /* labels and groups, for the folds */
    uint64_t seed;
    unsigned pairs_max;
    unsigned threads; /* of boosting; 0: 1 */
    bool (*on_progress)(void *context, double done);
    void *progress_context;
};

struct learn_fit {
    struct model_scorecard *scorecard; /* sealed */
    unsigned rounds;                   /* where the bags stopped */
    unsigned bags;
    unsigned pairs;              /* that earned their place */
    bool greedy;                 /* rounds step the columns of largest gain alone */
    struct math_auc out_of_fold; /* of the scores by bags that had not seen the row */
};

bool learn_fit_run(const struct learn_grid *grid, const struct learn_fit_options *options,
                   struct learn_fit *fit, struct proto_fault *fault);

#endif
