/* SPDX-License-Identifier: Apache-2.0 */
/* How long customers stay: the curve of all, and a triangle with a row for each cohort. Each cell
 * has the customers who were watched so long: a share of three says that it is one. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"
#include "server/math/special.h"
#include "server/report/report_sections.h"

#define TABLE "survival-table"
#define POINTS_MAX 40
/* The point that the sentence is about, or the last before it. */
#define YEAR_MONTHS 12

static const struct report_column columns[] = {
    {"month", "Months since the first payment", false},
    {"survival", "Still there", true},
    {"low", "95 % from", true},
    {"high", "to", true},
    {"at_risk", "At risk", false},
    {"ended", "Left by then", false},
};

static void answer_write(FILE *out, const struct measure_table *table)
{
    char shares[3][REPORT_TEXT_BYTES];
    size_t rows = measure_table_rows(table);
    size_t at = 0;
    size_t half = rows;
    for (size_t row = 0; row < rows; row++) {
        at = report_whole(table, row, "month") <= YEAR_MONTHS ? row : at;
        half = half == rows && report_value(table, row, "survival") <= 0.5 ? row : half;
    }
    draw_number_share(report_value(table, at, "survival"), shares[0], sizeof shares[0]);
    draw_number_share(report_value(table, at, "low"), shares[1], sizeof shares[1]);
    draw_number_share(report_value(table, at, "high"), shares[2], sizeof shares[2]);
    fputs("<p class=\"answer\">", out);
    draw_format(out,
                "%lld months after the first payment %s of the customers are still there (95 %% "
                "interval %s to %s, %lld watched so long);",
                (long long)report_whole(table, at, "month"), shares[0], shares[1], shares[2],
                (long long)report_whole(table, at, "at_risk"));
    if (half < rows) {
        draw_format(out, " half have left by month %lld.",
                    (long long)report_whole(table, half, "month"));
    } else {
        draw_format(out, " more than half stay as long as anybody was watched, %lld months.",
                    (long long)report_whole(table, rows - 1, "month"));
    }
    fputs("</p>\n", out);
}

static void picture_write(FILE *out, const struct measure_table *table)
{
    struct draw_row rows[POINTS_MAX];
    char names[POINTS_MAX][REPORT_TEXT_BYTES];
    char figures[POINTS_MAX][REPORT_TEXT_BYTES * 2];
    size_t count = measure_table_rows(table);
    count = count < POINTS_MAX ? count : POINTS_MAX;
    for (size_t row = 0; row < count; row++) {
        char share[REPORT_TEXT_BYTES];
        double survival = report_value(table, row, "survival");
        draw_number_share(survival, share, sizeof share);
        snprintf(names[row], sizeof names[row], "Month %lld",
                 (long long)report_whole(table, row, "month"));
        snprintf(figures[row], sizeof figures[row], "%s, %lld at risk", share,
                 (long long)report_whole(table, row, "at_risk"));
        rows[row] = (struct draw_row){.name = names[row],
                                      .figure = figures[row],
                                      .from = 0,
                                      .to = survival,
                                      .low = report_value(table, row, "low"),
                                      .high = report_value(table, row, "high"),
                                      .tone = DRAW_PLAIN};
    }
    draw_rows(out, &(struct draw_rows){.id = "survival-picture",
                                       .table = TABLE,
                                       .caption = "Share of customers still there, with 95 % "
                                                  "intervals (Kaplan and Meier)",
                                       .sentence = "Bars that grow shorter with the months since "
                                                   "the first payment; the figures stand in the "
                                                   "table",
                                       .rows = rows,
                                       .count = count,
                                       .least = 0,
                                       .most = 1,
                                       .mark = MATH_NAN,
                                       .label = report_share_label});
}

/* Months of the longest row, ascending; rows of a cohort stand together from month 0 on. */
static size_t months_of(const struct measure_table *table, int64_t months[POINTS_MAX])
{
    size_t count = 0;
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        int64_t month = report_whole(table, row, "month");
        if ((count == 0 || month > months[count - 1]) && count < POINTS_MAX) {
            months[count++] = month;
        }
    }
    return count;
}

static void triangle_row(struct draw_table *drawn, const struct measure_table *table, size_t *row,
                         size_t months)
{
    char text[REPORT_TEXT_BYTES * 2];
    size_t rows = measure_table_rows(table);
    draw_table_cell(drawn, report_text(table, *row, "cohort"));
    draw_number_grouped(report_whole(table, *row, "n"), 0, 0, text, sizeof text);
    draw_table_cell(drawn, text);
    size_t filled = 0;
    do {
        char share[REPORT_TEXT_BYTES];
        double survival = report_value(table, *row, "survival");
        draw_number_share(survival, share, sizeof share);
        snprintf(text, sizeof text, "%s (%lld)", share,
                 (long long)report_whole(table, *row, "at_risk"));
        if (filled < months) {
            draw_table_shaded(drawn, (unsigned)lround(survival * DRAW_SHADES), text);
            filled++;
        }
        (*row)++;
    } while (*row < rows && report_whole(table, *row, "month") > 0);
    for (; filled < months; filled++) {
        draw_table_gap(drawn);
    }
}

static void triangle_write(FILE *out, const struct measure_table *table)
{
    int64_t months[POINTS_MAX];
    char names[POINTS_MAX][REPORT_TEXT_BYTES];
    struct draw_column heads[POINTS_MAX + 2] = {{"First payment", DRAW_DAY},
                                                {"Customers", DRAW_FIGURE}};
    struct draw_table drawn;
    size_t count = months_of(table, months);
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], sizeof names[i], "Month %lld", (long long)months[i]);
        heads[i + 2] = (struct draw_column){names[i], DRAW_FIGURE};
    }
    draw_table_open(&drawn, out, "cohort-table",
                    "Cohorts by the quarter of the first payment: share still there, and in "
                    "brackets the customers at risk",
                    heads, count + 2);
    for (size_t row = 0; row < measure_table_rows(table);) {
        triangle_row(&drawn, table, &row, count);
    }
    draw_table_close(&drawn);
}

void report_cohorts(FILE *out, const struct report_lifecycle *report)
{
    draw_section_open(out, "cohorts", "How long customers stay");
    if (report_part_there(out, &report->survival)) {
        answer_write(out, report->survival.table);
        picture_write(out, report->survival.table);
        report_table(out, report->survival.table, TABLE,
                     "Share of all customers still there; who is there on the last day counts as "
                     "watched until then",
                     columns, sizeof columns / sizeof *columns, 0);
        if (report->cohorts.table != NULL && measure_table_rows(report->cohorts.table) > 0) {
            triangle_write(out, report->cohorts.table);
        }
    }
    draw_section_close(out);
}
