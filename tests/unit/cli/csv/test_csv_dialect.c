/* SPDX-License-Identifier: Apache-2.0 */
/* How a file is written is found by looking at it: its encoding, its separator, a first line that
 * names one; and bytes of another encoding become UTF-8 or are refused by their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/csv/csv_dialect.h"

static const struct {
    const char *bytes;
    size_t count;
    enum csv_encoding told, found;
    const char *text; /* NULL: as it is */
} encodings[] = {
    {"a,b\n", 4, CSV_ENCODING_ANY, CSV_ENCODING_UTF8, NULL},
    {"", 0, CSV_ENCODING_ANY, CSV_ENCODING_UTF8, NULL},
    {"M\xc3\xbcller", 7, CSV_ENCODING_ANY, CSV_ENCODING_UTF8, NULL},
    {"M\xfcller", 6, CSV_ENCODING_ANY, CSV_ENCODING_LATIN1, "M\xc3\xbcller"},
    {"\x80 5", 3, CSV_ENCODING_LATIN1, CSV_ENCODING_LATIN1, "\xe2\x82\xac 5"},
    {"\x81", 1, CSV_ENCODING_LATIN1, CSV_ENCODING_LATIN1, "\xef\xbf\xbd"}, /* no letter */
    {"\x81", 1, CSV_ENCODING_ANY, CSV_ENCODING_UTF8, NULL}, /* told where it stands, later */
    {"\xff\xfe"
     "A\0\xe9\0",
     6, CSV_ENCODING_ANY, CSV_ENCODING_UTF16, "A\xc3\xa9"},
    {"\xfe\xff\0A\0\xe9", 6, CSV_ENCODING_ANY, CSV_ENCODING_UTF16, "A\xc3\xa9"},
    {"A\0", 2, CSV_ENCODING_UTF16, CSV_ENCODING_UTF16, "A"}, /* told: little-endian */
    /* Without a mark: by the zeros, which stand on one side alone. */
    {"A\0\xe9\0B\0", 6, CSV_ENCODING_ANY, CSV_ENCODING_UTF16,
     "A\xc3\xa9"
     "B"},
    {"\0A\0\xe9\0B", 6, CSV_ENCODING_ANY, CSV_ENCODING_UTF16,
     "A\xc3\xa9"
     "B"},
    {"A\0BC", 4, CSV_ENCODING_ANY, CSV_ENCODING_UTF8, NULL},
    {"\xff\xfe\x3d\xd8\x00\xde", 6, CSV_ENCODING_ANY, CSV_ENCODING_UTF16, "\xf0\x9f\x98\x80"},
};

static void bytes_of_other_encodings_become_utf_8(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof encodings / sizeof *encodings; i++) {
        struct proto_span bytes = {(const uint8_t *)encodings[i].bytes, encodings[i].count};
        struct proto_fault fault = {.code = PROTO_OK};
        uint8_t *converted;
        size_t count = 0;
        enum csv_encoding found;
        assert_true(
            csv_decode(bytes, encodings[i].told, "f.csv", &converted, &count, &found, &fault));
        assert_int_equal(found, encodings[i].found);
        assert_int_equal(converted != NULL, encodings[i].text != NULL);
        if (converted != NULL) {
            assert_true(proto_span_is((struct proto_span){converted, count}, encodings[i].text));
        }
        free(converted);
    }
}

static void half_a_character_is_refused_by_its_byte(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        const char *said;
    } rows[] = {
        {"\xff\xfe"
         "A",
         3, "byte 3 "},
        {"\xff\xfe"
         "A\0\x3d\xd8",
         6, "byte 5 "}, /* the first half of a pair */
        {"\xff\xfe\x00\xde"
         "A\0",
         6, "byte 3 "}, /* the second, alone */
        {"\xff\xfe\x3d\xd8"
         "A\0",
         6, "byte 3 "}, /* a pair of other halves */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct proto_span bytes = {(const uint8_t *)rows[i].bytes, rows[i].count};
        struct proto_fault fault = {.code = PROTO_OK};
        uint8_t *converted;
        size_t count = 0;
        enum csv_encoding found;
        assert_false(
            csv_decode(bytes, CSV_ENCODING_ANY, "f.csv", &converted, &count, &found, &fault));
        assert_null(converted);
        assert_int_equal(fault.code, PROTO_BAD_PAYLOAD);
        assert_non_null(strstr(fault.message, rows[i].said));
        assert_non_null(strstr(fault.message, "f.csv"));
    }
}

static void the_separator_is_what_makes_rows_like_the_header(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        char separator;
    } rows[] = {
        {"a,b\n1,2\n", ','},
        {"a;b\n1;2\n", ';'},
        {"a\tb\n1\t2\n", '\t'},
        {"a|b\n1|2\n", '|'},
        {"a;b", ';'},    /* a header alone */
        {"a\n1\n", ','}, /* nothing to go by */
        {"", ','},
        {"\"a;b\",c\n\"1;2\",3\n", ','},    /* not within quotes */
        {"a;b,c\n1;2\n", ';'},              /* a comma in one name */
        {"name;n\nx, y;1,5\nz;2,5\n", ';'}, /* and in cells */
        {"a,b,c\n1;2\n", ','},              /* no sign fits: the first of the header */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char found = csv_separator_find(proto_span_text(rows[i].text));
        if (found != rows[i].separator) {
            fail_msg("'%s': '%c', not '%c'", rows[i].text, found, rows[i].separator);
        }
    }
}

static void a_first_line_may_name_the_separator(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
        char separator;
    } rows[] = {
        {"sep=;\na;b\n", 6, ';'}, {"sep=\t\r\na\tb\n", 7, '\t'},
        {"sep=,\r", 6, ','},      {"sep=", 0, 0},
        {"sep=;", 0, 0},          {"sep=ab\n", 0, 0},
        {"Sep=;\n", 0, 0},        {"a;b\n1;2\n", 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char separator = 0;
        assert_int_equal(csv_sep_line(proto_span_text(rows[i].text), &separator), rows[i].bytes);
        assert_int_equal(separator, rows[i].separator);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_other_encodings_become_utf_8),
        cmocka_unit_test(half_a_character_is_refused_by_its_byte),
        cmocka_unit_test(the_separator_is_what_makes_rows_like_the_header),
        cmocka_unit_test(a_first_line_may_name_the_separator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
