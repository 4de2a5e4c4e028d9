/* SPDX-License-Identifier: Apache-2.0 */
/* Reflect the worst corner through the others, expand, contract or shrink, until all corners are as
 * low as each other; then once more from there. It may run out of evaluations. */
#include "server/math/simplex.h"

#include <math.h>
#include <string.h>

struct simplex {
    math_function function;
    void *context;
    size_t count;
    double corner[MATH_SIMPLEX_MAX + 1][MATH_SIMPLEX_MAX];
    double value[MATH_SIMPLEX_MAX + 1];
    size_t used; /* evaluations */
};

static double value_of(struct simplex *s, const double *x)
{
    s->used++;
    double value = s->function(x, s->context);
    return isfinite(value) ? value : HUGE_VAL;
}

static void corners_set(struct simplex *s, const double *x, double step)
{
    for (size_t i = 0; i <= s->count; i++) {
        memcpy(s->corner[i], x, s->count * sizeof *x);
        if (i > 0) {
            s->corner[i][i - 1] += step;
        }
        s->value[i] = value_of(s, s->corner[i]);
    }
}

/* Corners by value, lowest first; there are few. */
static void corners_sort(struct simplex *s)
{
    for (size_t i = 1; i <= s->count; i++) {
        for (size_t j = i; j > 0 && s->value[j] < s->value[j - 1]; j--) {
            double value = s->value[j];
            double corner[MATH_SIMPLEX_MAX];
            s->value[j] = s->value[j - 1];
            s->value[j - 1] = value;
            memcpy(corner, s->corner[j], sizeof corner);
            memcpy(s->corner[j], s->corner[j - 1], sizeof corner);
            memcpy(s->corner[j - 1], corner, sizeof corner);
        }
    }
}

/* middle + by · (worst − middle). */
static double tried(struct simplex *s, const double *middle, double by, double *x)
{
    for (size_t d = 0; d < s->count; d++) {
        x[d] = middle[d] + by * (s->corner[s->count][d] - middle[d]);
    }
    return value_of(s, x);
}

static void worst_replace(struct simplex *s, const double *x, double value)
{
    memcpy(s->corner[s->count], x, s->count * sizeof *x);
    s->value[s->count] = value;
}

static void shrink(struct simplex *s)
{
    for (size_t i = 1; i <= s->count; i++) {
        for (size_t d = 0; d < s->count; d++) {
            s->corner[i][d] = s->corner[0][d] + 0.5 * (s->corner[i][d] - s->corner[0][d]);
        }
        s->value[i] = value_of(s, s->corner[i]);
    }
}

static void step(struct simplex *s)
{
    double middle[MATH_SIMPLEX_MAX] = {0};
    double x[MATH_SIMPLEX_MAX] = {0};
    double far[MATH_SIMPLEX_MAX] = {0};
    for (size_t i = 0; i < s->count; i++) {
        for (size_t d = 0; d < s->count; d++) {
            middle[d] += s->corner[i][d] / (double)s->count;
        }
    }
    double reflected = tried(s, middle, -1, x);
    if (reflected < s->value[0]) {
        double expanded = tried(s, middle, -2, far);
        worst_replace(s, expanded < reflected ? far : x,
                      expanded < reflected ? expanded : reflected);
        return;
    }
    if (reflected < s->value[s->count - 1]) {
        worst_replace(s, x, reflected);
        return;
    }
    bool outside = reflected < s->value[s->count];
    double contracted = tried(s, middle, outside ? -0.5 : 0.5, far);
    if (contracted < (outside ? reflected : s->value[s->count])) {
        worst_replace(s, far, contracted);
    } else {
        shrink(s);
    }
}

/* Both the values and the corners are one to the last digits that matter. */
static bool settled(const struct simplex *s)
{
    double width = 0;
    for (size_t i = 1; i <= s->count; i++) {
        for (size_t d = 0; d < s->count; d++) {
            double gap = fabs(s->corner[i][d] - s->corner[0][d]);
            width = gap > width ? gap : width;
        }
    }
    return s->value[s->count] - s->value[0] <= 1e-12 * (1 + fabs(s->value[0])) && width < 1e-7;
}

bool math_simplex(math_function function, void *context, size_t count, double *x,
                  size_t evaluations_max, double *lowest)
{
    struct simplex s = {.function = function, .context = context, .count = count};
    double before = HUGE_VAL;
    for (double size = 0.5; s.used < evaluations_max; size = 0.1) {
        corners_set(&s, x, size);
        corners_sort(&s);
        while (!settled(&s) && s.used < evaluations_max) {
            step(&s);
            corners_sort(&s);
        }
        memcpy(x, s.corner[0], count * sizeof *x);
        *lowest = s.value[0];
        if (isfinite(*lowest) && before - *lowest <= 1e-10 * (1 + fabs(*lowest)) && settled(&s)) {
            return true;
        }
        before = *lowest;
    }
    return false;
}

static double shifted(math_function function, void *context, size_t count, const double *x,
                      size_t i, double by_i, size_t j, double by_j)
{
    double y[MATH_SIMPLEX_MAX];
    memcpy(y, x, count * sizeof *x);
    y[i] += by_i;
    y[j] += by_j;
    return function(y, context);
}

/* Cholesky, then the inverse of its factor; all in place of small matrices. */
static bool inverse(size_t count, double a[MATH_SIMPLEX_MAX][MATH_SIMPLEX_MAX], double *out)
{
    double inv[MATH_SIMPLEX_MAX][MATH_SIMPLEX_MAX] = {{0}};
    for (size_t j = 0; j < count; j++) {
        for (size_t i = j; i < count; i++) {
            double sum = a[i][j];
            for (size_t k = 0; k < j; k++) {
                sum -= a[i][k] * a[j][k];
            }
            if (i == j && !(sum > 0)) {
                return false;
            }
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    }
    for (size_t j = 0; j < count; j++) {
        for (size_t i = j; i < count; i++) {
            double sum = i == j ? 1 : 0;
            for (size_t k = j; k < i; k++) {
                sum -= a[i][k] * inv[k][j];
            }
            inv[i][j] = sum / a[i][i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            double sum = 0;
            for (size_t k = i > j ? i : j; k < count; k++) {
                sum += inv[k][i] * inv[k][j];
            }
            out[i * count + j] = sum;
        }
    }
    return true;
}

bool math_covariance(math_function function, void *context, size_t count, const double *x,
                     double *covariance)
{
    const double h = 1e-3;
    double hessian[MATH_SIMPLEX_MAX][MATH_SIMPLEX_MAX] = {{0}};
    double here = function(x, context);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            double mixed = shifted(function, context, count, x, i, h, j, h) -
                           shifted(function, context, count, x, i, h, j, -h) -
                           shifted(function, context, count, x, i, -h, j, h) +
                           shifted(function, context, count, x, i, -h, j, -h);
            hessian[i][j] = hessian[j][i] = mixed / (4 * h * h);
        }
        double up = shifted(function, context, count, x, i, h, i, 0);
        double down = shifted(function, context, count, x, i, -h, i, 0);
        hessian[i][i] = (up - 2 * here + down) / (h * h);
    }
    return inverse(count, hessian, covariance);
}
