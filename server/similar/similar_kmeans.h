/* SPDX-License-Identifier: Apache-2.0 */
/*
 * k-means over a sample, and the assignment of every vector to its nearest centre.
 *
 * Vectors and centres are compared as int8 (one step each), which finds the nearest centre or one
 * that is nearer by less than the rounding; a partition needs no more. Sums are integers until
 * the last comparison, tasks are fixed ranges, and centres are summed in the order of the sample:
 * the outcome does not depend on the number of threads or the instruction set.
 *
 * Source: Lloyd 1982, with random starting points and SIMILAR_KMEANS_ROUNDS rounds. A list that
 * loses all its vectors restarts at a random one.
 */
#ifndef ICP_SIMILAR_KMEANS_H
#define ICP_SIMILAR_KMEANS_H

#include "server/similar/similar_set.h"

enum { SIMILAR_KMEANS_ROUNDS = 8, SIMILAR_KMEANS_SAMPLE = 48 /* vectors a list */ };

/* Fills the first `list_count` centres of the set's coarse step, which has room for them. */
enum similar_status similar_kmeans(struct similar_set *set, const struct similar_input *input,
                                   uint32_t list_count);
/* nearest[i] = list of row i of the input. */
void similar_assign(struct similar_set *set, const struct similar_input *input, uint32_t list_count,
                    uint32_t *nearest);

#endif
