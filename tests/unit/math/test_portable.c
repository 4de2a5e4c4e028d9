/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/portable.h"
#include "server/math/random.h"

/* Distance to the true value in units in the last place of the double nearest to it. */
static double ulps(double got, long double wanted)
{
    double near = (double)wanted;
    double unit = nextafter(fabs(near), HUGE_VAL) - fabs(near);
    return (double)(fabsl((long double)got - wanted) / (long double)unit);
}

static void exp_is_within_two_units_of_long_double(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 11);
    double worst = 0.0;
    for (int i = 0; i < 200000; i++) {
        double x = (math_random_unit(&random) - 0.5) * (i % 2 == 0 ? 1400.0 : 10.0);
        worst = fmax(worst, ulps(math_exp(x), expl((long double)x)));
    }
    assert_true(worst < 2.0);
    assert_true(math_exp(0.0) == 1.0);
    assert_true(math_exp(-1e300) > 0.0 && isfinite(math_exp(1e300)));
}

static void log_is_within_two_units_of_long_double(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 12);
    double worst = 0.0;
    for (int i = 0; i < 200000; i++) {
        double x = i % 2 == 0 ? math_exp((math_random_unit(&random) - 0.5) * 1400.0)
                              : 0.5 + math_random_unit(&random);
        worst = fmax(worst, ulps(math_log(x), logl((long double)x)));
    }
    assert_true(worst < 2.0);
    assert_true(math_log(1.0) == 0.0);
}

static void logistic_and_its_loss_hold_at_the_extremes(void **state)
{
    (void)state;
    assert_true(math_logistic(0.0) == 0.5);
    assert_true(math_logistic(-800.0) > 0.0);
    assert_true(math_logistic(800.0) <= 1.0);
    assert_true(fabs(math_logistic_loss(800.0, 0) - 800.0) < 1e-9);
    assert_true(math_logistic_loss(800.0, 1) >= 0.0);
    assert_true(fabs(math_logistic_loss(0.0, 1) - MATH_LN2) < 1e-15);
    assert_true(fabs(math_logistic_loss(1.5, 1) - log1p(exp(-1.5))) < 1e-15);
}

/* Fixed bits: a compiler or flag that changes the last bit changes every model, and must be
 * noticed. */
static void results_are_the_same_to_the_last_bit_everywhere(void **state)
{
    (void)state;
    uint64_t mixed = 0;
    for (int i = -1000; i <= 1000; i++) {
        double x = (double)i * 0.37;
        mixed = mixed * UINT64_C(0x9E3779B97F4A7C15) + math_to_bits(math_exp(x));
        mixed = mixed * UINT64_C(0x9E3779B97F4A7C15) + math_to_bits(math_log(fabs(x) + 0.01));
    }
    assert_true(mixed == UINT64_C(0x4dca3f31c599c64a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_within_two_units_of_long_double),
        cmocka_unit_test(log_is_within_two_units_of_long_double),
        cmocka_unit_test(logistic_and_its_loss_hold_at_the_extremes),
        cmocka_unit_test(results_are_the_same_to_the_last_bit_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
