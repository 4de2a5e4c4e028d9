/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/clock.h"

static void system_clock_is_monotonic_and_in_this_century(void **state)
{
    (void)state;
    struct base_clock clock = base_clock_system();
    uint64_t before = base_clock_now_ns(&clock);
    assert_true(base_clock_now_ns(&clock) >= before);
    assert_true(base_clock_now_ms(&clock) > INT64_C(1700000000000));
    assert_true(base_clock_now_ms(&clock) < INT64_C(4102444800000));
}

static void manual_clock_moves_only_when_told(void **state)
{
    (void)state;
    struct base_clock_manual manual = {.ns = 5, .ms = 1000};
    struct base_clock clock = base_clock_manual(&manual);
    assert_int_equal(base_clock_now_ns(&clock), 5);
    base_clock_advance(&manual, 3);
    assert_int_equal(base_clock_now_ns(&clock), 3000005);
    assert_int_equal(base_clock_now_ms(&clock), 1003);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_clock_is_monotonic_and_in_this_century),
        cmocka_unit_test(manual_clock_moves_only_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
