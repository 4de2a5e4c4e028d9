/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_svg.h"

#define ROOM (1 << 16)

static char *drawn(void (*draw)(FILE *out))
{
    char *text = calloc(1, ROOM);
    assert_non_null(text);
    FILE *out = fmemopen(text, ROOM - 1, "w");
    assert_non_null(out);
    draw(out);
    assert_int_equal(ferror(out), 0);
    fclose(out);
    return text;
}

static void lines_draw(FILE *out)
{
    static const double x[] = {0, 1, 2};
    static const double y[] = {1, 4, 9};
    const struct draw_svg_series series[] = {{"rise & fall", x, y, 3, false, NULL},
                                             {"points", x, y, 2, true, NULL}};
    const struct draw_svg_chart chart = {.title = "a <chart>",
                                         .x = {.title = "x"},
                                         .y = {.title = "y"},
                                         .series = series,
                                         .series_count = 2};
    draw_svg_lines(out, &chart);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

static void a_chart_has_a_path_a_dot_for_each_point_and_a_legend(void **state)
{
    char *text = drawn(lines_draw);
    (void)state;
    assert_int_equal(count_of(text, "<path class=\"l0\""), 1);
    assert_int_equal(count_of(text, "<circle class=\"d1\""), 2);
    assert_non_null(strstr(text, "rise &amp; fall"));
    assert_non_null(strstr(text, "a &lt;chart&gt;"));
    free(text);
}

static void bars_draw(FILE *out)
{
    const struct draw_svg_bar bars[] = {{"half", 50, 40, 60, 80, 0},
                                        {"whole", 100, 100, 100, 0, 2}};
    draw_svg_bars(out, "bars", "/s", bars, 2);
}

static void a_bar_is_as_long_as_its_value(void **state)
{
    char *text = drawn(bars_draw);
    const char *first = strstr(text, "<rect class=\"r0\"");
    const char *second = strstr(text, "<rect class=\"r2\"");
    (void)state;
    assert_true(first != NULL && second != NULL);
    double half = strtod(strstr(first, "width=\"") + 7, NULL);
    double whole = strtod(strstr(second, "width=\"") + 7, NULL);
    assert_true(fabs(2 * half - whole) < 0.11);
    assert_int_equal(count_of(text, "class=\"whisker\""), 1);
    assert_int_equal(count_of(text, "class=\"mark\""), 1);
    free(text);
}

static void stacks_draw(FILE *out)
{
    static const char *const names[] = {"read", "write"};
    const struct draw_svg_stack stacks[] = {{"one", {30, 70}}, {"none", {0, 0}}};
    draw_svg_stacks(out, "stacks", "ns", names, 2, stacks, 2);
}

static void a_stack_is_its_parts_and_says_their_sum(void **state)
{
    char *text = drawn(stacks_draw);
    (void)state;
    assert_int_equal(count_of(text, "<rect class=\"r1\""), 2);
    assert_non_null(strstr(text, ">100 ns</text>"));
    assert_non_null(strstr(text, ">0 ns</text>"));
    free(text);
}

static void nothing_draw(FILE *out)
{
    draw_svg_bars(out, "none", "", NULL, 0);
    draw_svg_lines(
        out, &(struct draw_svg_chart){.title = "none", .x = {.title = ""}, .y = {.title = ""}});
}

static void without_values_a_picture_is_still_well_formed(void **state)
{
    char *text = drawn(nothing_draw);
    (void)state;
    assert_int_equal(count_of(text, "<svg"), count_of(text, "</svg>"));
    assert_int_equal(count_of(text, "<figure>"), count_of(text, "</figure>"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "inf"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chart_has_a_path_a_dot_for_each_point_and_a_legend),
        cmocka_unit_test(a_bar_is_as_long_as_its_value),
        cmocka_unit_test(a_stack_is_its_parts_and_says_their_sum),
        cmocka_unit_test(without_values_a_picture_is_still_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
