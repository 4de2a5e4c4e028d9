/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <locale.h>

#include "server/feature/number_text.h"

static bool read_cell(const struct feature_schema *schema, const char *name, const char *text,
                      struct feature_value *value, struct proto_fault *fault)
{
    static uint8_t scratch[4096];
    return feature_value_from_text(schema, fixture_field(schema, name), proto_span_text(text),
                                   scratch, sizeof scratch, value, fault);
}

static const struct {
    const char *text;
    double number;
} numbers[] = {
    {"0", 0},
    {"-0", 0},
    {" 42 ", 42},
    {"+7", 7},
    {"1,234", 1234},
    {"1,234,567.89", 1234567.89},
    {"12,34,567", 1234567},
    {"$1,200", 1200},
    {"$ 5", 5},
    {"-$5", -5},
    {"$-5", -5},
    {"\xE2\x82\xAC"
     "3.5",
     3.5},
    {"\xC2\xA3"
     "10",
     10},
    {"(1,234)", -1234},
    {"($5.25)", -5.25},
    {"12%", 12},
    {"12.5 %", 12.5},
    {"1e3", 1000},
    {".5", 0.5},
    {"5.", 5},
    {"1e-400", 0},
    {"0.1", 0.1},
    {"123456789012345678901234567890", 123456789012345678901234567890.0},
    {"4.9e-324", 4.9e-324},
    {"1.7976931348623157e308", 1.7976931348623157e308},
    {"9007199254740993", 9007199254740993.0},
    {"$77.0M", 77000000},
    {"77.5M", 77500000},
    {"12k", 12000},
    {"2.5 bn", 2.5e9},
    {"3 Mio.", 3e6},
    {"$5m", 5e6},
    {"77,017,831\xE2\x82\xAC", 77017831},
    {"5 EUR", 5},
    {"USD 77,017,831", 77017831},
    {"CHF 1'234.50", 1234.5},
    {"77'017'831", 77017831},
    {"1\xE2\x80\x99"
     "234",
     1234},
    {"77 017 831", 77017831},
    {"77\xC2\xA0"
     "017\xC2\xA0"
     "831",
     77017831},
    {"77\xE2\x80\xAF"
     "017",
     77017},
    {"\xE2\x88\x92"
     "5",
     -5},
    {"\xE2\x88\x92$5", -5},
    {"~1,200", 1200},
    {"66.3 %", 66.3},
    {"5-", -5}, /* programs for accounts */
    {"1,234.50-", -1234.5},
    {"12\xE2\x80\xAF\xE2\x82\xAC", 12},
};

static void numbers_are_read_as_people_write_them(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct feature_value value;
        struct proto_fault fault = {0};
        if (!read_cell(schema, "employees", numbers[i].text, &value, &fault)) {
            fail_msg("%s: %s", numbers[i].text, fault.message);
        }
        assert_true(value.present);
        assert_int_equal(value.type, FEATURE_NUMBER);
        if (value.number != numbers[i].number) {
            fail_msg("%s gives %.17g", numbers[i].text, value.number);
        }
    }
    feature_schema_release(schema);
}

static void an_amount_names_its_currency(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *code;
    } amounts[] = {{"5", NULL},
                   {"USD 5", "USD"},
                   {"$5", "USD"},
                   {"($5)", "USD"},
                   {"-$5", "USD"},
                   {"5 EUR", "EUR"},
                   {"5 kr", "kr"},
                   {"\xC2\xA3"
                    "5",
                    "GBP"},
                   {"5 people", NULL},
                   {"", NULL}};
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        const char *code = feature_currency_of(proto_span_text(amounts[i].text));
        assert_true((code == NULL) == (amounts[i].code == NULL));
        if (code != NULL) {
            assert_string_equal(code, amounts[i].code);
        }
    }
}

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    {"many", "'many' is not a number"},
    {"1,23", "a comma separates thousands"},
    {"1,2345", "a comma separates thousands"},
    {"1234,567", "a comma separates thousands"},
    {",123", "is not a number"},
    {"1.5,000", "a comma"},
    {"1..5", "is not a number"},
    {"1e", "is not a number"},
    {"e5", "is not a number"},
    {"0x10", "is not a number"},
    {"inf", "is not a number"},
    {"nan", "is not a number"},
    {"1e999", "is not a number"},
    {"--5", "is not a number"},
    {"(-5)", "is not a number"},
    {"(5-)", "is not a number"},
    {"-5-", "is not a number"},
    {"-", "is not a number"},
    {"$-$5", "is not a number"},
    {"%", "is not a number"},
    {"$", "is not a number"},
    {"5 people", "is not a number"},
    {"5m", "is not a number"}, /* metres, minutes, millions? */
    {"1 23", "is not a number"},
    {"1'23", "is not a number"},
    {"1,234'567", "is not a number"},
    {"12 345 67", "is not a number"},
    {"$5 EUR", "is not a number"},
    {"1e308M", "is not a number"},
    {"M", "is not a number"},
    {"kM", "is not a number"},
    {"Feb-10", "is not a number"},
    {"2016-10-20", "looks like a date"},
    {"11/23/2011", "looks like a date"},
    {"1.2.2020 10:00", "looks like a date"},
    {"2016-10-20T00:00:00Z", "looks like a date"},
    {"1-2", "is not a number"},
    {"\xFF\xFE", "'\?\?' is not a number"},
};

static void flags_are_read_in_several_languages(void **state)
{
    (void)state;
    static const char *const yes[] = {"yes", "TRUE", "1",   "y",    "t",  "on",        "1.0", "x",
                                      "Ja",  "wahr", "oui", "VRAI", "si", "s\xC3\xAD", "sim"};
    static const char *const no[] = {"no",   "False",  "0",   "n",    "f",     "off", "0.0",
                                     "Nein", "falsch", "non", "FAUX", "falso", "nee"};
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
        assert_true(read_cell(schema, "public", yes[i], &value, &fault));
        assert_true(value.present && value.flag);
    }
    for (size_t i = 0; i < sizeof no / sizeof *no; i++) {
        assert_true(read_cell(schema, "public", no[i], &value, &fault));
        assert_true(value.present && !value.flag);
    }
    feature_schema_release(schema);
}

static void what_is_no_number_is_refused_with_its_text(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct feature_value value;
        struct proto_fault fault = {0};
        if (read_cell(schema, "employees", refused[i].text, &value, &fault)) {
            fail_msg("accepted %s", refused[i].text);
        }
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, "employees");
        if (strstr(fault.message, refused[i].message) == NULL) {
            fail_msg("%s: %s", refused[i].text, fault.message);
        }
    }
    feature_schema_release(schema);
}

static void missing_words_are_missing_in_every_type(void **state)
{
    (void)state;
    static const char *const names[] = {"employees", "Last Activity", "stack", "public",
                                        "embedding"};
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_true(read_cell(schema, names[i], " n/a", &value, &fault));
        assert_false(value.present);
        assert_true(read_cell(schema, names[i], "", &value, &fault));
        assert_false(value.present);
    }
    assert_true(read_cell(schema, "Last Activity", "Select", &value, &fault));
    assert_false(value.present);
    assert_false(read_cell(schema, "public", "Select", &value, &fault));
    assert_string_equal(fault.message,
                        "'Select' is not a flag; write yes or no, true or false, 1 or 0");
    feature_schema_release(schema);
}

static void flags_take_the_usual_words(void **state)
{
    (void)state;
    static const char *const yes[] = {"1", "yes", "Y", "TRUE"};
    static const char *const no[] = {"0", "No", "n", "false"};
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_true(read_cell(schema, "public", yes[i], &value, &fault));
        assert_true(value.present && value.flag);
        assert_true(read_cell(schema, "public", no[i], &value, &fault));
        assert_true(value.present && !value.flag);
    }
    assert_false(read_cell(schema, "public", "2", &value, &fault));
    feature_schema_release(schema);
}

static void categories_are_trimmed_checked_and_bounded(void **state)
{
    (void)state;
    char longest[PROTO_CATEGORY_BYTES_MAX + 2];
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    assert_true(read_cell(schema, "Last Activity", "\xC2\xA0 SMS Sent\t", &value, &fault));
    assert_true(proto_span_is(value.text, "SMS Sent"));
    assert_false(read_cell(schema, "Last Activity", "M\xFCnchen", &value, &fault));
    assert_string_equal(fault.message, "'M?nchen' is not UTF-8 text");
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_false(read_cell(schema, "Last Activity", longest, &value, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    longest[sizeof longest - 2] = '\0';
    assert_true(read_cell(schema, "Last Activity", longest, &value, &fault));
    feature_schema_release(schema);
}

static void tags_split_at_semicolon_and_bar(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    assert_true(read_cell(schema, "stack", "Stripe; CRM |Stripe;;", &value, &fault));
    assert_true(value.present);
    assert_int_equal(feature_tags_count(value.tags), 2);
    assert_true(feature_tags_has(value.tags, proto_span_text("CRM")));
    assert_true(read_cell(schema, "stack", " ; | ", &value, &fault));
    assert_false(value.present);
    feature_schema_release(schema);
}

static void tags_refuse_too_many_and_too_little_room(void **state)
{
    (void)state;
    char many[2 * (PROTO_TAGS_MAX + 1) + 1];
    uint8_t scratch[8];
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    for (size_t i = 0; i < sizeof many - 1; i++) {
        many[i] = i % 2 == 0 ? 'x' : ';';
    }
    many[sizeof many - 1] = '\0';
    assert_false(read_cell(schema, "stack", many, &value, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    assert_false(feature_value_from_text(schema, fixture_field(schema, "stack"),
                                         proto_span_text("abc;def"), scratch, sizeof scratch,
                                         &value, &fault));
    assert_string_equal(fault.field, "stack");
    assert_int_equal(FEATURE_SCRATCH_BYTES(7), 16);
    feature_schema_release(schema);
}

static void vectors_are_read_with_their_length(void **state)
{
    (void)state;
    float numbers3[3];
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    assert_true(read_cell(schema, "embedding", "[1, -2.5;3e1]", &value, &fault));
    assert_int_equal(value.vector.bytes, 12);
    memcpy(numbers3, value.vector.data, 12);
    assert_true(numbers3[0] == 1 && numbers3[1] == -2.5f && numbers3[2] == 30);
    assert_false(read_cell(schema, "embedding", "1 2", &value, &fault));
    assert_string_equal(fault.message, "a vector of 2 numbers; this field has 3");
    assert_false(read_cell(schema, "embedding", "1 x 3", &value, &fault));
    assert_false(read_cell(schema, "embedding", "1 1e39 3", &value, &fault));
    assert_true(strstr(fault.message, "place 2") != NULL);
    assert_false(feature_value_from_text(schema, fixture_field(schema, "embedding"),
                                         proto_span_text("1 2 3"), NULL, 0, &value, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    feature_schema_release(schema);
}

static void a_locale_with_comma_changes_nothing(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct feature_value value;
    struct proto_fault fault = {0};
    /* Where no such locale is installed this repeats the plain case. */
    (void)setlocale(LC_ALL, "de_DE.UTF-8");
    assert_true(read_cell(schema, "employees", "0.30000000000000004", &value, &fault));
    assert_true(value.number == 0.1 + 0.2);
    (void)setlocale(LC_ALL, "C");
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_read_as_people_write_them),
        cmocka_unit_test(an_amount_names_its_currency),
        cmocka_unit_test(what_is_no_number_is_refused_with_its_text),
        cmocka_unit_test(flags_are_read_in_several_languages),
        cmocka_unit_test(missing_words_are_missing_in_every_type),
        cmocka_unit_test(flags_take_the_usual_words),
        cmocka_unit_test(categories_are_trimmed_checked_and_bounded),
        cmocka_unit_test(tags_split_at_semicolon_and_bar),
        cmocka_unit_test(tags_refuse_too_many_and_too_little_room),
        cmocka_unit_test(vectors_are_read_with_their_length),
        cmocka_unit_test(a_locale_with_comma_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
