/* SPDX-License-Identifier: Apache-2.0 */
/* What an entry may not hold, each by its member; and that whatever passes is read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/term/term_plan.h"
#include "server/term/term_value.h"

static void refused(const char *body, enum proto_error code, const char *field)
{
    struct proto_fault fault = {0};
    json_t *json = json_loads(body, JSON_ALLOW_NUL, NULL);
    assert_non_null(json);
    assert_false(term_value_check(json, &fault));
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.field, field);
    json_decref(json);
}

static void what_could_not_be_read_again_is_refused_by_its_member(void **state)
{
    (void)state;
    refused("{\"figures\":{\"n\":9007199254740993}}", PROTO_BAD_FIELD, "n");
    refused("{\"figures\":{\"n\":-9223372036854775807}}", PROTO_BAD_FIELD, "n");
    refused("{\"figures\":{\"n\":1e20}}", PROTO_BAD_FIELD, "n");
    refused("{\"figures\":[1,1e300]}", PROTO_BAD_FIELD, "figures");
    refused("{\"note\":\"a\\u0000b\"}", PROTO_BAD_FIELD, "note");
    refused("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":1}}}}}}}}}",
            PROTO_TOO_LARGE, "i");
}

/* The same bodies as figures of a verdict, and what is odd but whole: each is refused, or its line
 * is read by a plan of the same entries. */
static void an_entry_that_is_taken_is_read_again(void **state)
{
    static const char *const figures[] = {
        "{}",
        "{\"n\":9007199254740992,\"m\":-9007199254740992}",
        "{\"n\":1e15,\"m\":5e-324,\"k\":-0.0,\"j\":0.1}",
        "{\"\":1,\"a\\nb\":\"\\u0001\\u007f\\u2028\\ud83d\\ude00\\\\\\\"/\"}",
        "{\"a\":[[[[[1]]]]]}",
        "{\"a\":[[[[[[1]]]]]]}",
        "{\"n\":1e19}",
        "[1]",
        "null",
    };
    size_t taken = 0;
    (void)state;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        char text[512];
        struct proto_fault fault = {0};
        struct term_plan plan;
        struct term_plan again;
        size_t bytes = 0;
        assert_true(term_plan_init(&plan, proto_span_text("a \"b\" \\"), &fault));
        assert_true(term_plan_init(&again, proto_span_text("a \"b\" \\"), &fault));
        snprintf(text, sizeof text,
                 "{\"from\":\"2027-01-01\",\"to\":\"2027-12-31\",\"icp\":{\"version\":1,\"sha256\":"
                 "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"},"
                 "\"layers\":[\"a\"],\"stages\":[\"b\"]}");
        json_t *body = json_loads(text, 0, NULL);
        char *line = term_plan_add(&plan, "create", 5, proto_span_text("\t"), body, &bytes, &fault);
        assert_non_null(line);
        assert_true(term_plan_take(&again, (struct proto_span){(uint8_t *)line, bytes}, &fault));
        assert_true(term_line_of((struct proto_span){(uint8_t *)line, bytes},
                                 proto_span_text("a \"b\" \\")));
        free(line);
        json_decref(body);
        plan.state = again.state = TERM_STATE_COMMITTED;
        snprintf(text, sizeof text, "{\"verdict\":\"supported\",\"because\":\"x\",\"figures\":%s}",
                 figures[i]);
        body = json_loads(text, 0, NULL);
        assert_non_null(body);
        line = term_plan_add(&plan, "verdict", 5, proto_span_text("\x1b[1m"), body, &bytes, &fault);
        if (line != NULL) {
            assert_true(
                term_plan_take(&again, (struct proto_span){(uint8_t *)line, bytes}, &fault));
            assert_true(term_hash_equal(&plan.head, &again.head));
            taken++;
        } else {
            assert_int_not_equal(fault.code, PROTO_OK);
            assert_int_equal(plan.entries, 1);
        }
        free(line);
        json_decref(body);
        term_plan_fini(&plan);
        term_plan_fini(&again);
    }
    assert_int_equal(taken, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_not_be_read_again_is_refused_by_its_member),
        cmocka_unit_test(an_entry_that_is_taken_is_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
