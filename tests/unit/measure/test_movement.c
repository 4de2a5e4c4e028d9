/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/feature/date_text.h"
#include "server/measure/movement.h"

static int64_t day(int year, int month, int d)
{
    int64_t ms = 0;
    assert_true(feature_date_of(year, month, d, &ms));
    return ms;
}

static struct measure_subscription from_to(int64_t from, int64_t to, int64_t amount, uint32_t term)
{
    struct measure_subscription s = measure_subscription_open(0, from, amount, term);
    s.end_ms = to;
    return s;
}

static struct measure_movement month(const struct measure_spells *spells, int64_t from)
{
    int64_t to = 0;
    assert_true(measure_months_later(from, 1, &to));
    return measure_movement_of(spells, from, to);
}

/* The worked example of docs/methods/mrr.md: an annual plan of 2,000.00, an add-on of 60.00 a month
 * for a while, the end of the paid year, and a return at 150.00. */
static void one_account_has_the_movements_of_the_worked_example(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    measure_rules_default(&rules);
    const struct measure_subscription subscriptions[] = {
        from_to(day(2023, 1, 10), day(2024, 1, 10), 200000, 12),
        from_to(day(2023, 4, 5), day(2023, 9, 5), 6000, 1),
        from_to(day(2024, 6, 1), MEASURE_NEVER, 15000, 1),
    };
    assert_true(measure_spells_make(subscriptions, 3, 1, &rules, &spells, &fault));
    struct measure_movement m = month(&spells, day(2023, 1, 1));
    assert_int_equal(m.sum[MEASURE_NEW], 16667);
    assert_int_equal(m.count[MEASURE_NEW], 1);
    assert_int_equal(month(&spells, day(2023, 4, 1)).sum[MEASURE_EXPANSION], 6000);
    assert_int_equal(month(&spells, day(2023, 9, 1)).sum[MEASURE_CONTRACTION], 6000);
    assert_int_equal(month(&spells, day(2024, 1, 1)).sum[MEASURE_CHURN], 16667);
    m = month(&spells, day(2024, 5, 15));
    assert_int_equal(m.sum[MEASURE_REACTIVATION], 15000);
    assert_int_equal(m.sum[MEASURE_NEW], 0);
    measure_spells_fini(&spells);
}

/* Two subscriptions of one account: one ends, a dearer one begins; that is an upgrade, no churn. */
static void movements_are_of_accounts_not_of_subscriptions(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    measure_rules_default(&rules);
    const struct measure_subscription subscriptions[] = {
        from_to(day(2023, 1, 1), day(2023, 5, 10), 1000, 1),
        from_to(day(2023, 5, 10), MEASURE_NEVER, 1500, 1),
        /* Up and down within the month: nothing. */
        from_to(day(2023, 7, 3), day(2023, 7, 20), 9000, 1),
    };
    assert_true(measure_spells_make(subscriptions, 3, 1, &rules, &spells, &fault));
    struct measure_movement m = month(&spells, day(2023, 5, 1));
    assert_int_equal(m.sum[MEASURE_EXPANSION], 500);
    assert_int_equal(m.sum[MEASURE_CHURN] + m.sum[MEASURE_NEW], 0);
    m = month(&spells, day(2023, 7, 1));
    assert_int_equal(m.start, m.end);
    assert_int_equal(m.count[MEASURE_NONE], 1);
    measure_spells_fini(&spells);
}

static void months_are_those_of_the_calendar(void **state)
{
    (void)state;
    int64_t later = 0;
    assert_true(measure_months_later(day(2024, 1, 31), 1, &later));
    assert_int_equal(later, day(2024, 2, 29));
    assert_true(measure_months_later(day(2023, 1, 31), 1, &later));
    assert_int_equal(later, day(2023, 2, 28));
    assert_true(measure_months_later(day(2023, 11, 30) + 5, 3, &later));
    assert_int_equal(later, day(2024, 2, 29) + 5);
    assert_true(measure_months_later(day(1969, 12, 31) + 7, -1, &later));
    assert_int_equal(later, day(1969, 11, 30) + 7);
    assert_false(measure_months_later(day(9999, 12, 1), 1, &later));
    assert_false(measure_months_later(MEASURE_NEVER, 1, &later));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_account_has_the_movements_of_the_worked_example),
        cmocka_unit_test(movements_are_of_accounts_not_of_subscriptions),
        cmocka_unit_test(months_are_those_of_the_calendar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
