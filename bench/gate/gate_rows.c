/* SPDX-License-Identifier: Apache-2.0 */
/* What the series of a gate say against gate_row.def. */
#include <math.h>

#include "bench/gate/gate_parts.h"
#include "bench/report/report_json.h"

static const struct {
    const char *text;
    struct gate_entry entry;
    enum gate_metric metric;
    struct gate_entry against;
    enum gate_limit limit;
    double target;
} rows[] = {
#define R(text, CASE, CONTENDER, METRIC, CASE2, CONTENDER2, LIMIT, target)                         \
    {text,          {GATE_##CASE, GATE_BY_##CONTENDER},                                            \
     GATE_##METRIC, {GATE_##CASE2, GATE_BY_##CONTENDER2},                                          \
     GATE_##LIMIT,  target},
#include "bench/gate/gate_row.def"
#undef R
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Growth on a base smaller than the row speaks of shows something, but not that the row holds. */
static bool smaller_than_said(const struct gate *gate, size_t index)
{
    return rows[index].entry.who == GATE_BY_LARGE && gate->options.large < GATE_LARGE;
}

/* The larger one of what stood in the way of both sides. */
static double busy_of(const struct gate_series *a, const struct gate_series *b, bool is_ratio)
{
    double busy = report_spread_of(a->values[GATE_SHARE_BUSY], a->count).median;
    double other = report_spread_of(b->values[GATE_SHARE_BUSY], is_ratio ? b->count : 0).median;
    return fmax(busy, other); /* passes over a NAN */
}

static void line_fill(const struct gate *gate, size_t index, struct gate_line *line)
{
    const struct gate_series *a = &gate->series[rows[index].entry.what][rows[index].entry.who];
    const struct gate_series *b = &gate->series[rows[index].against.what][rows[index].against.who];
    enum gate_metric metric = rows[index].metric;
    bool is_ratio = rows[index].against.what != GATE_NONE;
    size_t count = least(a->count, b->count);
    *line = (struct gate_line){.name = "",
                               .text = rows[index].text,
                               .unit = "",
                               .limit = rows[index].limit,
                               .target = rows[index].target,
                               .busy = busy_of(a, b, is_ratio)};
    line->measured = is_ratio ? report_spread_ratio(a->values[metric], b->values[metric], count)
                              : report_spread_of(a->values[metric], a->count);
    if (is_ratio && metric == GATE_RATE) {
        line->by_cpu = report_spread_ratio(b->values[GATE_CPU], a->values[GATE_CPU], count);
    }
    line->state = line->measured.count > 0 ? GATE_MEASURED : GATE_MISSING;
    if (line->state == GATE_MEASURED && smaller_than_said(gate, index)) {
        snprintf(line->why, sizeof line->why, "on a base smaller than the row speaks of");
    }
}

size_t gate_rows(const struct gate *gate, struct gate_line *lines, size_t lines_max)
{
    size_t count = least(sizeof rows / sizeof *rows, lines_max);
    for (size_t i = 0; i < count; i++) {
        line_fill(gate, i, &lines[i]);
    }
    return count;
}

static json_t *rows_json(const struct gate *gate)
{
    struct gate_line all[sizeof rows / sizeof *rows];
    return gate_lines_json(all, gate_rows(gate, all, sizeof all / sizeof *all));
}

static json_t *series_json(const struct gate *gate)
{
    json_t *list = json_array();
    for (unsigned what = 0; what < GATE_CASES; what++) {
        for (unsigned who = 0; who < GATE_CONTENDERS; who++) {
            const struct gate_series *series = &gate->series[what][who];
            if (series->runs == NULL) {
                continue;
            }
            json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:s, s:i, s:O}", "case", gate_case_name((enum gate_case)what),
                          "contender", gate_contender_name((enum gate_contender)who), "text",
                          gate_case_info((enum gate_case)what)->text, "scores_each",
                          (int)gate_case_info((enum gate_case)what)->scores, "runs", series->runs));
        }
    }
    return list;
}

static json_t *contenders_json(const struct gate *gate)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < PEER_ASK_COUNT; i++) {
        const struct peer_ask_info *ask = peer_ask_info((enum peer_ask)i);
        const struct peer_info *peer = peer_info(ask->peer);
        bool there = gate->peers[ask->peer].process.pid > 0;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "name", ask->name, "does",
                                              ask->does, "configuration", peer->configuration,
                                              "measured", there));
    }
    json_array_append_new(
        list,
        json_pack("{s:s, s:s, s:s, s:b}", "name", "echo", "does",
                  "a bare libuv echo with requests and replies of icpd's sizes: the floor",
                  "configuration", "one loop, all replies of a read in one write", "measured", 1));
    return list;
}

json_t *gate_json(const struct gate *gate)
{
    const struct gate_options *options = &gate->options;
    return json_pack("{s:i, s:s, s:o, s:{s:I, s:I, s:I, s:i, s:f, s:f, s:i, s:i, s:f}, s:o, s:o, "
                     "s:o}",
                     "format", REPORT_JSON_FORMAT, "kind", "gate", "machine", report_json_machine(),
                     "setup", "accounts", (json_int_t)options->accounts, "small",
                     (json_int_t)options->small, "large", (json_int_t)options->large, "connections",
                     (int)options->connections, "warmup_s", options->warmup_s, "measure_s",
                     options->measure_s, "server_cpu", options->server_cpu, "load_cpu",
                     options->load_cpu, "open_rate", gate->open_rate, "contenders",
                     contenders_json(gate), "series", series_json(gate), "rows", rows_json(gate));
}
