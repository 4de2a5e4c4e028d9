/* SPDX-License-Identifier: Apache-2.0 */
/* The line of an account becomes the record that a store keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/transfer/transfer_account.h"

struct fixture {
    struct feature_schema *schema;
    struct transfer_account account;
};

static int setup(void **state)
{
    static struct fixture fixture;
    static const char first[] =
        "{\"fields\":[{\"name\":\"gone\",\"type\":\"number\",\"family\":\"lifecycle\"}]}";
    static const char second[] =
        "{\"fields\":[{\"name\":\"c\",\"type\":\"category\",\"family\":\"firmographic\"},"
        "{\"name\":\"t\",\"type\":\"tags\",\"family\":\"technographic\"},"
        "{\"name\":\"#2\",\"type\":\"flag\",\"family\":\"lifecycle\"},"
        "{\"name\":\"v\",\"type\":\"vector\",\"family\":\"behavioural\",\"dims\":2}]}";
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_schema *before = feature_schema_parse(proto_span_text(first), 1, NULL, &fault);
    assert_non_null(before);
    fixture.schema = feature_schema_parse(proto_span_text(second), 2, before, &fault);
    assert_non_null(fixture.schema);
    feature_schema_release(before);
    assert_true(transfer_account_init(&fixture.account, fixture.schema, &fault));
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    transfer_account_fini(&fixture->account);
    feature_schema_release(fixture->schema);
    return 0;
}

static bool take(struct fixture *fixture, const char *values, struct proto_fault *fault)
{
    char text[1024];
    struct transfer_line line;
    snprintf(text, sizeof text,
             "{\"account\":\"a\",\"created_s\":5,\"changed_s\":6,\"keys\":[\"domain:ACME.com\"],"
             "\"values\":{%s}}",
             values);
    *fault = (struct proto_fault){.code = PROTO_OK};
    assert_true(transfer_line_load(&line, proto_span_text(text), 1, fault));
    bool good = transfer_account_read(&fixture->account, &line, fault);
    transfer_line_fini(&line);
    return good;
}

static void every_type_is_taken(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    struct feature_record record;
    struct feature_value values[8];
    struct proto_span key;
    size_t at = 0;
    assert_true(take(fixture,
                     "\"c\":{\"value\":\"x\",\"source\":\"crm\",\"time_ms\":-7},"
                     "\"t\":{\"value\":[\"b\",\"a\",\"b\"],\"source\":\"x\",\"time_ms\":8},"
                     "\"#3\":{\"value\":true,\"source\":\"crm\",\"time_ms\":9},"
                     "\"v\":{\"value\":[1,-0.5],\"source\":\"x\",\"time_ms\":10},"
                     "\"#0\":{\"value\":2.5,\"source\":\"crm\",\"time_ms\":11}",
                     &fault));
    assert_true(feature_record_open(fixture->account.encoded, true, &record, &fault));
    assert_int_equal(record.created_s, 5);
    assert_int_equal(record.changed_s, 6);
    assert_true(feature_record_key_next(&record, &at, &key));
    assert_true(proto_span_is(key, "domain:acme.com"));
    feature_record_values(&record, values, 8);
    assert_true(values[0].present && values[0].number == 2.5);
    assert_true(proto_span_is(values[1].text, "x") && values[1].time_ms == -7);
    assert_true(proto_span_is(feature_record_source(&record, values[1].source), "crm"));
    assert_int_equal(feature_tags_count(values[2].tags), 2);
    assert_true(proto_span_is(feature_record_source(&record, values[2].source), "x"));
    assert_true(transfer_account_same(&fixture->account, fixture->account.encoded));
    assert_true(values[3].present && values[3].flag);
    assert_int_equal(values[4].vector.bytes, 8);
}

static void what_does_not_fit_is_refused(void **state)
{
    static const struct {
        const char *values, *says;
    } cases[] = {
        {"\"gone\":{\"value\":1,\"time_ms\":1}", "no field of the newest schema"},
        {"\"#9\":{\"value\":1,\"time_ms\":1}", "no field of the newest schema"},
        {"\"#2x\":{\"value\":1,\"time_ms\":1}", "no field of the newest schema"},
        {"\"c\":1", "a value is"},
        {"\"c\":{\"value\":\"\",\"time_ms\":1}", "1 to 1023 bytes"},
        {"\"c\":{\"value\":\"x\",\"time_ms\":\"1\"}", "\"time_ms\" must be a whole number"},
        {"\"c\":{\"value\":\"x\"}", "\"time_ms\" must be a whole number, and is nothing"},
        {"\"c\":{\"value\":\"x\",\"time_ms\":1,\"source\":5}", "a source is a text"},
        {"\"c\":{\"value\":\"x\",\"time_ms\":1,\"source\":\"s\"},\"#0\":{\"value\":1,\"time_ms\":"
         "1}",
         "all or none"},
        {"\"t\":{\"value\":[1],\"time_ms\":1}", "an array of texts"},
        {"\"t\":{\"value\":[\"\"],\"time_ms\":1}", "line 1, column "},
        {"\"v\":{\"value\":[1],\"time_ms\":1}", "2 numbers, and has 1"},
        {"\"v\":{\"value\":[1,1e39],\"time_ms\":1}", "too large for a vector"},
        {"\"v\":{\"value\":[1,\"x\"],\"time_ms\":1}", "an array of numbers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault;
        assert_false(take(*state, cases[i].values, &fault));
        assert_non_null(strstr(fault.message, cases[i].says));
        assert_non_null(strstr(fault.message, "line 1, column "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type_is_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
