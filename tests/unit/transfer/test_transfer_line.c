/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a line is said by line and column. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/transfer/transfer_line.h"

static bool load(struct transfer_line *line, const char *text, struct proto_fault *fault)
{
    return transfer_line_load(line, proto_span_text(text), 12, fault);
}

static void members_have_columns_in_characters(void **state)
{
    static const char text[] =
        "{\"a\":{\"b\":[{\"c\":1}], \"ü☃\" : {\"c\":2},\"b\":3},\"c\":\"a\\\"c\"}";
    struct transfer_line line = {.text = proto_span_text(text), .number = 1};
    (void)state;
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT("a")), 2);
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT("a", "b")), 7);
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT("a", "ü☃")), 22);
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT("a", "ü☃", "c")), 30);
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT("c")), 44);
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT("nobody")), 1);
    assert_int_equal(transfer_line_column(&line, TRANSFER_AT(NULL)), 1);
}

static void what_is_no_object_is_refused(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {{"", "line 12, column 1: "},      {"[1]", "an object is wanted"},
                 {"{}", "an object is wanted"},    {"{\"a\":1,\"a\":2}", "line 12, column "},
                 {"{\"a\":}", "line 12, column "}, {"{\"a\":1} x", "line 12, column "}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transfer_line line;
        struct proto_fault fault = {.code = PROTO_OK};
        assert_false(load(&line, cases[i].text, &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_non_null(strstr(fault.message, cases[i].says));
        assert_null(line.json);
    }
}

static void members_of_another_type_are_refused(void **state)
{
    struct transfer_line line;
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span text;
    int64_t number;
    (void)state;
    assert_true(load(&line, "{\"first\":\"x\",\"n\":5,\"r\":1.5}", &fault));
    assert_string_equal(line.first, "first");
    assert_true(transfer_line_text(&line, "first", &text, &fault));
    assert_true(proto_span_is(text, "x"));
    assert_true(transfer_line_int(&line, "n", 5, 5, &number, &fault));
    assert_false(transfer_line_int(&line, "n", 6, 9, &number, &fault));
    assert_string_equal(fault.message, "line 12, column 14: \"n\" must be from 6 to 9, and is 5");
    assert_false(transfer_line_int(&line, "n", 1, 4, &number, &fault));
    assert_false(transfer_line_int(&line, "r", 0, 9, &number, &fault));
    assert_non_null(strstr(fault.message, "is a fraction"));
    assert_false(transfer_line_text(&line, "n", &text, &fault));
    assert_false(transfer_line_text(&line, "none", &text, &fault));
    assert_non_null(strstr(fault.message, "is nothing"));
    static const char *const names[] = {"first", "n"};
    assert_false(transfer_line_known(&line, names, 2, &fault));
    assert_non_null(strstr(fault.message, "line 12, column 20: r: no member"));
    transfer_line_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_have_columns_in_characters),
        cmocka_unit_test(what_is_no_object_is_refused),
        cmocka_unit_test(members_of_another_type_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
