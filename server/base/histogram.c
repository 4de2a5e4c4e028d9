/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/histogram.h"

#include <assert.h>
#include <math.h>

static uint64_t load(const _Atomic uint64_t *cell)
{
    return atomic_load_explicit(cell, memory_order_relaxed);
}

void base_histogram_reset(struct base_histogram *histogram)
{
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        atomic_store_explicit(&histogram->buckets[i], 0, memory_order_relaxed);
    }
    atomic_store_explicit(&histogram->sum, 0, memory_order_relaxed);
    atomic_store_explicit(&histogram->max, 0, memory_order_relaxed);
}

void base_histogram_merge(struct base_histogram *into, const struct base_histogram *from)
{
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        uint64_t count = load(&from->buckets[i]);
        if (count != 0) {
            base_histogram_count(&into->buckets[i], count);
        }
    }
    base_histogram_count(&into->sum, load(&from->sum));
    uint64_t max = load(&from->max);
    if (max > load(&into->max)) {
        atomic_store_explicit(&into->max, max, memory_order_relaxed);
    }
}

uint64_t base_histogram_total(const struct base_histogram *histogram)
{
    uint64_t total = 0;
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        total += load(&histogram->buckets[i]);
    }
    return total;
}

uint64_t base_histogram_sum(const struct base_histogram *histogram)
{
    return load(&histogram->sum);
}

uint64_t base_histogram_max(const struct base_histogram *histogram)
{
    return load(&histogram->max);
}

uint64_t base_histogram_percentile(const struct base_histogram *histogram, double share)
{
    assert(share >= 0 && share <= 1);
    uint64_t total = base_histogram_total(histogram);
    if (total == 0) {
        return 0;
    }
    uint64_t rank = (uint64_t)ceil(share * (double)total);
    if (rank == 0) {
        rank = 1;
    }
    uint64_t max = base_histogram_max(histogram);
    uint64_t seen = 0;
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        seen += load(&histogram->buckets[i]);
        if (seen >= rank) {
            uint64_t end = base_histogram_bucket_end(i);
            return end < max ? end : max;
        }
    }
    return max; /* values recorded since the total was taken can only raise `seen` */
}

uint64_t base_histogram_bucket_end(size_t bucket)
{
    assert(bucket < BASE_HISTOGRAM_BUCKETS);
    if (bucket == BASE_HISTOGRAM_BUCKETS - 1) {
        return UINT64_MAX;
    }
    if (bucket < BASE_HISTOGRAM_SUBS) {
        return bucket;
    }
    unsigned shift = (unsigned)(bucket >> BASE_HISTOGRAM_SUB_BITS) - 1;
    uint64_t start = (uint64_t)(BASE_HISTOGRAM_SUBS + bucket % BASE_HISTOGRAM_SUBS) << shift;
    return start + ((uint64_t)1 << shift) - 1;
}
