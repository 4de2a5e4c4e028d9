/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_gate.h"

#include <stdio.h>
#include <string.h>

#include "bench/report/report_json.h"

enum limit { LEAST, MOST };
enum kind { TRUTH, SPEED };

static const struct row {
    const char *name;
    const char *text;
    const char *unit;
    enum limit limit;
    double target;
    enum kind kind;
} rows[LOOKALIKE_ROWS] = {
#define R(ID, name, text, unit, LIMIT, target, KIND)                                               \
    [LOOKALIKE_##ID] = {name, text, unit, LIMIT, target, KIND},
#include "bench/lookalike/lookalike_row.def"
#undef R
};

void lookalike_figure_set(struct lookalike_gate *gate, enum lookalike_row row,
                          struct report_spread spread)
{
    if (spread.count == 0) {
        lookalike_figure_miss(gate, row, "no run gave a figure");
        return;
    }
    gate->figures[row] = (struct lookalike_figure){.state = LOOKALIKE_MEASURED, .spread = spread};
}

void lookalike_figure_number(struct lookalike_gate *gate, enum lookalike_row row, double value)
{
    lookalike_figure_set(gate, row, report_spread_of(&value, 1));
}

static void figure_without(struct lookalike_gate *gate, enum lookalike_row row, bool skipped,
                           const char *why)
{
    struct lookalike_figure *figure = &gate->figures[row];
    *figure = (struct lookalike_figure){.state = skipped ? LOOKALIKE_SKIPPED : LOOKALIKE_MISSING};
    snprintf(figure->why, sizeof figure->why, "%s", why);
}

void lookalike_figure_miss(struct lookalike_gate *gate, enum lookalike_row row, const char *why)
{
    figure_without(gate, row, false, why);
}

void lookalike_figure_skip(struct lookalike_gate *gate, enum lookalike_row row, const char *why)
{
    figure_without(gate, row, true, why);
}

void lookalike_gate_keep(struct lookalike_gate *gate, const struct lookalike_case *what)
{
    lookalike_case_print(what);
    json_array_append_new(gate->cases, lookalike_case_json(what));
}

enum lookalike_row lookalike_row_find(const char *name)
{
    unsigned row = 0;
    while (row < LOOKALIKE_ROWS && strcmp(rows[row].name, name) != 0) {
        row++;
    }
    return (enum lookalike_row)row;
}

double lookalike_row_target(const struct lookalike_options *options, enum lookalike_row row)
{
    return options->target_given[row] ? options->targets[row] : rows[row].target;
}

bool lookalike_row_holds(const struct lookalike_options *options, enum lookalike_row row,
                         double value)
{
    double target = lookalike_row_target(options, row);
    return rows[row].limit == LEAST ? value >= target : value <= target;
}

bool lookalike_row_judged(const struct lookalike_options *options, enum lookalike_row row)
{
    return rows[row].kind == TRUTH || !options->quick || options->target_given[row];
}

static const char *verdict_of(const struct lookalike_gate *gate, enum lookalike_row row)
{
    const struct lookalike_figure *figure = &gate->figures[row];
    if (figure->state == LOOKALIKE_SKIPPED || figure->state == LOOKALIKE_UNASKED) {
        return "skipped";
    }
    if (figure->state == LOOKALIKE_MISSING) {
        return "NOT MEASURED";
    }
    if (!lookalike_row_judged(gate->options, row)) {
        return "not judged";
    }
    return lookalike_row_holds(gate->options, row, figure->spread.median) ? "holds" : "FALLS SHORT";
}

static bool is_short(const struct lookalike_gate *gate, enum lookalike_row row)
{
    const char *verdict = verdict_of(gate, row);
    return strcmp(verdict, "NOT MEASURED") == 0 || strcmp(verdict, "FALLS SHORT") == 0;
}

static void row_print(const struct lookalike_gate *gate, enum lookalike_row row)
{
    const struct lookalike_figure *figure = &gate->figures[row];
    char measured[48] = "-";
    char range[64] = "";
    if (figure->state == LOOKALIKE_MEASURED) {
        snprintf(measured, sizeof measured, "%.2f %s", figure->spread.median, rows[row].unit);
        if (figure->spread.count > 1) {
            snprintf(range, sizeof range, "%.2f to %.2f", figure->spread.low, figure->spread.high);
        }
    }
    printf("%-54s %14s %18s  %s %6g  %s%s%s\n", rows[row].text, measured, range,
           rows[row].limit == LEAST ? ">=" : "<=", lookalike_row_target(gate->options, row),
           verdict_of(gate, row), figure->why[0] != '\0' ? ": " : "", figure->why);
}

static json_t *row_json(const struct lookalike_gate *gate, enum lookalike_row row)
{
    const struct lookalike_figure *figure = &gate->figures[row];
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:f, s:s}", "name", rows[row].name, "text", rows[row].text, "unit",
        rows[row].unit, "limit", rows[row].limit == LEAST ? "least" : "most", "target",
        lookalike_row_target(gate->options, row), "verdict", verdict_of(gate, row));
    if (figure->state == LOOKALIKE_MEASURED) {
        json_object_set_new(json, "measured",
                            json_pack("{s:f, s:f, s:f, s:I}", "median", figure->spread.median,
                                      "low", figure->spread.low, "high", figure->spread.high,
                                      "runs", (json_int_t)figure->spread.count));
    }
    if (figure->why[0] != '\0') {
        json_object_set_new(json, "why", json_string(figure->why));
    }
    return json;
}

uint32_t lookalike_gate_judge(const struct lookalike_gate *gate)
{
    uint32_t short_count = 0;
    printf("\n%-54s %14s %18s  %9s\n", "", "measured", "lowest to highest", "target");
    uint32_t unasked = 0;
    for (unsigned row = 0; row < LOOKALIKE_ROWS; row++) {
        if (gate->figures[row].state == LOOKALIKE_UNASKED) {
            unasked++;
            continue;
        }
        row_print(gate, (enum lookalike_row)row);
        short_count += is_short(gate, (enum lookalike_row)row);
    }
    printf("\n%u rows, %u short", LOOKALIKE_ROWS - unasked, short_count);
    if (unasked > 0) {
        printf("; %u rows were not asked for", unasked);
    }
    printf("\n");
    fflush(stdout);
    return short_count;
}

static bool json_write(const struct lookalike_gate *gate)
{
    const struct lookalike_options *options = gate->options;
    struct proto_fault fault = {0};
    json_t *list = json_array();
    for (unsigned row = 0; row < LOOKALIKE_ROWS; row++) {
        json_array_append_new(list, row_json(gate, (enum lookalike_row)row));
    }
    json_t *json = json_pack(
        "{s:i, s:s, s:o, s:{s:I, s:I, s:I, s:I, s:b, s:s}, s:O, s:O, s:O, s:O, s:o}", "format",
        REPORT_JSON_FORMAT, "kind", "lookalike", "machine", report_json_machine(), "setup",
        "vectors", (json_int_t)options->count, "dims", (json_int_t)options->dim, "queries",
        (json_int_t)options->query_count, "rounds", (json_int_t)options->rounds, "quick",
        options->quick, "sets", options->sets, "builds", gate->builds, "growth", gate->growth,
        "server", gate->server, "cases", gate->cases, "rows", list);
    bool written = report_json_save(json, options->json, &fault);
    json_decref(json);
    if (written) {
        printf("written to %s\n", options->json);
    } else {
        fprintf(stderr, "icp-bench-lookalike: %s\n", fault.message);
    }
    return written;
}

uint32_t lookalike_gate_run(const struct lookalike_options *options)
{
    struct lookalike_gate gate = {.options = options,
                                  .cases = json_array(),
                                  .builds = json_array(),
                                  .growth = json_array(),
                                  .server = json_array()};
    for (const char *name = options->sets; *name != '\0'; name++) {
        if (*name == 'S') {
            lookalike_server_measure(&gate);
        } else {
            lookalike_set_measure(&gate, *name);
        }
    }
    lookalike_growth_measure(&gate);
    uint32_t short_count = lookalike_gate_judge(&gate);
    if (options->json != NULL && !json_write(&gate)) {
        short_count++;
    }
    json_decref(gate.cases);
    json_decref(gate.builds);
    json_decref(gate.growth);
    json_decref(gate.server);
    return short_count;
}
