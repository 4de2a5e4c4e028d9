/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/filter/filter_fixture.h"

#include <stdio.h>

/* What holds and what does not for that account. */
static const struct {
    const char *text;
    bool match;
} matches[] = {
    {"employees = 250", true},
    {"employees = '250'", true},
    {"employees = '$250'", true},
    {"employees != 250", false},
    {"employees <> 251", true},
    {"employees < 250", false},
    {"employees <= 250", true},
    {"employees > 249.5", true},
    {"employees >= 251", false},
    {"employees between 100 and 250", true},
    {"employees between 251 and 300", false},
    {"employees in (1, 250, 3)", true},
    {"employees in (1, 2, 3)", false},
    {"employees not in (1, 2)", true},
    {"EMPLOYEES IN (250)", true},
    {"employees = 2.5e2", true},
    {"employees = -250", false},
    {"Last Activity = 'Email Opened'", true},
    {"last   activity = 'Email Opened'", true},
    {"\"Last Activity\" = 'Email Opened'", true},
    {"`Last Activity` = 'email opened'", false},
    {"Last Activity in ('SMS', 'Email Opened')", true},
    {"Last Activity < 'F'", true},
    {"Last Activity between 'A' and 'E'", false},
    {"Last Activity != 'It''s'", true},
    {"stack has 'Stripe'", true},
    {"stack has 'stripe'", false},
    {"stack = 'CRM'", true},
    {"stack != 'CRM'", false},
    {"stack in ('X', 'CRM')", true},
    {"stack has any ('X', 'CRM')", true},
    {"stack has all ('X', 'CRM')", false},
    {"stack has all ('Stripe', 'CRM')", true},
    {"stack not in ('X')", true},
    {"Last Activity contains 'email'", true},
    {"Last Activity contains 'Opened'", true},
    {"Last Activity contains 'closed'", false},
    {"Last Activity not contains 'closed'", true},
    {"Last Activity starts with 'email'", true},
    {"Last Activity starts with 'opened'", false},
    {"Last Activity not starts with 'Opened'", true},
    {"Last Activity STARTS WITH 'Email Opened'", true},
    {"Last Activity starts with 'Email Opened and more'", false},
    {"stack contains 'tri'", true},
    {"stack contains 'RMS'", false}, /* no tag has it, though two beside each other would */
    {"stack starts with 's'", true},
    {"stack starts with 'tripe'", false},
    {"stack not contains 'x'", true},
    {"GICS Sub-Industry contains 'x'", false},
    {"GICS Sub-Industry not contains 'x'", true},
    {"true", true},
    {"false", false},
    {"not false and true", true},
    {"false or public", true},
    {"public", true},
    {"not public", false},
    {"public = 1", true},
    {"public = false", false},
    {"public != 'no'", true},
    {"GICS Sub-Industry is missing", true},
    {"GICS Sub-Industry is not missing", false},
    {"GICS Sub-Industry = 'x'", false},
    {"GICS Sub-Industry != 'x'", true},
    {"not GICS Sub-Industry = 'x'", true},
    {"GICS Sub-Industry not in ('x')", true},
    {"embedding is missing", true},
    {"employees = 1 or employees = 2 or public", true},
    {"employees = 250 and public and stack has 'CRM'", true},
    {"employees = 1 and public or public", true},
    {"employees = 1 and (public or public)", false},
    {"not (employees = 1 or not public)", true},
    {"not not public", true},
    {"public and not (public and (public and not public))", true},
};

static void match_follows_the_language(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct feature_value values[6];
    account_fill(values);
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        struct filter *filter = parse_or_fail(schema, matches[i].text);
        if (filter_match(filter, values, 6) != matches[i].match) {
            fail_msg("%s: not %d", matches[i].text, matches[i].match);
        }
        filter_destroy(filter);
    }
    feature_schema_release(schema);
}

/* Each refusal: text, column, and a part of the message. */
static const struct {
    const char *text;
    size_t column;
    const char *message;
} refusals[] = {
    {"", 1, "the filter is empty"},
    {"  ", 1, "the filter is empty"},
    {"employes = 5", 1, "no field \"employes\"; did you mean \"employees\"?"},
    {"public and Last Activty = 'x'", 12,
     "no field \"Last Activty\"; did you mean \"Last Activity\"?"},
    {"\"last\" = 'x'", 1, "no field \"last\""},
    {"revenue > 3", 1, "no field \"revenue\""},
    {"= 5", 1, "a field is wanted here, not ="},
    {"and public", 1, "a field of that name goes in double quotes"},
    {"'Last Activity' = 'x'", 1, "names go in double quotes"},
    {"employees", 10, "an operator is wanted after \"employees\""},
    {"employees 5", 11, "not 5"},
    {"employees =", 12, "a number is wanted for the number field \"employees\", not the end"},
    {"employees == 5", 12, "write = once"},
    {"employees => 5", 12, "the sign is written >="},
    {"employees =< 5", 12, "the sign is written <="},
    {"employees = many", 13, "a number is wanted"},
    {"employees = 'many'", 13, "'many' is not a number"},
    {"employees = '2016-10-20'", 13, "looks like a date"},
    {"employees = true", 13, "a number is wanted"},
    {"employees = 5x", 13, "not 5x"},
    {"employees has 'x'", 11, "is a number field; it takes"},
    {"employees between 5 or 6", 21, "and is wanted"},
    {"employees between 6 and 5", 19, "first value is above its second"},
    {"employees in 5", 14, "( is wanted before a list of values, not 5"},
    {"employees in (5", 16, ", or ) is wanted in a list, not the end"},
    {"employees in (5,)", 17, "a number is wanted"},
    {"employees in ()", 15, "the list is empty"},
    {"employees not 5", 15, "in, contains or starts with is wanted after"},
    {"Last Activity contains ''", 24, "every text has '' in it"},
    {"Last Activity contains", 23, "a text in single quotes is wanted"},
    {"Last Activity starts 'E'", 22, "with is wanted after starts"},
    {"employees contains '5'", 11, "is a number field; it takes"},
    {"public starts with 'y'", 8, "is a flag field"},
    {"Last Activity like 'E%'", 15, "not like (here it is: contains)"},
    {"public && employees > 5", 8, "not & (here it is: and)"},
    {"Last Activity = null", 17, "write \"Last Activity is missing\""},
    {"Last Activity = \xE2\x80\x98Won\xE2\x80\x99", 17, "round, type straight ones"},
    {"true = 1", 6, "and, or, or the end is wanted"},
    {"employees is 5", 14, "missing is wanted after is"},
    {"employees is not 5", 18, "missing is wanted after is not"},
    {"Last Activity = India", 17, "text goes in single quotes: 'India'"},
    {"Last Activity = \"India\"", 17, "text goes in single quotes: 'India'"},
    {"Last Activity = 'Select'", 17, "means missing in \"Last Activity\""},
    {"Last Activity != ''", 18, "means missing"},
    {"Last Activity = 'open", 17, "the quote that opens here is not closed"},
    {"Last Activity = '\xC3\xBC\xC3\xBC' oder public", 22, "and, or, or the end is wanted"},
    {"stack < 'CRM'", 7, "is a tags field; it takes has"},
    {"stack has all 'CRM'", 15, "( is wanted"},
    {"public = 2", 10, "'2' is not a flag"},
    {"public > 0", 8, "is a flag field"},
    {"public in (1)", 8, "is a flag field"},
    {"embedding = 1", 11, "is a vector field; it takes is missing"},
    {"(public", 8, ") is wanted to close the bracket"},
    {"public)", 7, "and, or, or the end"},
    {"employees > 1,000", 14, "without it, like 1000"},
    {"public public", 8, "an operator is wanted after \"public\""},
    {"public and", 11, "a field is wanted here, not the end"},
    {"not", 4, "a field is wanted here, not the end"},
    {"public ; drop", 8, "not ;"},
    {"public and \xFF", 12, "not UTF-8"},
    {"public and \xC3", 12, "not UTF-8"},
    {"\x9D", 1, "not UTF-8"},
    {"\xC3\xBC\x9D", 2, "not UTF-8"},
};

static void parse_points_at_what_is_wrong(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct proto_fault fault = {0};
        char start[32];
        size_t column = 0;
        struct filter *filter =
            filter_parse(schema, proto_span_text(refusals[i].text), &fault, &column);
        if (filter != NULL) {
            fail_msg("accepted: %s", refusals[i].text);
        }
        (void)snprintf(start, sizeof start, "column %zu: ", refusals[i].column);
        if (fault.code != PROTO_BAD_FILTER || strcmp(fault.field, "filter") != 0 ||
            column != refusals[i].column || strncmp(fault.message, start, strlen(start)) != 0 ||
            strstr(fault.message, refusals[i].message) == NULL) {
            fail_msg("%s\n gives %zu, %s", refusals[i].text, column, fault.message);
        }
    }
    feature_schema_release(schema);
}

static bool repeated_is_accepted(const struct feature_schema *schema, const char *first,
                                 const char *again, size_t count, const char *last)
{
    struct proto_fault fault = {0};
    size_t room = strlen(first) + count * strlen(again) + strlen(last) + 1;
    char *text = malloc(room);
    assert_non_null(text);
    char *at = stpcpy(text, first);
    for (size_t i = 0; i < count; i++) {
        at = stpcpy(at, again);
    }
    (void)stpcpy(at, last);
    struct filter *filter = filter_parse(schema, proto_span_text(text), &fault, NULL);
    free(text);
    filter_destroy(filter);
    return filter != NULL;
}

static void parse_bounds_depth_nodes_and_bytes(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    assert_true(repeated_is_accepted(schema, "", "not ", 64, "public"));
    assert_false(repeated_is_accepted(schema, "", "not ", 65, "public"));
    assert_false(repeated_is_accepted(schema, "", "(", 16000, "public"));
    /* 1,023 conditions and the node over them */
    assert_true(repeated_is_accepted(schema, "public", " or public", 1022, ""));
    assert_false(repeated_is_accepted(schema, "public", " or public", 1023, ""));
    assert_true(repeated_is_accepted(schema, "public", " ", PROTO_FILTER_BYTES_MAX - 6, ""));
    assert_false(repeated_is_accepted(schema, "public", " ", PROTO_FILTER_BYTES_MAX - 5, ""));
    assert_true(repeated_is_accepted(schema, "employees in (1", ",1", 8000, ")"));
    feature_schema_release(schema);
}

static void parse_refuses_a_zero_byte(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct proto_fault fault = {0};
    size_t column = 0;
    assert_null(filter_parse(schema, (struct proto_span){(const uint8_t *)"stack has 'a\0b'", 15},
                             &fault, &column));
    assert_int_equal(column, 13);
    feature_schema_release(schema);
}

static void fields_are_listed_once_in_order(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct filter *filter =
        parse_or_fail(schema, "public or employees = 3 or not public and stack has 'x'");
    size_t count = 0;
    const uint16_t *ids = filter_fields(filter, &count);
    assert_int_equal(count, 3);
    assert_int_equal(ids[0], 0);
    assert_int_equal(ids[1], 2);
    assert_int_equal(ids[2], 3);
    filter_destroy(filter);
    filter_destroy(NULL);
    feature_schema_release(schema);
}

static void values_beyond_the_slots_and_of_other_types_are_missing(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct feature_value values[6];
    account_fill(values);
    struct filter *filter = parse_or_fail(schema, "public is missing");
    assert_false(filter_match(filter, values, 6));
    assert_true(filter_match(filter, values, 3));
    assert_true(filter_match(filter, NULL, 0));
    values[3].type = FEATURE_NUMBER;
    assert_true(filter_match(filter, values, 6));
    filter_destroy(filter);
    feature_schema_release(schema);
}

static void names_that_begin_like_keywords_or_each_other_are_told_apart(void **state)
{
    (void)state;
    static const char json[] =
        "{\"fields\":[{\"name\":\"interested\",\"type\":\"flag\"},"
        "{\"name\":\"Not interested\",\"type\":\"flag\"},{\"name\":\"in\",\"type\":\"flag\"},"
        "{\"name\":\"Last\",\"type\":\"number\"},{\"name\":\"Last Activity\",\"type\":\"number\"},"
        "{\"name\":\"What \\\"else\\\"?\",\"type\":\"number\"},"
        "{\"name\":\"3rd party\",\"type\":\"flag\"}]}";
    static const struct {
        const char *text;
        uint16_t id;
    } cases[] = {
        {"interested", 0},
        {"not interested", 0},
        {"Not interested", 1},
        {"\"not interested\"", 1},
        {"\"in\"", 2},
        {"Last = 1", 3},
        {"last activity = 1", 4},
        {"Last\tActivity is missing", 4},
        {"What \"else\"? = 1", 5},
        {"\"What \"\"else\"\"?\" = 1", 5},
        {"3rd party", 6},
        {"not 3rd party", 6},
    };
    struct proto_fault fault = {0};
    struct feature_schema *schema = fixture_parse(json, NULL, &fault);
    assert_non_null(schema);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter *filter = parse_or_fail(schema, cases[i].text);
        size_t count = 0;
        const uint16_t *ids = filter_fields(filter, &count);
        if (count != 1 || ids[0] != cases[i].id) {
            fail_msg("%s reads field %u", cases[i].text, (unsigned)ids[0]);
        }
        filter_destroy(filter);
    }
    assert_null(filter_parse(schema, proto_span_text("in = 1"), &fault, NULL));
    feature_schema_release(schema);
}

static void print_is_canonical(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *printed;
    } cases[] = {
        {"EMPLOYEES=5", "employees = 5"},
        {"last activity <> 'It''s'", "\"Last Activity\" != 'It''s'"},
        {"employees In (3,1,'2',1)", "employees in (1, 2, 3)"},
        {"employees in (7)", "employees = 7"},
        {"not (public)", "not public = true"},
        {"not(public or employees is not missing)",
         "not (public = true or employees is not missing)"},
        {"((public)) and (public and employees<=1.50)",
         "public = true and public = true and employees <= 1.5"},
        {"public and (public or employees=1)",
         "public = true and (public = true or employees = 1)"},
        {"public or (public and not not public)",
         "public = true or public = true and not not public = true"},
        {"stack = 'a' or stack has any ('b', 'a') or stack != 'c'",
         "stack has 'a' or stack has any ('a', 'b') or stack != 'c'"},
        {"stack not in ('b','a') and stack has all ('x','a')",
         "stack not in ('a', 'b') and stack has all ('a', 'x')"},
        {"employees between 1 and 2e3", "employees between 1 and 2000"},
        {"Last Activity > 5 ", "\"Last Activity\" > '5'"},
        {"embedding is missing", "embedding is missing"},
        {"stack CONTAINS 'It''s' or True", "stack contains 'It''s' or true"},
        {"not false and Last Activity not starts with '1'",
         "not false and \"Last Activity\" not starts with '1'"},
        {"Last Activity not contains 5 or false", "\"Last Activity\" not contains '5' or false"},
    };
    struct feature_schema *schema = fixture_schema();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct filter *filter = parse_or_fail(schema, cases[i].text);
        char *printed = filter_print(filter);
        assert_string_equal(printed, cases[i].printed);
        struct filter *again = parse_or_fail(schema, printed);
        char *twice = filter_print(again);
        assert_string_equal(twice, printed);
        free(printed);
        free(twice);
        filter_destroy(filter);
        filter_destroy(again);
    }
    feature_schema_release(schema);
}

/* A random expression over three flags, written and worked out at once: the oracle of the program.
 */
struct grown {
    char text[4096];
    size_t bytes;
    uint64_t seed;
};

static void grow_text(struct grown *grown, const char *text)
{
    size_t bytes = strlen(text);
    assert_true(grown->bytes + bytes < sizeof grown->text);
    memcpy(grown->text + grown->bytes, text, bytes + 1);
    grown->bytes += bytes;
}

/* Returns the answer for each of the eight settings of the flags as a bit. */
static unsigned grow(struct grown *grown, unsigned depth)
{
    static const unsigned truth[] = {0xAA, 0xCC, 0xF0};
    static const char *const names[] = {"a", "b", "c"};
    uint64_t dice = fixture_random(&grown->seed) % (depth == 0 ? 2 : 6);
    unsigned flag = (unsigned)(fixture_random(&grown->seed) % 3);
    if (dice < 2) {
        grow_text(grown, names[flag]);
        grow_text(grown, dice == 0 ? "" : " != 1");
        return dice == 0 ? truth[flag] : ~truth[flag] & 0xFF;
    }
    if (dice == 2) {
        grow_text(grown, "not (");
        unsigned answer = grow(grown, depth - 1);
        grow_text(grown, ")");
        return ~answer & 0xFF;
    }
    grow_text(grown, "(");
    unsigned answer = grow(grown, depth - 1);
    for (uint64_t more = fixture_random(&grown->seed) % 3; more-- > 0;) {
        grow_text(grown, dice == 3 ? " or " : " and ");
        unsigned other = grow(grown, depth - 1);
        answer = dice == 3 ? answer | other : answer & other;
    }
    grow_text(grown, ")");
    return answer;
}

static unsigned answers(const struct filter *filter)
{
    unsigned bits = 0;
    for (unsigned setting = 0; setting < 8; setting++) {
        struct feature_value values[3];
        for (unsigned i = 0; i < 3; i++) {
            values[i] = (struct feature_value){
                .present = true, .type = FEATURE_FLAG, .flag = (setting >> i & 1) != 0};
        }
        bits |= (unsigned)filter_match(filter, values, 3) << setting;
    }
    return bits;
}

static void programs_answer_as_the_expression_does(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema = fixture_parse(
        "{\"fields\":[{\"name\":\"a\",\"type\":\"flag\"},{\"name\":\"b\",\"type\":\"flag\"},"
        "{\"name\":\"c\",\"type\":\"flag\"}]}",
        NULL, &fault);
    assert_non_null(schema);
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct grown grown = {.seed = seed};
        unsigned wanted = grow(&grown, 1 + (unsigned)(seed % 4));
        struct filter *filter = parse_or_fail(schema, grown.text);
        if (answers(filter) != wanted) {
            fail_msg("seed %llu: %s", (unsigned long long)seed, grown.text);
        }
        char *printed = filter_print(filter);
        struct filter *again = parse_or_fail(schema, printed);
        if (answers(again) != wanted) {
            fail_msg("seed %llu printed: %s", (unsigned long long)seed, printed);
        }
        free(printed);
        filter_destroy(filter);
        filter_destroy(again);
    }
    feature_schema_release(schema);
}

/* signed = 2023-01-08T10:00Z. A day as a value is the whole of it. */
static const struct {
    const char *text;
    bool match;
    const char *printed; /* NULL: as the text */
} dated[] = {
    {"signed = '2023-01-08'", true, NULL},
    {"signed != '2023-01-08'", false, NULL},
    {"signed = '2023-01-08T10:00:00Z'", true, NULL},
    {"signed = '2023-01-08T00:00:00Z'", false, NULL},
    {"signed = '8 Jan 2023'", true, "signed = '2023-01-08'"},
    {"signed = '2023-01-08 12:00 +02:00'", true, "signed = '2023-01-08T10:00:00Z'"},
    {"signed > '2023-01-08'", false, NULL},
    {"signed > '2023-01-08T00:00:00Z'", true, NULL},
    {"signed >= '2023-01-08'", true, NULL},
    {"signed < '2023-01-08'", false, NULL},
    {"signed <= '2023-01-08'", true, NULL},
    {"signed <= '2023-01-08T00:00:00Z'", false, NULL},
    {"signed <= '2023-01-08T09:59:59Z'", false, NULL},
    {"signed between '2022-12-01' and '2023-01-08'", true, NULL},
    {"signed between '2023-01-08' and '2023-01-08'", true, "signed = '2023-01-08'"},
    {"signed between '2022-12-01T10:00:00Z' and '2023-01-08T00:00:00Z'", false, NULL},
    {"signed between '2023-01-09' and '2023-01-10'", false, NULL},
    {"signed is missing", false, NULL},
    {"ended is missing", true, NULL},
    {"ended > '2000-01-01'", false, NULL},
};

static const struct {
    const char *text;
    const char *message;
} misdated[] = {
    {"signed > 2023", "a date in single quotes, such as '2023-01-31', is wanted"},
    {"signed > 'soon'", "'soon' is not a date"},
    {"signed > '01/02/2023'", "is not a date; write it like 2023-01-31"},
    {"signed in ('2023-01-08')", "is a date field; it takes"},
    {"signed contains '2023'", "is a date field; it takes"},
    {"signed between '2023-01-09' and '2023-01-08'", "above its second"},
};

static void dates_compare_by_day_and_by_moment(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema =
        fixture_parse("{\"fields\":[{\"name\":\"signed\",\"type\":\"date\"},"
                      "{\"name\":\"ended\",\"type\":\"date\"}]}",
                      NULL, &fault);
    struct feature_value values[2] = {
        {.present = true, .type = FEATURE_DATE, .number = 1673172000000.0}};
    for (size_t i = 0; i < sizeof dated / sizeof *dated; i++) {
        struct filter *filter = parse_or_fail(schema, dated[i].text);
        if (filter_match(filter, values, 2) != dated[i].match) {
            fail_msg("%s", dated[i].text);
        }
        char *printed = filter_print(filter);
        assert_string_equal(printed, dated[i].printed != NULL ? dated[i].printed : dated[i].text);
        struct filter *again = parse_or_fail(schema, printed);
        char *twice = filter_print(again);
        assert_string_equal(twice, printed);
        assert_int_equal(filter_match(again, values, 2), dated[i].match);
        free(printed);
        free(twice);
        filter_destroy(filter);
        filter_destroy(again);
    }
    for (size_t i = 0; i < sizeof misdated / sizeof *misdated; i++) {
        assert_null(filter_parse(schema, proto_span_text(misdated[i].text), &fault, NULL));
        if (strstr(fault.message, misdated[i].message) == NULL) {
            fail_msg("%s: %s", misdated[i].text, fault.message);
        }
    }
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_follows_the_language),
        cmocka_unit_test(dates_compare_by_day_and_by_moment),
        cmocka_unit_test(parse_points_at_what_is_wrong),
        cmocka_unit_test(parse_bounds_depth_nodes_and_bytes),
        cmocka_unit_test(parse_refuses_a_zero_byte),
        cmocka_unit_test(fields_are_listed_once_in_order),
        cmocka_unit_test(values_beyond_the_slots_and_of_other_types_are_missing),
        cmocka_unit_test(names_that_begin_like_keywords_or_each_other_are_told_apart),
        cmocka_unit_test(print_is_canonical),
        cmocka_unit_test(programs_answer_as_the_expression_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
