/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of strangers in a page: nothing of them becomes markup, nothing of them is hidden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_shown.h"

static void expect(void (*write)(FILE *out, const char *text, size_t bytes), const char *text,
                   size_t bytes, const char *wanted)
{
    char *written = NULL;
    size_t written_bytes = 0;
    FILE *out = open_memstream(&written, &written_bytes);
    assert_non_null(out);
    write(out, text, bytes);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(written, wanted);
    free(written);
}
#define EXPECT(write, text, wanted) expect(write, text, sizeof(text) - 1, wanted)
#define CTL(text) "<span class=\"ctl\">" text "</span>"

static void markup_is_text(void **state)
{
    (void)state;
    EXPECT(draw_shown, "<b a=\"x\" b='y'>&amp;",
           "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;amp;");
    EXPECT(draw_attribute, "\"><script>'&", "&quot;&gt;&lt;script&gt;&#39;&amp;");
}

static void letters_of_all_scripts_stay(void **state)
{
    (void)state;
    EXPECT(draw_shown, "Müller 株式会社 😀", "Müller 株式会社 😀");
}

static void what_the_eye_does_not_see_is_spelt(void **state)
{
    (void)state;
    EXPECT(draw_shown, "a\0b\n\x1b[2J\x7f",
           "a" CTL("\\x00") "b" CTL("\\x0a") CTL("\\x1b") "[2J" CTL("\\x7f"));
    EXPECT(draw_shown, "\u202eevil\u200b\ufeff",
           CTL("\\u{202e}") "evil" CTL("\\u{200b}") CTL("\\u{feff}"));
    EXPECT(draw_shown, "\xc2\x85\xc2\xad", CTL("\\x85") CTL("\\xad"));
    EXPECT(draw_shown, "\U000e0041", CTL("\\u{e0041}"));
}

static void bytes_that_are_no_text_are_spelt(void **state)
{
    (void)state;
    EXPECT(draw_shown, "a\xff\xc3", "a" CTL("\\xff") CTL("\\xc3"));
    EXPECT(draw_shown, "\xed\xa0\x80", CTL("\\xed") CTL("\\xa0") CTL("\\x80"));
}

static void an_attribute_keeps_every_character(void **state)
{
    (void)state;
    EXPECT(draw_attribute, "a\tb\nc\rd\u202e", "a&#9;b&#10;c&#13;d\u202e");
}

static void a_query_is_letters_digits_and_percents(void **state)
{
    (void)state;
    EXPECT(draw_query, "a b&c=\xc3\xa4/\0", "a%20b%26c%3D%C3%A4%2F%00");
}

static void no_text_writes_nothing(void **state)
{
    (void)state;
    expect(draw_shown, NULL, 0, "");
    expect(draw_attribute, NULL, 0, "");
    expect(draw_query, NULL, 0, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_is_text),
        cmocka_unit_test(letters_of_all_scripts_stay),
        cmocka_unit_test(what_the_eye_does_not_see_is_spelt),
        cmocka_unit_test(bytes_that_are_no_text_are_spelt),
        cmocka_unit_test(an_attribute_keeps_every_character),
        cmocka_unit_test(a_query_is_letters_digits_and_percents),
        cmocka_unit_test(no_text_writes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
