/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_svg.h"

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

/* Whether the style sheet has a rule for the class: its name behind a dot, and no more of a name.
 */
static bool is_styled(const char *page, const char *name, size_t bytes)
{
    const char *end = strstr(page, "</style>");
    assert_non_null(end);
    for (const char *at = strchr(page, '.'); at != NULL && at < end; at = strchr(at + 1, '.')) {
        if (strncmp(at + 1, name, bytes) == 0 && strchr(",{:) ", at[1 + bytes]) != NULL) {
            return true;
        }
    }
    return false;
}

/* Text in a picture has one rule for all. Returns how many other elements have a class. */
static size_t classes_look(const char *page)
{
    size_t classes = 0;
    for (const char *at = page; (at = strstr(at, " class=\"")) != NULL;) {
        const char *tag = at;
        while (*tag != '<') {
            tag--;
        }
        at += strlen(" class=\"");
        for (classes += strncmp(tag, "<text", 5) != 0; *at != '"';) {
            size_t name = strcspn(at, "\" ");
            if (strncmp(tag, "<text", 5) != 0 && !is_styled(page, at, name)) {
                fail_msg("the class %.*s has no rule", (int)name, at);
            }
            at += name + (at[name] == ' ');
        }
    }
    return classes;
}

/* Dots without a rule were black, on a dark page too. */
static void each_class_of_a_chart_has_a_rule(void **state)
{
    static const double x[] = {0, 1};
    static const double y[] = {1, 2};
    struct draw_svg_series series[DRAW_SVG_SERIES_MAX];
    const struct draw_svg_bar bars[] = {{"half", 50, 40, 60, 80, 0}};
    (void)state;
    for (int form = 0; form < 3; form++) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        assert_non_null(out);
        draw_page_open(out, "charts");
        for (size_t i = 0; i < DRAW_SVG_SERIES_MAX; i++) {
            series[i] = (struct draw_svg_series){"s", x, y, 2, form == 1, form == 2 ? x : NULL};
        }
        const struct draw_svg_chart chart = {.title = "t",
                                             .x = {.title = "x"},
                                             .y = {.title = "y", .low = 0.5, .high = 3},
                                             .series = series,
                                             .series_count = DRAW_SVG_SERIES_MAX};
        draw_svg_lines(out, &chart);
        draw_svg_bars(out, "bars", "/s", bars, 1);
        fclose(out);
        assert_true(classes_look(text) > DRAW_SVG_SERIES_MAX);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_open_a_tag_or_leave_an_attribute),
        cmocka_unit_test(a_page_is_whole_and_needs_no_other_file),
        cmocka_unit_test(each_class_of_a_chart_has_a_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
