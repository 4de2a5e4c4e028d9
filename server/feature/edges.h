/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bins of a number lie, by the definition in codebook.h.
 * Ownership: works in the caller's arrays. Errors: none. Threads: pure. Cost: the sorting. */
#ifndef FEATURE_EDGES_H
#define FEATURE_EDGES_H

#include <stddef.h>

/* Sorts the numbers (finite, without -0) and writes at most bins_max - 1 ascending edges; bins_max
 * is at least 1. Returns how many. */
size_t feature_edges_place(double *numbers, size_t count, size_t bins_max, double *edges);

#endif
