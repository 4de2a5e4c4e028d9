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

static void whole_numbers_are_grouped_and_rounded_half_away_from_zero(void **state)
{
    static const struct {
        int64_t number;
        unsigned digits, behind;
        const char *right;
    } cases[] = {{1015960800, 2, 2, "10,159,608.00"},
                 {1015960850, 2, 0, "10,159,609"},
                 {-1049, 2, 0, "-10"},
                 {-1050, 2, 0, "-11"},
                 {-4, 1, 0, "0"},
                 {7, 0, 0, "7"},
                 {1234567, 3, 3, "1,234.567"},
                 {5, 3, 2, "0.01"},
                 {INT64_MIN, 0, 0, "-9,223,372,036,854,775,808"}};
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        draw_number_grouped(cases[i].number, cases[i].digits, cases[i].behind, text, sizeof text);
        assert_string_equal(text, cases[i].right);
    }
}

static void what_is_counted_is_one_or_many(void **state)
{
    char text[40];
    (void)state;
    draw_number_counted(1, "account", text, sizeof text);
    assert_string_equal(text, "1 account");
    draw_number_counted(0, "account", text, sizeof text);
    assert_string_equal(text, "0 accounts");
    draw_number_counted(2798, "account", text, sizeof text);
    assert_string_equal(text, "2,798 accounts");
}

static void a_share_is_per_cent_with_one_digit(void **state)
{
    char text[32];
    (void)state;
    draw_number_share(1.14563, text, sizeof text);
    assert_string_equal(text, "114.6 %");
    draw_number_share(__builtin_nan(""), text, sizeof text);
    assert_string_equal(text, "–");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_take_the_largest_unit_they_reach),
        cmocka_unit_test(microseconds_become_milliseconds_and_seconds),
        cmocka_unit_test(whole_numbers_are_grouped_and_rounded_half_away_from_zero),
        cmocka_unit_test(what_is_counted_is_one_or_many),
        cmocka_unit_test(a_share_is_per_cent_with_one_digit),
        cmocka_unit_test(text_is_cut_at_the_room_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
