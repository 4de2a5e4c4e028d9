/* SPDX-License-Identifier: Apache-2.0 */
/* Strata of equal fit: tenths of all cases by the score of their accounts. Those of one score stay
 * in one tenth, so a tenth may be empty.
 *
 * Ownership: borrows. Errors: NO_MEMORY, what the pace says (NULL: always). Threads: pure. Cost:
 * one sort. */
#ifndef MEASURE_TENTH_H
#define MEASURE_TENTH_H

#include <stddef.h>

#include "server/measure/spell.h"

#define MEASURE_TENTHS 10

/* tenths[i] becomes 0 … MEASURE_TENTHS − 1, by raws[i]. */
bool measure_tenths(const int64_t *raws, size_t count, uint32_t *tenths,
                    const struct measure_pace *pace, struct proto_fault *fault);
/* A copy in ascending order, free(); NULL with *fault. */
int64_t *measure_ascending(const int64_t *values, size_t count, const struct measure_pace *pace,
                           struct proto_fault *fault);

#endif
