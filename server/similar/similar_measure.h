/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sums to similarity, and the linear scores that bounds and estimates work on.
 *
 * Score. For L2 the negated squared distance, for dot the product, for cosine the product of the
 * vectors scaled to length 1. A score orders like the similarity of the same metric, up to the
 * rounding of one square root and one division.
 */
#ifndef ICP_SIMILAR_MEASURE_H
#define ICP_SIMILAR_MEASURE_H

#include "server/similar/similar.h"
#include "server/similar/similar_kernel.h"

/* Similarity of padded vectors (a multiple of 16 floats) whose norms are known. */
double similar_measure(const struct similar_kernel *kernel, enum similar_metric metric,
                       const float *x, double x_norm, const float *y, double y_norm,
                       uint32_t count);

/* |x| of a padded vector. */
double similar_norm(const struct similar_kernel *kernel, const float *x, uint32_t count);

/* A score that is not above the score of any pair of at least this similarity. */
float similar_score_floor(enum similar_metric metric, double similarity);

#endif
