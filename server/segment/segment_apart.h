/* SPDX-License-Identifier: Apache-2.0 */
/* How differently the values of a field are spread within a segment and outside.
 *
 * Distance: Jensen and Shannon's, the root of the divergence in bits of the two distributions, each
 * with half the weight: 0 the same, 1 nothing in common; it does not grow with the accounts.
 * Chance: the G test of independence of bin and side, G = 2 Σ n ln(n / expected), by chi-square
 * with (bins in use − 1) degrees; Holm over the fields is segment_holm. Most different is the bin
 * whose shares differ most.
 *
 * Assumptions: accounts are independent; where the expected count of a bin is below 5 the test is
 * rough, and such bins are taken together, the rare ones into one. A field that defines the segment
 * differs by definition: the caller says so.
 * Shapes: counts of accounts by bin. Ownership: borrows. Errors: none; of a side without accounts
 * distance 0, chance 1. Threads: pure. Cost: a logarithm a bin. Source: Lin 1991; Sokal and Rohlf
 * 1995; Holm 1979; docs/methods/segments.md. */
#ifndef SEGMENT_SEGMENT_APART_H
#define SEGMENT_SEGMENT_APART_H

#include <stddef.h>
#include <stdint.h>

struct segment_apart {
    double distance, chance;
    size_t bin;            /* whose shares differ most; the first of several */
    double within, others; /* its shares */
};

struct segment_apart segment_apart(const uint64_t *within, const uint64_t *others, size_t bins);
/* p by Holm, in place, in any order: of `count` tests. False memory is left as it was: with no
 * memory every p becomes the product with count (Bonferroni), which is never less. */
void segment_holm(double *chances, size_t count);

#endif
