/* SPDX-License-Identifier: Apache-2.0 */
/* A narrowed filter says of each row what filter_match says: over expressions of every kind, common
 * values that decide it, decide it in part or are missing, and numbers at and beside each operand.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/filter/filter_narrow.h"

enum { KIND, COLOUR, AMOUNT, DAY, MONTHS, FIELDS };

static const char schema_text[] =
    "{\"fields\":[{\"name\":\"kind\",\"type\":\"category\"},{\"name\":\"colour\",\"type\":"
    "\"category\"},{\"name\":\"amount\",\"type\":\"number\"},{\"name\":\"day\",\"type\":\"date\"},"
    "{\"name\":\"months\",\"type\":\"number\"}]}";

static const uint16_t varying[] = {DAY, AMOUNT};

static const struct {
    const char *text;
    bool narrows;
} filters[] = {
    {"amount > 5000", true},
    {"amount >= 5000", true},
    {"amount < 5000", true},
    {"amount <= 5000", true},
    {"amount = 5000", true},
    {"amount != 5000", true},
    {"amount in (5000)", true},
    {"amount between 4000 and 5000", true},
    {"not amount between 4000 and 5000", true},
    {"amount is missing", true},
    {"amount is not missing", true},
    {"day = '1970-01-02'", true},
    {"day > '1970-01-02' or amount > 5000", true},
    {"kind = 'won' and amount > 5000", true},
    {"kind = 'won' or amount > 5000", true},
    {"not (kind = 'won' and colour = 'red') and (amount < 10 or months = 12)", true},
    {"kind = 'won' and (amount < 10 or amount > 5000) and day <= '1970-01-02'", true},
    {"kind is missing or amount = 0 or months > 3", true},
    {"true", true},
    {"false or amount > -1.5", true},
    {"amount in (1, 5000)", false},
    {"kind = 'lost' and amount in (1, 5000)", false},
    {"amount = 1 or amount = 2 or amount = 3 or amount = 4 or amount = 5000", false},
};

static void common_fill(struct feature_value values[FIELDS], unsigned way)
{
    values[KIND] = (struct feature_value){.present = way % 3 > 0,
                                          .type = FEATURE_CATEGORY,
                                          .text = proto_span_text(way % 3 == 1 ? "won" : "lost")};
    values[COLOUR] = (struct feature_value){
        .present = way / 3 % 2 > 0, .type = FEATURE_CATEGORY, .text = proto_span_text("red")};
    values[MONTHS] = (struct feature_value){
        .present = way / 6 % 2 > 0, .type = FEATURE_NUMBER, .number = way / 12 % 2 > 0 ? 12 : 1};
    values[AMOUNT] = (struct feature_value){.present = true, .type = FEATURE_NUMBER};
    values[DAY] = (struct feature_value){.present = true, .type = FEATURE_DATE};
}

static void rows_compare(const struct filter *filter, const char *text,
                         struct feature_value values[FIELDS], const struct filter_narrow *narrow)
{
    static const double amounts[] = {-2, -1.5, 0, 1, 9, 10, 3999, 4000, 4999, 5000, 5001, 9e15};
    static const double days[] = {0, 86399999, 86400000, 172799999, 172800000};
    for (size_t a = 0; a < 3 * (sizeof amounts / sizeof *amounts); a++) {
        double amount = amounts[a / 3];
        amount = a % 3 == 0   ? nextafter(amount, -HUGE_VAL)
                 : a % 3 == 1 ? amount
                              : nextafter(amount, HUGE_VAL);
        for (size_t d = 0; d < sizeof days / sizeof *days; d++) {
            const double numbers[] = {days[d], amount};
            values[AMOUNT].number = amount;
            values[DAY].number = days[d];
            if (filter_narrow_match(narrow, numbers) != filter_match(filter, values, FIELDS)) {
                fail_msg("%s: amount %.17g, day %g", text, amount, days[d]);
            }
        }
    }
}

static void a_narrowed_filter_says_what_the_filter_says(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    assert_non_null(schema);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct filter *filter =
            filter_parse(schema, proto_span_text(filters[i].text), &fault, NULL);
        if (filter == NULL) {
            fail_msg("%s: %s", filters[i].text, fault.message);
        }
        for (unsigned way = 0; way < 24; way++) {
            struct feature_value values[FIELDS];
            struct filter_narrow narrow;
            common_fill(values, way);
            bool narrows = filter_narrow_make(filter, values, FIELDS, varying, 2, &narrow);
            if (narrows != filters[i].narrows) {
                fail_msg("%s: it narrows: %d", filters[i].text, narrows);
            }
            if (narrows) {
                rows_compare(filter, filters[i].text, values, &narrow);
            }
        }
        filter_destroy(filter);
    }
    feature_schema_release(schema);
}

static void what_common_values_decide_leaves_no_step(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    struct filter *filter = filter_parse(
        schema, proto_span_text("kind = 'won' and amount > 5000 or colour = 'red'"), &fault, NULL);
    struct feature_value values[FIELDS];
    struct filter_narrow narrow;
    assert_non_null(filter);
    common_fill(values, 1); /* won, without a colour */
    assert_true(filter_narrow_make(filter, values, FIELDS, varying, 2, &narrow));
    assert_int_equal(narrow.first, 0);
    assert_int_equal(narrow.count, 1);
    assert_int_equal(narrow.steps[0].number, 1);
    values[KIND].text = proto_span_text("lost");
    assert_true(filter_narrow_make(filter, values, FIELDS, varying, 2, &narrow));
    assert_int_equal(narrow.first, FILTER_NARROW_FALSE);
    values[COLOUR].present = true;
    assert_true(filter_narrow_make(filter, values, FIELDS, varying, 2, &narrow));
    assert_int_equal(narrow.first, FILTER_NARROW_TRUE);
    filter_destroy(filter);
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_narrowed_filter_says_what_the_filter_says),
        cmocka_unit_test(what_common_values_decide_leaves_no_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
