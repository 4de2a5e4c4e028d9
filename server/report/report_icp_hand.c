/* SPDX-License-Identifier: Apache-2.0 */
/* A profile written by hand beside the version, on the same accounts: which orders them better, how
 * many outcomes their top tenths hold, and which of its conditions the outcomes speak for. */
#include "server/draw/draw_page.h"
#include "server/report/report_icp_parts.h"

static void points_cell(struct draw_table *table, double points)
{
    char text[ICP_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%+g", points);
    draw_table_cell(table, text);
}

/* A difference of rates and its interval, in points of a hundred. */
static void effect_cells(struct draw_table *table, const json_t *condition)
{
    char text[ICP_TEXT_BYTES];
    (void)snprintf(text, sizeof text, "%+.1f", 100 * report_icp_number(condition, "effect"));
    draw_table_cell(table, text);
    (void)snprintf(text, sizeof text, "%+.1f to %+.1f",
                   100 * report_icp_number(condition, "effect_low"),
                   100 * report_icp_number(condition, "effect_high"));
    draw_table_cell(table, text);
}

static void side_row(struct draw_table *table, const char *name, const json_t *side)
{
    char text[ICP_TEXT_BYTES];
    draw_table_cell(table, name);
    report_icp_figure(table, report_icp_number(side, "auc"));
    (void)snprintf(text, sizeof text, "%.4f to %.4f", report_icp_number(side, "auc_low"),
                   report_icp_number(side, "auc_high"));
    draw_table_cell(table, text);
    report_icp_figure(table, report_icp_number(side, "lift_top_decile"));
}

static void sides_write(FILE *out, const struct report_icp *report)
{
    static const struct draw_column heads[] = {{"Profile", DRAW_TEXT},
                                               {"AUC", DRAW_FIGURE},
                                               {"95 %", DRAW_FIGURE},
                                               {"Lift of the top tenth", DRAW_FIGURE}};
    char learned[ICP_TEXT_BYTES];
    struct draw_table table;
    (void)snprintf(learned, sizeof learned, "version %llu", (unsigned long long)report->version);
    draw_table_open(&table, out, "hand-table", "Both on the same accounts", heads, 4);
    side_row(&table, learned, json_object_get(report->hand, "version"));
    side_row(&table, report_icp_text(report->hand, "name"),
             json_object_get(report->hand, "profile"));
    draw_table_close(&table);
}

static void conditions_write(FILE *out, const json_t *conditions)
{
    static const struct draw_column heads[] = {
        {"Condition", DRAW_TEXT}, {"Points", DRAW_FIGURE}, {"Accounts", DRAW_FIGURE},
        {"Rate", DRAW_FIGURE},    {"95 %", DRAW_FIGURE},   {"Higher by", DRAW_FIGURE},
        {"95 %", DRAW_FIGURE},    {"Evidence", DRAW_TEXT}};
    size_t index;
    const json_t *condition;
    struct draw_table table;
    draw_table_open(&table, out, "conditions-table",
                    "Its conditions: the rate of who meets them, and against the others", heads, 8);
    json_array_foreach((json_t *)(uintptr_t)conditions, index, condition)
    {
        draw_table_cell(&table, report_icp_text(condition, "if"));
        points_cell(&table, report_icp_number(condition, "points"));
        report_icp_count(&table, report_icp_number(condition, "accounts"));
        report_icp_rate(&table, report_icp_number(condition, "outcomes"),
                        report_icp_number(condition, "accounts"));
        report_icp_interval(&table, report_icp_number(condition, "rate_low"),
                            report_icp_number(condition, "rate_high"));
        effect_cells(&table, condition);
        draw_table_cell(&table, report_icp_flag(condition, "evidence") ? "yes" : "no");
    }
    draw_table_close(&table);
}

void report_icp_hand(FILE *out, const struct report_icp *report)
{
    const json_t *hand = report->hand;
    const json_t *learned = json_object_get(hand, "version");
    const json_t *written = json_object_get(hand, "profile");
    char accounts[ICP_TEXT_BYTES];
    if (hand == NULL) {
        report_icp_answer(
            out,
            "Not compared: no profile written by hand was named ('icp report icp --profile').");
        return;
    }
    const char *name = report_icp_text(hand, "name");
    double over = report_icp_number(hand, "lift_over");
    char times[ICP_TEXT_BYTES] = "outcomes where there are none in";
    if (over > 0) {
        (void)snprintf(times, sizeof times, "%.2f times as many outcomes as", over);
    }
    report_icp_answer(
        out,
        "On %s with an outcome the top tenth of version %llu holds %s that of %s (%.1f and %.1f "
        "times the average). Outcomes speak for %.0f %% of the points of %s.",
        report_icp_counted(report_icp_number(hand, "accounts"), "account", accounts),
        (unsigned long long)report->version, times, name,
        report_icp_number(learned, "lift_top_decile"),
        report_icp_number(written, "lift_top_decile"),
        100 * report_icp_number(hand, "weight_with_evidence"), name);
    fputs("<p>", out);
    draw_format(out,
                "The outcome is %s; accounts are those where %s, as they are now. Those that the "
                "version was learned from are in its favour: a condition on a date after it was "
                "made (--where) is the honest test.",
                report_icp_text(hand, "label"), report_icp_text(hand, "population"));
    fputs("</p>\n", out);
    sides_write(out, report);
    conditions_write(out, json_object_get(hand, "conditions"));
}
