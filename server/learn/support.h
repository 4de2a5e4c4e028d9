/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the points of a scorecard: of each cell of its tables, how many of the rows
 * that were learned from lie there, and how many of those had the outcome. So that a bin is never
 * shown without the accounts that speak for it.
 *
 * In a document it is the member `support` of the evidence (it may be absent: documents of before
 * and those that people write have none), one element for a term that was counted:
 *   { "columns": [a], "n": [i …], "positives": [i …] }                        a count for each bin
 *   { "columns": [a, b], "cells": [i …], "n": [i …], "positives": [i …] }     cells that hold rows
 * Cells ascend; cell = bin_a · bins_b + bin_b. A pair with more than LEARN_SUPPORT_CELLS_MAX cells
 * that hold rows is not counted: what a few rows each say is said better by its columns.
 *
 * Shapes: rows and positives have one entry for each of the scorecard's tables. Ownership:
 * learn_support_destroy frees it. Errors: PROTO_NO_MEMORY, PROTO_BAD_DOCUMENT with the path.
 * Threads: immutable once made. Cost: counting some 2 ns a row and term; 9 bytes a cell. */
#ifndef LEARN_SUPPORT_H
#define LEARN_SUPPORT_H

#include "server/model/scorecard.h"

#define LEARN_SUPPORT_CELLS_MAX 1024 /* of one pair: some 20 kB of text */

struct learn_support {
    uint32_t *rows;      /* by entry of the tables */
    uint32_t *positives; /* of those */
    bool *known;         /* by term: whether its cells were counted */
    size_t rows_all, positives_all;
};

/* Counts rows of codes, stride apart. */
struct learn_support *learn_support_count(const struct model_scorecard *scorecard,
                                          const uint8_t *codes, size_t stride,
                                          const uint8_t *labels, size_t rows,
                                          struct proto_fault *fault);
/* NULL: no memory. */
json_t *learn_support_json(const struct model_scorecard *scorecard,
                           const struct learn_support *support);
/* From the array; population and positives are those of the label. */
struct learn_support *learn_support_parse(const json_t *array,
                                          const struct model_scorecard *scorecard, size_t rows,
                                          size_t positives, struct proto_fault *fault);
void learn_support_destroy(struct learn_support *support); /* NULL is fine */

#endif
