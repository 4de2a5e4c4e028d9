/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/load_hgrm.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_US 1e3
#define SHARES_MAX 512

size_t load_hgrm_shares(uint64_t total, double *shares, size_t count_max)
{
    size_t count = 0;
    double finest = total > 0 ? 1 / (double)total : 1;
    for (double left = 1; left > finest && count + 1 < count_max; left /= 2) {
        for (int i = 0; i < LOAD_HGRM_TICKS && count + 1 < count_max; i++) {
            shares[count++] = 1 - left + left / 2 * i / LOAD_HGRM_TICKS;
        }
    }
    shares[count++] = 1;
    return count;
}

/* Mean and deviation from the buckets' ends; the sum is exact. */
static double deviation(const struct base_histogram *histogram, double mean, uint64_t total)
{
    double sum = 0;
    uint64_t max = base_histogram_max(histogram);
    for (size_t i = 0; i < BASE_HISTOGRAM_BUCKETS; i++) {
        uint64_t count = atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        if (count == 0) {
            continue;
        }
        uint64_t end = base_histogram_bucket_end(i);
        double gap = (double)(end < max ? end : max) - mean;
        sum += gap * gap * (double)count;
    }
    return total > 0 ? sqrt(sum / (double)total) : 0;
}

static uint64_t count_up_to(const struct base_histogram *histogram, uint64_t value)
{
    uint64_t count = 0;
    for (size_t i = 0; i <= base_histogram_bucket(value); i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
    }
    return count;
}

static void lines_write(const struct base_histogram *histogram, FILE *file)
{
    double shares[SHARES_MAX];
    uint64_t total = base_histogram_total(histogram);
    size_t count = load_hgrm_shares(total, shares, SHARES_MAX);
    fprintf(file, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount",
            "1/(1-Percentile)");
    for (size_t i = 0; i < count; i++) {
        uint64_t value = base_histogram_percentile(histogram, shares[i]);
        fprintf(file, "%12.3f %2.12f %10llu", (double)value / NS_PER_US, shares[i],
                (unsigned long long)count_up_to(histogram, value));
        if (shares[i] < 1) {
            fprintf(file, " %14.2f", 1 / (1 - shares[i]));
        }
        fputc('\n', file);
    }
    double mean = total > 0 ? (double)base_histogram_sum(histogram) / (double)total : 0;
    fprintf(file, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean / NS_PER_US,
            deviation(histogram, mean, total) / NS_PER_US);
    fprintf(file, "#[Max     = %12.3f, Total count    = %12llu]\n",
            (double)base_histogram_max(histogram) / NS_PER_US, (unsigned long long)total);
    fprintf(file, "#[Buckets = %12d, SubBuckets     = %12d]\n",
            BASE_HISTOGRAM_VALUE_BITS - BASE_HISTOGRAM_SUB_BITS + 1, (int)BASE_HISTOGRAM_SUBS);
}

bool load_hgrm_write(const struct base_histogram *histogram, const char *path,
                     struct proto_fault *fault)
{
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", path, strerror(errno));
    }
    lines_write(histogram, file);
    bool ok = ferror(file) == 0;
    ok = fclose(file) == 0 && ok;
    return ok || proto_fault_set(fault, PROTO_IO, "", "%s cannot be written", path);
}
