/* SPDX-License-Identifier: Apache-2.0 */
/* How much of the base each grade is, in accounts and in what they pay. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"
#include "server/math/special.h"
#include "server/report/report_sections.h"

#define TABLE "grade-table"

struct base {
    double accounts, mrr; /* of all grades */
};

static struct base base_of(const struct report_lifecycle *report)
{
    struct base base = {0, 0};
    for (size_t i = 0; i < REPORT_GRADES; i++) {
        base.accounts += (double)report->grades[i].accounts;
        base.mrr += (double)report->grades[i].mrr;
    }
    return base;
}

static double share_of(double part, double whole)
{
    return whole > 0 ? part / whole : MATH_NAN;
}

static void answer_write(FILE *out, const struct report_lifecycle *report, const struct base *base)
{
    char accounts[REPORT_TEXT_BYTES];
    char mrr[REPORT_TEXT_BYTES];
    const struct report_grade *grades = report->grades;
    draw_number_share(share_of((double)(grades[0].accounts + grades[1].accounts), base->accounts),
                      accounts, sizeof accounts);
    draw_number_share(share_of((double)(grades[0].mrr + grades[1].mrr), base->mrr), mrr,
                      sizeof mrr);
    fputs("<p class=\"answer\">", out);
    draw_format(out, "Grades A and B are %s of the accounts and %s of the MRR at the end.",
                accounts, mrr);
    fputs("</p>\n", out);
}

static void picture_write(FILE *out, const struct report_lifecycle *report, const struct base *base)
{
    struct draw_row rows[REPORT_GRADES * 2];
    char names[REPORT_GRADES * 2][REPORT_TEXT_BYTES];
    char figures[REPORT_GRADES * 2][REPORT_TEXT_BYTES];
    for (size_t i = 0; i < REPORT_GRADES * 2; i++) {
        const struct report_grade *grade = &report->grades[i / 2];
        bool money = i % 2 == 1;
        double share = money ? share_of((double)grade->mrr, base->mrr)
                             : share_of((double)grade->accounts, base->accounts);
        snprintf(names[i], sizeof names[i], "%c, %s", grade->grade, money ? "MRR" : "accounts");
        draw_number_share(share, figures[i], sizeof figures[i]);
        rows[i] = (struct draw_row){.name = names[i],
                                    .figure = figures[i],
                                    .from = 0,
                                    .to = share,
                                    .low = MATH_NAN,
                                    .high = MATH_NAN,
                                    .tone = money ? DRAW_UP : DRAW_PLAIN};
    }
    draw_rows(out, &(struct draw_rows){.id = "grade-picture",
                                       .table = TABLE,
                                       .caption = "Share of the accounts and of the MRR, by grade",
                                       .sentence = "Two bars for each grade; the figures stand in "
                                                   "the table",
                                       .rows = rows,
                                       .count = REPORT_GRADES * 2,
                                       .least = 0,
                                       .most = 1,
                                       .mark = MATH_NAN,
                                       .label = report_share_label});
}

static void table_write(FILE *out, const struct report_lifecycle *report, const struct base *base)
{
    static const struct draw_column heads[] = {
        {"Grade", DRAW_TEXT},       {"Accounts", DRAW_FIGURE}, {"of the accounts", DRAW_FIGURE},
        {"Customers", DRAW_FIGURE}, {"MRR", DRAW_FIGURE},      {"of the MRR", DRAW_FIGURE}};
    struct draw_table table;
    char text[REPORT_TEXT_BYTES];
    draw_table_open(&table, out, TABLE,
                    "The base by grade, as accounts are graded now; customers and MRR at the end",
                    heads, sizeof heads / sizeof *heads);
    for (size_t i = 0; i < REPORT_GRADES; i++) {
        const struct report_grade *grade = &report->grades[i];
        const char letter[] = {grade->grade, '\0'};
        draw_table_cell(&table, letter);
        draw_number_grouped((int64_t)grade->accounts, 0, 0, text, sizeof text);
        draw_table_cell(&table, text);
        draw_number_share(share_of((double)grade->accounts, base->accounts), text, sizeof text);
        draw_table_cell(&table, text);
        draw_number_grouped((int64_t)grade->customers, 0, 0, text, sizeof text);
        draw_table_cell(&table, text);
        draw_number_grouped(grade->mrr, report->ground.digits, report->ground.digits, text,
                            sizeof text);
        draw_table_cell(&table, text);
        draw_number_share(share_of((double)grade->mrr, base->mrr), text, sizeof text);
        draw_table_cell(&table, text);
    }
    draw_table_close(&table);
}

void report_grades(FILE *out, const struct report_lifecycle *report)
{
    draw_section_open(out, "grades", "Coverage of the base by grade");
    if (report->no_grades != NULL) {
        fputs("<p class=\"answer\">", out);
        draw_format(out, "Not measured: %s.", report->no_grades);
        fputs("</p>\n", out);
    } else {
        struct base base = base_of(report);
        answer_write(out, report, &base);
        picture_write(out, report, &base);
        table_write(out, report, &base);
    }
    draw_section_close(out);
}
