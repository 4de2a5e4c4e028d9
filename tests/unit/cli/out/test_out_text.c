/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <locale.h>
#include <stdlib.h>

#include "tools/cli/out/out_text.h"

static void widths_are_those_of_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(out_width(""), 0);
    assert_int_equal(out_width("Müller"), 6);
    assert_int_equal(out_width("株式会社"), 8);
    assert_int_equal(out_width("e\xcc\x81"), 1); /* an accent that combines */
    assert_int_equal(out_width("a\xff"), 2);     /* no UTF-8 */
}

static void half_a_character_is_never_taken(void **state)
{
    (void)state;
    const char *name = "株式会社";
    assert_int_equal(out_fit(name, strlen(name), 4), 6);
    assert_int_equal(out_fit(name, strlen(name), 5), 6);
    assert_int_equal(out_fit(name, strlen(name), 1), 3); /* at least one, or nothing would end */
    assert_int_equal(out_fit("abc", 3, 9), 3);
}

static void expect_line(const char *text, size_t columns, bool cut, size_t bytes, size_t skip)
{
    size_t skipped = 99;
    assert_int_equal(out_line(text, columns, cut, &skipped), bytes);
    assert_int_equal(skipped, skip);
}

static void lines_break_at_blanks(void **state)
{
    (void)state;
    expect_line("one two three", 7, false, 7, 1);
    expect_line("one two three", 8, false, 7, 1);
    expect_line("one two three", 6, false, 3, 1);
    expect_line("one two three", 13, false, 13, 0);
    expect_line("one\ntwo", 9, false, 3, 1);
    expect_line("unbreakable rest", 4, false, 11, 1);
    expect_line("unbreakable", 4, true, 4, 0);
    expect_line("", 4, true, 0, 0);
    expect_line("two  blanks", 5, false, 3, 2);
}

static void what_would_move_the_cursor_is_written_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *clean;
    } cases[] = {
        {"plain\ttext\n", "plain\ttext\n"},
        {"a\033[2Jb", "a\\x1b[2Jb"},
        {"title\033]0;x\007", "title\\x1b]0;x\\x07"},
        {"back\b\b\bdel\177", "back\\x08\\x08\\x08del\\x7f"},
        {"c1\xc2\x9b"
         "31m",
         "c1\\xc2\\x9b31m"},
        {"no\xffutf", "no\\xffutf"},
        {"turn\xe2\x80\xae", "turn\\xe2\\x80\\xae"},
        {"Müller 株", "Müller 株"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = out_clean(cases[i].text);
        assert_string_equal(clean, cases[i].clean);
        free(clean);
    }
}

static void every_byte_comes_out_printable(void **state)
{
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        char text[4] = {'a', (char)byte, 'b', '\0'};
        char *clean = out_clean(text);
        for (const char *at = clean; *at != '\0'; at++) {
            if (*at != '\t' && *at != '\n') {
                assert_in_range((unsigned char)*at, 0x20, 0x7e);
            }
        }
        free(clean);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(widths_are_those_of_a_terminal),
        cmocka_unit_test(half_a_character_is_never_taken),
        cmocka_unit_test(lines_break_at_blanks),
        cmocka_unit_test(what_would_move_the_cursor_is_written_in_words),
        cmocka_unit_test(every_byte_comes_out_printable),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
