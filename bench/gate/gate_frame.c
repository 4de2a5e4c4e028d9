/* SPDX-License-Identifier: Apache-2.0 */
/* A line is judged by what was measured against its target, or, where the machine was busy and the
 * line has one, by its figure of processor time. A figure that is no number never holds. */
#include "bench/gate/gate_frame.h"

#include <math.h>
#include <string.h>

#include "server/draw/draw_number.h"

static bool is_busy(const struct gate_line *line)
{
    return line->busy >= GATE_BUSY; /* false of NAN */
}

bool gate_line_by_cpu(const struct gate_line *line)
{
    return line->state == GATE_MEASURED && is_busy(line) && line->by_cpu.count > 0;
}

enum gate_verdict gate_line_verdict(const struct gate_line *line)
{
    if (line->state == GATE_SKIPPED || line->state == GATE_UNASKED) {
        return GATE_LEFT_OUT;
    }
    if (line->state == GATE_MISSING || line->measured.count == 0) {
        return GATE_NOT_MEASURED;
    }
    if (line->shown_only) {
        return GATE_NOT_JUDGED;
    }
    double value = gate_line_by_cpu(line) ? line->by_cpu.median : line->measured.median;
    bool holds = line->limit == GATE_LEAST ? value >= line->target : value <= line->target;
    return holds && line->why[0] == '\0' ? GATE_HOLDS : GATE_FALLS_SHORT;
}

bool gate_line_is_short(const struct gate_line *line)
{
    enum gate_verdict verdict = gate_line_verdict(line);
    return verdict == GATE_FALLS_SHORT || verdict == GATE_NOT_MEASURED;
}

const char *gate_verdict_name(enum gate_verdict verdict)
{
    static const char *const names[] = {"holds", "falls short", "not measured", "not judged",
                                        "skipped"};
    return names[verdict];
}

static void spread_print(FILE *out, const struct report_spread *spread)
{
    char median[32];
    char low[32];
    char high[32];
    char range[72] = "";
    if (spread->count == 0) {
        fprintf(out, " %10s %20s", "-", "");
        return;
    }
    draw_number(spread->median, median, sizeof median);
    draw_number(spread->low, low, sizeof low);
    draw_number(spread->high, high, sizeof high);
    if (spread->count > 1) {
        snprintf(range, sizeof range, "%s to %s", low, high);
    }
    fprintf(out, " %10s %20s", median, range);
}

static void line_print(FILE *out, const struct gate_line *line)
{
    char target[32];
    enum gate_verdict verdict = gate_line_verdict(line);
    draw_number(line->target, target, sizeof target);
    fprintf(out, "%-60s", line->text);
    spread_print(out, &line->measured);
    fprintf(out, "  %s %8s %-5s  %s", line->limit == GATE_LEAST ? ">=" : "<=", target, line->unit,
            verdict == GATE_FALLS_SHORT    ? "FALLS SHORT"
            : verdict == GATE_NOT_MEASURED ? "NOT MEASURED"
                                           : gate_verdict_name(verdict));
    if (line->by_cpu.count > 0) {
        fprintf(out, "%s %.3g",
                gate_line_by_cpu(line) ? " by processor time:" : "; by processor time",
                line->by_cpu.median);
    }
    if (line->state == GATE_MEASURED && is_busy(line)) {
        fprintf(out, "; busy %.0f %%", 100 * line->busy);
    }
    fprintf(out, "%s%s\n", line->why[0] != '\0' ? ": " : "", line->why);
}

unsigned gate_lines_print(FILE *out, const struct gate_line *lines, size_t count)
{
    unsigned short_count = 0;
    unsigned by_cpu = 0;
    unsigned busy = 0;
    size_t unasked = 0;
    fprintf(out, "\n%-60s %10s %20s  %17s\n", "", "measured", "lowest to highest", "target");
    for (size_t i = 0; i < count; i++) {
        if (lines[i].state == GATE_UNASKED) {
            unasked++;
            continue;
        }
        line_print(out, &lines[i]);
        short_count += gate_line_is_short(&lines[i]);
        by_cpu += gate_line_by_cpu(&lines[i]);
        busy += lines[i].state == GATE_MEASURED && is_busy(&lines[i]);
    }
    fprintf(out, "\n%zu rows, %u short", count - unasked, short_count);
    if (unasked > 0) {
        fprintf(out, "; %zu rows were not asked for", unasked);
    }
    if (busy > 0) {
        fprintf(
            out,
            "; the machine was busy with something else during %u rows: %u of them are judged by "
            "processor time, the others as they are",
            busy, by_cpu);
    }
    fprintf(out, "\n");
    fflush(out);
    return short_count;
}

static json_t *spread_json(const struct report_spread *spread)
{
    if (spread->count == 0) {
        return json_null();
    }
    return json_pack("{s:f, s:f, s:f, s:I}", "median", spread->median, "low", spread->low, "high",
                     spread->high, "runs", (json_int_t)spread->count);
}

static json_t *line_json(const struct gate_line *line)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:f, s:s, s:s, s:o}", "name", line->name, "text",
                             line->text, "unit", line->unit, "limit",
                             line->limit == GATE_LEAST ? "least" : "most", "target", line->target,
                             "verdict", gate_verdict_name(gate_line_verdict(line)), "judged_by",
                             gate_line_by_cpu(line) ? "processor time" : "measure", "by_cpu",
                             spread_json(&line->by_cpu));
    if (line->state == GATE_MEASURED && line->measured.count > 0) {
        json_object_set_new(json, "measured", spread_json(&line->measured));
    }
    if (!isnan(line->busy)) {
        json_object_set_new(json, "busy", json_real(line->busy));
    }
    if (line->why[0] != '\0') {
        json_object_set_new(json, "why", json_string(line->why));
    }
    return json;
}

json_t *gate_lines_json(const struct gate_line *lines, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, line_json(&lines[i]));
    }
    return list;
}
