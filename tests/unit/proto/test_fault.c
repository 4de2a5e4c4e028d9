/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proto/reader.h"

static void fault_set_returns_false_and_fills_all_parts(void **state)
{
    (void)state;
    struct proto_fault fault;
    assert_false(proto_fault_set(&fault, PROTO_NOT_FOUND, "id", "no account %d", 7));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_string_equal(fault.field, "id");
    assert_string_equal(fault.message, "no account 7");
    assert_false(proto_fault_set(&fault, PROTO_IO, NULL, "x"));
    assert_string_equal(fault.field, "");
}

static void fault_set_takes_arguments_out_of_the_same_fault(void **state)
{
    (void)state;
    struct proto_fault fault;
    proto_fault_set(&fault, PROTO_IO, "disk", "full");
    proto_fault_set(&fault, PROTO_DISK_FULL, fault.field, "is %s", fault.message);
    assert_string_equal(fault.field, "disk");
    assert_string_equal(fault.message, "is full");
}

static void fault_within_builds_a_path(void **state)
{
    (void)state;
    struct proto_fault fault;
    proto_fault_set(&fault, PROTO_BAD_FIELD, "employees", "x");
    assert_false(proto_fault_within(&fault, "values"));
    assert_false(proto_fault_within(&fault, "[%d]", 3));
    assert_false(proto_fault_within(&fault, "%s", "accounts"));
    assert_string_equal(fault.field, "accounts[3].values.employees");
    proto_fault_set(&fault, PROTO_BAD_FIELD, "", "x");
    proto_fault_within(&fault, "id");
    assert_string_equal(fault.field, "id");
}

static void fault_cuts_long_texts_between_characters(void **state)
{
    (void)state;
    char text[1200];
    for (size_t i = 0; i + 2 < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xa9", 3);
    }
    struct proto_fault fault;
    for (int shift = 0; shift < 2; shift++) {
        proto_fault_set(&fault, PROTO_IO, text, "%s%s", shift == 1 ? "x" : "", text);
        assert_int_equal(strlen(fault.field), sizeof(fault.field) - 2);
        assert_true(strlen(fault.message) >= sizeof(fault.message) - 2);
        assert_true(proto_utf8_valid(proto_span_text(fault.field)));
        assert_true(proto_utf8_valid(proto_span_text(fault.message)));
        assert_null(strchr(fault.message, '?'));
        proto_fault_within(&fault, "%s", text);
        proto_fault_within(&fault, "x");
        assert_true(proto_utf8_valid(proto_span_text(fault.field)));
    }
}

static void fault_shows_control_characters_and_bad_utf8_as_question_marks(void **state)
{
    (void)state;
    struct proto_fault fault;
    proto_fault_set(&fault, PROTO_IO, "a\x1b[2Jb\n", "c\x7f\xff\xed\xa0\x80 ok");
    assert_string_equal(fault.field, "a?[2Jb?");
    assert_string_equal(fault.message, "c????? ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_set_returns_false_and_fills_all_parts),
        cmocka_unit_test(fault_set_takes_arguments_out_of_the_same_fault),
        cmocka_unit_test(fault_within_builds_a_path),
        cmocka_unit_test(fault_cuts_long_texts_between_characters),
        cmocka_unit_test(fault_shows_control_characters_and_bad_utf8_as_question_marks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
