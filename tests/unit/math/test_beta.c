/* SPDX-License-Identifier: Apache-2.0 */
/* The beta distribution against scipy.stats.beta 1.10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/beta.h"

static void shares_are_those_of_scipy(void **state)
{
    (void)state;
    assert_true(fabs(math_beta_share(2.5, 4, 0.3) - 0.3521975859067672) < 1e-12);
    assert_true(fabs(math_beta_share(1000, 2, 0.999) - 0.7353908495419275) < 1e-12);
    assert_true(fabs(math_beta_share(1, 1, 0.25) - 0.25) < 1e-15);
    assert_true(math_beta_share(3, 5, 0) == 0 && math_beta_share(3, 5, 1) == 1);
}

static void points_are_those_of_scipy_and_lie_where_the_share_is(void **state)
{
    (void)state;
    assert_true(fabs(math_beta_point(70, 30, 0.025) - 0.6070912730152382) < 1e-12);
    assert_true(fabs(math_beta_point(0.5, 8.25, 0.975) - 0.2691777075804984) < 1e-12);
    assert_true(fabs(math_beta_point(3000, 7000, 0.5) - 0.2999866661935716) < 1e-12);
    for (int i = 1; i < 40; i++) {
        double point = math_beta_point(0.3 * i, 40 - i, i / 40.0);
        assert_true(fabs(math_beta_share(0.3 * i, 40 - i, point) - i / 40.0) < 1e-10);
    }
}

static void what_is_no_distribution_is_no_number(void **state)
{
    (void)state;
    assert_true(isnan(math_beta_share(0, 1, 0.5)) && isnan(math_beta_share(1, -1, 0.5)));
    assert_true(isnan(math_beta_share(1, 1, 1.5)) && isnan(math_beta_point(1, 1, 0)));
    assert_true(isnan(math_beta_point(0, 1, 0.5)) && isnan(math_beta_point(1, 1, 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_of_scipy),
        cmocka_unit_test(points_are_those_of_scipy_and_lie_where_the_share_is),
        cmocka_unit_test(what_is_no_distribution_is_no_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
