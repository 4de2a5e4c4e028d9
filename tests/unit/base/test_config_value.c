/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/base/config_value.h"

static bool parse(enum base_option_type type, const char *text, uint64_t *number)
{
    struct proto_fault fault;
    const struct base_option_info option = {
        .name = "option", .type = type, .min = 0, .max = UINT64_MAX, .unit = "one|two"};
    return base_value_parse(&option, text, number, &fault);
}

static void expect_number(enum base_option_type type, const char *text, uint64_t wanted)
{
    uint64_t number;
    assert_true(parse(type, text, &number));
    assert_true(number == wanted);
}

static void units_multiply(void **state)
{
    (void)state;
    expect_number(BASE_TYPE_BYTES, "0", 0);
    expect_number(BASE_TYPE_BYTES, "17", 17);
    expect_number(BASE_TYPE_BYTES, "2K", 2048);
    expect_number(BASE_TYPE_BYTES, "2 m", 2 << 20);
    expect_number(BASE_TYPE_BYTES, "3G", UINT64_C(3) << 30);
    expect_number(BASE_TYPE_BYTES, "4T", UINT64_C(4) << 40);
    expect_number(BASE_TYPE_MILLISECONDS, "5", 5);
    expect_number(BASE_TYPE_MILLISECONDS, "5ms", 5);
    expect_number(BASE_TYPE_MILLISECONDS, "5s", 5000);
    expect_number(BASE_TYPE_MILLISECONDS, "5m", 300000);
    expect_number(BASE_TYPE_MILLISECONDS, "5h", 18000000);
    expect_number(BASE_TYPE_COUNT, "18446744073709551615", UINT64_MAX);
    expect_number(BASE_TYPE_FLAG, "yes", 1);
    expect_number(BASE_TYPE_FLAG, "Off", 0);
}

static void what_is_no_number_of_the_type_is_refused(void **state)
{
    (void)state;
    static const struct {
        enum base_option_type type;
        const char *text;
    } bad[] = {
        {BASE_TYPE_COUNT, ""},
        {BASE_TYPE_COUNT, "-1"},
        {BASE_TYPE_COUNT, "+1"},
        {BASE_TYPE_COUNT, " 1"},
        {BASE_TYPE_COUNT, "1.5"},
        {BASE_TYPE_COUNT, "1e3"},
        {BASE_TYPE_COUNT, "0x10"},
        {BASE_TYPE_COUNT, "1K"},
        {BASE_TYPE_COUNT, "18446744073709551616"},
        {BASE_TYPE_COUNT, "99999999999999999999999999"},
        {BASE_TYPE_BYTES, "K"},
        {BASE_TYPE_BYTES, "1s"},
        {BASE_TYPE_BYTES, "16777216T"},
        {BASE_TYPE_BYTES, "1KB"},
        {BASE_TYPE_MILLISECONDS, "1K"},
        {BASE_TYPE_MILLISECONDS, "s"},
        {BASE_TYPE_FLAG, "maybe"},
        {BASE_TYPE_FLAG, ""},
        {BASE_TYPE_CHOICE, ""},
        {BASE_TYPE_CHOICE, "thr"},
        {BASE_TYPE_CHOICE, "on"},
        {BASE_TYPE_CHOICE, "one|two"},
        {BASE_TYPE_CHOICE, "ONE"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint64_t number;
        assert_false(parse(bad[i].type, bad[i].text, &number));
    }
}

static void choice_takes_each_of_its_words(void **state)
{
    (void)state;
    uint64_t number;
    assert_true(parse(BASE_TYPE_CHOICE, "one", &number));
    assert_true(parse(BASE_TYPE_CHOICE, "two", &number));
}

static void bounds_are_inclusive_and_named_in_the_refusal(void **state)
{
    (void)state;
    const struct base_option_info option = {
        .name = "size", .type = BASE_TYPE_BYTES, .min = 1024, .max = 1 << 20};
    struct proto_fault fault = {0};
    uint64_t number;
    assert_true(base_value_parse(&option, "1K", &number, &fault));
    assert_true(base_value_parse(&option, "1M", &number, &fault));
    assert_false(base_value_parse(&option, "1023", &number, &fault));
    assert_string_equal(fault.message,
                        "size is '1023', but must be 1K to 1M (a whole number, K, M, G or T)");
    assert_false(base_value_parse(&option, "1048577", &number, &fault));
}

static void text_has_bounds_of_length(void **state)
{
    (void)state;
    const struct base_option_info option = {
        .name = "path", .type = BASE_TYPE_PATH, .min = 1, .max = 3};
    struct proto_fault fault = {0};
    uint64_t number;
    assert_true(base_value_parse(&option, "abc", &number, &fault));
    assert_false(base_value_parse(&option, "abcd", &number, &fault));
    assert_false(base_value_parse(&option, "", &number, &fault));
    assert_string_equal(fault.message, "path has 0 bytes, but must have 1 to 3");
}

static void control_character_in_a_text_is_refused(void **state)
{
    (void)state;
    const struct base_option_info option = {
        .name = "admin_token", .type = BASE_TYPE_SECRET, .min = 0, .max = 100};
    struct proto_fault fault = {0};
    uint64_t number;
    assert_false(base_value_parse(&option, "abc\nport = 1", &number, &fault));
    assert_string_equal(fault.message, "admin_token has a control character, byte 4");
    assert_false(base_value_parse(&option, "\x7f", &number, &fault));
    assert_true(base_value_parse(&option, "gr\xc3\xbc\xc3\x9f", &number, &fault));
}

static void printed_number_is_the_shortest_and_reads_back(void **state)
{
    (void)state;
    static const struct {
        enum base_option_type type;
        uint64_t number;
        const char *text;
    } rows[] = {
        {BASE_TYPE_BYTES, 0, "0"},
        {BASE_TYPE_BYTES, 1000, "1000"},
        {BASE_TYPE_BYTES, 64 << 20, "64M"},
        {BASE_TYPE_BYTES, UINT64_C(1) << 40, "1T"},
        {BASE_TYPE_MILLISECONDS, 0, "0"},
        {BASE_TYPE_MILLISECONDS, 1500, "1500ms"},
        {BASE_TYPE_MILLISECONDS, 90000, "90s"},
        {BASE_TYPE_MILLISECONDS, 300000, "5m"},
        {BASE_TYPE_MILLISECONDS, 7200000, "2h"},
        {BASE_TYPE_COUNT, 10000, "10000"},
        {BASE_TYPE_FLAG, 1, "yes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[32];
        base_value_print(rows[i].type, rows[i].number, text, sizeof text);
        assert_string_equal(text, rows[i].text);
        expect_number(rows[i].type, text, rows[i].number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_multiply),
        cmocka_unit_test(what_is_no_number_of_the_type_is_refused),
        cmocka_unit_test(choice_takes_each_of_its_words),
        cmocka_unit_test(bounds_are_inclusive_and_named_in_the_refusal),
        cmocka_unit_test(text_has_bounds_of_length),
        cmocka_unit_test(control_character_in_a_text_is_refused),
        cmocka_unit_test(printed_number_is_the_shortest_and_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
