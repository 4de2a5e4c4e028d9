/* SPDX-License-Identifier: Apache-2.0 */
/* Strata of equal fit: tenths of all cases by the score of their accounts. Those of one score stay
 * in one tenth, so a tenth may be empty.
 *
 * Ownership: borrows. Errors: NO_MEMORY. Threads: pure. Cost: one sort. */
#ifndef MEASURE_TENTH_H
#define MEASURE_TENTH_H

#include <stddef.h>

#include "proto/fault.h"

#define MEASURE_TENTHS 10

/* tenths[i] becomes 0 … MEASURE_TENTHS − 1, by raws[i]. */
bool measure_tenths(const int64_t *raws, size_t count, uint32_t *tenths, struct proto_fault *fault);

#endif
