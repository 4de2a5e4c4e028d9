/* SPDX-License-Identifier: Apache-2.0 */
/* What made the MRR of the end of that of the start: the movements of all periods added up as a
 * waterfall, and each period as a row. Start and movements give the end exactly. */
#include <math.h>
#include <stdlib.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"
#include "server/math/special.h"
#include "server/report/report_sections.h"

#define TABLE "mrr-table"

enum { START, NEW, REACTIVATION, EXPANSION, CONTRACTION, CHURN, END, STEPS };

static const struct {
    const char *column;
    const char *name;
    int sign;
} steps[STEPS] = {
    [START] = {"start", "MRR at the start", 0},
    [NEW] = {"new", "New", 1},
    [REACTIVATION] = {"reactivation", "Reactivation", 1},
    [EXPANSION] = {"expansion", "Expansion", 1},
    [CONTRACTION] = {"contraction", "Contraction", -1},
    [CHURN] = {"churn", "Churn", -1},
    [END] = {"end", "MRR at the end", 0},
};

static const struct report_column columns[] = {
    {"from", "From", false},
    {"to", "To", false},
    {"start", "Start", false},
    {"new", "New", false},
    {"reactivation", "Reactivation", false},
    {"expansion", "Expansion", false},
    {"contraction", "Contraction", false},
    {"churn", "Churn", false},
    {"end", "End", false},
    {"customers", "Customers", false},
    {"nrr", "NRR", true},
    {"grr", "GRR", true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* Movements over all rows; start of the first, end of the last. */
static void sums_of(const struct measure_table *table, int64_t sums[STEPS])
{
    size_t rows = measure_table_rows(table);
    for (int step = 0; step < STEPS; step++) {
        sums[step] = 0;
        for (size_t row = 0; row < rows && steps[step].sign != 0; row++) {
            sums[step] += report_whole(table, row, steps[step].column);
        }
    }
    sums[START] = report_whole(table, 0, "start");
    sums[END] = report_whole(table, rows - 1, "end");
}

static void answer_write(FILE *out, const struct report_lifecycle *report,
                         const int64_t sums[STEPS])
{
    char money[STEPS][REPORT_TEXT_BYTES];
    char change[REPORT_TEXT_BYTES];
    char share[REPORT_TEXT_BYTES] = "";
    int64_t net = sums[END] - sums[START];
    for (int step = 0; step < STEPS; step++) {
        report_money(&report->ground, sums[step], money[step]);
    }
    report_money(&report->ground, net < 0 ? -net : net, change);
    if (sums[START] > 0) {
        snprintf(share, sizeof share, ", %.1f %%", fabs((double)net) / (double)sums[START] * 100);
    }
    fputs("<p class=\"answer\">", out);
    draw_format(out, "MRR %s from %s to %s (%s%s%s): ",
                net > 0   ? "rose"
                : net < 0 ? "fell"
                          : "stayed",
                money[START], money[END], net < 0 ? "−" : "+", change, share);
    draw_format(
        out,
        "new customers brought %s, returning ones %s, expansion %s; contraction took %s, churn %s.",
        money[NEW], money[REACTIVATION], money[EXPANSION], money[CONTRACTION], money[CHURN]);
    fputs("</p>\n", out);
}

static void label_write(const void *context, double value, char *text, size_t text_bytes)
{
    (void)context;
    draw_number(value, text, text_bytes);
}

static void picture_write(FILE *out, const struct report_lifecycle *report,
                          const int64_t sums[STEPS])
{
    struct draw_row rows[STEPS];
    char figures[STEPS][REPORT_TEXT_BYTES];
    double unit = pow(10, report->ground.digits);
    int64_t level = sums[START];
    for (int step = 0; step < STEPS; step++) {
        int64_t from = steps[step].sign == 0 ? 0 : level;
        int64_t to = steps[step].sign == 0 ? sums[step] : level + steps[step].sign * sums[step];
        char money[REPORT_TEXT_BYTES];
        report_money(&report->ground, sums[step], money);
        snprintf(figures[step], sizeof figures[step], "%s%.60s",
                 steps[step].sign > 0   ? "+"
                 : steps[step].sign < 0 ? "−"
                                        : "",
                 money);
        rows[step] = (struct draw_row){.name = steps[step].name,
                                       .figure = figures[step],
                                       .from = (double)from / unit,
                                       .to = (double)to / unit,
                                       .low = MATH_NAN,
                                       .high = MATH_NAN,
                                       .tone = steps[step].sign > 0   ? DRAW_UP
                                               : steps[step].sign < 0 ? DRAW_DOWN
                                                                      : DRAW_PLAIN};
        level = to;
    }
    draw_rows(out, &(struct draw_rows){.id = "mrr-picture",
                                       .table = TABLE,
                                       .caption = "From the MRR of the start to that of the end",
                                       .sentence = "Waterfall of the movements of MRR; their sums "
                                                   "stand in the last row of the table",
                                       .rows = rows,
                                       .count = STEPS,
                                       .mark = MATH_NAN,
                                       .label = label_write});
}

/* The rows of the periods, and their sum. */
static void table_write(FILE *out, const struct report_lifecycle *report, const int64_t sums[STEPS])
{
    const struct measure_table *table = report->mrr.table;
    struct draw_column heads[COLUMNS];
    struct draw_table drawn;
    char text[REPORT_TEXT_BYTES];
    char caption[REPORT_TEXT_BYTES * 2];
    size_t rows = measure_table_rows(table);
    for (size_t i = 0; i < COLUMNS; i++) {
        heads[i] = (struct draw_column){columns[i].heading, i > 1 ? DRAW_FIGURE : DRAW_DAY};
    }
    snprintf(caption, sizeof caption, "Movements by %s%s%s; the last row adds them up",
             report->period, report->ground.currency[0] != '\0' ? ", in " : "",
             report->ground.currency);
    draw_table_open(&drawn, out, TABLE, caption, heads, COLUMNS);
    for (size_t row = 0; row < rows; row++) {
        for (size_t i = 0; i < COLUMNS; i++) {
            const struct measure_cell *cell = measure_cell_find(table, row, columns[i].column);
            draw_table_cell(&drawn,
                            report_shown(cell, columns[i].share, report->ground.digits, text));
        }
    }
    report_cell_print(measure_cell_find(table, 0, "from"), false, 0, text);
    draw_table_cell_of(&drawn, "total", text);
    report_cell_print(measure_cell_find(table, rows - 1, "to"), false, 0, text);
    draw_table_cell_of(&drawn, "total", text);
    for (int step = 0; step < STEPS; step++) {
        draw_number_grouped(sums[step], report->ground.digits, report->ground.digits, text,
                            sizeof text);
        draw_table_cell_of(&drawn, "total", text);
    }
    draw_table_close(&drawn);
}

void report_mrr(FILE *out, const struct report_lifecycle *report)
{
    int64_t sums[STEPS];
    draw_section_open(out, "mrr", "Recurring revenue");
    if (report_part_there(out, &report->mrr)) {
        sums_of(report->mrr.table, sums);
        answer_write(out, report, sums);
        picture_write(out, report, sums);
        table_write(out, report, sums);
    }
    draw_section_close(out);
}
