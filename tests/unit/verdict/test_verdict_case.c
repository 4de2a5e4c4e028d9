/* SPDX-License-Identifier: Apache-2.0 */
/* Weeks begin on Mondays, and a case counts once every case of its week is settled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/verdict/verdict_case.h"

#define DAY INT64_C(86400000)
/* 2027-01-04, a Monday. */
#define MONDAY (INT64_C(20822) * DAY)

static void weeks_begin_on_mondays(void **state)
{
    (void)state;
    assert_int_equal(verdict_week_of(MONDAY), MONDAY);
    assert_int_equal(verdict_week_of(MONDAY + 7 * DAY - 1), MONDAY);
    assert_int_equal(verdict_week_of(MONDAY - 1), MONDAY - 7 * DAY);
    /* 1970 began on a Thursday, and years before it have weeks too. */
    assert_int_equal(verdict_week_of(0), -3 * DAY);
    assert_int_equal(verdict_week_of(-3 * DAY), -3 * DAY);
    assert_int_equal(verdict_week_of(-3 * DAY - 1), -10 * DAY);
}

static struct verdict_case case_of(int64_t moment_ms, int64_t settled_ms)
{
    return (struct verdict_case){.moment_ms = moment_ms, .settled_ms = settled_ms, .count = 1};
}

static void a_week_waits_for_its_slowest_case(void **state)
{
    struct verdict_case cases[] = {
        case_of(MONDAY + DAY, MONDAY + 30 * DAY), case_of(MONDAY + 2 * DAY, MONDAY + 10 * DAY),
        case_of(MONDAY + 8 * DAY, MONDAY + 12 * DAY), case_of(MONDAY + 9 * DAY, VERDICT_NEVER),
        case_of(MONDAY - DAY, MONDAY)};
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t open = 0;
    (void)state;
    assert_true(verdict_settle(cases, 5, MONDAY + 20 * DAY, &open, &fault));
    assert_int_equal(open, 4);
    assert_false(verdict_counts(&cases[0]) || verdict_counts(&cases[1]));
    assert_int_equal(cases[4].known_ms, MONDAY);
    assert_true(verdict_settle(cases, 5, MONDAY + 30 * DAY, &open, &fault));
    assert_int_equal(open, 2);
    assert_int_equal(cases[0].known_ms, MONDAY + 30 * DAY);
    assert_int_equal(cases[1].known_ms, MONDAY + 30 * DAY);
    assert_false(verdict_counts(&cases[2]));
}

/* A week that is not over may still get a case that settles before it ends. */
static void a_week_that_is_not_over_does_not_count(void **state)
{
    struct verdict_case one = case_of(MONDAY, MONDAY + DAY);
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t open = 0;
    (void)state;
    assert_true(verdict_settle(&one, 1, MONDAY + 3 * DAY, &open, &fault));
    assert_false(verdict_counts(&one));
    assert_true(verdict_settle(&one, 1, MONDAY + 7 * DAY, &open, &fault));
    assert_true(verdict_counts(&one));
}

static void no_cases_are_no_fault(void **state)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t open = 1;
    (void)state;
    assert_true(verdict_settle(NULL, 0, MONDAY, &open, &fault));
    assert_int_equal(open, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weeks_begin_on_mondays),
        cmocka_unit_test(a_week_waits_for_its_slowest_case),
        cmocka_unit_test(a_week_that_is_not_over_does_not_count),
        cmocka_unit_test(no_cases_are_no_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
