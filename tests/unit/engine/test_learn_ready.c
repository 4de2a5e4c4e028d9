/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of readiness counted by hand, over rows of which some are of one account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "server/engine/learn_ready.h"

#define DAY INT64_C(86400000)
#define SCHEMA                                                                                     \
    "{\"fields\":[{\"name\":\"title\",\"type\":\"category\"},{\"name\":\"size\",\"type\":"         \
    "\"number\",\"stale_after_days\":10},{\"name\":\"age\",\"type\":\"number\"}],\"name\":"        \
    "\"title\"}"

/* A row of an account with a title, a size of some day, and perhaps an age from another source;
 * sources by their places in the record, or by name as rows of cases have them. */
static void row_add(struct engine_ready *ready, const char *id, const char *title, int64_t size_day,
                    bool age, bool by_name)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span sources[2] = {proto_span_text("crm"), proto_span_text("billing")};
    uint8_t bytes[512];
    struct feature_value values[3] = {
        {.present = title != NULL, .type = FEATURE_CATEGORY, .time_ms = DAY},
        {.present = size_day > 0, .type = FEATURE_NUMBER, .time_ms = size_day * DAY, .number = 1},
        {.present = age, .type = FEATURE_NUMBER, .source = 1, .time_ms = DAY, .number = 2}};
    if (title != NULL) {
        values[0].text = proto_span_text(title);
    }
    struct feature_record record = {.id = proto_span_text(id),
                                    .sources = sources,
                                    .source_count = 2,
                                    .values = values,
                                    .value_slots = 3};
    size_t written = feature_record_encode(&record, bytes, sizeof bytes, &fault);
    assert_true(written > 0);
    assert_true(feature_record_open((struct proto_span){bytes, written}, true, &record, &fault));
    const struct proto_span named[3] = {sources[0], sources[0], sources[1]};
    assert_true(
        engine_ready_row(ready, &record, values, by_name ? named : NULL, 100 * DAY, &fault));
}

static double share(const struct engine_ready *ready, enum measure_ready_figure figure, uint64_t n)
{
    assert_int_equal(ready->ready.n[figure], n);
    return measure_ready_share(&ready->ready, figure);
}

static void shares_count(bool by_name)
{
    static const uint16_t fields[] = {1, 2};
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_schema *schema = feature_schema_parse(proto_span_text(SCHEMA), 1, NULL, &fault);
    struct engine_ready ready;
    assert_non_null(schema);
    engine_ready_init(&ready, schema, fields, 2);
    row_add(&ready, "a", "Acme Ltd.", 95, true, by_name);
    row_add(&ready, "a", "Acme Ltd.", 95, false, by_name); /* the same account again */
    row_add(&ready, "b", "ACME", 90, false, by_name); /* stale to the day, and called as a is */
    row_add(&ready, "c", "Bread Inc", 0, false, by_name);
    row_add(&ready, "d", NULL, 91, true, by_name);
    engine_ready_end(&ready);
    assert_true(share(&ready, MEASURE_READY_COMPLETE, 10) == 0.6); /* 4 sizes, 2 ages */
    assert_true(share(&ready, MEASURE_READY_FRESH, 4) == 0.75);    /* all but b */
    assert_true(share(&ready, MEASURE_READY_UNIQUE, 3) == 1.0 / 3.0);
    assert_true(share(&ready, MEASURE_READY_LINKED, 2) == 1); /* of billing: a and d, both crm's */
    char *text = engine_ready_print(&ready);
    assert_non_null(text);
    assert_non_null(strstr(text, "{\"figure\":\"fresh\",\"share\":0.75,\"n\":4}"));
    free(text);
    engine_ready_fini(&ready);
    feature_schema_release(schema);
}

static void shares_are_those_counted_by_hand(void **state)
{
    (void)state;
    shares_count(false);
    shares_count(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_those_counted_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
