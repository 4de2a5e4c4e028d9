/* SPDX-License-Identifier: Apache-2.0 */
/* Any numbers come back from a column as they went in, in as few bytes as they need. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/event/event_column.h"

enum { COUNT = 500 };

static unsigned round_trip(const int64_t *numbers, size_t count)
{
    static uint8_t bytes[COUNT * 8];
    static int64_t back[COUNT];
    struct event_column column;
    size_t wanted = event_column_plan(&column, numbers, count);
    assert_true(wanted <= sizeof bytes && wanted == column.width * count);
    event_column_write(&column, numbers, count, bytes);
    event_column_read(&column, 0, count, back);
    for (size_t i = 0; i < count; i++) {
        assert_true(back[i] == numbers[i]);
    }
    if (count > 2) {
        event_column_read(&column, count - 2, 2, back);
        assert_true(back[0] == numbers[count - 2] && back[1] == numbers[count - 1]);
    }
    return column.width;
}

static void widths_are_the_least_that_hold_the_numbers(void **state)
{
    (void)state;
    int64_t numbers[COUNT];
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = INT64_C(1700000000000);
    }
    assert_int_equal(round_trip(numbers, COUNT), 0);
    assert_int_equal(round_trip(numbers, 0), 0);
    assert_int_equal(round_trip(numbers, 1), 0);
    for (int i = 0; i < COUNT; i++) {
        numbers[i] = (i % 250 - 125) * INT64_C(86400000); /* days, before 1970 too */
    }
    assert_int_equal(round_trip(numbers, COUNT), 1);
    numbers[0] = INT64_C(20000) * 86400000;
    assert_int_equal(round_trip(numbers, COUNT), 2);
    numbers[1] += 1000;
    assert_int_equal(round_trip(numbers, COUNT), 4);
    numbers[2] += 1;
    assert_int_equal(round_trip(numbers, COUNT), 8);
}

static void the_ends_of_all_numbers_fit(void **state)
{
    (void)state;
    const int64_t ends[] = {INT64_MAX, INT64_MIN, 0, -1, 1, INT64_MIN + 1};
    assert_int_equal(round_trip(ends, 6), 8);
    const int64_t far[] = {INT64_MIN, INT64_MAX};
    assert_int_equal(round_trip(far, 2), 1); /* one distance, which is the unit */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_the_least_that_hold_the_numbers),
        cmocka_unit_test(the_ends_of_all_numbers_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
