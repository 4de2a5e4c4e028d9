/* SPDX-License-Identifier: Apache-2.0 */
/* The discount of deals and its interval: by hand, without any, and how often it holds the truth.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/auc.h"
#include "server/math/random.h"
#include "server/measure/ratio.h"

static void nothing_has_no_discount(void **state)
{
    (void)state;
    struct measure_sums sums = {.n = 0};
    double error = 0;
    assert_true(isnan(measure_sums_ratio(&sums, &error)));
    assert_true(isnan(error));
    measure_sums_add(&sums, 80, 100);
    assert_true(fabs(1 - measure_sums_ratio(&sums, &error) - 0.2) < 1e-15);
    assert_true(isnan(error)); /* one deal says nothing of how they differ */
}

/* Large deals weigh more: (90 + 800) / (100 + 1000), not the mean of .1 and .2. */
static void discounts_are_of_sums(void **state)
{
    (void)state;
    struct measure_sums sums = {.n = 0};
    double error = 0;
    measure_sums_add(&sums, 90, 100);
    measure_sums_add(&sums, 800, 1000);
    double of = 890.0 / 1100;
    assert_true(fabs(1 - measure_sums_ratio(&sums, &error) - (1 - of)) < 1e-15);
    double left = (90 - of * 100) * (90 - of * 100) + (800 - of * 1000) * (800 - of * 1000);
    assert_true(fabs(error - sqrt(left * 2) / 1100) < 1e-12);
}

static void one_discount_for_all_is_certain(void **state)
{
    (void)state;
    struct measure_sums sums = {.n = 0};
    double error = 1;
    for (int i = 1; i <= 50; i++) {
        measure_sums_add(&sums, 0.75 * i, i);
    }
    assert_true(fabs(1 - measure_sums_ratio(&sums, &error) - 0.25) < 1e-12);
    assert_true(error < 1e-6);
}

static void intervals_hold_the_truth_in_about_95_of_100(void **state)
{
    (void)state;
    struct math_random random;
    unsigned held = 0;
    math_random_init(&random, 9);
    for (int run = 0; run < 1000; run++) {
        struct measure_sums sums = {.n = 0};
        double error = 0;
        for (int i = 0; i < 100; i++) {
            double list = 100 * exp(math_random_normal(&random) * 0.5);
            measure_sums_add(&sums, list * (0.8 + 0.4 * (math_random_unit(&random) - 0.5)), list);
        }
        double off = fabs(1 - measure_sums_ratio(&sums, &error) - 0.2);
        held += off <= MATH_Z_95 * error;
    }
    assert_in_range(held, 925, 970);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_no_discount),
        cmocka_unit_test(discounts_are_of_sums),
        cmocka_unit_test(one_discount_for_all_is_certain),
        cmocka_unit_test(intervals_hold_the_truth_in_about_95_of_100),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
