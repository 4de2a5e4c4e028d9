/* SPDX-License-Identifier: Apache-2.0 */
/* A number's form is read off its cell where only one reading is left, off its column where not,
 * off the file where that says nothing either; and what is read as a number with a decimal comma is
 * written with a point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/csv/csv_form.h"

enum kind { NO_NUMBER, NO_SIGN, POINT, COMMA, ONE_POINT, ONE_COMMA };

static const struct {
    const char *cell;
    enum kind kind;
} cells[] = {
    {"", NO_NUMBER},
    {"abc", NO_NUMBER},
    {"1x2", NO_NUMBER},
    {"1.2,3,4", NO_NUMBER},
    {"01.02.2023", NO_NUMBER}, /* a date */
    {"a long text before 5", NO_NUMBER},
    {"12 34", NO_NUMBER},
    {"1 234 56", NO_NUMBER},
    {"1 2345", NO_NUMBER},
    {"1 234", NO_SIGN},
    {"1234", NO_SIGN},
    {"-7", NO_SIGN},
    {"12.5", POINT},
    {"0.125", POINT},
    {"1234.567", POINT}, /* no group has four digits */
    {"1,234.5", POINT},
    {"1,234,567", POINT},
    {"12.5 %", POINT},
    {"12,5", COMMA},
    {"-5,5", COMMA},
    {"0,125", COMMA},
    {"1.234,5", COMMA},
    {"1.234.567", COMMA},
    {"\xe2\x82\xac 1.234,50", COMMA},
    {"1 234 567,50 \xe2\x82\xac", COMMA}, /* blanks: divide thousands everywhere */
    {"1\xe2\x80\xaf"
     "234,5",
     COMMA},
    {"1'234.50", POINT},
    {"141.891", ONE_POINT},
    {"25,507", ONE_COMMA},
};

static void a_cell_votes_for_the_readings_that_it_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
        struct csv_votes votes = {0};
        bool number = csv_form_vote(&votes, proto_span_text(cells[i].cell), 3, 17);
        bool open = cells[i].kind == ONE_POINT || cells[i].kind == ONE_COMMA;
        assert_int_equal(number, cells[i].kind != NO_NUMBER);
        assert_int_equal(votes.point, cells[i].kind == POINT ? 3 : 0);
        assert_int_equal(votes.comma, cells[i].kind == COMMA ? 3 : 0);
        assert_int_equal(votes.one_point, cells[i].kind == ONE_POINT ? 3 : 0);
        assert_int_equal(votes.one_comma, cells[i].kind == ONE_COMMA ? 3 : 0);
        assert_int_equal(votes.line, open ? 17 : 0);
        assert_int_equal(csv_form_is_open(&votes), open);
    }
}

static void the_line_is_that_of_the_first_cell_that_is_open(void **state)
{
    (void)state;
    struct csv_votes votes = {0};
    assert_true(csv_form_vote(&votes, proto_span_text("12.5"), 1, 2));
    assert_true(csv_form_vote(&votes, proto_span_text("1.234"), 1, 5));
    assert_true(csv_form_vote(&votes, proto_span_text("2.345"), 1, 9));
    assert_int_equal(votes.line, 5);
}

static void the_column_decides_then_the_file_then_its_separator(void **state)
{
    (void)state;
    static const struct {
        struct csv_votes column, file;
        char separator;
        enum csv_decimal decimal;
    } rows[] = {
        {{.comma = 1}, {0}, ',', CSV_DECIMAL_COMMA},
        {{.point = 1}, {.comma = 99}, ';', CSV_DECIMAL_POINT},
        {{.comma = 21, .point = 1}, {0}, ',', CSV_DECIMAL_COMMA}, /* one slip of 22 */
        {{.comma = 20, .point = 1}, {0}, ',', CSV_DECIMAL_POINT},
        {{.one_point = 4}, {.comma = 1}, ',', CSV_DECIMAL_COMMA},
        {{.one_comma = 4}, {.point = 1}, ';', CSV_DECIMAL_POINT},
        {{.one_point = 4}, {0}, ';', CSV_DECIMAL_COMMA},
        {{.one_point = 4}, {0}, ',', CSV_DECIMAL_POINT},
        {{0}, {.comma = 9}, ';', CSV_DECIMAL_POINT}, /* of whole numbers nothing is to be decided */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(csv_form_decide(&rows[i].column, &rows[i].file, rows[i].separator),
                         rows[i].decimal);
    }
}

static void votes_of_columns_add_up_to_those_of_the_file(void **state)
{
    (void)state;
    struct csv_votes file = {.point = 1, .line = 3};
    const struct csv_votes column = {
        .point = 1, .comma = 2, .one_point = 3, .one_comma = 4, .line = 9};
    csv_form_join(&file, &column);
    csv_form_join(&file, &column);
    assert_int_equal(file.point, 3);
    assert_int_equal(file.comma, 4);
    assert_int_equal(file.one_point, 6);
    assert_int_equal(file.one_comma, 8);
    assert_int_equal(file.line, 3);
}

static void a_decimal_comma_becomes_a_point(void **state)
{
    (void)state;
    static const struct {
        const char *cell, *plain; /* NULL: as it is */
    } rows[] = {
        {"1.234,5", "1234.5"},
        {"12,5", "12.5"},
        {"1.234", "1234"},
        {"-0,5 %", "-0.5 %"},
        {"1.234.567", "1234567"},
        {"\xe2\x82\xac 1.234,50", "\xe2\x82\xac 1234.50"},
        {"1 234 567,50 \xe2\x82\xac", "1 234 567.50 \xe2\x82\xac"},
        {"12", NULL},
        {"1 23,4", NULL},
        {"abc", NULL},
        {"1,234.5", NULL},
        {"1.23,4", NULL},
        {"1234.567,8", NULL},
        {"1,2,3", NULL},
    };
    uint8_t room[64];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proto_span cell = proto_span_text(rows[i].cell);
        struct proto_span comma = csv_form_plain(CSV_DECIMAL_COMMA, cell, room);
        assert_true(proto_span_is(comma, rows[i].plain ? rows[i].plain : rows[i].cell));
        assert_true(rows[i].plain || comma.data == cell.data);
        /* With a point nothing is to be done, whatever it is. */
        assert_true(csv_form_plain(CSV_DECIMAL_POINT, cell, room).data == cell.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_votes_for_the_readings_that_it_has),
        cmocka_unit_test(the_line_is_that_of_the_first_cell_that_is_open),
        cmocka_unit_test(the_column_decides_then_the_file_then_its_separator),
        cmocka_unit_test(votes_of_columns_add_up_to_those_of_the_file),
        cmocka_unit_test(a_decimal_comma_becomes_a_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
