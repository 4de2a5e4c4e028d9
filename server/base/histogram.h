/* SPDX-License-Identifier: Apache-2.0 */
/* Distribution of a 64-bit measure, such as a latency in nanoseconds, in fixed memory (10 KiB).
 *
 * Buckets are log-linear: 32 per power of two, so a value read back is at most 1/32 (3.2 %) above
 * the one recorded. Values from 2^44 up (5 hours in ns) share the last bucket; the maximum and the
 * sum are exact (the sum wraps at 2^64).
 * Ownership: the struct owns nothing; all zero is an empty histogram.
 * Threads: ONE thread records into a histogram; any thread may merge from it or read it at the same
 * time and then sees some moment's counts, each exact, not necessarily of the same moment.
 * Cost: record 2 ns, no atomic read-modify-write; merge and percentile about 1 µs.
 * Source: the layout of HdrHistogram (G. Tene) with 5 bits of precision. */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define BASE_HISTOGRAM_SUB_BITS 5
#define BASE_HISTOGRAM_SUBS ((size_t)1 << BASE_HISTOGRAM_SUB_BITS)
#define BASE_HISTOGRAM_VALUE_BITS 44
#define BASE_HISTOGRAM_BUCKETS                                                                     \
    ((BASE_HISTOGRAM_VALUE_BITS - BASE_HISTOGRAM_SUB_BITS + 1) * BASE_HISTOGRAM_SUBS)

struct base_histogram {
    _Atomic uint64_t buckets[BASE_HISTOGRAM_BUCKETS];
    _Atomic uint64_t sum;
    _Atomic uint64_t max;
};

static inline size_t base_histogram_bucket(uint64_t value)
{
    if (value < BASE_HISTOGRAM_SUBS) {
        return (size_t)value;
    }
    if (value >> BASE_HISTOGRAM_VALUE_BITS != 0) {
        return BASE_HISTOGRAM_BUCKETS - 1;
    }
    unsigned shift = 63U - (unsigned)__builtin_clzll(value) - BASE_HISTOGRAM_SUB_BITS;
    return ((size_t)(shift + 1) << BASE_HISTOGRAM_SUB_BITS) +
           (size_t)((value >> shift) - BASE_HISTOGRAM_SUBS);
}

/* One writer: a relaxed load and store is enough, and three times as fast as an atomic add. */
static inline void base_histogram_count(_Atomic uint64_t *cell, uint64_t more)
{
    uint64_t now = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, now + more, memory_order_relaxed);
}

static inline void base_histogram_record(struct base_histogram *histogram, uint64_t value)
{
    base_histogram_count(&histogram->buckets[base_histogram_bucket(value)], 1);
    base_histogram_count(&histogram->sum, value);
    if (value > atomic_load_explicit(&histogram->max, memory_order_relaxed)) {
        atomic_store_explicit(&histogram->max, value, memory_order_relaxed);
    }
}

/* The same value `count` times at the cost of one. */
static inline void base_histogram_record_many(struct base_histogram *histogram, uint64_t value,
                                              uint64_t count)
{
    base_histogram_count(&histogram->buckets[base_histogram_bucket(value)], count);
    base_histogram_count(&histogram->sum, value * count);
    if (count > 0 && value > atomic_load_explicit(&histogram->max, memory_order_relaxed)) {
        atomic_store_explicit(&histogram->max, value, memory_order_relaxed);
    }
}

/* Forgets everything; only by the thread that records. */
void base_histogram_reset(struct base_histogram *histogram);
/* Adds what `from` holds; the caller is the one writer of `into`. */
void base_histogram_merge(struct base_histogram *into, const struct base_histogram *from);

uint64_t base_histogram_total(const struct base_histogram *histogram); /* values recorded */
uint64_t base_histogram_sum(const struct base_histogram *histogram);
uint64_t base_histogram_max(const struct base_histogram *histogram);
/* Smallest bucket end that is not below `share` (0 … 1) of the values, and never above the maximum;
 * share 0.5 is the median. 0 if nothing was recorded. */
uint64_t base_histogram_percentile(const struct base_histogram *histogram, double share);
/* Largest value that the bucket takes, for cumulative output. The last bucket gives UINT64_MAX. */
uint64_t base_histogram_bucket_end(size_t bucket);

#endif
