/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_number.h"

static void numbers_take_the_largest_unit_they_reach(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0, "0"},      {0.8512, "0.851"},   {999, "999"},
                 {1000, "1 k"}, {1234567, "1.23 M"}, {-2.5e9, "-2.5 G"},
                 {999.4, "999"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[32];
        draw_number(cases[i].value, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void microseconds_become_milliseconds_and_seconds(void **state)
{
    char text[32];
    (void)state;
    draw_number_us(850, text, sizeof text);
    assert_string_equal(text, "850 µs");
    draw_number_us(1500, text, sizeof text);
    assert_string_equal(text, "1.5 ms");
    draw_number_us(2e6, text, sizeof text);
    assert_string_equal(text, "2 s");
}

static void text_is_cut_at_the_room_given(void **state)
{
    char text[4];
    (void)state;
    draw_number(1234567, text, sizeof text);
    assert_string_equal(text, "1.2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_take_the_largest_unit_they_reach),
        cmocka_unit_test(microseconds_become_milliseconds_and_seconds),
        cmocka_unit_test(text_is_cut_at_the_room_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
