/* SPDX-License-Identifier: Apache-2.0 */
/* Fits an additive model of ln E[value] by gradient boosting of one table a column on the Gamma
 * deviance, so that a deal counts by its ratio to what was said of it and one of ten times the size
 * not a hundred times as much. Bags, steps and early stopping as in boost.h: bag k learns on all
 * folds but k and stops where fold k has the least loss; the model is the mean of the bags, scaled
 * so that out of fold it says as much in all as there was.
 * Shapes: values[rows] > 0; folds[rows] < fold_count; tables by offsets of columns. Ownership:
 * learn_value_fit_fini frees what a fit made. Errors: PROTO_NO_MEMORY. Threads: pure,
 * deterministic. Cost: rounds · columns · rows · 3 ns a bag. Source: Friedman 2001; McCullagh and
 * Nelder 1989, ch. 8. */
#ifndef LEARN_VALUE_FIT_H
#define LEARN_VALUE_FIT_H

#include "proto/fault.h"
#include "server/learn/grid.h"

struct learn_value_fit {
    size_t columns;
    size_t *offsets; /* columns + 1 */
    double intercept;
    double *tables;
    double *out_of_fold; /* ln of what was said of each row by the bag that had not seen it */
};

bool learn_value_fit_run(const struct learn_grid *grid, const double *values, const uint8_t *folds,
                         unsigned fold_count, struct learn_value_fit *fit,
                         struct proto_fault *fault);
void learn_value_fit_fini(struct learn_value_fit *fit);
/* ln of what it says of a row of the grid. */
double learn_value_fit_row(const struct learn_value_fit *fit, const struct learn_grid *grid,
                           size_t row);
/* Deviance of a value of which exp(logarithm) was said: 2 (v/μ − 1 − ln v/μ), at least 0. */
double learn_value_deviance(double value, double logarithm);

#endif
