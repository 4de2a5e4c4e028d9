/* SPDX-License-Identifier: Apache-2.0 */
/* What builds of look-alike vectors were asked for becomes a line, and a line of another shape is
 * refused where it is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/transfer/transfer_similar.h"

static const char schema_text[] =
    "{\"fields\":[{\"name\":\"city\",\"type\":\"category\"},{\"name\":\"n \\\"1\\\"\",\"type\":"
    "\"number\"}]}";

/* The line of a stored head; empty if there is none. */
static bool written(const char *head, char *room, size_t bytes)
{
    struct proto_fault fault;
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    struct transfer_text text = {.file = fmemopen(room, bytes, "w")};
    assert_true(schema != NULL && text.file != NULL);
    memset(room, 0, bytes);
    math_sha256_begin(&text.sha);
    bool good = transfer_similar_write(&text, proto_span_text(head), schema);
    fclose(text.file);
    feature_schema_release(schema);
    return good;
}

static void wishes_are_written_in_one_order(void **state)
{
    char room[512];
    (void)state;
    assert_true(written("{\"plan\":\"x\",\"wish\":{\"weights\":{\"gone\":3,\"n \\\"1\\\"\":0.5,"
                        "\"city\":2.0},\"icp_weights\":false,\"dims\":64,\"metric\":\"l2\","
                        "\"vector_share\":0.7}}",
                        room, sizeof room));
    assert_string_equal(room, "{\"similar\":\"wishes\",\"metric\":\"l2\",\"vector_share\":0.7,"
                              "\"dims\":64,\"icp_weights\":false,\"weights\":{\"n \\\"1\\\"\":0.5,"
                              "\"city\":2}}\n");
    assert_true(written("{\"wish\":{\"weights\":{\"gone\":3}}}", room, sizeof room));
    assert_string_equal(room, "{\"similar\":\"wishes\",\"weights\":{}}\n");
}

static void nothing_asked_for_is_no_line(void **state)
{
    static const char *const heads[] = {"{}", "{\"wish\":{}}", "{\"plan\":\"x\"}"};
    char room[512];
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        assert_true(written(heads[i], room, sizeof room));
        assert_string_equal(room, "");
    }
    assert_false(written("{\"wish\":", room, sizeof room));
}

static void a_line_of_another_shape_is_refused(void **state)
{
    static const struct {
        const char *text, *says; /* NULL: nothing */
    } cases[] = {
        {"{\"similar\":\"wishes\",\"dims\":64,\"weights\":{\"a\":1,\"b\":0.5}}", NULL},
        {"{\"similar\":\"wishes\"}", NULL},
        {"{\"similar\":1}", "line 7, column 2: "},
        {"{\"similar\":\"wishes\",\"dims\":6.5}", "line 7, column 21: \"dims\" is of another type"},
        {"{\"similar\":\"wishes\",\"icp_weights\":1}", "\"icp_weights\" is of another type"},
        {"{\"similar\":\"wishes\",\"metric\":[]}", "\"metric\" is of another type"},
        {"{\"similar\":\"wishes\",\"vector_share\":\"x\"}", "\"vector_share\" is of another type"},
        {"{\"similar\":\"wishes\",\"weights\":[1]}", "\"weights\" is of another type"},
        {"{\"similar\":\"wishes\",\"weights\":{\"a\":\"x\"}}",
         "line 7, column 32: a weight must be a number"},
        {"{\"similar\":\"wishes\",\"lists\":5}", "lists: no member"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct transfer_line line;
        struct proto_fault fault = {.code = PROTO_OK};
        assert_true(transfer_line_load(&line, proto_span_text(cases[i].text), 7, &fault));
        assert_int_equal(transfer_similar_check(&line, &fault), cases[i].says == NULL);
        if (cases[i].says != NULL && strstr(fault.message, cases[i].says) == NULL) {
            fail_msg("%s: %s", cases[i].text, fault.message);
        }
        transfer_line_fini(&line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wishes_are_written_in_one_order),
        cmocka_unit_test(nothing_asked_for_is_no_line),
        cmocka_unit_test(a_line_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
