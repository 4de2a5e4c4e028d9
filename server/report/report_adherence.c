/* SPDX-License-Identifier: Apache-2.0 */
/* A sentence, a picture of shares with their intervals, and the tables; rows that rest on too
 * little say so in the table and have no point. */
#include "server/report/report_adherence.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/draw/draw_table.h"
#include "server/report/report_fact.h"
#include "server/report/report_sections.h"

enum { GROUPS_DRAWN = 20, FIGURE_BYTES = 48 };
#define COUNT(columns) (sizeof(columns) / sizeof *(columns))

static const struct report_column kept_columns[] = {{"group", "Who", false},
                                                    {"n", "Acts", false},
                                                    {"on_list", "On the list", false},
                                                    {"share", "Share", true},
                                                    {"shrunk", "Shrunk", true},
                                                    {"low", "From", true},
                                                    {"high", "To", true},
                                                    {"off_spend", "Spent off the list", false},
                                                    {"off_hours", "Hours off", false},
                                                    {"verdict", "It says", false}};
static const struct report_column apart_columns[] = {{"group", "Who", false},
                                                     {"segment", "Segment", false},
                                                     {"n", "Accounts", false},
                                                     {"share", "Share", true},
                                                     {"listed_share", "Of the list", true},
                                                     {"distance", "Distance", false},
                                                     {"low", "From", false},
                                                     {"high", "To", false},
                                                     {"by_chance", "By chance", false},
                                                     {"p", "p", false},
                                                     {"verdict", "It says", false}};

static void picture_write(FILE *out, const struct measure_table *table, double committed)
{
    struct draw_row rows[GROUPS_DRAWN];
    char figures[GROUPS_DRAWN][FIGURE_BYTES];
    size_t count = 0;
    for (size_t row = 0; row < measure_table_rows(table) && count < GROUPS_DRAWN; row++) {
        double share = report_value(table, row, row == 0 ? "share" : "shrunk");
        bool enough = row == 0 || measure_cell_find(table, row, "rank")->kind != MEASURE_ABSENT;
        if (isnan(share) != 0 || !enough) {
            continue;
        }
        (void)snprintf(figures[count], FIGURE_BYTES, "%.0f %% (%.0f to %.0f)", 100 * share,
                       100 * report_value(table, row, "low"),
                       100 * report_value(table, row, "high"));
        rows[count] = (struct draw_row){.name = report_text(table, row, "group"),
                                        .figure = figures[count],
                                        .from = 0,
                                        .to = share,
                                        .low = report_value(table, row, "low"),
                                        .high = report_value(table, row, "high")};
        count++;
    }
    char sentence[160] = "The shares of the table below as points on one axis.";
    if (committed > 0) {
        (void)snprintf(
            sentence, sizeof sentence,
            "The shares of the table below as points on one axis; the line stands at the "
            "%g %% that were committed.",
            100 * committed);
    }
    const struct draw_rows picture = {
        .id = "kept-picture",
        .table = "kept-table",
        .caption = committed > 0
                       ? "Share of the work on the list, with 95 % intervals; the line is "
                         "what was committed"
                       : "Share of the work on the list, with 95 % intervals",
        .sentence = sentence,
        .rows = rows,
        .count = count,
        .least = 0,
        .most = 1,
        .mark = committed > 0 ? committed : (double)NAN,
        .points = true,
        .label = report_share_label};
    draw_rows(out, &picture);
}

/* "less than the 70 % that were committed": by the rule of the table's verdict. */
static void committed_write(FILE *out, const struct measure_table *table, double committed)
{
    const char *verdict = report_text(table, 0, "verdict");
    if (strncmp(verdict, "insufficient", 12) == 0) {
        draw_format(out, " That is too little to hold against the %g %% that were committed.",
                    100 * committed);
        return;
    }
    const char *than = strncmp(verdict, "below", 5) == 0   ? "less than the"
                       : strncmp(verdict, "above", 5) == 0 ? "more than the"
                                                           : "as far as can be told, the";
    draw_format(out, " That is %s %g %% that were committed.", than, 100 * committed);
}

static void kept_write(FILE *out, const struct measure_table *table, double committed)
{
    char acts[FIGURE_BYTES];
    draw_number_counted(report_whole(table, 0, "n"), "act", acts, sizeof acts);
    draw_section_open(out, "kept", "How the list was kept");
    fputs("<p class=\"answer\">", out);
    draw_format(out, "%.0f %% of %s went to accounts of the list (%.0f to %.0f %%).",
                100 * report_value(table, 0, "share"), acts, 100 * report_value(table, 0, "low"),
                100 * report_value(table, 0, "high"));
    if (committed > 0) {
        committed_write(out, table, committed);
    }
    fputs("</p>\n", out);
    picture_write(out, table, committed);
    report_table(out, table, "kept-table",
                 "Acts on the list by function; shrunk is drawn to all the more the less it rests "
                 "on, with its 95 % interval",
                 kept_columns, COUNT(kept_columns), 2);
    draw_section_close(out);
}

static void apart_write(FILE *out, const struct measure_table *table)
{
    size_t apart = 0;
    size_t heads = 0;
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        const char *verdict = report_text(table, row, "verdict");
        heads += strcmp(report_text(table, row, "segment"), "all") == 0;
        apart += verdict[0] != '\0' && strncmp(verdict, "insufficient", 12) != 0;
    }
    draw_section_open(out, "divergence", "Whether all work the segments that were committed");
    fputs("<p class=\"answer\">", out);
    if (apart == 0) {
        draw_format(out, "No function of %zu works other segments than the list's beyond chance.",
                    heads);
    } else {
        draw_format(out, "%zu of %zu functions %s other segments than the list's.", apart, heads,
                    apart == 1 ? "works" : "work");
    }
    fputs("</p>\n", out);
    report_table(out, table, "divergence-table",
                 "Jensen-Shannon distance of each function's accounts from the list's, and the "
                 "segments that part them most with their share of its square",
                 apart_columns, COUNT(apart_columns), 3);
    draw_section_close(out);
}

void report_adherence_links(FILE *out, const struct measure_table *adherence,
                            const struct measure_table *divergence)
{
    if (adherence != NULL && measure_table_rows(adherence) > 0) {
        report_link(out, "kept", "How the list was kept");
    }
    if (divergence != NULL && measure_table_rows(divergence) > 0) {
        report_link(out, "divergence", "Whether all work the segments that were committed");
    }
}

void report_adherence(FILE *out, const struct measure_table *adherence,
                      const struct measure_table *divergence, double committed)
{
    if (adherence != NULL && measure_table_rows(adherence) > 0) {
        kept_write(out, adherence, committed);
    }
    if (divergence != NULL && measure_table_rows(divergence) > 0) {
        apart_write(out, divergence);
    }
}
