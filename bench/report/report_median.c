/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/report_median.h"

#include <math.h>
#include <string.h>

#define RUNS_FOR_INTERVAL 4

static void sort(double *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        double value = values[i];
        size_t at = i;
        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

struct report_spread report_spread_of(const double *values, size_t count)
{
    double sorted[REPORT_RUNS_MAX];
    count = count < REPORT_RUNS_MAX ? count : REPORT_RUNS_MAX;
    if (count == 0) {
        return (struct report_spread){(double)NAN, (double)NAN, (double)NAN, 0};
    }
    memcpy(sorted, values, count * sizeof *values);
    sort(sorted, count);
    double median =
        count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
    return (struct report_spread){median, sorted[0], sorted[count - 1], count};
}

struct report_spread report_spread_ratio(const double *a, const double *b, size_t count)
{
    double ratios[REPORT_RUNS_MAX];
    size_t used = 0;
    for (size_t i = 0; i < count && used < REPORT_RUNS_MAX; i++) {
        if (b[i] > 0) {
            ratios[used++] = a[i] / b[i];
        }
    }
    return report_spread_of(ratios, used);
}

enum report_change report_spread_change(const struct report_spread *a,
                                        const struct report_spread *b, bool higher_is_better)
{
    if (a->count == 0 || b->count == 0 || a->median <= 0) {
        return REPORT_SAME;
    }
    double change = b->median / a->median - 1;
    bool few = a->count < RUNS_FOR_INTERVAL || b->count < RUNS_FOR_INTERVAL;
    if (fabs(change) < (few ? REPORT_CHANGE_FEW : REPORT_CHANGE_LEAST)) {
        return REPORT_SAME;
    }
    if (!few && a->low <= b->high && b->low <= a->high) {
        return REPORT_SAME;
    }
    return (change > 0) == higher_is_better ? REPORT_BETTER : REPORT_WORSE;
}
