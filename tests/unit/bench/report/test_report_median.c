/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bench/report/report_median.h"

static void median_of_odd_and_even_counts(void **state)
{
    (void)state;
    const double odd[] = {5, 1, 3};
    const double even[] = {4, 1, 3, 2};
    struct report_spread spread = report_spread_of(odd, 3);
    assert_true(spread.median == 3 && spread.low == 1 && spread.high == 5 && spread.count == 3);
    spread = report_spread_of(even, 4);
    assert_true(spread.median == 2.5);
}

static void nothing_measured_is_not_a_number(void **state)
{
    (void)state;
    struct report_spread spread = report_spread_of(NULL, 0);
    assert_int_equal(spread.count, 0);
    assert_true(isnan(spread.median));
}

static void ratios_are_taken_run_by_run(void **state)
{
    (void)state;
    /* The machine slowed down by half in the second run: the ratio did not change. */
    const double a[] = {50, 25, 50};
    const double b[] = {100, 50, 100};
    struct report_spread spread = report_spread_ratio(a, b, 3);
    assert_true(spread.low == 0.5 && spread.high == 0.5);
}

static void a_run_without_a_divisor_is_passed_over(void **state)
{
    (void)state;
    const double a[] = {1, 2};
    const double b[] = {0, 4};
    struct report_spread spread = report_spread_ratio(a, b, 2);
    assert_int_equal(spread.count, 1);
    assert_true(spread.median == 0.5);
}

static enum report_change change(const double *a, const double *b, size_t count, bool higher)
{
    struct report_spread one = report_spread_of(a, count);
    struct report_spread other = report_spread_of(b, count);
    return report_spread_change(&one, &other, higher);
}

static void intervals_that_meet_are_noise(void **state)
{
    (void)state;
    const double a[] = {100, 90, 110, 95};
    const double b[] = {80, 92, 70, 75};
    assert_int_equal(change(a, b, 4, true), REPORT_SAME);
}

static void a_drop_beyond_noise_is_worse_for_rates_and_better_for_times(void **state)
{
    (void)state;
    const double a[] = {100, 98, 102, 99};
    const double b[] = {90, 89, 91, 88};
    assert_int_equal(change(a, b, 4, true), REPORT_WORSE);
    assert_int_equal(change(a, b, 4, false), REPORT_BETTER);
    assert_int_equal(change(b, a, 4, true), REPORT_BETTER);
}

static void a_change_below_five_percent_does_not_count_however_certain(void **state)
{
    (void)state;
    const double a[] = {100, 100, 100, 100};
    const double b[] = {96, 96, 96, 96};
    assert_int_equal(change(a, b, 4, true), REPORT_SAME);
}

static void few_runs_must_differ_by_a_quarter(void **state)
{
    (void)state;
    const double a[] = {100};
    const double b[] = {80};
    const double c[] = {70};
    assert_int_equal(change(a, b, 1, true), REPORT_SAME);
    assert_int_equal(change(a, c, 1, true), REPORT_WORSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(median_of_odd_and_even_counts),
        cmocka_unit_test(nothing_measured_is_not_a_number),
        cmocka_unit_test(ratios_are_taken_run_by_run),
        cmocka_unit_test(a_run_without_a_divisor_is_passed_over),
        cmocka_unit_test(intervals_that_meet_are_noise),
        cmocka_unit_test(a_drop_beyond_noise_is_worse_for_rates_and_better_for_times),
        cmocka_unit_test(a_change_below_five_percent_does_not_count_however_certain),
        cmocka_unit_test(few_runs_must_differ_by_a_quarter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
