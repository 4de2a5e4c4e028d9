/* SPDX-License-Identifier: Apache-2.0 */
/* A filter over rows of bin codes, a block at a time. Against one codebook each condition becomes a
 * verdict for every code of its column: yes, no, or look, where the bin holds values of both kinds
 * (employees > 120 and the bin 100 < x ≤ 250) or where the codebook has no column. Conditions on a
 * score become ranges of the raw score, and lists become slots, both decided without looking.
 *
 * A block is evaluated in Kleene's logic with two masks a node, one bit a row: `sure` where it is
 * true whatever is looked up, `maybe` where it is not sure to be false. A row that is in maybe and
 * not in sure has to be looked at: filter_match_known on its values. For every row the answer
 * equals that of its values (tests/unit/filter/test_filter_rows.c).
 *
 * Ownership: borrows the filter, the codebook and the slots of lists, which must outlive it.
 * Errors: PROTO_NO_MEMORY; PROTO_BAD_FILTER for a list that does not exist. Threads: one, for it
 * holds the masks of the block. Cost: about 1 ns a row and condition; compiling 256 codes a
 * condition. */
#ifndef FILTER_FILTER_ROWS_H
#define FILTER_FILTER_ROWS_H

#include "server/feature/codebook.h"
#include "server/filter/filter.h"

enum { FILTER_BLOCK_ROWS = 64 };

/* Where conditions that are on no field are answered from. */
struct filter_facts {
    void *context;
    /* Fit, p, grade (3 = A … 0 = D) at a raw score; may not descend as raw ascends. NULL: there is
     * no score, and the filter reads none. */
    double (*fit)(void *context, int64_t raw);
    double (*p)(void *context, int64_t raw);
    double (*grade)(void *context, int64_t raw);
    /* Slots of the accounts on a list, ascending; false if there is no such list. An empty name
     * means any list of the active version. NULL: the filter reads no lists. */
    bool (*list)(void *context, struct proto_span name, const uint32_t **slots, size_t *count,
                 struct proto_fault *fault);
};

struct filter_rows;

/* codebook NULL: no rows, every condition on a field has to be looked at. */
struct filter_rows *filter_rows_compile(const struct filter *filter,
                                        const struct feature_codebook *codebook,
                                        const struct filter_facts *facts,
                                        struct proto_fault *fault);
void filter_rows_destroy(struct filter_rows *rows); /* NULL is fine */

struct filter_block {
    const uint8_t *codes; /* first row; NULL: all fields have to be looked at */
    size_t stride;        /* bytes from row to row */
    unsigned count;       /* at most FILTER_BLOCK_ROWS */
    uint32_t slot;        /* of the first row; the others follow */
    const int64_t *raws;  /* of each row, if the filter reads a score */
};

/* Bit i speaks of row i; bits from count on are 0. */
struct filter_verdict {
    uint64_t sure;
    uint64_t maybe;
};
struct filter_verdict filter_rows_block(struct filter_rows *rows, const struct filter_block *block);
/* For row i of the block evaluated last: what filter_match_known wants to know. Valid until the
 * next call. */
const uint8_t *filter_rows_known(struct filter_rows *rows, unsigned row);

#endif
