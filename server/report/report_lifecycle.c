/* SPDX-License-Identifier: Apache-2.0 */
/* The page of the lifecycle: what it is of, the figures of the end, a section for each question,
 * and at its foot every rule by which it was counted, so that it can be counted again. */
#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_table.h"
#include "server/report/report_fact.h"
#include "server/report/report_sections.h"

static const struct {
    const char *id;
    const char *name;
    void (*write)(FILE *out, const struct report_lifecycle *report);
} sections[] = {
    {"mrr", "Recurring revenue", report_mrr},
    {"retention", "Net and gross retention", report_retention},
    {"cohorts", "How long customers stay", report_cohorts},
    {"grades", "Coverage by grade", report_grades},
    {"readiness", "Whether the data allow learning", report_readiness},
    {"bridges", "Which numbers differ, and why", report_bridges},
};
#define SECTIONS (sizeof sections / sizeof *sections)

/* A figure of all accounts; they stand before every segment. */
static void retention_tile(FILE *out, const struct measure_table *table, const char *metric,
                           const char *name)
{
    char text[REPORT_TEXT_BYTES];
    for (size_t row = 0; row < measure_table_rows(table); row++) {
        if (strcmp(report_text(table, row, "metric"), metric) == 0) {
            draw_number_share(report_value(table, row, "value"), text, sizeof text);
            report_tile(out, name, text);
            return;
        }
    }
}

static void tiles_write(FILE *out, const struct report_lifecycle *report)
{
    const struct measure_table *mrr = report->mrr.table;
    char text[REPORT_TEXT_BYTES];
    if (mrr == NULL || measure_table_rows(mrr) == 0) {
        return;
    }
    size_t last = measure_table_rows(mrr) - 1;
    fputs("<dl class=\"tiles\">\n", out);
    report_money(&report->ground, report_whole(mrr, last, "end"), text);
    report_tile(out, "MRR at the end", text);
    draw_number_grouped(report_whole(mrr, last, "customers"), 0, 0, text, sizeof text);
    report_tile(out, "Customers at the end", text);
    if (report->retention.table != NULL) {
        retention_tile(out, report->retention.table, "nrr-cohort", "NRR");
        retention_tile(out, report->retention.table, "grr-cohort", "GRR");
        retention_tile(out, report->retention.table, "logo-retention", "Customers kept");
    }
    fputs("</dl>\n", out);
}

static void source_write(FILE *out, const struct report_ground *ground)
{
    char text[REPORT_TEXT_BYTES * 3];
    char some[REPORT_TEXT_BYTES / 2];
    char all[REPORT_TEXT_BYTES / 2];
    char day[REPORT_TEXT_BYTES] = "";
    if (ground->newest_ms != INT64_MIN) {
        report_day(ground->newest_ms, day);
    }
    if (ground->files != NULL) {
        report_fact(out, "Files", ground->files);
    } else {
        draw_number_grouped((int64_t)ground->subscriptions, 0, 0, some, sizeof some);
        draw_number_counted((int64_t)ground->events, "event", all, sizeof all);
        snprintf(text, sizeof text, "%s of %s%s%s", some, all,
                 day[0] != '\0' ? "; the newest became known on " : "", day);
        report_fact(out, "Events of subscriptions", text);
        report_fact_number(out, "Sequence of the log", ground->seq);
    }
    report_fact_count(out, "Accounts looked at", ground->accounts);
    if (ground->filter != NULL) {
        report_fact(out, "Of them only", ground->filter);
    }
    if (ground->definition != NULL) {
        snprintf(text, sizeof text, "%.100s, version %u", ground->definition, ground->version);
        report_fact(out, "Definition", text);
    }
    report_fact(out, "Currency", ground->currency[0] != '\0' ? ground->currency : "not told");
}

static void rules_write(FILE *out, const struct measure_rules *rules)
{
    static const struct draw_column heads[] = {
        {"Rule", DRAW_TEXT}, {"Choice", DRAW_TEXT}, {"What it means", DRAW_TEXT}};
    struct measure_rules usual;
    struct draw_table table;
    char text[REPORT_TEXT_BYTES];
    measure_rules_default(&usual);
    draw_table_open(&table, out, "rules-table",
                    "Every rule of the definition; in bold what is not usual", heads, 3);
    for (int rule = 0; rule < MEASURE_RULE_RATES; rule++) {
        const struct measure_choice_info *choice =
            measure_choice_info((enum measure_choice)rules->choice[rule]);
        bool other = rules->choice[rule] != usual.choice[rule];
        draw_table_cell(&table, measure_rule_name((enum measure_rule)rule));
        draw_table_cell_of(&table, other ? "total" : "", choice->word);
        draw_table_cell(&table, choice->help);
    }
    for (uint32_t i = 0; i < rules->rate_count; i++) {
        const struct measure_rate *rate = &rules->rates[i];
        snprintf(text, sizeof text, "rate-%s", rate->currency);
        draw_table_cell(&table, text);
        snprintf(text, sizeof text, "%lld.%06lld", (long long)(rate->millionths / MEASURE_RATE_ONE),
                 (long long)(rate->millionths % MEASURE_RATE_ONE));
        draw_table_cell(&table, text);
        draw_table_cell(&table, "what one unit is worth");
    }
    draw_table_close(&table);
}

static void ground_write(FILE *out, const struct report_lifecycle *report)
{
    draw_section_open(out, "ground", "What the figures rest on");
    fputs("<p class=\"answer\">The same events, definition and sequence give the same "
          "page.</p>\n<dl>\n",
          out);
    source_write(out, &report->ground);
    fputs("</dl>\n", out);
    rules_write(out, report->ground.rules);
    draw_section_close(out);
}

void report_lifecycle(FILE *out, const struct report_lifecycle *report)
{
    char from[REPORT_TEXT_BYTES];
    char to[REPORT_TEXT_BYTES];
    char title[REPORT_TEXT_BYTES * 3];
    report_day(report->from_ms, from);
    report_day(report->to_ms, to);
    snprintf(title, sizeof title, "Lifecycle, %s to %s", from, to);
    draw_page_open(out, title);
    fputs("<p>State at the start of each day; every figure stands in a table beside its "
          "picture.</p>\n",
          out);
    tiles_write(out, report);
    fputs("<nav aria-label=\"Sections\"><ul>\n", out);
    for (size_t i = 0; i < SECTIONS; i++) {
        report_link(out, sections[i].id, sections[i].name);
    }
    report_link(out, "ground", "What the figures rest on");
    fputs("</ul></nav>\n", out);
    for (size_t i = 0; i < SECTIONS; i++) {
        sections[i].write(out, report);
    }
    ground_write(out, report);
    draw_page_close(out);
}
