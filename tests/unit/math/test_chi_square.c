/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "server/math/chi_square.h"

static bool near(double a, double b, double within)
{
    return fabs(a - b) <= within * fabs(b);
}

/* By scipy.special.gammainc 1.10. */
static void the_incomplete_gamma_function_is_scipys(void **state)
{
    (void)state;
    assert_true(near(math_gamma_p(0.5, 0.2), 0.47291074313446196, 1e-12));
    assert_true(near(math_gamma_p(3, 2.5), 0.45618688411667035, 1e-12));
    assert_true(near(math_gamma_p(3, 9), 0.9937678048936227, 1e-12));
    assert_true(near(math_gamma_p(100, 90), 0.15822098918643007, 1e-11));
    assert_true(near(math_gamma_p(100, 130), 0.9972495916326934, 1e-11));
    assert_true(near(math_gamma_p(25, 25), 0.5266015314436506, 1e-12));
    assert_true(near(math_gamma_p(1e6, 1e6 + 500), 0.6915504757714972, 1e-8));
    assert_true(math_gamma_p(2, 0) == 0);
    assert_true(near(math_gamma_p(1, 3), 1 - exp(-3), 1e-13));
    assert_true(isnan(math_gamma_p(0, 1)) && isnan(math_gamma_p(1, -1)));
}

/* By scipy.stats.chi2.ppf. */
static void points_of_chi_square_are_scipys(void **state)
{
    (void)state;
    assert_true(near(math_chi_square_point(1, 0.95), 3.841458820694124, 1e-10));
    assert_true(near(math_chi_square_point(9, 0.95), 16.918977604620448, 1e-10));
    assert_true(near(math_chi_square_point(9, 0.9983), 26.486513888566652, 1e-10));
    assert_true(near(math_chi_square_point(63, 0.99), 92.01002361413214, 1e-10));
    assert_true(near(math_chi_square_point(250, 0.5), 249.33365030643904, 1e-10));
    assert_true(isnan(math_chi_square_point(0, 0.5)) && isnan(math_chi_square_point(3, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_incomplete_gamma_function_is_scipys),
        cmocka_unit_test(points_of_chi_square_are_scipys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
