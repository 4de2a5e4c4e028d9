/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_median.h"

#include <math.h>
#include <string.h>

#define RUNS_FOR_INTERVAL 4

static void sort(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

struct bench_spread bench_spread_of(const double *values, size_t count)
{
    double sorted[BENCH_RUNS_MAX];
    count = count < BENCH_RUNS_MAX ? count : BENCH_RUNS_MAX;
    if (count == 0)
        return (struct bench_spread){(double)NAN, (double)NAN, (double)NAN, 0};
    memcpy(sorted, values, count * sizeof *values);
    sort(sorted, count);
    double median =
        count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    return (struct bench_spread){median, sorted[0], sorted[count - 1], count};
}

struct bench_spread bench_spread_ratio(const double *a, const double *b, size_t count)
{
    double ratios[BENCH_RUNS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count && used < BENCH_RUNS_MAX; i++)
        if (b[i] > 0)
            ratios[used++] = a[i] / b[i];
    return bench_spread_of(ratios, used);
}

enum bench_change bench_spread_change(const struct bench_spread *a, const struct bench_spread *b,
                                      bool higher_is_better)
{
    if (a->count == 0 || b->count == 0 || a->median <= 0)
        return BENCH_SAME;
    double change = b->median / a->median - 1;
    bool few = a->count < RUNS_FOR_INTERVAL || b->count < RUNS_FOR_INTERVAL;
    if (fabs(change) < (few ? BENCH_CHANGE_FEW : BENCH_CHANGE_LEAST))
        return BENCH_SAME;
    if (!few && a->low <= b->high && b->low <= a->high)
        return BENCH_SAME;
    return (change > 0) == higher_is_better ? BENCH_BETTER : BENCH_WORSE;
}
