/* SPDX-License-Identifier: Apache-2.0 */
/* Of named segments the best one, the best two together, the best three …: which set of so many has
 * the largest quality, outcomes within less as many as so many accounts have at the rate of all.
 * Exact: every set is looked at. An account in several of a set counts once.
 *
 * How: accounts are counted by which segments they are in, a mask; the sums over all subsets of
 * every mask (Yates) give the accounts outside every set, and so those within.
 *
 * Shapes: counts by mask, bit i is segment i, 2^count of them. Ownership: borrows; sums are made in
 * the caller's memory. Errors: none. Threads: pure. Cost: count · 2^count additions, 1 million for
 * SEGMENT_FRONTIER_MAX. Source: Yates 1937; docs/methods/segments.md. */
#ifndef SEGMENT_SEGMENT_FRONTIER_H
#define SEGMENT_SEGMENT_FRONTIER_H

#include "server/segment/segment_mine.h"

enum { SEGMENT_FRONTIER_MAX = 16 };

struct segment_step {
    uint32_t set; /* bit i: segment i is in it */
    struct segment_counts within;
    double quality;
};

/* counts: by mask, 2^count, and overwritten. Steps of 1, 2 … segments, each of a larger quality
 * than the one before: it ends where one more adds nothing. Ties go to the set of earlier segments.
 * Returns how many there are, at most count. */
size_t segment_frontier(struct segment_counts *counts, unsigned count,
                        struct segment_step steps[SEGMENT_FRONTIER_MAX]);

#endif
