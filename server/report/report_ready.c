/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the data allow learning, and what to mend first: the lowest shares, lowest first. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/report/report_sections.h"

#define TABLE "ready-table"
#define SHOWN_MAX 12
#define NAMED_MAX 3
#define NAME_BYTES 160

static const struct report_column columns[] = {
    {"figure", "Figure", false},   {"of", "Of", false},  {"share", "Share", true},
    {"low", "95 % from", true},    {"high", "to", true}, {"n", "n", false},
    {"verdict", "Verdict", false},
};

static bool judged(const struct measure_table *table, size_t row)
{
    return report_text(table, row, "verdict")[0] != '\0';
}

/* Rows with a verdict, the lowest shares first, at most SHOWN_MAX; ties as they stand. */
static size_t lowest(const struct measure_table *table, size_t found[SHOWN_MAX])
{
    size_t count = 0;
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        double share = report_value(table, row, "share");
        size_t at = count;
        if (!judged(table, row)) {
            continue;
        }
        while (at > 0 && report_value(table, found[at - 1], "share") > share) {
            at--;
        }
        if (at == SHOWN_MAX) {
            continue;
        }
        count += count < SHOWN_MAX;
        memmove(&found[at + 1], &found[at], (count - 1 - at) * sizeof *found);
        found[at] = row;
    }
    return count;
}

static void name_of(const struct measure_table *table, size_t row, char name[NAME_BYTES])
{
    const char *of = report_text(table, row, "of");
    snprintf(name, NAME_BYTES, "%.40s%s%.100s", report_text(table, row, "figure"),
             of[0] != '\0' ? ": " : "", of);
}

static void answer_write(FILE *out, const struct report_lifecycle *report, const size_t *rows,
                         size_t count)
{
    const struct measure_table *table = report->readiness.table;
    char floor[REPORT_TEXT_BYTES];
    size_t of = 0;
    size_t ready = 0;
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        of += judged(table, row);
        ready += strcmp(report_text(table, row, "verdict"), "ready") == 0;
    }
    draw_number_share(report->floor, floor, sizeof floor);
    fputs("<p class=\"answer\">", out);
    draw_format(out, "%zu of %zu shares reach the floor of %s", ready, of, floor);
    for (size_t i = 0; i < count && i < NAMED_MAX && i < of - ready; i++) {
        char name[NAME_BYTES];
        char share[REPORT_TEXT_BYTES];
        name_of(table, rows[i], name);
        draw_number_share(report_value(table, rows[i], "share"), share, sizeof share);
        draw_format(out, "%s%s (%s)", i == 0 ? "; mend first: " : ", ", name, share);
    }
    fputs(".</p>\n", out);
}

static void picture_write(FILE *out, const struct report_lifecycle *report, const size_t *found,
                          size_t count)
{
    const struct measure_table *table = report->readiness.table;
    struct draw_row rows[SHOWN_MAX];
    char names[SHOWN_MAX][NAME_BYTES];
    char figures[SHOWN_MAX][REPORT_TEXT_BYTES];
    for (size_t i = 0; i < count; i++) {
        double share = report_value(table, found[i], "share");
        name_of(table, found[i], names[i]);
        draw_number_share(share, figures[i], sizeof figures[i]);
        rows[i] = (struct draw_row){.name = names[i],
                                    .figure = figures[i],
                                    .from = 0,
                                    .to = share,
                                    .low = report_value(table, found[i], "low"),
                                    .high = report_value(table, found[i], "high"),
                                    .tone = share < report->floor ? DRAW_DOWN : DRAW_UP};
    }
    draw_rows(out, &(struct draw_rows){.id = "ready-picture",
                                       .table = TABLE,
                                       .caption = "The lowest shares, lowest first, with 95 % "
                                                  "intervals; the dashed line is the floor",
                                       .sentence = "Bars up to each share; the figures stand in "
                                                   "the table of readiness",
                                       .rows = rows,
                                       .count = count,
                                       .least = 0,
                                       .most = 1,
                                       .mark = report->floor,
                                       .label = report_share_label});
}

void report_readiness(FILE *out, const struct report_lifecycle *report)
{
    size_t rows[SHOWN_MAX + 1];
    draw_section_open(out, "readiness", "Whether the data allow learning");
    if (report_part_there(out, &report->readiness)) {
        size_t count = lowest(report->readiness.table, rows);
        answer_write(out, report, rows, count);
        picture_write(out, report, rows, count);
        report_table(out, report->readiness.table, TABLE,
                     "Completeness, freshness, duplicates, links and coverage by source, with 95 % "
                     "intervals",
                     columns, sizeof columns / sizeof *columns, 0);
    }
    draw_section_close(out);
}
