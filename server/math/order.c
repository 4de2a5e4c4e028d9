/* SPDX-License-Identifier: Apache-2.0 */
/* Indices are sorted, not scores; the rest reads what is sorted. Memory for indices can run out. */
#include "server/math/order.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "server/math/auc.h"
#include "server/math/special.h"

struct order_context {
    const double *scores;
};

static int order_compare(const void *a, const void *b, void *context)
{
    const double *scores = ((const struct order_context *)context)->scores;
    uint32_t i = *(const uint32_t *)a;
    uint32_t j = *(const uint32_t *)b;
    if (scores[i] != scores[j]) {
        return scores[i] < scores[j] ? -1 : 1;
    }
    return (i > j) - (i < j);
}

uint32_t *math_order_create(const double *scores, size_t count)
{
    assert(count <= UINT32_MAX);
    uint32_t *order = malloc((count + 1) * sizeof *order);
    if (order == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        order[i] = (uint32_t)i;
    }
    struct order_context context = {scores};
    qsort_r(order, count, sizeof *order, order_compare, &context);
    return order;
}

int math_ascending(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

int math_ascending_i64(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

void math_sort_i64(int64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, math_ascending_i64);
}

int64_t math_quantile_i64(const int64_t *ascending, size_t count, unsigned part, unsigned parts)
{
    assert(count > 0 && parts > 0 && part <= parts && parts <= 1024);
    uint64_t position = (uint64_t)part * (count - 1);
    size_t index = (size_t)(position / parts);
    int64_t rest = (int64_t)(position % parts);
    if (rest == 0) {
        return ascending[index];
    }
    return ascending[index] + (ascending[index + 1] - ascending[index]) * rest / (int64_t)parts;
}

double math_quantile(const double *ascending, size_t count, double at)
{
    assert(count > 0 && at >= 0.0 && at <= 1.0);
    double position = at * (double)(count - 1);
    size_t index = (size_t)position;
    if (index + 1 >= count) {
        return ascending[count - 1];
    }
    double share = position - (double)index;
    return ascending[index] + share * (ascending[index + 1] - ascending[index]);
}

void math_median(const double *ascending, size_t count, double median[3])
{
    double n = (double)count;
    double reach = MATH_Z_95 * sqrt(n) / 2;
    double low = floor(n / 2 - reach); /* ranks from 1 */
    double high = ceil(n / 2 + reach) + 1;
    median[0] = math_quantile(ascending, count, 0.5);
    median[1] = low >= 1 ? ascending[(size_t)low - 1] : MATH_NAN;
    median[2] = high <= n ? ascending[(size_t)high - 1] : MATH_NAN;
}
