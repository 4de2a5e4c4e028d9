/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_gate.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench/load/load.h"
#include "bench/report/report_json.h"

enum kind { TRUTH, SPEED };

static const struct row {
    const char *name;
    const char *text;
    const char *unit;
    enum gate_limit limit;
    double target;
    enum kind kind;
} rows[LOOKALIKE_ROWS] = {
#define R(ID, name, text, unit, LIMIT, target, KIND)                                               \
    [LOOKALIKE_##ID] = {name, text, unit, GATE_##LIMIT, target, KIND},
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
    gate->lines[row] = (struct gate_line){.state = GATE_MEASURED, .measured = spread};
}

void lookalike_figure_number(struct lookalike_gate *gate, enum lookalike_row row, double value)
{
    lookalike_figure_set(gate, row, report_spread_of(&value, 1));
}

static void figure_without(struct lookalike_gate *gate, enum lookalike_row row,
                           enum gate_state state, const char *why)
{
    struct gate_line *line = &gate->lines[row];
    *line = (struct gate_line){.state = state};
    snprintf(line->why, sizeof line->why, "%s", why);
}

void lookalike_figure_miss(struct lookalike_gate *gate, enum lookalike_row row, const char *why)
{
    figure_without(gate, row, GATE_MISSING, why);
}

void lookalike_figure_skip(struct lookalike_gate *gate, enum lookalike_row row, const char *why)
{
    figure_without(gate, row, GATE_SKIPPED, why);
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

/* Times of small sets on a busy builder say nothing. */
static bool is_judged(const struct lookalike_options *options, enum lookalike_row row)
{
    return rows[row].kind == TRUTH || !options->quick || options->target_given[row];
}

struct gate_line lookalike_row_line(const struct lookalike_gate *gate, enum lookalike_row row)
{
    const struct lookalike_options *options = gate->options;
    struct gate_line line = gate->lines[row];
    line.name = rows[row].name;
    line.text = rows[row].text;
    line.unit = rows[row].unit;
    line.limit = rows[row].limit;
    line.target = options->target_given[row] ? options->targets[row] : rows[row].target;
    line.shown_only = !is_judged(options, row);
    line.busy = gate->busy;
    return line;
}

static void lines_fill(const struct lookalike_gate *gate, struct gate_line lines[LOOKALIKE_ROWS])
{
    for (unsigned row = 0; row < LOOKALIKE_ROWS; row++) {
        lines[row] = lookalike_row_line(gate, (enum lookalike_row)row);
    }
}

uint32_t lookalike_gate_judge(const struct lookalike_gate *gate)
{
    struct gate_line lines[LOOKALIKE_ROWS];
    lines_fill(gate, lines);
    return gate_lines_print(stdout, lines, LOOKALIKE_ROWS);
}

static bool json_write(const struct lookalike_gate *gate)
{
    const struct lookalike_options *options = gate->options;
    struct proto_fault fault = {0};
    struct gate_line lines[LOOKALIKE_ROWS];
    lines_fill(gate, lines);
    json_t *json =
        json_pack("{s:i, s:s, s:o, s:{s:I, s:I, s:I, s:I, s:b, s:s}, s:O, s:O, s:O, s:O, s:o}",
                  "format", REPORT_JSON_FORMAT, "kind", "lookalike", "machine",
                  report_json_machine(), "setup", "vectors", (json_int_t)options->count, "dims",
                  (json_int_t)options->dim, "queries", (json_int_t)options->query_count, "rounds",
                  (json_int_t)options->rounds, "quick", options->quick, "sets", options->sets,
                  "builds", gate->builds, "growth", gate->growth, "server", gate->server, "cases",
                  gate->cases, "rows", gate_lines_json(lines, LOOKALIKE_ROWS));
    bool written = report_json_save(json, options->json, &fault);
    json_decref(json);
    if (written) {
        printf("written to %s\n", options->json);
    } else {
        fprintf(stderr, "icp-bench-lookalike: %s\n", fault.message);
    }
    return written;
}

/* How busy the machine was is measured over the whole run: what is in this process has no processor
 * time of its own to be told apart by. */
static uint64_t began(struct load_result *whole)
{
    struct base_clock clock = base_clock_system();
    load_usage_read(getpid(), &whole->server);
    whole->stolen_ns = load_stolen_ns();
    return base_clock_now_ns(&clock);
}

static double ended(struct load_result *whole, uint64_t began_ns)
{
    struct base_clock clock = base_clock_system();
    const struct load_usage before = whole->server;
    whole->stolen_ns = load_stolen_ns() - whole->stolen_ns;
    whole->seconds = (double)(base_clock_now_ns(&clock) - began_ns) / 1e9;
    load_usage_read(getpid(), &whole->server);
    load_usage_since(&before, &whole->server);
    return load_result_busy(whole);
}

uint32_t lookalike_gate_run(const struct lookalike_options *options)
{
    struct lookalike_gate gate = {.options = options,
                                  .cases = json_array(),
                                  .builds = json_array(),
                                  .growth = json_array(),
                                  .server = json_array()};
    struct load_result whole = {0};
    uint64_t began_ns = began(&whole);
    for (const char *name = options->sets; *name != '\0'; name++) {
        if (*name == 'S') {
            lookalike_server_measure(&gate);
        } else {
            lookalike_set_measure(&gate, *name);
        }
    }
    lookalike_growth_measure(&gate);
    gate.busy = ended(&whole, began_ns);
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
