/* SPDX-License-Identifier: Apache-2.0 */
/* Lists are short, so names are looked for one by one. */
#include <math.h>

#include "server/math/auc.h"
#include "server/math/special.h"
#include "server/measure/agreement.h"

static bool has(const struct measure_names *list, size_t count, uint32_t name)
{
    for (size_t i = 0; i < count && i < list->count; i++) {
        if (list->names[i] == name) {
            return true;
        }
    }
    return false;
}

/* Names that the first `depth` of both have. */
static size_t shared(const struct measure_names *a, const struct measure_names *b, size_t depth)
{
    size_t count = 0;
    for (size_t i = 0; i < depth && i < a->count; i++) {
        count += has(b, depth, a->names[i]);
    }
    return count;
}

double measure_jaccard(const struct measure_names *a, const struct measure_names *b)
{
    size_t depth = a->count > b->count ? a->count : b->count;
    size_t both = shared(a, b, depth);
    size_t all = a->count + b->count - both;
    return all > 0 ? (double)both / (double)all : MATH_NAN;
}

/* Equation 32 of Webber and others: agreement at each depth, and beyond the shorter list what it
 * would be if it went on as it was. */
double measure_overlap(const struct measure_names *a, const struct measure_names *b,
                       double persistence)
{
    size_t longer = a->count > b->count ? a->count : b->count;
    size_t shorter = a->count > b->count ? b->count : a->count;
    double sum = 0;
    double power = 1;
    if (shorter == 0) {
        return longer == 0 ? MATH_NAN : 0;
    }
    double at_short = (double)shared(a, b, shorter);
    for (size_t d = 1; d <= longer; d++) {
        power *= persistence;
        sum += (double)shared(a, b, d) / (double)d * power;
        if (d > shorter) {
            sum += at_short * (double)(d - shorter) / ((double)shorter * (double)d) * power;
        }
    }
    double at_long = (double)shared(a, b, longer);
    return (1 - persistence) / persistence * sum +
           ((at_long - at_short) / (double)longer + at_short / (double)shorter) * power;
}

static double pair_of(const struct measure_names *a, const struct measure_names *b,
                      double persistence)
{
    return persistence > 0 ? measure_overlap(a, b, persistence) : measure_jaccard(a, b);
}

/* The mean over pairs without one of the people (count: with all). */
static double mean_without(const struct measure_names *lists, size_t count, double persistence,
                           size_t without)
{
    double sum = 0;
    size_t pairs = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++) {
            if (i != without && j != without) {
                sum += pair_of(&lists[i], &lists[j], persistence);
                pairs++;
            }
        }
    }
    return pairs > 0 ? sum / (double)pairs : MATH_NAN;
}

struct measure_mean measure_pairs_mean(const struct measure_names *lists, size_t count,
                                       double persistence)
{
    struct measure_mean mean = {.value = mean_without(lists, count, persistence, count),
                                .low = MATH_NAN,
                                .high = MATH_NAN,
                                .n = count};
    double middle = 0;
    double squares = 0;
    if (count < 3 || isnan(mean.value)) {
        return mean;
    }
    for (size_t i = 0; i < count; i++) {
        middle += mean_without(lists, count, persistence, i) / (double)count;
    }
    for (size_t i = 0; i < count; i++) {
        double off = mean_without(lists, count, persistence, i) - middle;
        squares += off * off;
    }
    double wide = MATH_Z_95 * sqrt((double)(count - 1) / (double)count * squares);
    mean.low = fmax(0, mean.value - wide);
    mean.high = fmin(1, mean.value + wide);
    return mean;
}

double measure_entropy(const size_t *counts, size_t options)
{
    double total = 0;
    double bits = 0;
    for (size_t i = 0; i < options; i++) {
        total += (double)counts[i];
    }
    if (options < 2 || total <= 0) {
        return MATH_NAN;
    }
    for (size_t i = 0; i < options; i++) {
        double share = (double)counts[i] / total;
        bits -= share > 0 ? share * log(share) : 0;
    }
    return bits / log((double)options);
}
