/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON against the vectors of RFC 8785: the example of 3.2, the order of names of 3.2.3,
 * the numbers of appendix B. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/term/term_json.h"

static void expect_text(const char *given, const char *wanted)
{
    struct proto_fault fault = {0};
    size_t bytes = 0;
    json_t *json =
        json_loads(given, JSON_DECODE_INT_AS_REAL | JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    char *text = term_json_print(json, &bytes, &fault);
    assert_non_null(text);
    assert_string_equal(text, wanted);
    assert_int_equal(bytes, strlen(wanted));
    free(text);
    json_decref(json);
}

static void the_example_of_the_standard_is_as_it_has_it(void **state)
{
    (void)state;
    expect_text("{\n  \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, "
                "0.000000000000000000000000001],\n"
                "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
                "  \"literals\": [null, true, false]\n}",
                "{\"literals\":[null,true,false],"
                "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

static void names_stand_in_the_order_of_utf16(void **state)
{
    (void)state;
    expect_text("{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\","
                "\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\","
                "\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
                "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
                "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
                "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\","
                "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
                "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
    expect_text("{\"ab\":1,\"a\":2,\"\":3}", "{\"\":3,\"a\":2,\"ab\":1}");
}

static void numbers_are_those_of_the_standard(void **state)
{
    static const struct {
        uint64_t bits;
        const char *text;
    } cases[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[TERM_JSON_NUMBER_BYTES];
        double value;
        memcpy(&value, &cases[i].bits, sizeof value);
        assert_int_equal(term_json_number(value, text), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

static void integers_are_exact_as_far_as_doubles_are(void **state)
{
    static const struct {
        json_int_t value;
        const char *text;
    } cases[] = {{0, "0"},
                 {-1, "-1"},
                 {9007199254740992, "9007199254740992"},
                 {9007199254740993, "9007199254740992"},
                 {1799999999999, "1799999999999"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {0};
        size_t bytes = 0;
        json_t *json = json_integer(cases[i].value);
        char *text = term_json_print(json, &bytes, &fault);
        assert_string_equal(text, cases[i].text);
        free(text);
        json_decref(json);
    }
}

static void what_is_too_deep_is_refused(void **state)
{
    struct proto_fault fault = {0};
    size_t bytes = 0;
    (void)state;
    json_t *json = json_array();
    for (int i = 0; i < TERM_JSON_DEPTH_MAX; i++) {
        json = json_pack("[o]", json);
    }
    char *text = term_json_print(json, &bytes, &fault);
    assert_non_null(text);
    free(text);
    json = json_pack("[o]", json);
    assert_null(term_json_print(json, &bytes, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    json_decref(json);
    assert_null(term_json_print(NULL, &bytes, &fault));
    assert_int_equal(fault.code, PROTO_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_standard_is_as_it_has_it),
        cmocka_unit_test(names_stand_in_the_order_of_utf16),
        cmocka_unit_test(numbers_are_those_of_the_standard),
        cmocka_unit_test(integers_are_exact_as_far_as_doubles_are),
        cmocka_unit_test(what_is_too_deep_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
