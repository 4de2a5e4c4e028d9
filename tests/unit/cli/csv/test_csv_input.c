/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/csv/csv_input.h"

static struct csv_input *open_n(const char *text, size_t bytes)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_input *input =
        csv_open_bytes((struct proto_span){(const uint8_t *)text, bytes}, "test.csv", NULL, &fault);
    assert_non_null(input);
    return input;
}

static struct csv_input *open_text(const char *text)
{
    return open_n(text, strlen(text));
}

static void next_good(struct csv_input *input, size_t line, size_t cells, const char *first)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    assert_true(csv_next(input, &row, &fault));
    assert_false(row.bad);
    assert_int_equal(row.line, line);
    assert_int_equal(row.cell_count, cells);
    assert_true(proto_span_is(row.cells[0], first));
}

static void next_bad(struct csv_input *input, size_t line, size_t column, const char *says)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    assert_true(csv_next(input, &row, &fault));
    assert_true(row.bad);
    assert_int_equal(row.bad_line, line);
    assert_int_equal(row.bad_column, column);
    if (strstr(row.message, says) == NULL) {
        fail_msg("'%s' does not say '%s'", row.message, says);
    }
}

static void at_end(struct csv_input *input)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    assert_false(csv_next(input, &row, &fault));
    assert_int_equal(fault.code, PROTO_OK);
    csv_close(input);
}

static void rows_come_with_their_lines(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b\n1,2\n\n  \n\"x,\"\"y\"\"\", z \r\n3,4");
    assert_int_equal(csv_column_count(input), 2);
    assert_string_equal(csv_column(input, 1), "b");
    next_good(input, 2, 2, "1");
    next_good(input, 5, 2, "x,\"y\"");
    next_good(input, 6, 2, "3");
    at_end(input);
}

static void lines_within_quotes_are_counted(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b\n\"one\ntwo\r\nthree\",2\n3,4\n");
    next_good(input, 2, 2, "one\ntwo\r\nthree");
    next_good(input, 5, 2, "3");
    at_end(input);
}

static void cells_are_placed_by_line_and_character(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b,c\n\"é\nx\",\"q,\",ü5\n");
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    size_t line = 0;
    size_t column = 0;
    assert_true(csv_next(input, &row, &fault));
    csv_cell_place(input, &row, 0, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 1);
    csv_cell_place(input, &row, 1, &line, &column);
    assert_int_equal(line, 3);
    assert_int_equal(column, 4);
    csv_cell_place(input, &row, 2, &line, &column);
    assert_int_equal(column, 9);
    at_end(input);
}

static void every_kind_of_line_end_is_taken(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b\r1,2\r3,4\r");
    next_good(input, 2, 2, "1");
    next_good(input, 3, 2, "3");
    at_end(input);
    input = open_text("a,b\r\n1,2\r\n3,4");
    next_good(input, 2, 2, "1");
    next_good(input, 3, 2, "3");
    at_end(input);
}

static void semicolons_and_tabs_separate_where_the_header_says_so(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a;b\n1,5;2\n");
    assert_int_equal(csv_separator(input), ';');
    next_good(input, 2, 2, "1,5");
    at_end(input);
    input = open_text("a\tb\n1;5\t2\n");
    next_good(input, 2, 2, "1;5");
    at_end(input);
    input = open_text("\"a;b\",c\n1,2\n");
    assert_int_equal(csv_separator(input), ',');
    csv_close(input);
}

static void a_mark_is_passed_over(void **state)
{
    (void)state;
    struct csv_input *input = open_text("\xef\xbb\xbfid,b\n1,2\n");
    assert_true(csv_has_mark(input));
    assert_string_equal(csv_column(input, 0), "id");
    next_good(input, 2, 2, "1");
    csv_rewind(input);
    next_good(input, 2, 2, "1");
    at_end(input);
}

static void ragged_rows_are_told_and_reading_goes_on(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b,c\n1\n1,2,3,4\n5,6,7\n");
    next_bad(input, 2, 0, "1 cells, the header has 3");
    next_bad(input, 3, 0, "4 cells");
    next_good(input, 4, 3, "5");
    at_end(input);
}

static void rows_that_end_early_are_filled_and_empty_ones_passed_over(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    size_t line = 0;
    struct csv_input *input = csv_open_bytes(
        proto_span_text("a,b,c\n1,2\n,,\n3,4,5,\n6,7,8, ,\n ; ,\n9,8,7\n"), "t.csv", NULL, &fault);
    assert_true(csv_next(input, &row, &fault));
    assert_false(row.bad);
    assert_int_equal(row.cell_count, 3);
    assert_int_equal(row.cells[2].bytes, 0);
    assert_int_equal(row.filled, 1);
    assert_true(proto_span_is(row.own, "1,2"));
    assert_true(csv_next(input, &row, &fault)); /* the row of empty cells is none */
    assert_int_equal(row.line, 4);
    assert_true(proto_span_is(row.own, "3,4,5"));
    assert_true(csv_next(input, &row, &fault));
    assert_true(proto_span_is(row.own, "6,7,8"));
    assert_true(csv_next(input, &row, &fault)); /* a text, though it looks like nothing */
    assert_int_equal(row.line, 6);
    assert_int_equal(csv_filled_rows(input, &line), 2);
    assert_int_equal(line, 2);
    csv_close(input);
}

static char separator_of(const char *text)
{
    struct csv_input *input = open_text(text);
    char separator = csv_separator(input);
    csv_close(input);
    return separator;
}

static void the_separator_is_the_sign_that_makes_a_table(void **state)
{
    (void)state;
    assert_int_equal(separator_of("Firm;Sales (EUR, net);Town\na;1;Ulm\nb;2;Kiel\n"), ';');
    assert_int_equal(separator_of("a,b\n1,\"x;y;z\"\n2,\"x;y\"\n"), ',');
    assert_int_equal(separator_of("a;b\n1,5;2\n2,5;3\n"), ';');
    assert_int_equal(separator_of("a|b|c\n1|2|3\n"), '|');
    assert_int_equal(separator_of("a\tb, c\n1\t2\n"), '\t');
    assert_int_equal(separator_of("a,b;c\n"), ',');
    assert_int_equal(separator_of("sep=;\r\na;b\r\n1;2\r\n"), ';');
    assert_int_equal(separator_of("sep=\t\na\tb\n1\t2\n"), '\t');
    assert_int_equal(separator_of("one\n1\n"), ',');
    struct csv_dialect told = {.separator = '|'};
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_input *input =
        csv_open_bytes(proto_span_text("a,b|c\n1|2\n"), "t.csv", &told, &fault);
    assert_string_equal(csv_column(input, 0), "a,b");
    csv_close(input);
}

static void a_line_that_names_the_separator_is_no_header(void **state)
{
    (void)state;
    struct csv_input *input = open_text("sep=;\nid;n\na;1\n");
    assert_int_equal(csv_column_count(input), 2);
    assert_string_equal(csv_column(input, 0), "id");
    next_good(input, 3, 2, "a");
    at_end(input);
}

static void a_break_within_a_name_is_a_blank(void **state)
{
    (void)state;
    struct csv_input *input = open_text("id,\"Annual\r\nRevenue\",\"x\ny\"\n1,2,3\n");
    assert_string_equal(csv_column(input, 1), "Annual Revenue");
    assert_string_equal(csv_column(input, 2), "x y");
    csv_close(input);
}

static void what_cannot_be_seen_is_in_no_name(void **state)
{
    (void)state;
    struct csv_input *input =
        open_text("\xE2\x80\x8Bid,na\xE2\x80\x8B\xE2\x81\xA0me\xEF\xBB\xBF\n1,2\n");
    assert_string_equal(csv_column(input, 0), "id");
    assert_string_equal(csv_column(input, 1), "name");
    csv_close(input);
}

static void expect_first(const char *text, size_t bytes, enum csv_encoding encoding,
                         const char *first)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct csv_row row;
    struct csv_input *input =
        csv_open_bytes((struct proto_span){(const uint8_t *)text, bytes}, "t.csv", NULL, &fault);
    assert_non_null(input);
    assert_int_equal(csv_encoding_of(input), encoding);
    assert_true(csv_next(input, &row, &fault));
    assert_true(proto_span_is(row.cells[0], first));
    csv_close(input);
}

static void encodings_are_read_by_evidence(void **state)
{
    (void)state;
    static const char latin[] = "name,n\nCaf\xe9 \x80\x93,1\n";
    static const char little[] = "\xff\xfe"
                                 "a\0,\0b\0\n\0\xe9\0,\0\x3d\xd8\x00\xde\n";
    static const char big[] = "\xfe\xff\0a\0,\0b\0\n\0\xe9\0,\0x\0\n";
    expect_first(latin, sizeof latin - 1, CSV_ENCODING_LATIN1,
                 "Caf\xc3\xa9 \xe2\x82\xac\xe2\x80\x9c");
    expect_first(little, sizeof little, CSV_ENCODING_UTF16, "\xc3\xa9");
    expect_first(big, sizeof big - 1, CSV_ENCODING_UTF16, "\xc3\xa9");
    expect_first("a,b\n\xc3\xa9,x\n", 10, CSV_ENCODING_UTF8, "\xc3\xa9");
}

static void a_quote_never_closed_costs_one_line(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b\n1,\"x\n2,y\n3,z\n");
    next_bad(input, 2, 3, "opened here and not closed");
    next_good(input, 3, 2, "2");
    next_good(input, 4, 2, "3");
    at_end(input);
}

static void a_quote_closed_by_another_rows_quote_costs_no_row_between(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b\n1,\"x\n2,y\n3,\"z\"\n4,w\n");
    next_bad(input, 2, 3, "");
    next_good(input, 3, 2, "2");
    next_good(input, 4, 2, "3");
    next_good(input, 5, 2, "4");
    at_end(input);
}

static void quotes_in_the_wrong_place_are_told(void **state)
{
    (void)state;
    struct csv_input *input = open_text("a,b\n1,12\" pipe\n2,\"x\"y\n3,ok\n");
    next_bad(input, 2, 5, "middle of a cell");
    next_bad(input, 3, 6, "closing quote");
    next_good(input, 4, 2, "3");
    at_end(input);
}

static void nul_bytes_and_bad_utf8_are_told(void **state)
{
    (void)state;
    static const char text[] = "a,b\n1,x\0y\n2,caf\xe9\n3,\xc3\xa9\n";
    struct csv_input *input = open_n(text, sizeof text - 1);
    next_bad(input, 2, 4, "NUL");
    next_bad(input, 3, 6, "0xe9");
    next_good(input, 4, 2, "3");
    at_end(input);
}

static void refused_n(const char *text, size_t bytes, enum proto_error code, const char *says)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_null(csv_open_bytes((struct proto_span){(const uint8_t *)text, bytes}, "test.csv", NULL,
                               &fault));
    assert_int_equal(fault.code, code);
    assert_non_null(strstr(fault.message, says));
}

/* What reports export begins with a title; columns without names, and files of one column, do not.
 */
static void a_title_above_the_header_is_told_with_the_line_of_the_header(void **state)
{
    (void)state;
    static const char *const titled[] = {
        "Account report,,,\nMade on 2024-05-01,,,\n,,,\nid,name,employees,industry\na,b,1,c\n",
        "Account report\nMade today\n\nid,name,employees,industry\na,b,1,c\n",
        "Accounts;;\n\n\nid;name;stage\n1;x;y\n",
    };
    for (size_t i = 0; i < sizeof titled / sizeof *titled; i++) {
        refused_n(titled[i], strlen(titled[i]), PROTO_BAD_PAYLOAD, "line 4 looks like");
    }
    static const char *const plain[] = {"id\na\nb\n", "id,,\na,1,2\nb,3,4\n", "id\n"};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct csv_input *input =
            csv_open_bytes(proto_span_text(plain[i]), "test.csv", NULL, &fault);
        assert_non_null(input);
        assert_string_equal(csv_column(input, 0), "id");
        csv_close(input);
    }
}

static void files_that_are_no_csv_are_refused(void **state)
{
    (void)state;
    refused_n("", 0, PROTO_BAD_PAYLOAD, "empty");
    refused_n("\n\n \n", 4, PROTO_BAD_PAYLOAD, "empty");
    refused_n("\xff\xfe"
              "a\0\n\0b",
              7, PROTO_BAD_PAYLOAD, "no whole character");
    refused_n("a,b,a\n", 6, PROTO_BAD_PAYLOAD, "both named 'a'");
    refused_n("a,\"b\n", 5, PROTO_BAD_PAYLOAD, "line 1");
    struct proto_fault fault = {.code = PROTO_OK};
    assert_null(csv_open("/nonexistent/file.csv", NULL, &fault));
    assert_int_equal(fault.code, PROTO_IO);
}

static void files_of_other_kinds_are_known_by_how_they_begin(void **state)
{
    (void)state;
    static const char *const others[][2] = {
        {"PK\x03\x04\x14\x01\x06\x01", "is a workbook"},
        {"\xD0\xCF\x11\xE0\xA1\xB1", "an old Excel"},
        {"\x1F\x8B\x08\x01", "gunzip"},
        {"%PDF-1.7\n", "a PDF"},
        {"<!doctype html>\n<html>\n", "a web page"},
        {"[\n  {\"id\": \"a\"}\n]\n", "is JSON"},
        {"{\"id\": \"a\"}\n", "is JSON"},
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        refused_n(others[i][0], strlen(others[i][0]), PROTO_BAD_PAYLOAD, others[i][1]);
    }
    /* Controls: what begins a little like them. */
    static const char *const tables[] = {"[id],name\na,b\n", "PK,name\na,b\n", "{id},b\n1,2\n"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        csv_close(open_text(tables[i]));
    }
}

static void columns_are_found_by_name_then_without_case(void **state)
{
    (void)state;
    struct csv_input *input = open_text("Id, name ,ID\n1,2,3\n");
    assert_int_equal(csv_column_find(input, "ID"), 2);
    assert_int_equal(csv_column_find(input, "id"), 0);
    assert_int_equal(csv_column_find(input, "Name"), 1);
    assert_true(csv_column_find(input, "nothing") == SIZE_MAX);
    csv_close(input);
}

/* Whatever the bytes: reading ends, lines do not go back, raw rows lie within the file, and a good
 * row has as many cells as the header. The same seed gives the same bytes. */
static void random_bytes_never_lead_astray(void **state)
{
    (void)state;
    static const char alphabet[] = "a,b\"\n\r\n,\"x;\t \xc3\xa9\xff";
    uint32_t random = 20240501;
    for (int round = 0; round < 20000; round++) {
        char text[64];
        size_t bytes = 0;
        for (; bytes < sizeof text; bytes++) {
            random = random * 1664525 + 1013904223;
            text[bytes] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
        }
        struct proto_fault fault = {.code = PROTO_OK};
        /* As told the bytes stay where they are; by evidence they may be converted. */
        struct csv_dialect told = {.encoding = CSV_ENCODING_UTF8};
        struct csv_input *input = csv_open_bytes((struct proto_span){(const uint8_t *)text, bytes},
                                                 "r", round % 2 ? NULL : &told, &fault);
        if (input == NULL) {
            continue;
        }
        struct csv_row row;
        size_t line = 0;
        size_t rows = 0;
        while (csv_next(input, &row, &fault)) {
            assert_true(row.line > line);
            line = row.line;
            if (round % 2 == 0) {
                assert_true(row.raw.data >= (const uint8_t *)text);
                assert_true(row.raw.data + row.raw.bytes <= (const uint8_t *)text + bytes);
            }
            assert_true(row.bad || row.cell_count == csv_column_count(input));
            assert_true(++rows <= 3 * bytes);
        }
        csv_close(input);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_with_their_lines),
        cmocka_unit_test(lines_within_quotes_are_counted),
        cmocka_unit_test(cells_are_placed_by_line_and_character),
        cmocka_unit_test(every_kind_of_line_end_is_taken),
        cmocka_unit_test(semicolons_and_tabs_separate_where_the_header_says_so),
        cmocka_unit_test(a_mark_is_passed_over),
        cmocka_unit_test(ragged_rows_are_told_and_reading_goes_on),
        cmocka_unit_test(rows_that_end_early_are_filled_and_empty_ones_passed_over),
        cmocka_unit_test(the_separator_is_the_sign_that_makes_a_table),
        cmocka_unit_test(a_line_that_names_the_separator_is_no_header),
        cmocka_unit_test(a_break_within_a_name_is_a_blank),
        cmocka_unit_test(encodings_are_read_by_evidence),
        cmocka_unit_test(a_quote_never_closed_costs_one_line),
        cmocka_unit_test(a_quote_closed_by_another_rows_quote_costs_no_row_between),
        cmocka_unit_test(quotes_in_the_wrong_place_are_told),
        cmocka_unit_test(nul_bytes_and_bad_utf8_are_told),
        cmocka_unit_test(a_title_above_the_header_is_told_with_the_line_of_the_header),
        cmocka_unit_test(files_that_are_no_csv_are_refused),
        cmocka_unit_test(files_of_other_kinds_are_known_by_how_they_begin),
        cmocka_unit_test(what_cannot_be_seen_is_in_no_name),
        cmocka_unit_test(columns_are_found_by_name_then_without_case),
        cmocka_unit_test(random_bytes_never_lead_astray),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
