/* SPDX-License-Identifier: Apache-2.0 */
/* A tile is written where there is a figure for it; a group where one of its facts is told. */
#include "server/report/report_verdict_frame.h"

#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/report/report_fact.h"
#include "server/report/report_sections.h"

enum { FIGURE_BYTES = 48, TILE_BYTES = 2 * FIGURE_BYTES };

/* "58.3 % of 1,678" */
static void won_tile(FILE *out, const char *name, const struct measure_table *lift, size_t row,
                     const char *cases, const char *won)
{
    char all[FIGURE_BYTES];
    char text[TILE_BYTES];
    double n = report_value(lift, row, cases);
    if (n > 0) {
        draw_number_grouped((int64_t)n, 0, 0, all, sizeof all);
        (void)snprintf(text, sizeof text, "%.1f %% of %s", 100 * report_value(lift, row, won) / n,
                       all);
        report_tile(out, name, text);
    }
}

static void ratio_tile(FILE *out, const struct measure_table *lift, size_t row)
{
    char text[TILE_BYTES];
    char high[FIGURE_BYTES] = "any";
    double ratio = report_value(lift, row, "ratio");
    double most = report_value(lift, row, "rule_high");
    if (isnan(ratio) != 0) {
        return;
    }
    if (isfinite(most) != 0) {
        (void)snprintf(high, sizeof high, "%.2f", most);
    }
    (void)snprintf(text, sizeof text, "%.2f (%.2f to %s)", ratio,
                   report_value(lift, row, "rule_low"), high);
    report_tile(out, "Odds ratio, with its bounds", text);
}

static void kept_tile(FILE *out, const struct report_verdict *report)
{
    char text[TILE_BYTES];
    if (report->adherence == NULL || measure_table_rows(report->adherence) == 0) {
        return;
    }
    int used =
        snprintf(text, sizeof text, "%.0f %%", 100 * report_value(report->adherence, 0, "share"));
    if (report->committed > 0) {
        (void)snprintf(text + used, sizeof text - (size_t)used, ", committed %g %%",
                       100 * report->committed);
    }
    report_tile(out, "Work on the list", text);
}

void report_verdict_head(FILE *out, const struct report_verdict *report, size_t row)
{
    char word[FIGURE_BYTES];
    (void)snprintf(word, sizeof word, "%s", report->verdict);
    if (word[0] >= 'a' && word[0] <= 'z') {
        word[0] = (char)(word[0] - 'a' + 'A');
    }
    fputs("<dl class=\"tiles\">\n", out);
    report_tile(out, "Verdict", word);
    if (row != SIZE_MAX) {
        ratio_tile(out, report->lift, row);
        won_tile(out, "Won on the list", report->lift, row, "on", "won_on");
        won_tile(out,
                 strcmp(report_text(report->lift, row, "against"), "hold-out") == 0
                     ? "Won of those held out"
                     : "Won off it",
                 report->lift, row, "off", "won_off");
    }
    kept_tile(out, report);
    fputs("</dl>\n", out);
}

/* The day alone: what stands beside it is of days too. */
static void day_fact(FILE *out, const char *name, int64_t ms)
{
    char text[REPORT_TEXT_BYTES];
    report_day(ms, text);
    text[strlen("2027-01-01")] = '\0';
    report_fact(out, name, text);
}

static void list_group(FILE *out, const struct report_verdict *report)
{
    char text[REPORT_TEXT_BYTES];
    report_group_open(out, "The list");
    report_fact(out, "Name", report->list);
    report_fact(out, "Plan", report->plan);
    day_fact(out, "Made on", report->created_ms);
    report_fact_number(out, "Built by ICP version", report->icp);
    if (report->committed > 0) {
        (void)snprintf(text, sizeof text, "%g %% of the work", 100 * report->committed);
        report_fact(out, "Committed to it", text);
    }
    report_group_close(out);
}

static void question_group(FILE *out, const struct report_verdict *report)
{
    char text[REPORT_TEXT_BYTES];
    report_group_open(out, "The question");
    report_fact(out, "What counts as won", report->policy);
    day_fact(out, "Cases that began from", report->since_ms);
    day_fact(out, "Looked at on", report->at_ms);
    (void)snprintf(text, sizeof text, "%g in each comparison, however often one looks",
                   report->alpha);
    report_fact(out, "Chance of a false verdict", text);
    report_fact_number(out, "Sequence of the log", report->seq);
    report_group_close(out);
}

static void cases_group(FILE *out, const struct report_verdict *report)
{
    report_group_open(out, "The cases");
    report_fact_count(out, "Counted",
                      report->cases >= report->open ? report->cases - report->open : report->cases);
    report_fact_count(out, "Not counted yet: their week is not matured", report->open);
    report_fact_count(out, "Left out: began before", report->before);
    report_fact_count(out, "Left out: of accounts that the list did not freeze", report->elsewhere);
    report_fact_count(out, "Touches told of the cases", report->touches);
    report_group_close(out);
}

void report_verdict_ground(FILE *out, const struct report_verdict *report)
{
    draw_section_open(out, "ground", "What it rests on");
    fputs("<div class=\"groups\">\n", out);
    list_group(out, report);
    question_group(out, report);
    cases_group(out, report);
    fputs("</div>\n", out);
    draw_section_close(out);
}
