/* SPDX-License-Identifier: Apache-2.0 */
/* The answer first, then its figures with n and interval, then who said what, then the data. */
#include "server/report/report_audit.h"

#include <math.h>
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"
#include "server/math/special.h"

enum { ROW_TEXT = 96 };

static void number_print(double value, int digits, char text[ROW_TEXT])
{
    if (isnan(value)) {
        (void)snprintf(text, ROW_TEXT, "–");
    } else {
        (void)snprintf(text, ROW_TEXT, "%.*f", digits, value);
    }
}

static const struct report_audit_row *row_find(const struct report_audit *audit,
                                               const char *measure)
{
    for (size_t i = 0; i < audit->row_count; i++) {
        if (strcmp(audit->rows[i].measure, measure) == 0) {
            return &audit->rows[i];
        }
    }
    return NULL;
}

static void answer_write(FILE *out, const struct report_audit *audit)
{
    const struct report_audit_row *w = row_find(audit, "kendall-w");
    fputs("<p class=\"answer\">", out);
    if (w == NULL || isnan(w->value)) {
        draw_text(out, "Too few rankings to say whether the leaders mean the same customer.");
    } else {
        draw_format(
            out, "Agreement on the order of segments is %.2f of 1 among %zu leaders (p %.3f): %s.",
            w->value, w->n, w->p, w->words);
    }
    fputs("</p>\n", out);
}

static void axis_label(const void *context, double value, char *text, size_t bytes)
{
    (void)context;
    (void)snprintf(text, bytes, "%g", value);
}

static void figures_write(FILE *out, const struct report_audit *audit)
{
    static const struct draw_column columns[] = {
        {"measure", DRAW_TEXT}, {"of", DRAW_TEXT},  {"value", DRAW_FIGURE}, {"low", DRAW_FIGURE},
        {"high", DRAW_FIGURE},  {"p", DRAW_FIGURE}, {"n", DRAW_FIGURE},     {"it says", DRAW_TEXT}};
    struct draw_row rows[REPORT_AUDIT_ROWS];
    char texts[REPORT_AUDIT_ROWS][ROW_TEXT];
    struct draw_table table;
    char text[ROW_TEXT];
    for (size_t i = 0; i < audit->row_count; i++) {
        const struct report_audit_row *row = &audit->rows[i];
        number_print(row->value, 2, texts[i]);
        rows[i] = (struct draw_row){.name = row->of,
                                    .figure = texts[i],
                                    .from = 0,
                                    .to = row->value,
                                    .low = row->low,
                                    .high = row->high};
    }
    const struct draw_rows picture = {.id = "agreement-picture",
                                      .table = "agreement-table",
                                      .caption =
                                          "Agreement, 0 to 1, with 95 % intervals where there "
                                          "are some",
                                      .sentence = "The figures of the table below as points on one "
                                                  "axis.",
                                      .rows = rows,
                                      .count = audit->row_count,
                                      .least = 0,
                                      .most = 1,
                                      .mark = MATH_NAN,
                                      .points = true,
                                      .label = axis_label};
    draw_section_open(out, "agreement", "Do they mean the same customer?");
    draw_rows(out, &picture);
    draw_table_open(&table, out, "agreement-table", "Agreement in figures", columns,
                    sizeof columns / sizeof *columns);
    for (size_t i = 0; i < audit->row_count; i++) {
        const struct report_audit_row *row = &audit->rows[i];
        const double numbers[] = {row->value, row->low, row->high, row->p};
        draw_table_cell(&table, row->measure);
        draw_table_cell(&table, row->of);
        for (size_t k = 0; k < 4; k++) {
            number_print(numbers[k], 3, text);
            draw_table_cell(&table, text);
        }
        (void)snprintf(text, sizeof text, "%zu %s", row->n, row->unit);
        draw_table_cell(&table, text);
        draw_table_cell(&table, row->words);
    }
    draw_table_close(&table);
    draw_section_close(out);
}

/* Columns of a table with a row for each leader. */
static void head_make(struct draw_column *columns, const char *const *names, size_t count)
{
    columns[0] = (struct draw_column){"leader", DRAW_TEXT};
    columns[1] = (struct draw_column){"function", DRAW_TEXT};
    for (size_t i = 0; i < count; i++) {
        columns[2 + i] = (struct draw_column){names[i], DRAW_FIGURE};
    }
}

static void ranks_write(FILE *out, const struct report_audit *audit)
{
    struct draw_column columns[2 + 100];
    struct draw_table table;
    char text[ROW_TEXT];
    if (audit->segments == 0) {
        return;
    }
    head_make(columns, audit->segment_names, audit->segments);
    draw_section_open(out, "rankings", "Who would go where first");
    draw_table_open(&table, out, "rankings-table",
                    "Rank that each leader gave each segment, 1 first", columns,
                    2 + audit->segments);
    for (size_t i = 0; i < audit->people; i++) {
        draw_table_cell(&table, audit->names[i]);
        draw_table_cell(&table, audit->functions[i]);
        for (size_t s = 0; s < audit->segments; s++) {
            double rank = audit->ranks[i * audit->segments + s];
            double from_last = (double)audit->segments - rank;
            number_print(rank, rank == floor(rank) ? 0 : 1, text);
            if (isnan(rank)) {
                draw_table_gap(&table);
            } else {
                draw_table_shaded(&table,
                                  (unsigned)(from_last * (DRAW_SHADES - 1) /
                                             (double)(audit->segments > 1 ? audit->segments : 1)),
                                  text);
            }
        }
    }
    draw_table_close(&table);
    draw_section_close(out);
}

static void data_write(FILE *out, const struct report_audit *audit)
{
    struct draw_column columns[2 + 100];
    struct draw_table table;
    char text[ROW_TEXT];
    draw_section_open(out, "data", "Each view against the data");
    if (audit->measures == 0) {
        fputs(
            "<p>No figures by segment were given: <code>--against FILE.csv</code> with a column "
            "<code>segment</code> and one for each measure holds each ranking against them.</p>\n",
            out);
        draw_section_close(out);
        return;
    }
    head_make(columns, audit->measure_names, audit->measures);
    draw_table_open(&table, out, "data-table",
                    "Rank correlation of each leader's order with what came of the segments "
                    "(Spearman; 1: the same order)",
                    columns, 2 + audit->measures);
    for (size_t i = 0; i < audit->people; i++) {
        draw_table_cell(&table, audit->names[i]);
        draw_table_cell(&table, audit->functions[i]);
        for (size_t k = 0; k < audit->measures; k++) {
            size_t at = i * audit->measures + k;
            if (isnan(audit->rho[at])) {
                draw_table_gap(&table);
                continue;
            }
            (void)snprintf(text, sizeof text, "%+.2f (p %.2f, n %zu)", audit->rho[at],
                           audit->rho_p[at], audit->rho_n[at]);
            draw_table_cell_of(&table,
                               audit->rho_p[at] <= .05         ? "good"
                               : audit->rho_against[at] <= .05 ? "bad"
                                                               : "dim",
                               text);
        }
    }
    draw_table_close(&table);
    fputs(
        "<p>p is the chance of as much agreement if the order said nothing, counted over all "
        "orders where that can be, one-sided; for several leaders and measures read it at .05 over "
        "their number. Marked as against the data is an order for which the opposite has such a "
        "chance. With few segments even a perfect order may be chance. Each tends to name "
        "the segment that the own measure favours: compare along a row.</p>\n",
        out);
    draw_section_close(out);
}

static void filters_write(FILE *out, const struct report_audit *audit)
{
    static const struct draw_column columns[] = {{"leader", DRAW_TEXT},     {"filter", DRAW_TEXT},
                                                 {"accounts", DRAW_FIGURE}, {"lift", DRAW_FIGURE},
                                                 {"coverage", DRAW_FIGURE}, {"AUC", DRAW_FIGURE},
                                                 {"it says", DRAW_TEXT}};
    struct draw_table table;
    char text[ROW_TEXT];
    if (audit->filter_count == 0) {
        return;
    }
    draw_section_open(out, "filters", "Each stated profile against what came of it");
    draw_table_open(&table, out, "filters-table",
                    "Filters as leaders stated them, each scored as a profile, with 95 % intervals",
                    columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < audit->filter_count; i++) {
        const struct report_audit_filter *row = &audit->filters[i];
        const struct measure_stated *stated = &row->stated;
        const double figures[3][3] = {
            {stated->lift, stated->lift_low, stated->lift_high},
            {stated->coverage, stated->coverage_low, stated->coverage_high},
            {stated->auc, stated->auc_low, stated->auc_high}};
        draw_table_cell(&table, row->person);
        draw_table_cell(&table, row->filter);
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)row->n);
        draw_table_cell(&table, text);
        for (int k = 0; k < 3; k++) {
            if (isnan(figures[k][0])) {
                draw_table_gap(&table);
                continue;
            }
            (void)snprintf(text, sizeof text, "%.2f (%.2f to %.2f)", figures[k][0], figures[k][1],
                           figures[k][2]);
            draw_table_cell(&table, text);
        }
        draw_table_cell(&table, stated->verdict);
    }
    draw_table_close(&table);
    fputs("<p>Lift is the rate of who matches over the rate of all; coverage the share of the good "
          "ones that match; AUC .5 tells nothing. What it says is by AUC, at .05 over the number "
          "of filters.</p>\n",
          out);
    draw_section_close(out);
}

void report_audit_write(FILE *out, const struct report_audit *audit)
{
    draw_page_open(out, "Alignment audit");
    answer_write(out, audit);
    figures_write(out, audit);
    ranks_write(out, audit);
    data_write(out, audit);
    filters_write(out, audit);
    draw_section_open(out, "method", "How it was counted");
    fputs("<p>Kendall&#8217;s W corrected for ties, over the leaders who ranked every segment, "
          "with a "
          "permutation p; Krippendorff&#8217;s alpha (ordinal; nominal where only the very same "
          "answer agrees) of the statements, unanswered ones "
          "left "
          "out, 95 % interval of a bootstrap over statements (from .8 reliable, from .667 "
          "tentative); Jaccard and rank-biased overlap (persistence .9) of the accounts that were "
          "named, means over pairs, interval of a jackknife over leaders; entropy of first choices "
          "as a share of the most there can be. Nothing here says who is right.</p>\n",
          out);
    draw_section_close(out);
    draw_page_close(out);
}
