/* SPDX-License-Identifier: Apache-2.0 */
#include "server/model/guide.h"

void model_guide_make(struct model_guide *guide, const int64_t *points, size_t count)
{
    guide->first = points[0];
    guide->last = points[count - 1];
    guide->shift = 0;
    uint64_t range = (uint64_t)(guide->last - guide->first);
    while (range >> guide->shift >= MODEL_GUIDE_BUCKETS) {
        guide->shift++;
    }
    size_t at = 0;
    for (size_t bucket = 0; bucket <= MODEL_GUIDE_BUCKETS; bucket++) {
        int64_t start = guide->first + (int64_t)((uint64_t)bucket << guide->shift);
        while (at + 1 < count && points[at + 1] <= start) {
            at++;
        }
        guide->at[bucket] = (uint16_t)at;
    }
}

enum { FEW = 4 };

size_t model_guide_find(const struct model_guide *guide, const int64_t *points, size_t count,
                        int64_t value)
{
    if (value >= guide->last) {
        return count - 1;
    }
    if (value < guide->first) {
        return count;
    }
    size_t bucket = (size_t)((uint64_t)(value - guide->first) >> guide->shift);
    size_t low = guide->at[bucket];
    /* The start of the next bucket lies above the value, so its point is the last that can be
     * meant. */
    size_t high = (size_t)guide->at[bucket + 1] + 1;
    /* A bucket of few points, which most are, is counted through: how many of them lie at or below
     * the value cannot be predicted, so nothing branches on it. Points behind the bucket lie above.
     */
    if (high - low <= FEW + 1 && low + FEW < count) {
        size_t at = low;
        for (size_t i = 1; i <= FEW; i++) {
            at += points[low + i] <= value;
        }
        return at;
    }
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (points[middle] <= value) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}
