/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/load_stages.h"
#include "bench/report/report_parts.h"
#include "server/draw/draw_number.h"
#include "server/draw/draw_svg.h"

#define POINTS_MAX 1024
#define BARS_MAX 16

double report_number(const json_t *json, const char *path)
{
    char key[64];
    while (json != NULL && *path != '\0') {
        size_t bytes = strcspn(path, ".");
        snprintf(key, sizeof key, "%.*s", (int)bytes, path);
        json = json_object_get(json, key);
        path += bytes + (path[bytes] == '.');
    }
    return json_is_number(json) ? json_number_value(json) : (double)NAN;
}

const char *report_text(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));
    return text != NULL ? text : "";
}

struct report_spread report_run_spread(const json_t *series, const char *path)
{
    double values[REPORT_RUNS_MAX];
    size_t count = 0;
    size_t i;
    const json_t *run;
    json_array_foreach(json_object_get(series, "runs"), i, run)
    {
        double value = report_number(run, path);
        if (!isnan(value) && count < REPORT_RUNS_MAX) {
            values[count++] = value;
        }
    }
    return report_spread_of(values, count);
}

const json_t *report_series(const json_t *result, const char *what, const char *who)
{
    size_t i;
    const json_t *series;
    json_array_foreach(json_object_get(result, "series"), i,
                       series) if (strcmp(report_text(series, "case"), what) == 0 &&
                                   strcmp(report_text(series, "contender"), who) ==
                                       0) return series;
    return NULL;
}

/* icpd in the accent colour, the floor in another, peers in a third. */
static int tone_of(const char *who)
{
    return strncmp(who, "icp", 3) == 0 ? 0 : strcmp(who, "echo") == 0 ? 1 : 2;
}

/* One bar for each contender of a case. */
static void case_bars(FILE *out, const json_t *result, const char *what, const char *path,
                      const char *title, const char *unit)
{
    struct draw_svg_bar bars[BARS_MAX];
    size_t count = 0;
    size_t i;
    const json_t *series;
    json_array_foreach(json_object_get(result, "series"), i, series)
    {
        struct report_spread spread = report_run_spread(series, path);
        if (strcmp(report_text(series, "case"), what) != 0 || spread.count == 0 ||
            count == BARS_MAX) {
            continue;
        }
        const char *who = report_text(series, "contender");
        bars[count++] = (struct draw_svg_bar){.name = who,
                                              .value = spread.median,
                                              .low = spread.low,
                                              .high = spread.high,
                                              .tone = tone_of(who)};
    }
    if (count > 1) {
        draw_svg_bars(out, title, unit, bars, count);
    }
}

static size_t rates_read(const json_t *series, double values[REPORT_RUNS_MAX])
{
    size_t count = 0;
    size_t i;
    const json_t *run;
    json_array_foreach(json_object_get(series, "runs"), i, run) if (count < REPORT_RUNS_MAX)
        values[count++] = report_number(run, "rate");
    return count;
}

/* icpd's rate over that of every other contender of the case, run by run. */
static void ratio_bars(FILE *out, const json_t *result, const char *what, const char *title)
{
    struct draw_svg_bar bars[BARS_MAX];
    char names[BARS_MAX][64];
    double own[REPORT_RUNS_MAX];
    double other[REPORT_RUNS_MAX];
    size_t count = 0;
    size_t i;
    const json_t *series;
    size_t own_count = rates_read(report_series(result, what, "icp"), own);
    json_array_foreach(json_object_get(result, "series"), i, series)
    {
        const char *who = report_text(series, "contender");
        if (strcmp(report_text(series, "case"), what) != 0 || strncmp(who, "icp", 3) == 0 ||
            count == BARS_MAX) {
            continue;
        }
        size_t other_count = rates_read(series, other);
        struct report_spread spread =
            report_spread_ratio(own, other, own_count < other_count ? own_count : other_count);
        if (spread.count == 0) {
            continue;
        }
        snprintf(names[count], sizeof names[count], "icp ÷ %s", who);
        bars[count] = (struct draw_svg_bar){.name = names[count],
                                            .value = spread.median,
                                            .low = spread.low,
                                            .high = spread.high,
                                            .mark = 1,
                                            .tone = tone_of(who)};
        count++;
    }
    if (count > 0) {
        draw_svg_bars(out, title, "×", bars, count);
    }
}

struct points {
    double x[POINTS_MAX], y[POINTS_MAX];
    size_t count;
    char name[64];
};

static void point_add(struct points *points, double x, double y)
{
    if (points->count == POINTS_MAX || isnan(x) || isnan(y)) {
        return;
    }
    points->x[points->count] = x;
    points->y[points->count++] = y;
}

/* The run whose p99 is the median of its series: a curve of something that happened. */
static const json_t *run_middle(const json_t *series)
{
    double middle = report_run_spread(series, "latency_us.p99").median;
    const json_t *best = NULL;
    size_t i;
    const json_t *run;
    json_array_foreach(json_object_get(series, "runs"), i,
                       run) if (best == NULL ||
                                fabs(report_number(run, "latency_us.p99") - middle) <
                                    fabs(report_number(best, "latency_us.p99") - middle)) best =
        run;
    return best;
}

static void curve_read(const json_t *series, struct points *points)
{
    const json_t *list =
        json_object_get(json_object_get(run_middle(series), "latency_us"), "curve");
    size_t i;
    const json_t *pair;
    json_array_foreach(list, i, pair)
    {
        double share = json_number_value(json_array_get(pair, 0));
        if (share < 1) {
            point_add(points, 1 / (1 - share), json_number_value(json_array_get(pair, 1)));
        }
    }
}

static void timeline_read(const json_t *series, struct points *points, const char *key)
{
    size_t i, j;
    const json_t *run, *second;
    json_array_foreach(json_object_get(series, "runs"), i, run)
        json_array_foreach(json_object_get(run, "timeline"), j, second)
            point_add(points, (double)points->count + 1, report_number(second, key));
}

static void sweep_read(const json_t *series, struct points *points, const char *x, const char *y)
{
    size_t i;
    const json_t *run;
    json_array_foreach(json_object_get(series, "runs"), i, run)
        point_add(points, report_number(run, x), report_number(run, y));
}

static void percentile_label(double value, char *text, size_t text_bytes)
{
    double share = 100 * (1 - 1 / value);
    int digits = value < 200 ? 0 : (int)ceil(log10(value)) - 2;
    snprintf(text, text_bytes, "%.*f %%", digits, share);
}

static void lines_write(FILE *out, struct draw_svg_chart *chart, struct points *all, size_t count,
                        bool dots)
{
    struct draw_svg_series series[DRAW_SVG_SERIES_MAX];
    chart->series = series;
    chart->series_count = 0;
    for (size_t i = 0; i < count && i < DRAW_SVG_SERIES_MAX; i++) {
        if (all[i].count > 0) {
            series[chart->series_count++] = (struct draw_svg_series){.name = all[i].name,
                                                                     .x = all[i].x,
                                                                     .y = all[i].y,
                                                                     .count = all[i].count,
                                                                     .dots = dots};
        }
    }
    if (chart->series_count > 0) {
        draw_svg_lines(out, chart);
    }
    chart->series = NULL; /* it ends here */
    chart->series_count = 0;
}

static void percentile_chart(FILE *out, const json_t *result, struct points *all)
{
    static const char *const which[][3] = {{"open", "icp", "icp"},
                                           {"open", "echo", "echo (floor)"},
                                           {"open-writes", "icp", "icp beside 1,000 writes/s"},
                                           {"lead-routing", "icp", "icp, lead routing"}};
    size_t count = sizeof which / sizeof *which;
    memset(all, 0, count * sizeof *all);
    for (size_t i = 0; i < count; i++) {
        snprintf(all[i].name, sizeof all[i].name, "%s", which[i][2]);
        curve_read(report_series(result, which[i][0], which[i][1]), &all[i]);
    }
    struct draw_svg_chart chart = {
        .title = "Latency by percentile, open loop (from the intended time of sending)",
        .x = {"percentile, on log 1 / (1 − p)", true, 0, 0, percentile_label},
        .y = {"latency", true, 0, 0, draw_number_us}};
    lines_write(out, &chart, all, count, false);
}

static void sweep_charts(FILE *out, const json_t *result, struct points *all)
{
    struct draw_svg_chart reached = {
        .title = "Offered and answered requests: where the curve leaves the diagonal is the knee",
        .x = {"offered, requests/s", false, 0, 0, NULL},
        .y = {"answered, requests/s", false, 0, 0, NULL}};
    struct draw_svg_chart latency = {.title = "Latency at each rate",
                                     .x = {"answered, requests/s", false, 0, 0, NULL},
                                     .y = {"p99", true, 0, 0, draw_number_us}};
    static const char *const who[] = {"icp", "echo"};
    for (unsigned kind = 0; kind < 2; kind++) {
        memset(all, 0, 3 * sizeof *all);
        for (size_t i = 0; i < 2; i++) {
            snprintf(all[i].name, sizeof all[i].name, "%s", who[i]);
            sweep_read(report_series(result, "sweep", who[i]), &all[i],
                       kind == 0 ? "offered" : "rate", kind == 0 ? "rate" : "latency_us.p99");
        }
        if (kind == 0 && all[0].count > 1) {
            double end = all[0].x[all[0].count - 1];
            snprintf(all[2].name, sizeof all[2].name, "all that is offered");
            point_add(&all[2], 0, 0);
            point_add(&all[2], end, end);
        }
        lines_write(out, kind == 0 ? &reached : &latency, all, 3, false);
    }
}

static void time_chart(FILE *out, const json_t *result, struct points *all)
{
    memset(all, 0, 4 * sizeof *all);
    static const char *const names[] = {"icp p50", "echo p50", "icp p99", "echo p99"};
    for (size_t i = 0; i < 4; i++) {
        snprintf(all[i].name, sizeof all[i].name, "%s", names[i]);
        timeline_read(report_series(result, "open", i % 2 == 0 ? "icp" : "echo"), &all[i],
                      i < 2 ? "p50_us" : "p99_us");
    }
    struct draw_svg_chart chart = {
        .title = "Latency over time, open loop, second by second",
        .x = {"second of the open-loop runs, one after another", false, 0, 0, NULL},
        .y = {"latency", true, 0, 0, draw_number_us}};
    lines_write(out, &chart, all, 4, false);
}

/* icpd's processor time a request in each case, by stage; what the stages leave is the loop's. */
static void stage_bars(FILE *out, const json_t *result)
{
    struct draw_svg_stack stacks[BARS_MAX];
    const char *names[LOAD_STAGES + 1];
    size_t count = 0;
    size_t i;
    const json_t *series;
    for (unsigned stage = 0; stage < LOAD_STAGES; stage++) {
        names[stage] = load_stage_info((enum load_stage)stage)->text;
    }
    names[LOAD_STAGES] = "loop: wait for input, and all else";
    json_array_foreach(json_object_get(result, "series"), i, series)
    {
        double left = report_run_spread(series, "server.cpu_ns_each").median;
        struct draw_svg_stack *stack = &stacks[count];
        if (strcmp(report_text(series, "contender"), "icp") != 0 || count == BARS_MAX ||
            strcmp(report_text(series, "case"), "sweep") == 0 ||
            report_run_spread(series, "stages_ns.serve").count == 0 ||
            report_number(series, "scores_each") > 1) {
            continue;
        }
        *stack = (struct draw_svg_stack){.name = report_text(series, "case")};
        for (unsigned stage = 0; stage < LOAD_STAGES; stage++) {
            char path[64];
            snprintf(path, sizeof path, "stages_ns.%s",
                     load_stage_info((enum load_stage)stage)->name);
            stack->parts[stage] = report_run_spread(series, path).median;
            left -= stack->parts[stage];
        }
        stack->parts[LOAD_STAGES] = left > 0 ? left : 0;
        count++;
    }
    if (count == 0) {
        return;
    }
    fputs(
        "<h2>Stages of a request in the server</h2>\n<p>Means of the turns that icpd samples, one "
        "in 128; the last part is what its processor time leaves.</p>\n",
        out);
    draw_svg_stacks(out, "By case, one request", "ns", names, LOAD_STAGES + 1, stacks, count);
}

/* Records a second of each size of batches, whoever was measured. */
static void ingest_bars(FILE *out, const json_t *result)
{
    const char *before = "";
    size_t i;
    const json_t *series;
    json_array_foreach(json_object_get(result, "series"), i, series)
    {
        const char *what = report_text(series, "case");
        char title[64];
        if (strncmp(what, "ingest-", 7) != 0 || strcmp(what, before) == 0) {
            continue;
        }
        if (before[0] == '\0') {
            fputs("<h2>Storing records</h2>\n<p>Medians; what an acknowledgement means is said of "
                  "each contender below.</p>\n",
                  out);
        }
        before = what;
        snprintf(title, sizeof title, "Records a request: %s", what + 7);
        case_bars(out, result, what, "records_per_s", title, "/s");
    }
}

static void rate_charts(FILE *out, const json_t *result)
{
    fputs("<h2>Rates</h2>\n<p>Medians; whiskers go from the lowest run to the highest.</p>\n", out);
    case_bars(out, result, "id-1", "rate", "Depth 1", "/s");
    case_bars(out, result, "id-16", "rate", "Depth 16", "/s");
    case_bars(out, result, "id-64", "rate", "Depth 64", "/s");
    fputs("<h2>Against the floor and the peers</h2>\n"
          "<p>icpd's rate divided by theirs, run by run; the line stands at 1.</p>\n",
          out);
    ratio_bars(out, result, "id-1", "Depth 1");
    ratio_bars(out, result, "id-16", "Depth 16");
    ratio_bars(out, result, "id-64", "Depth 64");
    fputs("<h2>Processor time of the server</h2>\n<p>Per request, all threads, kernel and user. It "
          "is disturbed far less by other tenants of the machine than rates are.</p>\n",
          out);
    case_bars(out, result, "id-16", "server.cpu_ns_each", "Depth 16", "ns");
    case_bars(out, result, "id-64", "server.cpu_ns_each", "Depth 64", "ns");
}

void report_charts(FILE *out, const json_t *result)
{
    struct points *all = calloc(DRAW_SVG_SERIES_MAX, sizeof *all);
    if (report_series(result, "id-64", "icp") != NULL) {
        rate_charts(out, result);
    }
    stage_bars(out, result);
    ingest_bars(out, result);
    if (report_series(result, "open", "icp") != NULL) {
        fputs("<h2>Latency</h2>\n", out);
    }
    if (all != NULL) {
        percentile_chart(out, result, all);
        sweep_charts(out, result, all);
        time_chart(out, result, all);
    }
    free(all);
}
