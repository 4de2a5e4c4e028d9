/* SPDX-License-Identifier: Apache-2.0 */
/* Net and gross retention of all accounts and of each segment, with intervals. A segment is said to
 * differ where its interval at 1 − 0.05/k, for k segments, leaves out the figure of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"
#include "server/math/auc.h"
#include "server/math/special.h"
#include "server/report/report_sections.h"

#define TABLE "retention-table"
/* Rows of a picture; the table has all. */
#define SHOWN_MAX 16
/* Names in a sentence. */
#define NAMED_MAX 3

/* Rows of one segment stand together, one for each of these. */
enum { NRR, GRR, NRR_MOVEMENT, GRR_MOVEMENT, LOGO, METRICS };
static const char *const metrics[METRICS] = {"nrr-cohort", "grr-cohort", "nrr-movement",
                                             "grr-movement", "logo-retention"};

struct segment {
    const char *name;
    double value[METRICS], low[METRICS], high[METRICS];
    int64_t n; /* accounts that NRR is over */
};

/* One after another; NULL: no memory. The first is all accounts. */
static struct segment *segments_read(const struct measure_table *table, size_t *count)
{
    size_t rows = measure_table_rows(table);
    struct segment *segments = calloc(rows + 1, sizeof *segments);
    *count = 0;
    for (size_t row = 0; row < rows && segments != NULL; row++) {
        const char *name = report_text(table, row, "segment");
        const char *metric = report_text(table, row, "metric");
        size_t m = 0;
        while (m < METRICS && strcmp(metric, metrics[m]) != 0) {
            m++;
        }
        if (m == NRR) { /* the first metric of a segment, which may be called as another is */
            segments[(*count)++].name = name;
        }
        if (m == METRICS || *count == 0) {
            continue;
        }
        struct segment *segment = &segments[*count - 1];
        segment->value[m] = report_value(table, row, "value");
        segment->low[m] = report_value(table, row, "low");
        segment->high[m] = report_value(table, row, "high");
        segment->n = m == NRR ? report_whole(table, row, "n") : segment->n;
    }
    return segments;
}

static bool differs(const struct segment *all, const struct segment *segment, double z)
{
    double error = (segment->high[NRR] - segment->value[NRR]) / MATH_Z_95;
    return isfinite(error) && fabs(segment->value[NRR] - all->value[NRR]) > z * error;
}

static void segments_answer(FILE *out, const struct report_lifecycle *report,
                            const struct segment *segments, size_t count)
{
    double z = math_normal_point(1 - 0.025 / (double)(count - 1));
    size_t named = 0;
    size_t differing = 0;
    for (size_t i = 1; i < count; i++) {
        differing += differs(&segments[0], &segments[i], z);
    }
    if (differing == 0) {
        draw_format(out,
                    " No value of %s differs from all accounts by more than chance explains "
                    "(%zu values, intervals at 1 − 0.05/%zu).",
                    report->segment, count - 1, count - 1);
        return;
    }
    draw_format(out, " %zu of %zu values of %s differ from all accounts in NRR, at 1 − 0.05/%zu: ",
                differing, count - 1, report->segment, count - 1);
    for (size_t i = 1; i < count && named < NAMED_MAX; i++) {
        char share[REPORT_TEXT_BYTES];
        if (differs(&segments[0], &segments[i], z)) {
            draw_number_share(segments[i].value[NRR], share, sizeof share);
            draw_format(out, "%s%.300s with %s", named > 0 ? ", " : "", segments[i].name, share);
            named++;
        }
    }
    fputs(differing > named ? ", and others." : ".", out);
}

static void answer_write(FILE *out, const struct report_lifecycle *report,
                         const struct segment *segments, size_t count)
{
    const struct segment *all = &segments[0];
    char shares[5][REPORT_TEXT_BYTES];
    if (!isfinite(all->value[NRR])) {
        fputs("<p class=\"answer\">No account paid anything at the start, so there is nothing to "
              "retain.</p>\n",
              out);
        return;
    }
    const double told[5] = {all->value[GRR], all->low[GRR], all->high[GRR], all->value[NRR],
                            all->value[LOGO]};
    for (size_t i = 0; i < 5; i++) {
        draw_number_share(told[i], shares[i], sizeof shares[i]);
    }
    fputs("<p class=\"answer\">", out);
    draw_format(
        out,
        "Of the MRR of the start %s is still there (GRR, 95 %% interval %s to %s), and with "
        "expansion it has become %s (NRR); %s of the customers stayed.",
        shares[0], shares[1], shares[2], shares[3], shares[4]);
    if (count > 1) {
        segments_answer(out, report, segments, count);
    }
    fputs("</p>\n", out);
}

static void picture_write(FILE *out, const struct segment *segments, size_t count, int metric,
                          const char *id, const char *caption)
{
    struct draw_row rows[SHOWN_MAX];
    char figures[SHOWN_MAX][REPORT_TEXT_BYTES * 3];
    size_t shown = count < SHOWN_MAX ? count : SHOWN_MAX;
    double most = metric == GRR ? 1 : 1.05;
    for (size_t i = 0; i < shown; i++) {
        const struct segment *segment = &segments[i];
        char share[REPORT_TEXT_BYTES];
        draw_number_share(segment->value[metric], share, sizeof share);
        snprintf(figures[i], sizeof figures[i], "%s, n = %lld", share, (long long)segment->n);
        rows[i] = (struct draw_row){.name = segment->name,
                                    .figure = figures[i],
                                    .from = MATH_NAN,
                                    .to = segment->value[metric],
                                    .low = segment->low[metric],
                                    .high = segment->high[metric],
                                    .tone = i == 0 ? DRAW_PLAIN : DRAW_UP};
        most = segment->high[metric] > most ? segment->high[metric] : most;
    }
    draw_rows(out, &(struct draw_rows){.id = id,
                                       .table = TABLE,
                                       .caption = caption,
                                       .sentence = "Points with intervals; the figures stand in "
                                                   "the table of retention",
                                       .rows = rows,
                                       .count = shown,
                                       .least = 0,
                                       .most = most, /* one account is no scale for others */
                                       .mark = 1,
                                       .points = true,
                                       .label = report_share_label});
}

static void interval_cell(struct draw_table *table, const struct segment *segment, int metric)
{
    char text[REPORT_TEXT_BYTES];
    if (!isfinite(segment->low[metric])) {
        draw_table_cell(table, "–");
        return;
    }
    snprintf(text, sizeof text, "%.1f to %.1f %%", segment->low[metric] * 100,
             segment->high[metric] * 100);
    draw_table_cell(table, text);
}

static void table_write(FILE *out, const struct report_lifecycle *report,
                        const struct segment *segments, size_t count)
{
    const struct draw_column heads[] = {
        {report->segment != NULL ? report->segment : "Accounts", DRAW_TEXT},
        {"NRR", DRAW_FIGURE},
        {"95 %", DRAW_FIGURE},
        {"GRR", DRAW_FIGURE},
        {"95 %", DRAW_FIGURE},
        {"NRR by movements", DRAW_FIGURE},
        {"GRR by movements", DRAW_FIGURE},
        {"Customers kept", DRAW_FIGURE},
        {"95 %", DRAW_FIGURE},
        {"Accounts", DRAW_FIGURE}};
    struct draw_table table;
    char text[REPORT_TEXT_BYTES];
    draw_table_open(&table, out, TABLE,
                    "Retention of revenue and of customers, with 95 % intervals", heads,
                    sizeof heads / sizeof *heads);
    for (size_t i = 0; i < count; i++) {
        draw_table_cell_of(&table, i == 0 ? "total" : "", segments[i].name);
        for (int m = 0; m < METRICS; m++) {
            draw_number_share(segments[i].value[m], text, sizeof text);
            draw_table_cell(&table, text);
            if (m != NRR_MOVEMENT && m != GRR_MOVEMENT) {
                interval_cell(&table, &segments[i], m);
            }
        }
        draw_number_grouped(segments[i].n, 0, 0, text, sizeof text);
        draw_table_cell(&table, text);
    }
    draw_table_close(&table);
}

void report_retention(FILE *out, const struct report_lifecycle *report)
{
    size_t count = 0;
    draw_section_open(out, "retention", "Net and gross retention");
    if (report_part_there(out, &report->retention)) {
        struct segment *segments = segments_read(report->retention.table, &count);
        if (segments == NULL || count == 0) {
            fputs("<p class=\"answer\">Not shown: no memory for the segments.</p>\n", out);
        } else {
            answer_write(out, report, segments, count);
            picture_write(out, segments, count, NRR, "nrr-picture",
                          "NRR: MRR of the end over that of the start, of the accounts of the "
                          "start; the dashed line is 100 %");
            picture_write(out, segments, count, GRR, "grr-picture",
                          "GRR: the same, each account at most what it was");
            table_write(out, report, segments, count);
            fputs("<p>By movements the figures differ where an account goes up and down within the "
                  "period, or is new in it and moves again.</p>\n",
                  out);
        }
        free(segments);
    }
    draw_section_close(out);
}
