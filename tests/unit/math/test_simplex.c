/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/simplex.h"

/* Rosenbrock's valley, lowest at (1, 1, 1). */
static double valley(const double *x, void *context)
{
    (void)context;
    double sum = 0;
    for (int i = 0; i < 2; i++) {
        sum += 100 * pow(x[i + 1] - x[i] * x[i], 2) + pow(1 - x[i], 2);
    }
    return sum;
}

static double bowl(const double *x, void *context)
{
    (void)context;
    return 2 * x[0] * x[0] + x[0] * x[1] + x[1] * x[1] + 7; /* Hessian 4, 1, 1, 2 */
}

static double slope(const double *x, void *context)
{
    (void)context;
    return -x[0];
}

/* Nothing but holes to the left. */
static double cliff(const double *x, void *context)
{
    (void)context;
    return x[0] < 0.5 ? __builtin_nan("") : (x[0] - 1) * (x[0] - 1);
}

static void the_lowest_point_of_a_bent_valley_is_found(void **state)
{
    (void)state;
    double x[3] = {-1.2, 1, 2};
    double lowest = 1;
    assert_true(math_simplex(valley, NULL, 3, x, 20000, &lowest));
    for (int i = 0; i < 3; i++) {
        assert_true(fabs(x[i] - 1) < 1e-4);
    }
    assert_true(lowest < 1e-9);
}

static void what_falls_without_end_does_not_settle(void **state)
{
    (void)state;
    double x[1] = {0};
    double lowest = 0;
    assert_false(math_simplex(slope, NULL, 1, x, 5000, &lowest));
}

static void values_that_are_none_are_passed_by(void **state)
{
    (void)state;
    double x[1] = {0.6};
    double lowest = 0;
    assert_true(math_simplex(cliff, NULL, 1, x, 5000, &lowest));
    assert_true(fabs(x[0] - 1) < 1e-5);
}

static void the_covariance_is_the_inverse_of_the_curvature(void **state)
{
    (void)state;
    const double x[2] = {0, 0};
    double covariance[4];
    assert_true(math_covariance(bowl, NULL, 2, x, covariance));
    const double right[4] = {2.0 / 7, -1.0 / 7, -1.0 / 7, 4.0 / 7};
    for (int i = 0; i < 4; i++) {
        assert_true(fabs(covariance[i] - right[i]) < 1e-6);
    }
    assert_false(math_covariance(slope, NULL, 1, x, covariance)); /* flat */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lowest_point_of_a_bent_valley_is_found),
        cmocka_unit_test(what_falls_without_end_does_not_settle),
        cmocka_unit_test(values_that_are_none_are_passed_by),
        cmocka_unit_test(the_covariance_is_the_inverse_of_the_curvature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
