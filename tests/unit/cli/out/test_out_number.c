/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/cli/out/out_number.h"

static void thousands_are_set_apart(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"1234", "1234"},
                                           {"12345", "12,345"},
                                           {"-1234567.5", "-1,234,567.5"},
                                           {"+98765", "+98,765"},
                                           {"123456 %", "123,456 %"},
                                           {"12345abc", "12345abc"},
                                           {"1e300", "1e300"},
                                           {"", ""},
                                           {"0.12345", "0.12345"},
                                           {"1000000", "1,000,000"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = out_grouped(cases[i][0]);
        assert_string_equal(text, cases[i][1]);
        free(text);
    }
    char text[OUT_NUMBER_BYTES];
    assert_string_equal(out_count(0, text), "0");
    assert_string_equal(out_count(999, text), "999");
    assert_string_equal(out_count(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

static void sizes_and_times_have_three_figures(void **state)
{
    (void)state;
    char text[OUT_NUMBER_BYTES];
    assert_string_equal(out_size(0, text), "0 B");
    assert_string_equal(out_size(512, text), "512 B");
    assert_string_equal(out_size(1536, text), "1.5 KiB");
    assert_string_equal(out_size(64.0 * 1024 * 1024, text), "64 MiB");
    assert_string_equal(out_size(1023.9 * 1024, text), "1 MiB");
    assert_string_equal(out_duration(12, text), "12 µs");
    assert_string_equal(out_duration(3400, text), "3.4 ms");
    assert_string_equal(out_duration(999999, text), "1 s");
    assert_string_equal(out_duration(7.5e9, text), "2 h 5 min");
    assert_string_equal(out_duration(864e9, text), "10 days");
    char time[OUT_TIME_BYTES];
    assert_string_equal(out_time(0, time), "");
    assert_string_equal(out_time(1714564800000, time), "2024-05-01 12:00");
    assert_string_equal(out_moment(0, time), "");
    assert_string_equal(out_moment(1714564807999, time), "2024-05-01 12:00:07");
}

static void what_is_rounded_to_nothing_has_no_minus(void **state)
{
    (void)state;
    static const struct {
        double number;
        int decimals;
        const char *text;
    } cases[] = {{-0.04, 1, "+0.0"},   {-0.05, 1, "-0.1"}, {-0.0, 1, "+0.0"},    {0, 0, "+0"},
                 {-0.5, 0, "+0"},      {-0.51, 0, "-1"},   {-12.34, 1, "-12.3"}, {0.04, 1, "+0.0"},
                 {-1e-9, 3, "+0.000"}, {1e300, 0, NULL}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[400];
        (void)snprintf(text, sizeof text, "%+.*f", cases[i].decimals,
                       out_signed(cases[i].number, cases[i].decimals));
        if (cases[i].text != NULL) {
            assert_string_equal(text, cases[i].text);
        }
    }
    assert_true(isinf(out_signed((double)INFINITY, 1)) && isnan(out_signed((double)NAN, 1)));
    assert_true(out_signed(1e300, 0) > 9e299 && out_signed(1e300, 0) < 1.1e300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousands_are_set_apart),
        cmocka_unit_test(sizes_and_times_have_three_figures),
        cmocka_unit_test(what_is_rounded_to_nothing_has_no_minus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
