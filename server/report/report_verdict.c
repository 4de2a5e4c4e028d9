/* SPDX-License-Identifier: Apache-2.0 */
/* The answer and its picture stand first; below them each comparison, what was predicted, where the
 * profile was wrong, what cannot be said and what to do next; at the foot what all of it rests on.
 */
#include "server/report/report_verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_svg.h"
#include "server/draw/draw_table.h"
#include "server/report/report_adherence.h"
#include "server/report/report_fact.h"
#include "server/report/report_sections.h"

/* Odds ratios beyond these are drawn at the edge. */
static const double odds_low = 0.1;
static const double odds_high = 10;

enum { PROMISES_SHOWN = 20, COLUMNS_MAX = 12 };

/* The weeks of one comparison. */
struct weeks {
    double *x, *ratio, *low, *high, *one;
    size_t count;
    size_t last; /* row of the newest */
};

static bool is_of(const struct measure_table *lift, size_t row, const char *against)
{
    return strcmp(report_text(lift, row, "against"), against) == 0 &&
           strcmp(report_text(lift, row, "outcome"), report_text(lift, 0, "outcome")) == 0;
}

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
        bool held = is_of(lift, row, "hold-out");
        bool equal = is_of(lift, row, "equal-effort");
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

static double within(double value, double otherwise)
{
    double at = isnan(value) != 0 ? otherwise : value;
    return at < odds_low ? odds_low : at > odds_high ? odds_high : at;
}

static bool weeks_take(const struct measure_table *lift, const char *against, struct weeks *weeks)
{
    size_t room = measure_table_rows(lift) + 1;
    double *all = calloc(5 * room, sizeof *all);
    *weeks = (struct weeks){.x = all};
    if (all == NULL) {
        return false;
    }
    weeks->ratio = all + room;
    weeks->low = all + 2 * room;
    weeks->high = all + 3 * room;
    weeks->one = all + 4 * room;
    for (size_t row = 0; row < measure_table_rows(lift); row++) {
        if (is_of(lift, row, against)) {
            size_t at = weeks->count++;
            weeks->x[at] = (double)weeks->count;
            bool endless =
                report_value(lift, row, "won_on") > 0 && report_value(lift, row, "off") > 0;
            weeks->ratio[at] = within(report_value(lift, row, "ratio"), endless ? odds_high : 1);
            weeks->low[at] = within(report_value(lift, row, "rule_low"), odds_low);
            weeks->high[at] = within(report_value(lift, row, "rule_high"), odds_high);
            weeks->one[at] = 1;
            weeks->last = row;
        }
    }
    return true;
}

static void odds_label(double value, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%g×", value);
}

static void week_label(double value, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "%.0f", value);
}

static void picture_write(FILE *out, const struct report_verdict *report)
{
    struct weeks weeks;
    char title[160];
    const char *against = ground_of(report);
    if (!weeks_take(report->lift, against, &weeks) || weeks.count < 2) {
        free(weeks.x);
        return;
    }
    const struct draw_svg_series series[] = {
        {.name = "what the odds ratio may be",
         .x = weeks.x,
         .y = weeks.high,
         .count = weeks.count,
         .below = weeks.low},
        {.name = "no difference", .x = weeks.x, .y = weeks.one, .count = weeks.count},
        {.name = "odds ratio", .x = weeks.x, .y = weeks.ratio, .count = weeks.count},
    };
    snprintf(title, sizeof title,
             "Odds of winning on the list against %s, as it was known week by week",
             strcmp(against, "hold-out") == 0 ? "those held out" : "others worked as much");
    draw_svg_lines(out,
                   &(struct draw_svg_chart){
                       .title = title,
                       .x = {.title = "weeks of creation that were matured", .label = week_label},
                       .y = {.title = "times the odds",
                             .log = true,
                             .low = odds_low,
                             .high = odds_high,
                             .label = odds_label},
                       .series = series,
                       .series_count = 3});
    free(weeks.x);
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
    if (wrong == 0) {
        draw_text(out, "No field, segment or grade promised too much or too little beyond chance.");
    } else {
        draw_format(out, "%zu of %zu fields, segments and grades promised too much or too little.",
                    wrong, measure_table_rows(report->promise));
    }
    fputs("</p>\n", out);
    rows_write(out, report->promise, "promise-table",
               "What was promised and what came true, those that were wrong first; intervals are "
               "widened for the number of rows",
               promise_columns, COUNT(promise_columns), NULL, PROMISES_SHOWN);
    draw_section_close(out);
}

static void ground_write(FILE *out, const struct report_verdict *report)
{
    char text[REPORT_TEXT_BYTES];
    draw_section_open(out, "ground", "What it rests on");
    fputs("<dl>\n", out);
    report_fact(out, "List", report->list);
    report_fact_number(out, "Built by ICP version", report->icp);
    report_day(report->created_ms, text);
    report_fact(out, "Made on", text);
    report_day(report->since_ms, text);
    report_fact(out, "Cases from", text);
    report_day(report->at_ms, text);
    report_fact(out, "Looked at on", text);
    report_fact(out, "What counts as won", report->policy);
    report_fact_count(out, "Cases", report->cases);
    report_fact_count(out, "Not counted yet", report->open);
    report_fact_count(out, "Began before", report->before);
    report_fact_count(out, "Of accounts that the list did not freeze", report->elsewhere);
    report_fact_count(out, "Touches told of the cases", report->touches);
    snprintf(text, sizeof text, "%g", report->alpha);
    report_fact(out, "Chance of a false verdict, each comparison", text);
    report_fact_number(out, "Sequence of the log", report->seq);
    fputs("</dl>\n", out);
    rows_write(out, report->lift, "week-table", "The lift as it was known week by week",
               week_columns, COUNT(week_columns), NULL, SIZE_MAX);
    draw_section_close(out);
}

void report_verdict(FILE *out, const struct report_verdict *report)
{
    char title[200];
    snprintf(title, sizeof title, "Was the list right? %.120s", report->list);
    draw_page_open(out, title);
    fputs("<p class=\"answer\">", out);
    draw_text(out, report->words.count > 0 ? report->words.lines[0] : "");
    fputs("</p>\n", out);
    picture_write(out, report);
    why_write(out, report);
    predictions_write(out, report);
    report_adherence(out, report->adherence, report->divergence);
    if (report->cannot.count > 0) {
        draw_section_open(out, "cannot", "What cannot be said");
        lines_write(out, &report->cannot, 0);
        draw_section_close(out);
    }
    draw_section_open(out, "next", "What to do next, as a draft");
    lines_write(out, &report->next, 0);
    draw_section_close(out);
    ground_write(out, report);
    draw_page_close(out);
}
