/* SPDX-License-Identifier: Apache-2.0 */
/* The answer and its picture stand first; below them each comparison, what was predicted, where the
 * profile was wrong, what cannot be said and what to do next; at the foot the weeks and what all of
 * it rests on.
 */
#include "server/report/report_verdict.h"

#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
#include "server/report/report_adherence.h"
#include "server/report/report_fact.h"
#include "server/report/report_sections.h"
#include "server/report/report_verdict_frame.h"
#include "server/report/report_verdict_picture.h"

enum { PROMISES_SHOWN = 20, COLUMNS_MAX = 12 };

static bool same_group(const struct measure_table *lift, size_t a, size_t b)
{
    return strcmp(report_text(lift, a, "against"), report_text(lift, b, "against")) == 0 &&
           strcmp(report_text(lift, a, "outcome"), report_text(lift, b, "outcome")) == 0;
}

/* The last row of its comparison and outcome. */
static bool is_newest(const struct measure_table *lift, size_t row)
{
    return row + 1 == measure_table_rows(lift) || !same_group(lift, row, row + 1);
}

/* What the answer rests on: the comparison with its verdict, equal effort before others. */
static const char *ground_of(const struct report_verdict *report)
{
    const struct measure_table *lift = report->lift;
    const char *ground = "equal-effort";
    for (size_t row = 0; row < measure_table_rows(lift); row++) {
        bool held = report_verdict_is_of(lift, row, "hold-out");
        bool equal = report_verdict_is_of(lift, row, "equal-effort");
        bool agrees = strcmp(report_text(lift, row, "verdict"), report->verdict) == 0;
        if (is_newest(lift, row) && equal && agrees) {
            return "equal-effort";
        }
        if (is_newest(lift, row) && held && agrees) {
            ground = "hold-out";
        }
    }
    return ground;
}

static enum draw_kind kind_of(const struct measure_table *table, const char *column)
{
    size_t count = 0;
    const struct measure_column *columns = measure_columns(table->id, &count);
    for (size_t c = 0; c < count; c++) {
        if (strcmp(columns[c].name, column) == 0) {
            return columns[c].kind == MEASURE_KIND_TEXT   ? DRAW_TEXT
                   : columns[c].kind == MEASURE_KIND_TIME ? DRAW_DAY
                                                          : DRAW_FIGURE;
        }
    }
    return DRAW_TEXT;
}

/* Odds with two digits, days without their time, the rest as every page has it. */
static const char *cell_shown(const struct measure_table *table, size_t row,
                              const struct report_column *column, char text[REPORT_TEXT_BYTES])
{
    const struct measure_cell *cell = measure_cell_find(table, row, column->column);
    bool odds = strcmp(column->column, "ratio") == 0 || strncmp(column->column, "rule_", 5) == 0;
    if (odds && cell->kind == MEASURE_KIND_NUMBER) {
        snprintf(text, REPORT_TEXT_BYTES, "%.2f", cell->number);
        return text;
    }
    if (cell->kind == MEASURE_KIND_TIME) {
        report_day(cell->whole, text);
        text[strlen("2027-01-01")] = '\0';
        return text;
    }
    return report_shown(cell, column->share, 2, text);
}

/* Rows of a table that `wanted` takes, at most `most`. */
static void rows_write(FILE *out, const struct measure_table *table, const char *id,
                       const char *caption, const struct report_column *columns, size_t count,
                       bool (*wanted)(const struct measure_table *table, size_t row), size_t most)
{
    struct draw_column heads[COLUMNS_MAX];
    struct draw_table drawn;
    char text[REPORT_TEXT_BYTES];
    for (size_t i = 0; i < count; i++) {
        heads[i] = (struct draw_column){columns[i].heading, kind_of(table, columns[i].column)};
    }
    draw_table_open(&drawn, out, id, caption, heads, count);
    for (size_t row = 0; row < measure_table_rows(table) && most > 0; row++) {
        if (wanted != NULL && !wanted(table, row)) {
            continue;
        }
        most--;
        for (size_t i = 0; i < count; i++) {
            draw_table_cell(&drawn, cell_shown(table, row, &columns[i], text));
        }
    }
    draw_table_close(&drawn);
}

static void lines_write(FILE *out, const struct report_lines *lines, size_t from)
{
    fputs("<ul>\n", out);
    for (size_t i = from; i < lines->count; i++) {
        fputs("<li>", out);
        draw_text(out, lines->lines[i]);
        fputs("</li>\n", out);
    }
    fputs("</ul>\n", out);
}

static const struct report_column lift_columns[] = {
    {"outcome", "Outcome", false},   {"against", "Against", false},
    {"on", "On the list", false},    {"won_on", "Won", false},
    {"off", "Off it", false},        {"won_off", "Won", false},
    {"ratio", "Odds ratio", false},  {"rule_low", "At least", false},
    {"rule_high", "At most", false}, {"verdict", "Verdict", false},
};
static const struct report_column rate_columns[] = {
    {"outcome", "Outcome", false}, {"group", "Accounts", false}, {"n", "Cases", false},
    {"won", "Won", false},         {"rate", "Rate", true},       {"low", "From", true},
    {"high", "To", true},
};
static const struct report_column forecast_columns[] = {
    {"rival", "Rival", false},
    {"n", "Cases", false},
    {"brier", "Squared error", false},
    {"rival_brier", "The rival's", false},
    {"difference", "Difference", false},
    {"low", "From", false},
    {"high", "To", false},
    {"verdict", "The list's predictions are", false},
};
static const struct report_column promise_columns[] = {
    {"of", "Of", false},         {"value", "Value", false},      {"n", "Cases", false},
    {"rate", "Came true", true}, {"promised", "Promised", true}, {"low", "Difference from", true},
    {"high", "to", true},        {"verdict", "Verdict", false},
};
static const struct report_column week_columns[] = {
    {"as_of", "Known on", false},    {"against", "Against", false},
    {"on", "On the list", false},    {"won_on", "Won", false},
    {"off", "Off it", false},        {"won_off", "Won", false},
    {"ratio", "Odds ratio", false},  {"rule_low", "At least", false},
    {"rule_high", "At most", false}, {"verdict", "Verdict", false},
};
#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static void why_write(FILE *out, const struct report_verdict *report)
{
    draw_section_open(out, "why", "Why");
    lines_write(out, &report->words, 1);
    rows_write(out, report->lift, "lift-table",
               "Each comparison as it is known now; bounds hold however often one looks",
               lift_columns, COUNT(lift_columns), is_newest, SIZE_MAX);
    rows_write(out, report->rate, "rate-table", "Rates with intervals that hold at all times",
               rate_columns, COUNT(rate_columns), NULL, SIZE_MAX);
    draw_section_close(out);
}

static void predictions_write(FILE *out, const struct report_verdict *report)
{
    size_t wrong = 0;
    for (size_t row = 0; row < measure_table_rows(report->promise); row++) {
        wrong += report_text(report->promise, row, "verdict")[0] != '\0';
    }
    draw_section_open(out, "predictions", "Whether the predictions came true");
    rows_write(out, report->forecast, "forecast-table",
               "Predictions that were frozen with the list against rivals; a difference above 0 "
               "means that the rival was worse",
               forecast_columns, COUNT(forecast_columns), NULL, SIZE_MAX);
    draw_section_close(out);
    draw_section_open(out, "profile", "Where the profile was wrong");
    fputs("<p class=\"answer\">", out);
    if (measure_table_rows(report->promise) == 0) {
        draw_text(out, "No case is counted yet that a promise could be held against.");
    } else if (wrong == 0) {
        draw_text(out, "No field, segment or grade promised too much or too little beyond chance.");
    } else {
        draw_format(out, "%zu of %zu fields, segments and grades promised too much or too little.",
                    wrong, measure_table_rows(report->promise));
    }
    fputs("</p>\n", out);
    if (measure_table_rows(report->promise) > 0) {
        rows_write(out, report->promise, "promise-table",
                   "What was promised and what came true, those that were wrong first; intervals "
                   "are widened for the number of rows",
                   promise_columns, COUNT(promise_columns), NULL, PROMISES_SHOWN);
    }
    draw_section_close(out);
}

/* The last week of a month, the newest of its comparison, and where the verdict became another. */
static bool is_told(const struct measure_table *lift, size_t row)
{
    char now[REPORT_TEXT_BYTES];
    char next[REPORT_TEXT_BYTES];
    if (!report_verdict_has_week(lift, row)) {
        return false;
    }
    if (is_newest(lift, row) ||
        (row > 0 && same_group(lift, row - 1, row) &&
         strcmp(report_text(lift, row, "verdict"), report_text(lift, row - 1, "verdict")) != 0)) {
        return true;
    }
    report_day(report_whole(lift, row, "as_of"), now);
    report_day(report_whole(lift, row + 1, "as_of"), next);
    return strncmp(now, next, strlen("2027-01")) != 0;
}

static bool weeks_there(const struct measure_table *lift)
{
    for (size_t row = 0; row < measure_table_rows(lift); row++) {
        if (report_verdict_has_week(lift, row)) {
            return true;
        }
    }
    return false;
}

static void weeks_write(FILE *out, const struct report_verdict *report)
{
    if (!weeks_there(report->lift)) {
        return;
    }
    draw_section_open(out, "weeks", "As it was known");
    rows_write(
        out, report->lift, "week-table",
        "The lift as it was known at the end of each month, and when the verdict became another; "
        "icp verdict --weekly has each week",
        week_columns, COUNT(week_columns), is_told, SIZE_MAX);
    draw_section_close(out);
}

static void contents_write(FILE *out, const struct report_verdict *report)
{
    fputs("<nav aria-label=\"Sections\"><ol>\n", out);
    report_link(out, "narrowing", "How the answer narrows");
    report_link(out, "why", "Why");
    report_link(out, "predictions", "Whether the predictions came true");
    report_link(out, "profile", "Where the profile was wrong");
    report_adherence_links(out, report->adherence, report->divergence);
    if (report->cannot.count > 0) {
        report_link(out, "cannot", "What cannot be said");
    }
    report_link(out, "next", "What to do next");
    if (weeks_there(report->lift)) {
        report_link(out, "weeks", "As it was known");
    }
    report_link(out, "ground", "What it rests on");
    fputs("</ol></nav>\n", out);
}

/* The newest row of the comparison that the answer rests on. */
static size_t newest_of(const struct measure_table *lift, const char *against)
{
    size_t found = SIZE_MAX;
    for (size_t row = 0; row < measure_table_rows(lift); row++) {
        found = report_verdict_is_of(lift, row, against) ? row : found;
    }
    return found;
}

void report_verdict(FILE *out, const struct report_verdict *report)
{
    char title[200];
    snprintf(title, sizeof title, "Was the list right? %.120s", report->list);
    draw_page_open(out, title);
    fputs("<p class=\"answer\">", out);
    draw_text(out, report->words.count > 0 ? report->words.lines[0] : "");
    fputs("</p>\n", out);
    const char *ground = ground_of(report);
    report_verdict_head(out, report, newest_of(report->lift, ground));
    contents_write(out, report);
    draw_section_open(out, "narrowing", "How the answer narrows");
    report_verdict_picture(out, report->lift, ground);
    draw_section_close(out);
    why_write(out, report);
    predictions_write(out, report);
    report_adherence(out, report->adherence, report->divergence, report->committed);
    if (report->cannot.count > 0) {
        draw_section_open(out, "cannot", "What cannot be said");
        lines_write(out, &report->cannot, 0);
        draw_section_close(out);
    }
    draw_section_open(out, "next", "What to do next, as a draft");
    lines_write(out, &report->next, 0);
    draw_section_close(out);
    weeks_write(out, report);
    report_verdict_ground(out, report);
    draw_page_close(out);
}
