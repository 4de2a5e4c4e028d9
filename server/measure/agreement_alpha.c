/* SPDX-License-Identifier: Apache-2.0 */
/* Values are numbered by their size; each unit adds its pairs of values, weighed by 1 / (rated −
 * 1), to one table of coincidences, from which alpha follows. A resample adds the units that it
 * drew. */
#include <math.h>
#include <stdlib.h>

#include "server/math/order.h"
#include "server/math/random.h"
#include "server/math/special.h"
#include "server/measure/agreement.h"

enum { RESAMPLES = 1000 };

struct rating {
    const double *values;
    size_t people, units;
    bool ordinal;
    double *levels; /* the different values, ascending */
    size_t level_count;
    double *pairs; /* coincidences */
    double *sums;  /* of each level */
};

static size_t rated_count(const struct rating *rating, size_t unit)
{
    size_t count = 0;
    for (size_t row = 0; row < rating->people; row++) {
        count += isnan(rating->values[row * rating->units + unit]) ? 0 : 1;
    }
    return count;
}

static size_t level_of(const struct rating *rating, double value)
{
    size_t level = 0;
    while (rating->levels[level] != value) {
        level++;
    }
    return level;
}

static bool levels_find(struct rating *rating)
{
    double *all = calloc(rating->people * rating->units + 1, sizeof *all);
    size_t count = 0;
    if (all == NULL) {
        return false;
    }
    for (size_t unit = 0; unit < rating->units; unit++) {
        for (size_t row = 0; row < rating->people && rated_count(rating, unit) > 1; row++) {
            double value = rating->values[row * rating->units + unit];
            all[count] = value;
            count += isnan(value) ? 0 : 1;
        }
    }
    qsort(all, count, sizeof *all, math_ascending);
    for (size_t i = 0; i < count; i++) {
        if (rating->level_count == 0 || all[i] != all[rating->level_count - 1]) {
            all[rating->level_count++] = all[i];
        }
    }
    rating->levels = all;
    return true;
}

static void unit_add(const struct rating *rating, size_t unit)
{
    size_t rated = rated_count(rating, unit);
    for (size_t a = 0; a < rating->people && rated > 1; a++) {
        double x = rating->values[a * rating->units + unit];
        for (size_t b = 0; b < rating->people && !isnan(x); b++) {
            double y = rating->values[b * rating->units + unit];
            if (a != b && !isnan(y)) {
                rating->pairs[level_of(rating, x) * rating->level_count + level_of(rating, y)] +=
                    1 / (double)(rated - 1);
            }
        }
    }
}

/* The squared difference of two levels. */
static double apart(const struct rating *rating, size_t c, size_t k)
{
    if (!rating->ordinal) {
        return c != k;
    }
    double between = 0;
    for (size_t g = c; g <= k; g++) {
        between += rating->sums[g];
    }
    between -= (rating->sums[c] + rating->sums[k]) / 2;
    return between * between;
}

static double alpha_find(const struct rating *rating)
{
    size_t levels = rating->level_count;
    double n = 0;
    double observed = 0;
    double expected = 0;
    for (size_t c = 0; c < levels; c++) {
        rating->sums[c] = 0;
        for (size_t k = 0; k < levels; k++) {
            rating->sums[c] += rating->pairs[c * levels + k];
        }
        n += rating->sums[c];
    }
    for (size_t c = 0; c < levels; c++) {
        for (size_t k = c + 1; k < levels; k++) {
            double far = apart(rating, c, k);
            observed += rating->pairs[c * levels + k] * far;
            expected += rating->sums[c] * rating->sums[k] * far;
        }
    }
    return expected > 0 ? 1 - (n - 1) * observed / expected : MATH_NAN;
}

static void pairs_clear(const struct rating *rating)
{
    for (size_t i = 0; i < rating->level_count * rating->level_count; i++) {
        rating->pairs[i] = 0;
    }
}

static bool ends_find(const struct rating *rating, uint64_t seed, struct measure_alpha *alpha)
{
    struct math_random random;
    double *drawn = calloc(RESAMPLES, sizeof *drawn);
    size_t kept = 0;
    if (drawn == NULL) {
        return false;
    }
    math_random_init(&random, seed);
    for (int i = 0; i < RESAMPLES; i++) {
        pairs_clear(rating);
        for (size_t unit = 0; unit < rating->units; unit++) {
            unit_add(rating, (size_t)math_random_below(&random, rating->units));
        }
        double one = alpha_find(rating);
        if (!isnan(one)) {
            drawn[kept++] = one;
        }
    }
    qsort(drawn, kept, sizeof *drawn, math_ascending);
    if (kept > 0) {
        alpha->low = math_quantile(drawn, kept, .025);
        alpha->high = math_quantile(drawn, kept, .975);
    }
    free(drawn);
    return true;
}

static bool rating_fill(struct rating *rating, uint64_t seed, struct measure_alpha *alpha)
{
    for (size_t unit = 0; unit < rating->units; unit++) {
        size_t rated = rated_count(rating, unit);
        alpha->units += rated > 1;
        alpha->values += rated > 1 ? rated : 0;
    }
    rating->pairs = calloc(rating->level_count * rating->level_count + 1, sizeof *rating->pairs);
    rating->sums = calloc(rating->level_count + 1, sizeof *rating->sums);
    if (rating->pairs == NULL || rating->sums == NULL) {
        return false;
    }
    for (size_t unit = 0; unit < rating->units; unit++) {
        unit_add(rating, unit);
    }
    alpha->alpha = alpha_find(rating);
    return isnan(alpha->alpha) || ends_find(rating, seed, alpha);
}

bool measure_alpha_of(const double *values, size_t people, size_t units, bool ordinal,
                      uint64_t seed, struct measure_alpha *alpha, struct proto_fault *fault)
{
    struct rating rating = {.values = values, .people = people, .units = units, .ordinal = ordinal};
    *alpha = (struct measure_alpha){.alpha = MATH_NAN, .low = MATH_NAN, .high = MATH_NAN};
    if (people > MEASURE_PEOPLE_MAX || units > MEASURE_LEVELS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "at most %d people who rate %d units",
                               MEASURE_PEOPLE_MAX, MEASURE_LEVELS_MAX);
    }
    bool good = levels_find(&rating);
    if (good && rating.level_count > MEASURE_LEVELS_MAX) {
        good = proto_fault_set(fault, PROTO_LIMIT, "", "more than %d different values",
                               MEASURE_LEVELS_MAX);
    } else {
        good = (good && rating_fill(&rating, seed, alpha)) ||
               proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for ratings");
    }
    free(rating.levels);
    free(rating.pairs);
    free(rating.sums);
    return good;
}
