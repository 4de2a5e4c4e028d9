/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences and pictures of patterns, motions, yield and referrals. A row without the figure that
 * is drawn has no place in the picture; the table has it. */
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

/* Rows whose column is that word. */
static size_t rows_of(const struct measure_table *table, const char *column, const char *word)
{
    size_t count = 0;
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        count += is(table, r, column, word);
    }
    return count;
}

/* An end of the axis of odds ratios, which are drawn by their logarithms. */
static void odds_label(const void *context, double value, char *text, size_t text_bytes)
{
    (void)context;
    (void)snprintf(text, text_bytes, "odds × %.2g", exp(value));
}

/* The odds ratio of the later journeys, else that of the earlier, which was chosen for being large.
 */
static void odds_row(const struct measure_table *table, size_t r, struct report_rows *rows)
{
    bool later = isfinite(report_value(table, r, "later_odds"));
    double odds = report_value(table, r, later ? "later_odds" : "odds");
    double low = report_value(table, r, later ? "later_low" : "low");
    double high = report_value(table, r, later ? "later_high" : "high");
    struct draw_row *row =
        isfinite(odds) && odds > 0 ? report_rows_add(rows, report_text(table, r, "pattern")) : NULL;
    if (row == NULL) {
        return;
    }
    row->to = log(odds);
    row->low = low > 0 && isfinite(low) ? log(low) : MATH_NAN;
    row->high = high > 0 && isfinite(high) ? log(high) : MATH_NAN;
    row->tone = is(table, r, "verdict", "leads")   ? DRAW_UP
                : is(table, r, "verdict", "loses") ? DRAW_DOWN
                                                   : DRAW_GREY;
    (void)snprintf(rows->figures[rows->count - 1], REPORT_FIGURE_BYTES,
                   "odds × %.2f (%.2f to %.2f), n = %lld%s", odds, low, high,
                   (long long)report_whole(table, r, later ? "later_n" : "n"),
                   later ? "" : ", earlier journeys");
}

void report_journey_patterns(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    size_t leads = rows_of(table, "verdict", "leads");
    size_t loses = rows_of(table, "verdict", "loses");
    char share[REPORT_TEXT_BYTES];
    draw_number_share(report_value(table, 0, "rate"), share, sizeof share);
    fputs("<p class=\"answer\">", scene->out);
    draw_format(scene->out,
                "Of %lld journeys %s reached the goal. Patterns that later journeys confirm: %zu "
                "lead there, %zu lose it.",
                (long long)report_whole(table, 0, "n"), share, leads, loses);
    fputs("</p>\n", scene->out);
    for (size_t r = 1; r < measure_table_rows(table); r++) {
        odds_row(table, r, &rows);
    }
    if (rows.count == 0) {
        return;
    }
    draw_rows(scene->out, &(struct draw_rows){
                              .id = scene->picture,
                              .table = scene->table_id,
                              .caption = "Odds of reaching the goal with the pattern, over those "
                                         "without it, at equal length and fit: green leads, "
                                         "red loses, grey is not confirmed; the line is 1",
                              .sentence = "A picture of figures that stand in the table below",
                              .rows = rows.rows,
                              .count = rows.count,
                              .mark = 0,
                              .points = true,
                              .label = odds_label});
}

/* The verdict of a figure of a motion; "" where there is none. */
static const char *verdict_of(const struct measure_table *table, const char *motion,
                              const char *figure)
{
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        if (is(table, r, "motion", motion) && is(table, r, "figure", figure)) {
            return report_text(table, r, "verdict");
        }
    }
    return "";
}

void report_journey_motions(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    size_t drains = 0;
    fputs("<p class=\"answer\">", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        const char *motion = report_text(table, r, "motion");
        bool drained = strcmp(verdict_of(table, motion, "drain"), "drains") == 0;
        if (!is(table, r, "figure", "conversion")) {
            continue;
        }
        if (drained) {
            draw_format(scene->out, "%s%.100s", drains == 0 ? "More spend than outcome: " : ", ",
                        motion);
            drains++;
        }
        struct draw_row *row =
            isfinite(report_value(table, r, "value")) ? report_rows_add(&rows, motion) : NULL;
        if (row != NULL) {
            row->to = report_value(table, r, "value");
            row->low = report_value(table, r, "low");
            row->high = report_value(table, r, "high");
            row->tone = drained ? DRAW_DOWN : strcmp(motion, "(all)") == 0 ? DRAW_GREY : DRAW_PLAIN;
            report_share_write(row->to, row->low, row->high, report_whole(table, r, "n"),
                               rows.figures[rows.count - 1], REPORT_FIGURE_BYTES);
        }
    }
    fputs(drains > 0 ? ".</p>\n" : "No motion is sure to take more spend than it brings.</p>\n",
          scene->out);
    report_rows_draw(scene, &rows,
                     "Conversion of the journeys that are old enough, with its interval: grey is "
                     "all of them, red drains",
                     true, 0, 0, MATH_NAN);
}

/* "+3.1 points (-1.0 to 7.2)". */
static void points_write(double value, double low, double high, char *text, size_t bytes)
{
    int used = snprintf(text, bytes, "%+.1f points", value * 100);
    if (used > 0 && (size_t)used < bytes && isfinite(low) && isfinite(high)) {
        (void)snprintf(text + used, bytes - (size_t)used, " (%+.1f to %+.1f)", low * 100,
                       high * 100);
    }
}

void report_journey_yield(const struct report_scene *scene)
{
    static const char flat[] = "volume up, outcome flat";
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.differences = true};
    size_t told = 0;
    fputs("<p class=\"answer\">", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        const char *group = report_text(table, r, "group");
        double better = report_value(table, r, "better");
        char name[REPORT_FIGURE_BYTES];
        if (is(table, r, "verdict", flat)) {
            draw_format(scene->out, "%s%.100s", told++ == 0 ? "Volume up, outcome flat: " : ", ",
                        group);
        }
        struct draw_row *row = isfinite(better) ? report_rows_add(&rows, group) : NULL;
        if (row == NULL) {
            continue;
        }
        row->to = better;
        row->low = report_value(table, r, "better_low");
        row->high = report_value(table, r, "better_high");
        row->tone = row->low > 0 ? DRAW_UP : row->high < 0 ? DRAW_DOWN : DRAW_PLAIN;
        points_write(better, row->low, row->high, rows.figures[rows.count - 1],
                     REPORT_FIGURE_BYTES);
        (void)snprintf(name, sizeof name, "%.100s, in proportion", group);
        double due = report_value(table, r, "in_proportion");
        row = isfinite(due) ? report_rows_add(&rows, name) : NULL;
        if (row != NULL) {
            row->to = due;
            row->tone = DRAW_GREY;
            points_write(due, MATH_NAN, MATH_NAN, rows.figures[rows.count - 1],
                         REPORT_FIGURE_BYTES);
        }
    }
    fputs(told > 0 ? ".</p>\n" : "Nobody is told to have more volume and the same outcome.</p>\n",
          scene->out);
    report_rows_draw(scene, &rows,
                     "Share that was won less that of the others at equal fit, with its interval; "
                     "grey what it would be if outcomes had grown as touches did",
                     true, 0, 0, 0);
}

void report_journey_referral(const struct report_scene *scene)
{
    const struct measure_table *table = scene->table;
    struct report_rows rows = {.count = 0};
    fputs("<p class=\"answer\">", scene->out);
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        double value = report_value(table, r, "value");
        char name[REPORT_FIGURE_BYTES];
        if (is(table, r, "figure", "assortativity") && isfinite(value)) {
            draw_format(scene->out,
                        "Assortativity is %.2f: 1 is every referral within its segment, 0 what "
                        "chance does. ",
                        value);
        } else if (is(table, r, "figure", "reproduction") && isfinite(value)) {
            draw_format(scene->out, "A customer refers %.2f new customers.", value);
        }
        bool share = is(table, r, "figure", "rate") || is(table, r, "figure", "within");
        struct draw_row *row = NULL;
        if (share && isfinite(value)) {
            const char *of = report_text(table, r, "of");
            (void)snprintf(name, sizeof name, "%s%s%.100s",
                           is(table, r, "figure", "rate") ? "Won" : "Within the segment",
                           of[0] != '\0' ? ": " : "", of);
            row = report_rows_add(&rows, name);
        }
        if (row != NULL) {
            row->to = value;
            row->low = report_value(table, r, "low");
            row->high = report_value(table, r, "high");
            row->tone = is(table, r, "figure", "within") || is(table, r, "of", "others")
                            ? DRAW_GREY
                            : DRAW_PLAIN;
            report_share_write(value, row->low, row->high, report_whole(table, r, "n"),
                               rows.figures[rows.count - 1], REPORT_FIGURE_BYTES);
        }
    }
    fputs("</p>\n", scene->out);
    report_rows_draw(scene, &rows,
                     "Share that was won of who was referred and of the others; in grey beside it, "
                     "referrals that stay within a segment",
                     true, 0, 1, MATH_NAN);
}
