/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "tools/cli/csv/infer.h"

/* Infers a column from `rows` cells made by a function of the row. */
struct fixture {
    struct infer infer;
    char cells[400][64];
};

typedef void (*cell_maker)(size_t row, char cell[64]);

static struct infer_column *infer_one(struct fixture *fixture, const char *name, size_t rows,
                                      cell_maker make)
{
    const char *names[] = {"first", name};
    assert_true(infer_init(&fixture->infer, names, 2));
    for (size_t row = 0; row < rows; row++) {
        make(row, fixture->cells[row]);
        struct proto_span cells[2] = {proto_span_text("x"), proto_span_text(fixture->cells[row])};
        infer_row(&fixture->infer, row + 2, cells, 2);
    }
    infer_decide(&fixture->infer);
    return &fixture->infer.columns[1];
}

static void expect_field(const char *name, cell_maker make, enum feature_type type)
{
    struct fixture fixture;
    struct infer_column *column = infer_one(&fixture, name, 400, make);
    assert_int_equal(column->role, INFER_FIELD);
    assert_int_equal(column->type, type);
    infer_fini(&fixture.infer);
}

static void expect_role(const char *name, cell_maker make, enum infer_role role, const char *why)
{
    struct fixture fixture;
    struct infer_column *column = infer_one(&fixture, name, 400, make);
    assert_int_equal(column->role, role);
    if (strstr(column->why, why) == NULL) {
        fail_msg("'%s' does not say '%s'", column->why, why);
    }
    infer_fini(&fixture.infer);
}

#define MAKER(name, ...)                                                                           \
    static void name(size_t row, char cell[64])                                                    \
    {                                                                                              \
        snprintf(cell, 64, __VA_ARGS__);                                                           \
    }
MAKER(make_number, "%zu.5", row * 37 % 101)
MAKER(make_money, "$%zu,%03zu", 1 + row % 9, row % 1000)
MAKER(make_yes_no, "%s", row % 3 == 0 ? "Yes" : row % 3 == 1 ? "no" : "")
MAKER(make_zero_one, "%zu", row % 2)
MAKER(make_category, "%s", row % 4 == 0 ? "Software" : row % 4 == 1 ? "Retail" : "Select")
MAKER(make_tags, "%s", row % 3 == 0 ? "a;b" : row % 3 == 1 ? "b | c" : "a")
MAKER(make_dates, "2024-%02zu-%02zu", 1 + row % 12, 1 + row % 28)
MAKER(make_free_text, "remark number %zu of many", row)
MAKER(make_lead_numbers, "%zu", 660000 + row)
MAKER(make_zip, "0%zu", 1000 + row % 50)
MAKER(make_constant, "%s", row < 400 ? "No" : "never")
MAKER(make_nothing, "%s", row % 2 == 0 ? "" : "N/A")
MAKER(make_words_and_numbers, row % 10 == 0 ? "private" : "%zu", row % 90)
MAKER(make_slips, row % 50 == 7 ? "19%zu (1880)" : "19%zu", 10 + row % 90)
MAKER(make_skewed, "%zu", row < 300 ? 10 + row : row * row * 40)
MAKER(make_websites, "https://www.company%zu.com/", row)
MAKER(make_emails, "person%zu@company.com", row)
MAKER(make_ids, "id-%zu", row)

MAKER(make_euro_amounts, "%zu.%03zu,%02zu", 1 + row % 99, row * 7 % 1000, row % 100)
MAKER(make_either, "%zu.%03zu", 100 + row % 99, 1 + row * 7 % 999)
MAKER(make_zip_plus, row % 9 == 0 ? "%zu-1234" : "%zu", 10000 + row % 40)
MAKER(make_telephones, "+1530772%04zu", row)
MAKER(make_german_flags, "%s", row % 2 ? "Ja" : "Nein")
MAKER(make_millions, "$%zu.5M", 1 + row % 60)
MAKER(make_ranges, "%s", row % 4 == 0 ? "Feb-10" : row % 4 == 1 ? "11-50" : "51-200")
MAKER(make_errors, row % 9 == 0 ? "#DIV/0!" : "%zu", row)
MAKER(make_month_dates, "%s %02zu, 2023", row % 2 ? "Jan" : "March", 1 + row % 28)
MAKER(make_short_dates, "%02zu-%s-23", 1 + row % 28, row % 2 ? "Okt" : "Feb")
MAKER(make_mail_dates, "Sun, %02zu Jan 2023 00:27:00 +0200", 1 + row % 28)
MAKER(make_stamps, "2023%02zu%02zu", 1 + row % 12, 1 + row % 28)
MAKER(make_open_dates, "%02zu/%02zu/2023", 1 + row % 12, 1 + row * 2 % 12)
MAKER(make_day_dates, "%02zu/%02zu/2023", 1 + row % 28, 2 + row % 3)
MAKER(make_cut_ids, "1.%05zuE+12", 10000 + row % 7)
MAKER(make_quarters, "Q%zu 202%zu", 1 + row % 4, row % 5)
MAKER(make_may, "%s", row % 3 == 0 ? "May be" : row % 3 == 1 ? "March 2 go" : "Dec")

static const char *const countries[] = {"NA", "ZA", "DE", "FR", "SE", "NO", "US"};
MAKER(make_countries, "%s", countries[row % 7])
MAKER(make_grades, "%s", row % 3 == 0 ? "NA" : row % 3 == 1 ? "good" : "poor")

static void forms_of_numbers_and_codes_are_told_apart(void **state)
{
    (void)state;
    expect_role("umsatz", make_euro_amounts, INFER_FIELD, "decimal comma");
    expect_role("either", make_either, INFER_FIELD, "could be a number with a decimal comma");
    expect_role("zip", make_zip_plus, INFER_FIELD, "codes, not quantities");
    expect_role("postal", make_lead_numbers, INFER_LEFT_OUT, "codes");
    expect_role("telephone", make_telephones, INFER_LEFT_OUT, "telephone numbers");
    expect_role("answer", make_german_flags, INFER_FIELD, "is ");
    expect_role("amount", make_millions, INFER_FIELD, "is read as");
    expect_role("crm_id", make_cut_ids, INFER_FIELD,
                "ids that a spreadsheet cut short, first line 2");
    expect_role("revenue", make_cut_ids, INFER_FIELD, ""); /* the control: a quantity */
    expect_role("staff", make_ranges, INFER_FIELD, "'Feb-10' on line 2 is a range");
    expect_field("umsatz", make_euro_amounts, FEATURE_NUMBER);
    expect_field("zip", make_zip_plus, FEATURE_CATEGORY);
    expect_field("answer", make_german_flags, FEATURE_FLAG);
    expect_field("amount", make_millions, FEATURE_NUMBER);
    expect_field("growth", make_errors, FEATURE_NUMBER);
}

static void dates_are_known_in_many_forms(void **state)
{
    (void)state;
    expect_role("a", make_month_dates, INFER_FIELD, "'March 01, 2023' is read as 2023-03-01");
    expect_role("b", make_short_dates, INFER_FIELD, "'01-Feb-23' is read as 2023-02-01");
    expect_role("c", make_mail_dates, INFER_FIELD, "is read as 2022-12-31T22:27:00Z");
    expect_role("d", make_stamps, INFER_FIELD, "'20230101' is read as 2023-01-01");
    expect_role("e", make_quarters, INFER_FIELD, "'Q1 2020' is read as 2020-01-01");
    expect_role("g", make_open_dates, INFER_LEFT_OUT, "first line 3: '02/03/2023'; --dates");
    expect_role("h", make_day_dates, INFER_FIELD, "'01/02/2023' is read as 2023-02-01");
    expect_field("a", make_month_dates, FEATURE_DATE);
    expect_field("h", make_day_dates, FEATURE_DATE);
    expect_field("f", make_may, FEATURE_CATEGORY); /* the control */
}

static void the_rest_of_the_file_decides_what_a_column_leaves_open(void **state)
{
    (void)state;
    for (int form = 0; form < 3; form++) {
        const char *names[] = {"open", "clear"};
        struct infer infer;
        char cells[2][64];
        assert_true(infer_init(&infer, names, 2));
        infer.separator = form == 2 ? ';' : ',';
        for (size_t row = 0; row < 50; row++) {
            make_either(row, cells[0]);
            snprintf(cells[1], 64, form == 0 ? "%zu,5" : form == 1 ? "%zu.5" : "%zu", row);
            infer_row(&infer, row + 2,
                      (struct proto_span[]){proto_span_text(cells[0]), proto_span_text(cells[1])},
                      2);
        }
        infer_decide(&infer);
        assert_int_equal(infer.columns[0].decimal,
                         form == 1 ? CSV_DECIMAL_POINT : CSV_DECIMAL_COMMA);
        infer_fini(&infer);
    }
}

static void na_is_a_code_among_codes_and_missing_elsewhere(void **state)
{
    (void)state;
    const char *names[] = {"country", "grade"};
    struct infer infer;
    char cells[2][64];
    assert_true(infer_init(&infer, names, 2));
    for (size_t row = 0; row < 210; row++) {
        make_countries(row, cells[0]);
        make_grades(row, cells[1]);
        infer_row(&infer, row + 2,
                  (struct proto_span[]){proto_span_text(cells[0]), proto_span_text(cells[1])}, 2);
    }
    infer_decide(&infer);
    assert_int_equal(infer.columns[0].missing, 0);
    assert_int_equal(infer.columns[1].missing, 70);
    json_t *json = infer_schema(&infer);
    char *text = json_dumps(json, 0);
    struct proto_fault fault = {.code = PROTO_OK};
    struct feature_schema *schema = feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
    assert_non_null(schema);
    assert_false(feature_is_missing_word(schema, &schema->fields[0], proto_span_text("NA")));
    assert_true(feature_is_missing_word(schema, &schema->fields[1], proto_span_text("NA")));
    feature_schema_release(schema);
    free(text);
    json_decref(json);
    infer_fini(&infer);
}

static void types_follow_from_the_cells(void **state)
{
    (void)state;
    expect_field("size", make_number, FEATURE_NUMBER);
    expect_field("revenue", make_money, FEATURE_NUMBER);
    expect_field("wants", make_yes_no, FEATURE_FLAG);
    expect_field("Converted", make_zero_one, FEATURE_FLAG);
    expect_field("industry", make_category, FEATURE_CATEGORY);
    expect_field("tools", make_tags, FEATURE_TAGS);
    expect_field("zip", make_zip, FEATURE_CATEGORY);
}

static void what_teaches_nothing_is_left_out_with_the_reason(void **state)
{
    (void)state;
    expect_field("day", make_dates, FEATURE_DATE);
    expect_role("remark", make_free_text, INFER_LEFT_OUT, "free text");
    expect_role("Lead Number", make_lead_numbers, INFER_ID, "value of its own");
    expect_role("Magazine", make_constant, INFER_LEFT_OUT, "constant");
    expect_role("empty", make_nothing, INFER_LEFT_OUT, "missing");
    expect_role("mail", make_emails, INFER_LEFT_OUT, "email");
    expect_role("site", make_websites, INFER_KEY, "websites");
}

static void only_one_column_becomes_the_id(void **state)
{
    (void)state;
    const char *names[] = {"Lead Number", "Prospect ID", "amount"};
    struct infer infer;
    char cells[3][64];
    assert_true(infer_init(&infer, names, 3));
    for (size_t row = 0; row < 100; row++) {
        make_lead_numbers(row, cells[0]);
        make_ids(row, cells[1]);
        snprintf(cells[2], 64, "%zu", row * 17);
        struct proto_span spans[3] = {proto_span_text(cells[0]), proto_span_text(cells[1]),
                                      proto_span_text(cells[2])};
        infer_row(&infer, row + 2, spans, 3);
    }
    assert_true(infer_tell(&infer, "Prospect ID", INFER_ID, ""));
    assert_false(infer_tell(&infer, "nothing", INFER_ID, ""));
    infer_decide(&infer);
    assert_int_equal(infer.columns[0].role, INFER_LEFT_OUT);
    assert_int_equal(infer.columns[1].role, INFER_ID);
    assert_int_equal(infer.columns[2].role, INFER_FIELD);
    assert_int_equal(infer.columns[2].type, FEATURE_NUMBER);
    infer_fini(&infer);
}

static void words_among_numbers_mean_missing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct infer_column *column = infer_one(&fixture, "funding", 400, make_words_and_numbers);
    assert_int_equal(column->type, FEATURE_NUMBER);
    assert_int_equal(column->word_count, 1);
    assert_true(proto_span_is(column->words[0], "private"));
    infer_fini(&fixture.infer);
}

static void slips_among_numbers_are_told_with_their_line(void **state)
{
    (void)state;
    struct fixture fixture;
    struct infer_column *column = infer_one(&fixture, "Founded", 400, make_slips);
    assert_int_equal(column->type, FEATURE_NUMBER);
    assert_int_equal(column->word_count, 0);
    assert_non_null(strstr(column->why, "first line 9"));
    infer_fini(&fixture.infer);
}

MAKER(make_currencies, "%s %zu", row == 7 ? "EUR" : "$", row)
MAKER(make_dollars, "%s%zu", row % 2 == 0 ? "USD " : "$", row)

static void amounts_in_two_currencies_are_told(void **state)
{
    (void)state;
    struct fixture fixture;
    struct infer_column *column = infer_one(&fixture, "revenue", 400, make_currencies);
    assert_int_equal(column->type, FEATURE_NUMBER);
    assert_non_null(strstr(column->why, "amounts in USD and, line 9, in EUR"));
    infer_fini(&fixture.infer);
    column = infer_one(&fixture, "revenue", 400, make_dollars); /* the control: one, in two ways */
    assert_null(strstr(column->why, "amounts in"));
    infer_fini(&fixture.infer);
}

MAKER(make_percents, "%zu%s", 2 + row % 50, row < 9 ? "" : "%")
MAKER(make_all_percents, "%zu%%", 2 + row % 50)

static void percent_signs_in_some_cells_alone_are_told(void **state)
{
    (void)state;
    static const char says[] = "'11%' is read as 11, and '2' on line 2 as 2";
    struct fixture fixture;
    struct infer_column *column = infer_one(&fixture, "rate", 400, make_percents);
    assert_int_equal(column->type, FEATURE_NUMBER);
    assert_non_null(strstr(column->why, says));
    infer_fini(&fixture.infer);
    column = infer_one(&fixture, "rate", 400, make_all_percents);
    assert_null(strstr(column->why, "some cells"));
    infer_fini(&fixture.infer);
}

MAKER(make_some_dates, "%s",
      row % 4 == 2   ? "2021-13-07"
      : row % 2 == 0 ? "2021-03-07"
                     : "2021-04-30")
MAKER(make_repeated_ids, "a%zu", row == 5 ? 3 : row)
MAKER(make_ids_and_a_total, "%s%.0zu", row == 399 ? "" : "a", row == 399 ? (size_t)0 : row + 1)

static void what_keeps_a_column_from_being_dates_or_the_id_is_told(void **state)
{
    (void)state;
    expect_role("closed", make_some_dates, INFER_FIELD,
                "100 of 400 cells are no dates, first line 4: '2021-13-07'");
    expect_role("id", make_ids_and_a_total, INFER_LEFT_OUT,
                "no id: missing in 1 of 400 rows, first line 401");
    expect_role("account_id", make_repeated_ids, INFER_LEFT_OUT,
                "no id: 'a3' stands 2 times, first line 5");
}

static void skewed_numbers_get_a_log_scale(void **state)
{
    (void)state;
    struct fixture fixture;
    assert_int_equal(infer_one(&fixture, "employees", 400, make_skewed)->transform,
                     FEATURE_TRANSFORM_LOG);
    infer_fini(&fixture.infer);
    assert_int_equal(infer_one(&fixture, "score", 400, make_number)->transform,
                     FEATURE_TRANSFORM_NONE);
    infer_fini(&fixture.infer);
}

static void a_label_is_kept_whatever_it_holds(void **state)
{
    (void)state;
    const char *names[] = {"outcome"};
    struct infer infer;
    assert_true(infer_init(&infer, names, 1));
    assert_true(infer_tell_label(&infer, "outcome"));
    assert_false(infer_tell_label(&infer, "nothing"));
    for (size_t row = 0; row < 50; row++) {
        struct proto_span cell = proto_span_text("Won");
        infer_row(&infer, row + 2, &cell, 1);
    }
    infer_decide(&infer);
    assert_int_equal(infer.columns[0].role, INFER_FIELD);
    assert_int_equal(infer.columns[0].family, FEATURE_LIFECYCLE);
    infer_fini(&infer);
}

static void the_schema_is_one_that_the_server_takes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)infer_one(&fixture, "industry", 400, make_category);
    json_t *json = infer_schema(&fixture.infer);
    char *text = json_dumps(json, 0);
    assert_non_null(strstr(text, "Select"));
    struct feature_schema *schema = feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
    assert_non_null(schema);
    assert_int_equal(schema->field_count, 1);
    feature_schema_release(schema);
    free(text);
    json_decref(json);
    infer_fini(&fixture.infer);
}

MAKER(make_names, "Works %zu Ltd", row)

static void what_is_called_like_a_name_names_the_accounts(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_fault fault;
    static const char *const called[] = {"name", "Company", "ACCOUNT_NAME", "Legal name"};
    for (size_t i = 0; i < sizeof called / sizeof *called; i++) {
        struct infer_column *column = infer_one(&fixture, called[i], 400, make_names);
        assert_int_equal(column->role, INFER_FIELD);
        assert_true(column->is_name);
        json_t *json = infer_schema(&fixture.infer);
        assert_string_equal(json_string_value(json_object_get(json, "name")), called[i]);
        char *text = json_dumps(json, 0);
        struct feature_schema *schema =
            feature_schema_parse(proto_span_text(text), 1, NULL, &fault);
        assert_non_null(schema);
        feature_schema_release(schema);
        free(text);
        json_decref(json);
        infer_fini(&fixture.infer);
    }
    /* Called otherwise, of another kind, or of few texts: no name. */
    expect_role("remark", make_names, INFER_LEFT_OUT, "free text");
    assert_false(infer_one(&fixture, "name", 400, make_category)->is_name);
    infer_fini(&fixture.infer);
    assert_false(infer_one(&fixture, "company", 400, make_number)->is_name);
    infer_fini(&fixture.infer);
}

/* More numbers than are kept apart: what was seen speaks for the rest, so they are no free text. */
static void numbers_that_hardly_repeat_stay_numbers_in_large_files(void **state)
{
    (void)state;
    const char *names[] = {"first", "revenue"};
    struct infer infer;
    char cell[64];
    assert_true(infer_init(&infer, names, 2));
    for (size_t row = 0; row < INFER_DISTINCT_MAX + INFER_DISTINCT_MAX / 2; row++) {
        snprintf(cell, sizeof cell, "%zu.25", row * 7);
        struct proto_span cells[2] = {proto_span_text("x"), proto_span_text(cell)};
        infer_row(&infer, row + 2, cells, 2);
    }
    infer_decide(&infer);
    assert_int_equal(infer.columns[1].role, INFER_FIELD);
    assert_int_equal(infer.columns[1].type, FEATURE_NUMBER);
    infer_fini(&infer);
}

static void names_that_a_schema_refuses_are_left_out(void **state)
{
    (void)state;
    const char *names[] = {"Size", "size", ""};
    struct infer infer;
    char cell[64];
    assert_true(infer_init(&infer, names, 3));
    for (size_t row = 0; row < 50; row++) {
        make_category(row, cell);
        struct proto_span cells[3] = {proto_span_text(cell), proto_span_text(cell),
                                      proto_span_text(cell)};
        infer_row(&infer, row + 2, cells, 3);
    }
    infer_decide(&infer);
    assert_int_equal(infer.columns[0].role, INFER_FIELD);
    assert_int_equal(infer.columns[1].role, INFER_LEFT_OUT);
    assert_int_equal(infer.columns[2].role, INFER_LEFT_OUT);
    infer_fini(&infer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_follow_from_the_cells),
        cmocka_unit_test(forms_of_numbers_and_codes_are_told_apart),
        cmocka_unit_test(dates_are_known_in_many_forms),
        cmocka_unit_test(the_rest_of_the_file_decides_what_a_column_leaves_open),
        cmocka_unit_test(na_is_a_code_among_codes_and_missing_elsewhere),
        cmocka_unit_test(what_teaches_nothing_is_left_out_with_the_reason),
        cmocka_unit_test(only_one_column_becomes_the_id),
        cmocka_unit_test(words_among_numbers_mean_missing),
        cmocka_unit_test(slips_among_numbers_are_told_with_their_line),
        cmocka_unit_test(amounts_in_two_currencies_are_told),
        cmocka_unit_test(percent_signs_in_some_cells_alone_are_told),
        cmocka_unit_test(what_keeps_a_column_from_being_dates_or_the_id_is_told),
        cmocka_unit_test(skewed_numbers_get_a_log_scale),
        cmocka_unit_test(a_label_is_kept_whatever_it_holds),
        cmocka_unit_test(the_schema_is_one_that_the_server_takes),
        cmocka_unit_test(what_is_called_like_a_name_names_the_accounts),
        cmocka_unit_test(numbers_that_hardly_repeat_stay_numbers_in_large_files),
        cmocka_unit_test(names_that_a_schema_refuses_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
