/* SPDX-License-Identifier: Apache-2.0 */
/* Counts become sums over subsets in place; then each set is what all have less those who are in
 * none of it. Without segments, or without accounts, there is no step. */
#include "server/segment/segment_frontier.h"

#include <assert.h>

static void subsets_sum(struct segment_counts *counts, unsigned count)
{
    for (unsigned bit = 0; bit < count; bit++) {
        for (uint32_t mask = 0; mask < UINT32_C(1) << count; mask++) {
            if ((mask >> bit & 1) != 0) {
                const struct segment_counts *less = &counts[mask ^ (UINT32_C(1) << bit)];
                counts[mask].accounts += less->accounts;
                counts[mask].outcomes += less->outcomes;
            }
        }
    }
}

/* Sets are met in the order of their numbers; of two of one quality the one whose first segment
 * that the other lacks comes earlier is better. */
static bool earlier(uint32_t a, uint32_t b)
{
    uint32_t differ = a ^ b;
    return (a & (differ & -differ)) != 0;
}

size_t segment_frontier(struct segment_counts *counts, unsigned count,
                        struct segment_step steps[SEGMENT_FRONTIER_MAX])
{
    struct segment_step best[SEGMENT_FRONTIER_MAX + 1] = {{0}};
    assert(count <= SEGMENT_FRONTIER_MAX);
    uint32_t every = (UINT32_C(1) << count) - 1;
    subsets_sum(counts, count);
    const struct segment_counts all = counts[every];
    if (all.accounts == 0) {
        return 0;
    }
    double base = (double)all.outcomes / (double)all.accounts;
    for (uint32_t set = 1; set <= every; set++) {
        const struct segment_counts *none = &counts[every & ~set];
        struct segment_step step = {
            .set = set, .within = {all.accounts - none->accounts, all.outcomes - none->outcomes}};
        step.quality = (double)step.within.outcomes - base * (double)step.within.accounts;
        struct segment_step *kept = &best[__builtin_popcount(set)];
        if (kept->set == 0 || step.quality > kept->quality ||
            (step.quality == kept->quality && earlier(step.set, kept->set))) {
            *kept = step;
        }
    }
    size_t made = 0;
    for (unsigned k = 1; k <= count && (made == 0 || best[k].quality > steps[made - 1].quality);
         k++) {
        if (best[k].quality <= 0) {
            break;
        }
        steps[made++] = best[k];
    }
    return made;
}
