/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that differ, and why: from one definition to another, rule by rule, down to accounts. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"
#include "server/draw/draw_rows.h"
#include "server/math/special.h"
#include "server/report/report_sections.h"

/* First, at most as many rules as a bridge may have, second. */
#define ROWS_MAX 16
#define NAME_BYTES 192

static const struct report_column columns[] = {
    {"step", "Step", false},
    {"change", "Rule from one to the other", false},
    {"account", "Account", false},
    {"value", "Figure, or what it adds", false},
    {"accounts", "Accounts moved", false},
};

static bool ratio(const struct report_bridge *bridge)
{
    return measure_metric_info(bridge->metric)->kind == MEASURE_METRIC_RATIO;
}

static void figure_print(const struct report_bridge *bridge, size_t row, char *text)
{
    report_cell_print(measure_cell_find(bridge->part.table, row, "value"), ratio(bridge), 0, text);
}

/* Whether a bridge before this one has a number that is called so. */
static bool said(const struct report_lifecycle *report, size_t before, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < before; i++) {
        const struct report_bridge *bridge = &report->bridges[i];
        found |= bridge->part.table != NULL &&
                 (strcmp(bridge->first, name) == 0 || strcmp(bridge->second, name) == 0);
    }
    return found;
}

/* The two numbers of each bridge in one sentence, each once. */
static void answer_write(FILE *out, const struct report_lifecycle *report)
{
    const char *between = "";
    fputs("<p class=\"answer\">", out);
    for (size_t i = 0; i < report->bridge_count; i++) {
        const struct report_bridge *bridge = &report->bridges[i];
        char text[REPORT_TEXT_BYTES];
        if (bridge->part.table == NULL) {
            continue;
        }
        if (!said(report, i, bridge->first)) {
            figure_print(bridge, 0, text);
            draw_format(out, "%s%s %s", between, text, bridge->first);
        }
        figure_print(bridge, measure_table_rows(bridge->part.table) - 1, text);
        draw_format(out, ", %s %s", text, bridge->second);
        between = "; ";
    }
    fputs(
        ". None of them is wrong: each follows its definition, and the steps below say what makes "
        "one of the other.</p>\n",
        out);
}

static void picture_write(FILE *out, const struct report_bridge *bridge, const char *id,
                          const char *table_id)
{
    const struct measure_table *table = bridge->part.table;
    struct draw_row rows[ROWS_MAX];
    char names[ROWS_MAX][NAME_BYTES];
    char figures[ROWS_MAX][REPORT_TEXT_BYTES];
    char caption[DRAW_FORMAT_BYTES];
    size_t count = 0;
    double level = 0;
    assert(table != NULL);
    for (size_t row = 0; row < measure_table_rows(table) && count < ROWS_MAX; row++) {
        bool end = row == 0 || row + 1 == measure_table_rows(table);
        double value = report_value(table, row, "value");
        char figure[REPORT_TEXT_BYTES];
        if (report_text(table, row, "account")[0] != '\0') {
            continue;
        }
        snprintf(names[count], NAME_BYTES, "%.60s%s%.120s",
                 !end       ? report_text(table, row, "step")
                 : row == 0 ? bridge->first
                            : bridge->second,
                 end ? "" : ": ", report_text(table, row, "change"));
        figure_print(bridge, row, figure);
        snprintf(figures[count], sizeof figures[count], "%s%.62s", !end && value > 0 ? "+" : "",
                 figure);
        rows[count] = (struct draw_row){.name = names[count],
                                        .figure = figures[count],
                                        .from = end ? 0 : level,
                                        .to = end ? value : level + value,
                                        .low = MATH_NAN,
                                        .high = MATH_NAN,
                                        .tone = end         ? DRAW_PLAIN
                                                : value < 0 ? DRAW_DOWN
                                                            : DRAW_UP};
        level = rows[count++].to;
    }
    snprintf(caption, sizeof caption, "What each rule adds, from %s to %s", bridge->first,
             bridge->second);
    draw_rows(out, &(struct draw_rows){.id = id,
                                       .table = table_id,
                                       .caption = caption,
                                       .sentence = "Waterfall from the first number to the second, "
                                                   "a step for each rule; the figures stand in the "
                                                   "table",
                                       .rows = rows,
                                       .count = count,
                                       .mark = MATH_NAN});
}

static void bridge_write(FILE *out, const struct report_bridge *bridge, size_t number)
{
    char id[2][REPORT_TEXT_BYTES];
    char caption[DRAW_FORMAT_BYTES];
    snprintf(id[0], sizeof id[0], "bridge-picture-%zu", number);
    snprintf(id[1], sizeof id[1], "bridge-table-%zu", number);
    fputs("<h3>", out);
    draw_format(out, "From %s to %s", bridge->first, bridge->second);
    fputs("</h3>\n", out);
    if (!report_part_there(out, &bridge->part)) {
        return;
    }
    picture_write(out, bridge, id[0], id[1]);
    snprintf(caption, sizeof caption,
             "Rule by rule from %s to %s, and under each rule the accounts that it moves most",
             bridge->first, bridge->second);
    report_table(out, bridge->part.table, id[1], caption, columns, sizeof columns / sizeof *columns,
                 0);
}

void report_bridges(FILE *out, const struct report_lifecycle *report)
{
    bool any = false;
    draw_section_open(out, "bridges", "Which numbers differ, and why");
    for (size_t i = 0; i < report->bridge_count; i++) {
        any |= report->bridges[i].part.table != NULL;
    }
    if (any) {
        answer_write(out, report);
    }
    for (size_t i = 0; i < report->bridge_count; i++) {
        bridge_write(out, &report->bridges[i], i + 1);
    }
    if (any) {
        fputs("<p>A step is Shapley's value of the rule: its mean part over every order in which "
              "the rules can be changed, so the steps add up to the whole difference.</p>\n",
              out);
    }
    draw_section_close(out);
}
