/* SPDX-License-Identifier: Apache-2.0 */
/* Kept segments in an expression: what they stand for, and what is told where one cannot be. */
#include "tests/unit/filter/filter_fixture.h"

/* A segment is what its conditions are: it matches as they do, prints as they do, and reads back
 * without its name. */
static void segments_stand_for_their_conditions(void **state)
{
    static const struct {
        const char *text, *printed;
        bool match;
    } cases[] = {
        {"segment = 'large'", "employees > 200", true},
        {"Segment = 'large'", "employees > 200", true},
        {"in segment 'large'", "employees > 200", true},
        {"segment != 'large'", "not employees > 200", false},
        {"segment <> 'it''s \"odd\"'", "not (public and employees < 10 or employees is missing)",
         true},
        {"segment in ('large')", "employees > 200", true},
        {"segment in ('large', 'small')", "employees > 200 or employees <= 200", true},
        {"segment not in ('large', 'small')", "not (employees > 200 or employees <= 200)", false},
        {"public and segment = 'small'", "public = true and employees <= 200", false},
        {"segment = 'small' or employees = 250 and segment = 'large'",
         "employees <= 200 or employees = 250 and employees > 200", true},
        {"not segment = 'it''s \"odd\"' and Last Activity = 'Email Opened'",
         "not (public and employees < 10 or employees is missing) and \"Last Activity\" = 'Email "
         "Opened'",
         true},
        {"segment is not missing",
         "employees > 200 or employees <= 200 or (public and employees < 10 or employees is "
         "missing)",
         true},
        {"segment is missing",
         "not (employees > 200 or employees <= 200 or (public and employees < 10 or employees is "
         "missing))",
         false},
    };
    static const struct filter_named items[] = {
        {{(const uint8_t *)"large", sizeof "large" - 1},
         {(const uint8_t *)"employees > 200", sizeof "employees > 200" - 1}},
        {{(const uint8_t *)"small", sizeof "small" - 1},
         {(const uint8_t *)"employees <= 200", sizeof "employees <= 200" - 1}},
        {{(const uint8_t *)"it's \"odd\"", sizeof "it's \"odd\"" - 1},
         {(const uint8_t *)"public and employees < 10 or employees is missing",
          sizeof "public and employees < 10 or employees is missing" - 1}}};
    const struct filter_names names = {items, 3, 0};
    struct feature_schema *schema = fixture_schema();
    (void)state;
    struct feature_value values[6];
    account_fill(values);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct filter *filter = filter_parse_named(schema, FILTER_OF_VALUES, &names,
                                                   proto_span_text(cases[i].text), &fault, NULL);
        if (filter == NULL) {
            fail_msg("%s: %s", cases[i].text, fault.message);
        }
        char *printed = filter_print(filter);
        struct filter *again = parse_or_fail(schema, printed);
        char *twice = filter_print(again);
        assert_string_equal(printed, twice);
        if (strchr(cases[i].printed, '(') == NULL) {
            assert_string_equal(printed, cases[i].printed);
        }
        assert_int_equal(filter_match(filter, values, 6), cases[i].match);
        assert_int_equal(filter_match(again, values, 6), cases[i].match);
        free(printed);
        free(twice);
        filter_destroy(filter);
        filter_destroy(again);
    }
    feature_schema_release(schema);
}

static void segments_that_cannot_be_are_refused_by_place(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"segment = 'larg'", "column 11: there is no segment 'larg'; there are 'large', 'gone'"},
        {"public and segment in ('large', 'x')",
         "column 33: there is no segment 'x'; there are 'large', 'gone'"},
        {"segment = large", "column 11: the name of a segment is wanted here, in single quotes"},
        {"segment > 'large'", "column 9: segment takes =, !=, in, not in, is missing"},
        {"segment is 'large'", "column 12: missing is wanted after is"},
        {"in segment large", "column 12: the name of a segment is wanted here"},
        {"segment in ('large'", "column 20: ) is wanted to close the list"},
        {"segment = 'gone'",
         "column 11: segment 'gone' cannot be read by the schema of today: column 1: "},
        {"segment is missing", "column 12: segment 'gone' cannot be read"},
    };
    static const struct filter_named items[] = {
        {{(const uint8_t *)"large", sizeof "large" - 1},
         {(const uint8_t *)"employees > 200", sizeof "employees > 200" - 1}},
        {{(const uint8_t *)"gone", sizeof "gone" - 1},
         {(const uint8_t *)"no_field_at_all = 1", sizeof "no_field_at_all = 1" - 1}}};
    const struct filter_names names = {items, 2, 0};
    const struct filter_names none = {NULL, 0, 0};
    const struct filter_names unsure = {items, 1, 2};
    struct feature_schema *schema = fixture_schema();
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fault = (struct proto_fault){.code = PROTO_OK};
        assert_null(filter_parse_named(schema, FILTER_OF_VALUES, &names,
                                       proto_span_text(cases[i].text), &fault, NULL));
        assert_int_equal(fault.code, PROTO_BAD_FILTER);
        if (strstr(fault.message, cases[i].message) != fault.message) {
            fail_msg("%s: %s", cases[i].text, fault.message);
        }
    }
    const struct proto_span text = proto_span_text("segment = 'x'");
    assert_null(filter_parse_named(schema, FILTER_OF_VALUES, &none, text, &fault, NULL));
    assert_non_null(strstr(fault.message, "none is kept"));
    assert_null(filter_parse_named(schema, FILTER_OF_VALUES, &unsure, text, &fault, NULL));
    assert_non_null(strstr(fault.message, "2 that are stored cannot be read"));
    assert_null(filter_parse(schema, text, &fault, NULL));
    assert_non_null(strstr(fault.message, "kept segments cannot be named here"));
    assert_null(filter_parse(schema, proto_span_text("in segment 'x'"), &fault, NULL));
    assert_non_null(strstr(fault.message, "column 1: kept segments cannot be named here"));
    feature_schema_release(schema);
}

/* Filters that were written before there were segments keep their meaning. */
static void a_field_called_segment_comes_first(void **state)
{
    static const struct filter_named items[] = {
        {{(const uint8_t *)"a", sizeof "a" - 1},
         {(const uint8_t *)"segment = 'b'", sizeof "segment = 'b'" - 1}}};
    const struct filter_names names = {items, 1, 0};
    struct proto_fault fault = {.code = PROTO_OK};
    const char *json = "{\"fields\":[{\"name\":\"Segment\",\"type\":\"category\"}]}";
    struct feature_schema *schema = feature_schema_parse(proto_span_text(json), 1, NULL, &fault);
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct filter *filter = filter_parse_named(
            schema, FILTER_OF_VALUES, &names,
            proto_span_text(i == 0 ? "segment = 'a'" : "in segment 'a'"), &fault, NULL);
        assert_non_null(filter);
        char *printed = filter_print(filter);
        assert_string_equal(printed, i == 0 ? "Segment = 'a'" : "Segment = 'b'");
        free(printed);
        filter_destroy(filter);
    }
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_stand_for_their_conditions),
        cmocka_unit_test(segments_that_cannot_be_are_refused_by_place),
        cmocka_unit_test(a_field_called_segment_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
