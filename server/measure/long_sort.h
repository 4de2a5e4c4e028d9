/* SPDX-License-Identifier: Apache-2.0 */
/* A sort that can be given up: pieces are sorted by qsort, then merged, and who asked is asked in
 * between, so that ten million entries are no second and a half of deafness. Equal ones of
 * different pieces keep their order.
 *
 * Ownership: borrows. Errors: NO_MEMORY, what the pace says; then the order is none. Threads: pure.
 * Cost: that of qsort; a copy of the items where there are more than MEASURE_PIECE. */
#ifndef MEASURE_LONG_SORT_H
#define MEASURE_LONG_SORT_H

#include "server/measure/spell.h"

/* Some 10 ms. */
#define MEASURE_PIECE 65536u

bool measure_sort(void *items, size_t count, size_t bytes,
                  int (*order)(const void *left, const void *right),
                  const struct measure_pace *pace, struct proto_fault *fault);

#endif
