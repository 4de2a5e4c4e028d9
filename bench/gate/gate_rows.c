/* SPDX-License-Identifier: Apache-2.0 */
/* What the series of a gate say against gate_row.def. */
#include <math.h>

#include "bench/gate/gate_parts.h"
#include "bench/report/report_json.h"

enum limit { LIMIT_LEAST, LIMIT_MOST };

static const struct {
    const char *text;
    struct gate_entry entry;
    enum gate_metric metric;
    struct gate_entry against;
    enum limit limit;
    double target;
} rows[] = {
#define R(text, CASE, CONTENDER, METRIC, CASE2, CONTENDER2, LIMIT, target)                         \
    {text,          {GATE_##CASE, GATE_BY_##CONTENDER},                                            \
     GATE_##METRIC, {GATE_##CASE2, GATE_BY_##CONTENDER2},                                          \
     LIMIT_##LIMIT, target},
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

static void row_judge(const struct gate *gate, size_t index, struct gate_row *row)
{
    const struct gate_series *a = &gate->series[rows[index].entry.what][rows[index].entry.who];
    const struct gate_series *b = &gate->series[rows[index].against.what][rows[index].against.who];
    enum gate_metric metric = rows[index].metric;
    bool is_ratio = rows[index].against.what != GATE_NONE;
    *row = (struct gate_row){.text = rows[index].text,
                             .at_least = rows[index].limit == LIMIT_LEAST,
                             .target = rows[index].target};
    row->measured = report_spread_of(a->values[metric], is_ratio ? 0 : a->count);
    row->by_cpu = row->measured;
    row->by_cpu.count = 0;
    if (is_ratio) {
        size_t count = least(a->count, b->count);
        row->measured = report_spread_ratio(a->values[metric], b->values[metric], count);
        if (metric == GATE_RATE)
            row->by_cpu = report_spread_ratio(b->values[GATE_CPU], a->values[GATE_CPU], count);
    }
    row->holds =
        row->measured.count > 0 && !smaller_than_said(gate, index) &&
        (row->at_least ? row->measured.median >= row->target : row->measured.median <= row->target);
}

size_t gate_rows(const struct gate *gate, struct gate_row *out, size_t rows_max)
{
    size_t count = least(sizeof rows / sizeof *rows, rows_max);
    for (size_t i = 0; i < count; i++)
        row_judge(gate, i, &out[i]);
    return count;
}

static json_t *spread_json(const struct report_spread *spread)
{
    if (spread->count == 0)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:I}", "median", spread->median, "low", spread->low, "high",
                     spread->high, "runs", (json_int_t)spread->count);
}

static json_t *rows_json(const struct gate *gate)
{
    struct gate_row all[sizeof rows / sizeof *rows];
    size_t count = gate_rows(gate, all, sizeof all / sizeof *all);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:s, s:f, s:s}", "text", all[i].text,
                                              "measured", spread_json(&all[i].measured), "by_cpu",
                                              spread_json(&all[i].by_cpu), "limit",
                                              all[i].at_least ? "least" : "most", "target",
                                              all[i].target, "verdict",
                                              all[i].measured.count == 0 ? "not measured"
                                              : all[i].holds             ? "holds"
                                                                         : "falls short"));
    return list;
}

static json_t *series_json(const struct gate *gate)
{
    json_t *list = json_array();
    for (unsigned what = 0; what < GATE_CASES; what++)
        for (unsigned who = 0; who < GATE_CONTENDERS; who++) {
            const struct gate_series *series = &gate->series[what][who];
            if (series->runs == NULL)
                continue;
            json_array_append_new(
                list,
                json_pack("{s:s, s:s, s:s, s:i, s:O}", "case", gate_case_name((enum gate_case)what),
                          "contender", gate_contender_name((enum gate_contender)who), "text",
                          gate_case_info((enum gate_case)what)->text, "scores_each",
                          (int)gate_case_info((enum gate_case)what)->scores, "runs", series->runs));
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
