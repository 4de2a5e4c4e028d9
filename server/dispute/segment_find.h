/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of the base (server/segment/segment_mine.h): conditions are the bins of a version's
 * fields, and each segment is told as a filter expression, so that it can be counted, listed, made
 * a list of, or disputed by what there is.
 *
 * Conditions: each category and each of true and false that has a bin; a value that is missing; a
 * tag; of a number every stretch between cuts that part the accounts into five. Fields that the
 * version does not use, and with them what was taken for a leak, are not looked at. Accounts are
 * those with an outcome (dispute_column.h) that match the filter; six in ten are searched, by a
 * hash of their place in the base, the others confirm.
 *
 * Assumptions: accounts are independent; the version has chosen its fields with the same outcomes,
 * which the confirmation does not take back. Ownership: results are freed by dispute_segments_fini.
 * Errors: as challenge.h; PROTO_LIMIT where conditions times accounts need more than
 * DISPUTE_SEGMENT_BYTES. Threads: that of the lane SCAN, with its deadline and cancel. Cost: some
 * 50 ns an account to read, 1 bit an account and condition; then as segment_mine.h. */
#ifndef DISPUTE_SEGMENT_FIND_H
#define DISPUTE_SEGMENT_FIND_H

#include <xxhash.h>

#include "server/dispute/dispute_column.h"
#include "server/segment/segment_mine.h"

#define DISPUTE_SEGMENT_BYTES ((size_t)256 << 20)

/* Whether an account is one of the six in ten that are searched; the others confirm. */
static inline bool dispute_slot_searched(uint32_t slot)
{
    return XXH3_64bits(&slot, sizeof slot) % 10 < 6;
}

struct dispute_segment_search {
    uint64_t icp; /* whose bins; 0: the active version */
    struct proto_span filter, outcome;
    unsigned depth;
    size_t accounts_min; /* of all accounts; 0: 1 in 100, and 30 at least */
    bool pure;
    size_t most;
};

struct dispute_segment {
    char *filter;
    const struct segment_found *found;
    struct segment_counts all;     /* searched and held */
    double low, high;              /* of the held rate, Wilson 95 % */
    struct segment_counts covered; /* by this one and those before it, of all accounts */
};

struct dispute_segments {
    uint32_t icp;
    struct segment_counts all;
    size_t conditions;
    size_t accounts_min;
    struct segment_result result;
    struct dispute_segment *segments; /* confirmed ones first, each by quality */
    size_t count, confirmed;
};

bool dispute_segments_find(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job,
                           const struct dispute_segment_search *search,
                           struct dispute_segments *segments, struct proto_fault *fault);
void dispute_segments_fini(struct dispute_segments *segments);

#endif
