/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report/report_html.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/report/report_compare.h"
#include "bench/report/report_parts.h"
#include "server/draw/draw_number.h"
#include "server/draw/draw_page.h"

static void number_cell(FILE *out, double value)
{
    char text[64] = "–";
    if (!isnan(value)) {
        draw_number(value, text, sizeof text);
    }
    fprintf(out, "<td class=\"n\">%s</td>", text);
}

static void row_write(FILE *out, const json_t *row)
{
    const char *verdict = report_text(row, "verdict");
    bool holds = strcmp(verdict, "holds") == 0;
    char low[64];
    char high[64];
    char target[64];
    fputs("<tr><td>", out);
    draw_text(out, report_text(row, "text"));
    fputs("</td>", out);
    number_cell(out, report_number(row, "measured.median"));
    if (isnan(report_number(row, "measured.low"))) {
        fputs("<td class=\"n\"></td>", out);
    } else {
        draw_number(report_number(row, "measured.low"), low, sizeof low);
        draw_number(report_number(row, "measured.high"), high, sizeof high);
        fprintf(out, "<td class=\"n\">%s … %s</td>", low, high);
    }
    number_cell(out, report_number(row, "by_cpu.median"));
    draw_number(report_number(row, "target"), target, sizeof target);
    fprintf(out, "<td class=\"n\">%s %s</td><td class=\"%s\">%s %s</td></tr>\n",
            strcmp(report_text(row, "limit"), "least") == 0 ? "≥" : "≤", target,
            holds ? "good" : "bad", holds ? "✓" : "✗", verdict);
}

static void rows_write(FILE *out, const json_t *result)
{
    size_t i;
    const json_t *row;
    const json_t *rows = json_object_get(result, "rows");
    if (json_array_size(rows) == 0) {
        return;
    }
    fputs("<h2>The gate</h2>\n<p>Medians of alternating runs; ratios are taken run by run. \"By "
          "CPU\" "
          "is the same ratio by the servers' processor time a request.</p>\n<div "
          "class=\"wrap\"><table><tr><th>What</th><th class=\"n\">Measured</th><th "
          "class=\"n\">Lowest … highest</th><th class=\"n\">By CPU</th><th "
          "class=\"n\">Target</th><th>Verdict</th></tr>\n",
          out);
    json_array_foreach(rows, i, row) row_write(out, row);
    fputs("</table></div>\n", out);
}

static void series_write(FILE *out, const json_t *result)
{
    static const char *const paths[] = {
        "rate",  "latency_us.p50", "latency_us.p99", "latency_us.p999", "server.cpu_ns_each",
        "errors"};
    size_t i;
    const json_t *series;
    fputs("<h2>All figures</h2>\n<div class=\"wrap\"><table><tr><th>Case</th><th>Contender</th><th "
          "class=\"n\">Requests/s</th><th class=\"n\">p50 µs</th><th class=\"n\">p99 µs</th><th "
          "class=\"n\">p99.9 µs</th><th class=\"n\">Server ns</th><th "
          "class=\"n\">Errors</th></tr>\n",
          out);
    json_array_foreach(json_object_get(result, "series"), i, series)
    {
        if (strcmp(report_text(series, "case"), "sweep") == 0) {
            continue;
        }
        fprintf(out, "<tr><td>%s</td><td>%s</td>", report_text(series, "case"),
                report_text(series, "contender"));
        for (size_t p = 0; p < sizeof paths / sizeof *paths; p++) {
            number_cell(out, report_run_spread(series, paths[p]).median);
        }
        fputs("</tr>\n", out);
    }
    fputs("</table></div>\n", out);
}

static void baseline_write(FILE *out, const json_t *result, const json_t *baseline)
{
    static const char *const words[] = {"same within noise", "better", "worse"};
    struct report_comparison all[REPORT_COMPARISONS_MAX];
    size_t count = report_compare(baseline, result, all, REPORT_COMPARISONS_MAX);
    fputs("<h2>Against the saved baseline</h2>\n<div class=\"wrap\"><table><tr><th>Case</th><th>"
          "Figure</th><th class=\"n\">Before</th><th class=\"n\">Now</th><th "
          "class=\"n\">Change</th><th></th></tr>\n",
          out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "<tr><td>%s, %s</td><td>%s%s</td>", all[i].what, all[i].who, all[i].metric,
                all[i].relative ? " of the floor's" : "");
        number_cell(out, all[i].a.median);
        number_cell(out, all[i].b.median);
        fprintf(out, "<td class=\"n\">%+.1f %%</td><td class=\"%s\">%s</td></tr>\n",
                100 * (all[i].b.median / all[i].a.median - 1),
                all[i].change == REPORT_WORSE    ? "bad"
                : all[i].change == REPORT_BETTER ? "good"
                                                 : "",
                words[all[i].change]);
    }
    fputs("</table></div>\n", out);
}

static void facts_write(FILE *out, const json_t *facts)
{
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)(uintptr_t)facts, key, value)
    {
        fprintf(out, "<tr><td>%s</td><td>", key);
        if (json_is_string(value)) {
            draw_text(out, json_string_value(value));
        } else {
            fprintf(out, "%.10g", json_number_value(value));
        }
        fputs("</td></tr>\n", out);
    }
}

static void setup_write(FILE *out, const json_t *result)
{
    size_t i;
    const json_t *contender;
    fputs("<h2>Machine and set-up</h2>\n<table>\n", out);
    facts_write(out, json_object_get(result, "machine"));
    facts_write(out, json_object_get(result, "setup"));
    fputs("</table>\n<h2>Contenders</h2>\n<dl>\n", out);
    json_array_foreach(json_object_get(result, "contenders"), i, contender)
    {
        fputs("<dt>", out);
        draw_text(out, report_text(contender, "name"));
        fputs(json_is_true(json_object_get(contender, "measured"))
                  ? "</dt><dd>"
                  : " (not measured here)</dt><dd>",
              out);
        draw_text(out, report_text(contender, "does"));
        fputs(" Configuration: ", out);
        draw_text(out, report_text(contender, "configuration"));
        fputs("</dd>\n", out);
    }
    fputs("</dl>\n", out);
}

static void page_write(FILE *out, const json_t *result, const json_t *baseline)
{
    const json_t *machine = json_object_get(result, "machine");
    draw_page_open(out, "icpd under load");
    fputs("<p>", out);
    draw_text(out, report_text(machine, "time"));
    fputs(" · ", out);
    draw_text(out, report_text(machine, "processor"));
    fprintf(out, " · %.0f cores · Linux ", report_number(machine, "cores"));
    draw_text(out, report_text(machine, "kernel"));
    fputs("</p>\n", out);
    rows_write(out, result);
    report_charts(out, result);
    if (baseline != NULL) {
        baseline_write(out, result, baseline);
    }
    series_write(out, result);
    setup_write(out, result);
    draw_page_close(out);
}

bool report_html_write(const json_t *result, const json_t *baseline, const char *path,
                       struct proto_fault *fault)
{
    FILE *out = fopen(path, "we");
    if (out == NULL) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", path, strerror(errno));
    }
    page_write(out, result, baseline);
    bool ok = ferror(out) == 0;
    ok = fclose(out) == 0 && ok;
    return ok || proto_fault_set(fault, PROTO_IO, "", "%s cannot be written", path);
}
