/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"

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

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = strstr(text, what); at != NULL; at = strstr(at + 1, what)) {
        count++;
    }
    return count;
}

static void table_draw(FILE *out)
{
    static const struct draw_column heads[] = {
        {"name <b>", DRAW_TEXT}, {"n", DRAW_FIGURE}, {"more", DRAW_FIGURE}};
    struct draw_table table;
    draw_table_open(&table, out, "t1", "a & b", heads, 3);
    draw_table_cell(&table, "x<y");
    draw_table_cell_of(&table, "bad", "1");
    draw_table_shaded(&table, 99, "2");
    draw_table_cell(&table, "c\x01ut");
    draw_table_close(&table);
}

static void a_table_has_headings_and_is_closed_whatever_was_written(void **state)
{
    char *text = drawn(table_draw);
    (void)state;
    assert_non_null(strstr(text, "<caption id=\"t1\">a &amp; b</caption>"));
    assert_non_null(strstr(text, "aria-labelledby=\"t1\""));
    assert_non_null(
        strstr(text, "<th scope=\"col\">name &lt;b&gt;</th><th scope=\"col\" class=\"n\">"));
    assert_non_null(strstr(text, "<tr><th scope=\"row\">x&lt;y</th><td class=\"n bad\">1</td>"
                                 "<td class=\"n h8\">2</td></tr>"));
    assert_non_null(strstr(text, "<th scope=\"row\">c<span class=\"ctl\">\\x01</span>ut</th><td "
                                 "class=\"n\"></td><td class=\"n\"></td>"
                                 "</tr>\n</tbody></table></div>"));
    free(text);
}

static void label(const void *context, double value, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%s%g", (const char *)context, value);
}

static const struct draw_row rows[] = {
    {"start", "4", 0, 4, __builtin_nan(""), __builtin_nan(""), DRAW_PLAIN},
    {"down", "-3", 4, 1, __builtin_nan(""), __builtin_nan(""), DRAW_DOWN},
    {"\"q\"", "?", __builtin_nan(""), __builtin_nan(""), 1, 3, DRAW_UP},
};

static void rows_draw(FILE *out)
{
    draw_rows(out, &(struct draw_rows){.id = "p1",
                                       .table = "t1",
                                       .caption = "steps",
                                       .sentence = "a \"picture\"",
                                       .rows = rows,
                                       .count = 3,
                                       .mark = 2,
                                       .label = label,
                                       .context = "v"});
}

static void bars_lie_between_their_ends_and_off_the_edges(void **state)
{
    char *text = drawn(rows_draw);
    (void)state;
    assert_non_null(strstr(text, "aria-details=\"t1\""));
    assert_non_null(strstr(text, "role=\"img\" aria-label=\"a &quot;picture&quot;\""));
    assert_non_null(strstr(text, "<rect class=\"t0\" x=\"1.00%\" y=\"3\" width=\"98.00%\""));
    assert_non_null(strstr(text, "<rect class=\"t3\" x=\"25.50%\" y=\"3\" width=\"73.50%\""));
    assert_int_equal(count_of(text, "<rect"), 2);
    assert_int_equal(count_of(text, "class=\"whisker\""), 3);
    assert_int_equal(count_of(text, "class=\"mark\" x1=\"50.00%\""), 3);
    assert_non_null(strstr(text, "<span>v0</span><span>v2</span><span>v4</span>"));
    free(text);
}

static void points_draw(FILE *out)
{
    draw_rows(out, &(struct draw_rows){.id = "p1",
                                       .table = "t1",
                                       .caption = "",
                                       .sentence = "s",
                                       .rows = rows,
                                       .count = 1,
                                       .least = 0,
                                       .most = 2,
                                       .mark = __builtin_nan(""),
                                       .points = true});
}

static void a_point_beyond_its_axis_stands_at_the_end(void **state)
{
    char *text = drawn(points_draw);
    (void)state;
    assert_int_equal(count_of(text, "<rect"), 0);
    assert_non_null(strstr(text, "<circle class=\"t0\" cx=\"99.00%\""));
    assert_int_equal(count_of(text, "class=\"mark\""), 0);
    assert_int_equal(count_of(text, "class=\"ends\""), 0);
    free(text);
}

static void long_draw(FILE *out)
{
    char text[DRAW_FORMAT_BYTES * 2];
    memset(text, 'x', sizeof text);
    for (size_t i = 0; i + 1 < sizeof text; i += 2) {
        memcpy(text + i, "ä", 2);
    }
    text[sizeof text - 1] = '\0';
    draw_format(out, "%s", text);
}

static void a_text_that_is_too_long_is_cut_between_letters(void **state)
{
    char *text = drawn(long_draw);
    (void)state;
    assert_int_equal(strlen(text) % 2, 0);
    assert_true(strlen(text) > DRAW_FORMAT_BYTES - 8 && strlen(text) < DRAW_FORMAT_BYTES);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_has_headings_and_is_closed_whatever_was_written),
        cmocka_unit_test(bars_lie_between_their_ends_and_off_the_edges),
        cmocka_unit_test(a_point_beyond_its_axis_stands_at_the_end),
        cmocka_unit_test(a_text_that_is_too_long_is_cut_between_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
