/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_page.h"

static void text_cannot_open_a_tag_or_leave_an_attribute(void **state)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    (void)state;
    assert_non_null(out);
    draw_text(out, "<a href=\"x\">&</a>");
    fclose(out);
    assert_string_equal(text, "&lt;a href=&quot;x&quot;&gt;&amp;&lt;/a&gt;");
    free(text);
}

static void a_page_is_whole_and_needs_no_other_file(void **state)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    (void)state;
    assert_non_null(out);
    draw_page_open(out, "fit < 50");
    draw_page_close(out);
    fclose(out);
    assert_ptr_equal(strstr(text, "<!doctype html>"), text);
    assert_non_null(strstr(text, "<title>fit &lt; 50</title>"));
    assert_non_null(strstr(text, "<h1>fit &lt; 50</h1>"));
    assert_non_null(strstr(text, "</body></html>"));
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "url("));
    assert_null(strstr(text, "http"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_open_a_tag_or_leave_an_attribute),
        cmocka_unit_test(a_page_is_whole_and_needs_no_other_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
