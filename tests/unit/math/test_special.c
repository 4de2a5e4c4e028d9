/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "server/math/special.h"

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-12 * fabs(b);
}

/* By scipy.special 1.10. */
static void logarithms_of_gamma_and_beta_are_scipys(void **state)
{
    (void)state;
    assert_true(near(math_lgamma(0.1), 2.252712651734206));
    assert_true(near(math_lgamma(1.5), -0.12078223763524526));
    assert_true(near(math_lgamma(100.25), 360.28455963776423));
    assert_true(isnan(math_lgamma(0)) && isnan(math_lgamma(-1)));
    assert_true(near(math_lbeta(2, 3), log(1.0 / 12)));
}

static void the_hypergeometric_function_is_scipys_and_that_of_closed_forms(void **state)
{
    (void)state;
    assert_true(near(math_hyp2f1(1, 5, 7, 0.9), 3.3329376563303574));
    assert_true(near(math_hyp2f1(1, 4.806, 8.474, 1 / 1.1), 2.2984221297985212));
    assert_true(near(math_hyp2f1(2.5, 3.5, 1.2, 0.4), 23.590124880565895));
    assert_true(near(math_hyp2f1(40, 20, 70, 0.5), 1197.5199806547128));
    assert_true(near(math_hyp2f1(0.5, 1.5, 2.5, -3), 0.6198270018495263));
    for (int i = 1; i < 100; i++) { /* −ln(1 − z)/z and (1 − z)^−a */
        double z = i / 100.0;
        assert_true(near(math_hyp2f1(1, 1, 2, z), -log1p(-z) / z));
        assert_true(near(math_hyp2f1(2.5, 4, 4, z), pow(1 - z, -2.5)));
    }
    double z = 0.9999;
    assert_true(fabs(math_hyp2f1(1, 2, 3, z) / (-2 * (z + log1p(-z)) / (z * z)) - 1) < 1e-11);
}

static void outside_of_its_range_there_is_no_value(void **state)
{
    (void)state;
    assert_true(isnan(math_hyp2f1(1, 1, 2, 1)));
    assert_true(isnan(math_hyp2f1(1, 1, -1, 0.5)));
    assert_true(isnan(math_hyp2f1(1, 1, 2, MATH_NAN)));
    assert_true(math_hyp2f1(1, 1, 2, 0) == 1);
}

static void points_of_the_normal_are_those_of_tables(void **state)
{
    (void)state;
    assert_true(near(math_normal_point(0.975), 1.9599639845400545));
    assert_true(near(math_normal_point(0.995), 2.5758293035489004));
    assert_true(fabs(math_normal_point(0.5)) < 1e-12);
    assert_true(near(math_normal_point(0.025), -1.9599639845400545));
    assert_true(isnan(math_normal_point(0)) && isnan(math_normal_point(1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logarithms_of_gamma_and_beta_are_scipys),
        cmocka_unit_test(the_hypergeometric_function_is_scipys_and_that_of_closed_forms),
        cmocka_unit_test(points_of_the_normal_are_those_of_tables),
        cmocka_unit_test(outside_of_its_range_there_is_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
