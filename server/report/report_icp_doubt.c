/* SPDX-License-Identifier: Apache-2.0 */
/* What others say of a version: segments that stand out, disputes and their outcome, what came
 * since, and what it refused to learn from. */
#include <string.h>

#include "server/draw/draw_page.h"
#include "server/feature/date_text.h"
#include "server/report/report_icp_parts.h"

static bool there(FILE *out, const json_t *part, const char *why)
{
    if (part == NULL) {
        report_icp_answer(out, "Not asked: %s.", why != NULL ? why : "nobody did");
    }
    return part != NULL;
}

void report_icp_segments(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Segment", DRAW_TEXT},  {"Accounts", DRAW_FIGURE},
                                               {"Rate", DRAW_FIGURE},   {"Held back", DRAW_FIGURE},
                                               {"Rate", DRAW_FIGURE},   {"95 %", DRAW_FIGURE},
                                               {"Confirmed", DRAW_TEXT}};
    const json_t *list = json_object_get(report->segments, "segments");
    struct draw_table table;
    size_t index;
    const json_t *segment;
    char found[ICP_TEXT_BYTES];
    char accounts[ICP_TEXT_BYTES];
    if (!there(out, report->segments, report->no_segments)) {
        return;
    }
    double base = report_icp_number(report->segments, "outcomes") /
                  report_icp_number(report->segments, "accounts");
    report_icp_answer(
        out,
        "%s found; accounts held back from the search confirm %.0f. Of %s %.1f %% had the outcome.",
        report_icp_counted((double)json_array_size(list), "segment", found),
        report_icp_number(report->segments, "confirmed"),
        report_icp_counted(report_icp_number(report->segments, "accounts"), "account", accounts),
        100 * base);
    if (json_array_size(list) == 0) {
        return;
    }
    draw_table_open(&table, out, "segments-table", "Segments, confirmed ones first", heads, 7);
    json_array_foreach((json_t *)(uintptr_t)list, index, segment)
    {
        draw_table_cell(&table, report_icp_text(segment, "filter"));
        report_icp_count(&table, report_icp_number(segment, "accounts"));
        report_icp_rate(&table, report_icp_number(segment, "outcomes"),
                        report_icp_number(segment, "accounts"));
        report_icp_count(&table, report_icp_number(segment, "held"));
        report_icp_rate(&table, report_icp_number(segment, "held_outcomes"),
                        report_icp_number(segment, "held"));
        report_icp_interval(&table, report_icp_number(segment, "rate_low"),
                            report_icp_number(segment, "rate_high"));
        draw_table_cell(&table, report_icp_flag(segment, "confirmed") ? "yes" : "no");
    }
    draw_table_close(&table);
}

/* What a challenge is about, in its own words. */
static const char *about(const json_t *challenge)
{
    static const char *const members[] = {"condition", "field", "slice", "period"};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        const char *text = report_icp_text(challenge, members[i]);
        if (text[0] != '\0') {
            return text;
        }
    }
    return "everybody";
}

static void challenge_row(struct draw_table *table, const json_t *challenge)
{
    char text[ICP_TEXT_BYTES];
    char day[FEATURE_DATE_TEXT_BYTES] = "";
    const char *by = report_icp_text(challenge, "by");
    (void)feature_date_print((int64_t)report_icp_number(challenge, "time"), day);
    (void)snprintf(text, sizeof text, "%.0f", report_icp_number(challenge, "number"));
    draw_table_cell(table, text);
    draw_table_cell(table, day);
    draw_table_cell(table, by[0] != '\0' ? by : "nobody known");
    draw_table_cell(table, about(challenge));
    draw_table_cell(table, report_icp_text(challenge, "verdict"));
    report_icp_count(table, report_icp_number(challenge, "accounts"));
    report_icp_rate(table, report_icp_number(challenge, "outcomes"),
                    report_icp_number(challenge, "accounts"));
    report_icp_interval(table, report_icp_number(challenge, "rate_low"),
                        report_icp_number(challenge, "rate_high"));
    report_icp_rate(table, report_icp_number(challenge, "expected"), 1);
}

void report_icp_disputes(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {
        {"Number", DRAW_FIGURE}, {"Day", DRAW_DAY},      {"By", DRAW_TEXT},
        {"What of", DRAW_TEXT},  {"Verdict", DRAW_TEXT}, {"Accounts", DRAW_FIGURE},
        {"Rate", DRAW_FIGURE},   {"95 %", DRAW_FIGURE},  {"It says", DRAW_FIGURE}};
    size_t count = json_array_size(report->challenges);
    size_t fell = 0;
    char disputed[ICP_TEXT_BYTES];
    char fallen[ICP_TEXT_BYTES];
    struct draw_table table;
    if (!there(out, report->challenges, report->no_challenges)) {
        return;
    }
    if (count == 0) {
        report_icp_answer(out, "Nobody has disputed this version ('icp challenge').");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fell += strcmp(report_icp_text(json_array_get(report->challenges, i), "verdict"),
                       "does not hold") == 0;
    }
    report_icp_answer(out, "It was disputed %s; %s what it says did not hold.",
                      report_icp_counted((double)count, "time", disputed),
                      report_icp_counted((double)fell, "time", fallen));
    draw_table_open(&table, out, "disputes-table", "What was disputed, the newest first", heads, 9);
    for (size_t i = 0; i < count; i++) {
        challenge_row(&table, json_array_get(report->challenges, i));
    }
    draw_table_close(&table);
}

static void figure_cell(struct draw_table *table, const json_t *figure, const char *name)
{
    if (json_is_number(json_object_get(figure, name))) {
        report_icp_figure(table, report_icp_number(figure, name));
    } else {
        draw_table_gap(table);
    }
}

void report_icp_drift(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Figure", DRAW_TEXT},
                                               {"Since", DRAW_FIGURE},
                                               {"95 % from", DRAW_FIGURE},
                                               {"to", DRAW_FIGURE},
                                               {"When learned", DRAW_FIGURE}};
    const json_t *words = json_object_get(report->drift, "words");
    const json_t *figures = json_object_get(report->drift, "figures");
    struct draw_table table;
    size_t index;
    const json_t *figure;
    if (!there(out, report->drift, report->no_drift)) {
        return;
    }
    for (size_t i = 0; i < json_array_size(words); i++) {
        const char *text = json_string_value(json_array_get(words, i));
        fputs(i == 0 ? "<p class=\"answer\">" : "<p>", out);
        draw_text(out, text != NULL ? text : "");
        fputs("</p>\n", out);
    }
    if (json_array_size(figures) == 0) {
        return;
    }
    draw_table_open(&table, out, "drift-table", "What came since it was made active", heads, 5);
    json_array_foreach((json_t *)(uintptr_t)figures, index, figure)
    {
        draw_table_cell(&table, report_icp_text(figure, "name"));
        figure_cell(&table, figure, "value");
        figure_cell(&table, figure, "low");
        figure_cell(&table, figure, "high");
        figure_cell(&table, figure, "then");
    }
    draw_table_close(&table);
}

void report_icp_refused(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Field", DRAW_TEXT}, {"Why", DRAW_TEXT}};
    const json_t *evidence = json_object_get(report->document, "evidence");
    const json_t *refused = json_object_get(evidence, "refused");
    const json_t *warnings = json_object_get(evidence, "warnings");
    struct draw_table table;
    size_t count = json_array_size(refused);
    if (count == 0) {
        report_icp_answer(out, "No field was refused as a leak of the outcome.");
    } else {
        report_icp_answer(out, "%zu %s refused: what it says came after the outcome.", count,
                          count == 1 ? "field was" : "fields were");
    }
    if (count > 0) {
        draw_table_open(&table, out, "refused-table", "Fields that were refused", heads, 2);
        for (size_t i = 0; i < count; i++) {
            draw_table_cell(&table, report_icp_text(json_array_get(refused, i), "field"));
            draw_table_cell(&table, report_icp_text(json_array_get(refused, i), "reason"));
        }
        draw_table_close(&table);
    }
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const char *text = json_string_value(json_array_get(warnings, i));
        fputs("<p>", out);
        draw_text(out, text != NULL ? text : "");
        fputs("</p>\n", out);
    }
}
