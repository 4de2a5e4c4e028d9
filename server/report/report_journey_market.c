/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences and pictures of concentration, the end of the quarter, prices and campaigns; and points
 * for any table with a value and its interval. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/math/special.h"
#include "server/report/report_journey_parts.h"

static bool is(const struct measure_table *table, size_t row, const char *column, const char *word)
{
    return strcmp(report_text(table, row, column), word) == 0;
}

/* Value and interval of a row under three columns, as a share. */
static void row_fill(struct report_rows *rows, struct draw_row *row,
                     const struct measure_table *table, size_t r, const char *const columns[4])
{
    row->to = report_value(table, r, columns[0]);
    row->low = report_value(table, r, columns[1]);
    row->high = report_value(table, r, columns[2]);
    report_share_write(row->to, row->low, row->high, report_whole(table, r, columns[3]),
                       rows->figures[rows->count - 1], REPORT_FIGURE_BYTES);
}

void report_journey_focus(const struct report_scene *scene)
{
    static const char *const columns[4] = {"value", "low", "high", "n"};
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    fputs("<p class=\"answer\">", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        char name[REPORT_FIGURE_BYTES];
        bool logos = is(table, r, "by", "logos");
        if (is(table, r, "row", "effective")) {
            draw_format(scene->out,
                        "By %s they are as concentrated as %.1f groups of one size "
                        "(%.1f to %.1f). ",
                        logos ? "number" : "value", report_value(table, r, "value"),
                        report_value(table, r, "low"), report_value(table, r, "high"));
        }
        if (!is(table, r, "row", "group")) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%.120s%s", report_text(table, r, "group"),
                       logos ? "" : ", by value");
        struct draw_row *row = report_rows_add(&rows, name);
        if (row != NULL) {
            row_fill(&rows, row, table, r, columns);
            row->tone = logos ? DRAW_PLAIN : DRAW_UP;
        }
    }
    fputs("</p>\n", scene->out);
    report_rows_draw(scene, &rows,
                     "Shares of groups with their intervals: blue by number, green by value", true,
                     0, 0, MATH_NAN);
}

static void difference_tell(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    double low = report_value(table, 2, "low");
    double high = report_value(table, 2, "high");
    char last[REPORT_TEXT_BYTES];
    char before[REPORT_TEXT_BYTES];
    draw_number_share(report_value(table, 0, "won_share"), last, sizeof last);
    draw_number_share(report_value(table, 1, "won_share"), before, sizeof before);
    const char *verdict = low > 0    ? "more than chance explains"
                          : high < 0 ? "less than chance explains"
                                     : "no more than chance does";
    draw_format(scene->out,
                "Of %lld deals that closed in the last days of a quarter %s were won, of the %lld "
                "others %s: %s (difference %+.1f to %+.1f points).",
                (long long)report_whole(table, 0, "n"), last,
                (long long)report_whole(table, 1, "n"), before, verdict, low * 100, high * 100);
}

void report_journey_weeks(const struct report_scene *scene)
{
    static const char *const columns[4] = {"won_share", "low", "high", "n"};
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    fputs("<p class=\"answer\">", scene->out);
    difference_tell(scene);
    fputs("</p>\n", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        char name[REPORT_FIGURE_BYTES];
        bool week = is(table, r, "row", "week");
        if (!week && !is(table, r, "row", "cohort")) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s %.60s", week ? "Closed in week" : "Created from",
                       report_text(table, r, "of"));
        struct draw_row *row = report_rows_add(&rows, name);
        if (row != NULL) {
            row_fill(&rows, row, table, r, columns);
            row->from = 0;
            row->tone = week ? DRAW_PLAIN : DRAW_GREY;
            char *figure = rows.figures[rows.count - 1];
            size_t used = strlen(figure);
            if (!week) {
                (void)snprintf(figure + used, REPORT_FIGURE_BYTES - used, ", %lld immature",
                               (long long)report_whole(table, r, "immature"));
            }
        }
    }
    report_rows_draw(
        scene, &rows,
        "Share that was won: blue by week of the quarter in which deals closed, grey by "
        "quarter of creation, within the days of maturity",
        false, 0, 1, MATH_NAN);
}

void report_journey_price(const struct report_scene *scene)
{
    static const char *const shares[4] = {"share", "share_low", "share_high", "n"};
    static const char *const discounts[4] = {"discount", "discount_low", "discount_high", "listed"};
    const struct measure_table *table = scene->table;
    bool listed = report_whole(table, 0, "listed") > 0;
    struct report_rows rows = {.count = 0};
    char text[REPORT_FIGURE_BYTES];
    fputs("<p class=\"answer\">", scene->out);
    if (listed) {
        report_share_write(report_value(table, 0, "discount"),
                           report_value(table, 0, "discount_low"),
                           report_value(table, 0, "discount_high"),
                           report_whole(table, 0, "listed"), text, sizeof text);
        draw_format(scene->out, "Below the list price by %s.", text);
    } else {
        draw_format(scene->out, "%lld have an amount; no list price was given.",
                    (long long)report_whole(table, 0, "n"));
    }
    fputs("</p>\n", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        bool all = is(table, r, "segment", "all");
        if (all && is(table, r, "package", "all")) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%.120s",
                       report_text(table, r, all ? "package" : "segment"));
        if (all || is(table, r, "package", "all")) {
            struct draw_row *row = listed || all ? report_rows_add(&rows, text) : NULL;
            if (row != NULL) {
                row_fill(&rows, row, table, r, listed ? discounts : shares);
                row->tone = all ? DRAW_PLAIN : DRAW_GREY;
            }
        }
    }
    report_rows_draw(scene, &rows,
                     listed ? "Discount against the list price: blue by package, grey by segment"
                            : "Share of the deals by package",
                     true, 0, 0, listed ? 0 : MATH_NAN);
}

void report_journey_campaign(const struct report_scene *scene)
{
    static const char *const columns[4] = {"worked_share", "worked_low", "worked_high", "watched"};
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        char name[REPORT_FIGURE_BYTES];
        bool all = is(table, r, "owner", "all");
        (void)snprintf(name, sizeof name, "%.70s%s%.70s", report_text(table, r, "campaign"),
                       all ? "" : ": ", all ? "" : report_text(table, r, "owner"));
        struct draw_row *row = report_rows_add(&rows, name);
        if (row != NULL) {
            row_fill(&rows, row, table, r, columns);
            row->tone = all ? DRAW_PLAIN : DRAW_GREY;
        }
    }
    report_rows_draw(scene, &rows,
                     "Share of the members that was worked in time: campaigns, and owners in grey",
                     true, 0, 1, MATH_NAN);
}

/* The first columns that are texts, as the name of a row. */
static void name_write(const struct measure_table *table, size_t row,
                       char name[REPORT_FIGURE_BYTES])
{
    size_t count = 0;
    size_t used = 0;
    const struct measure_column *columns = measure_columns(table->id, &count);
    name[0] = '\0';
    for (size_t c = 0; c < count && columns[c].kind == MEASURE_KIND_TEXT; c++) {
        const char *text = report_text(table, row, columns[c].name);
        if (text[0] != '\0' && used < REPORT_FIGURE_BYTES) {
            used += (size_t)snprintf(name + used, REPORT_FIGURE_BYTES - used, "%s%s",
                                     used > 0 ? ", " : "", text);
        }
    }
}

void report_journey_points(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    if (!report_column_has(table, "value") || !report_column_has(table, "low") ||
        !report_column_has(table, "high")) {
        return;
    }
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        char name[REPORT_FIGURE_BYTES];
        if (!isfinite(report_value(table, r, "value"))) {
            continue;
        }
        name_write(table, r, name);
        struct draw_row *row = report_rows_add(&rows, name);
        if (row != NULL) {
            row->to = report_value(table, r, "value");
            row->low = report_value(table, r, "low");
            row->high = report_value(table, r, "high");
            (void)snprintf(rows.figures[rows.count - 1], REPORT_FIGURE_BYTES, "%.4g", row->to);
        }
    }
    struct report_scene plain = *scene;
    report_rows_draw(&plain, &rows, "Values with their intervals", true, 0, 0, 0);
}
