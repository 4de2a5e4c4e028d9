/* SPDX-License-Identifier: Apache-2.0 */
/* What the server does now: its state in a few figures, half an hour of rates and latencies, then
 * operations, jobs, errors and the store as tables. With ?live the page comes anew every five
 * seconds, which the reader turns on and off. */
#include <stdlib.h>
#include <string.h>

#include "proto/table.h"
#include "server/console/console_pages.h"
#include "server/draw/draw_number.h"
#include "server/draw/draw_svg.h"

/* The value of a figure: metrics[part][name], or metrics[name] where part is NULL; 0 if absent. */
static double figure(const struct icp_value *metrics, const char *part, const char *name)
{
    struct icp_value group = *metrics;
    struct icp_value value;
    if (part != NULL && !icp_value_get(metrics, part, &group)) {
        return 0;
    }
    return icp_value_get(&group, name, &value) ? value.number : 0;
}

enum kind { COUNT, SIZE, DURATION, SECONDS };

static void put(FILE *out, enum kind kind, double value)
{
    switch (kind) {
    case COUNT:
        console_count(out, value);
        break;
    case SIZE:
        console_size(out, value);
        break;
    case DURATION:
        console_duration(out, value / 1e3); /* of ns */
        break;
    case SECONDS:
        console_duration(out, value * 1e6);
        break;
    }
}

/* Figures that are shown by name, and what they mean. */
struct shown {
    const char *label, *part, *name;
    enum kind kind;
};

static void tiles(FILE *out, const struct icp_value *metrics)
{
    static const struct shown shown[] = {
        {"Accounts", "store", "accounts", COUNT},
        {"Schema version", NULL, "schema", COUNT},
        {"Profile in force", NULL, "icp", COUNT},
        {"Connections open", "net", "connections_open", COUNT},
        {"Jobs running", "server", "jobs_running", COUNT},
        {"Running for", NULL, "uptime_s", SECONDS},
    };
    (void)fputs("<dl class=\"tiles\">", out);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        (void)fprintf(out, "<div><dt>%s</dt><dd>", shown[i].label);
        put(out, shown[i].kind, figure(metrics, shown[i].part, shown[i].name));
        (void)fputs("</dd></div>", out);
    }
    (void)fputs("</dl>\n", out);
}

static void minutes_label(double value, char *text, size_t text_bytes)
{
    if (value == 0) {
        snprintf(text, text_bytes, "now");
    } else {
        snprintf(text, text_bytes, "%g min", value);
    }
}

/* Columns of the samples, as a chart wants them. */
struct lines {
    double x[CONSOLE_SAMPLES_MAX];
    double y[3][CONSOLE_SAMPLES_MAX];
};

static void chart(FILE *out, const char *title, const char *unit, const struct lines *lines,
                  const char *const *names, size_t count, size_t samples,
                  void (*label)(double, char *, size_t))
{
    struct draw_svg_series series[3];
    for (size_t i = 0; i < count; i++) {
        series[i] = (struct draw_svg_series){
            .name = names[i], .x = lines->x, .y = lines->y[i], .count = samples};
    }
    const struct draw_svg_chart drawn = {
        .title = title,
        .x = {.title = "before now",
              .low = lines->x[0] < -5 ? lines->x[0] : -5, /* minutes */
              .label = minutes_label},
        .y = {.title = unit, .label = label},
        .series = series,
        .series_count = count,
    };
    draw_svg_lines(out, &drawn);
}

static void charts(struct console_view *view)
{
    static const char *const rates[] = {"requests", "scores", "accounts and events written"};
    static const char *const latencies[] = {"half are faster", "99 of 100 are faster"};
    struct console_sample *samples = calloc(CONSOLE_SAMPLES_MAX, sizeof *samples);
    struct lines *lines = calloc(2, sizeof *lines);
    size_t count =
        samples != NULL && lines != NULL ? console_history_read(view->history, samples) : 0;
    for (size_t i = 0; i < count; i++) {
        lines[0].x[i] = lines[1].x[i] = (samples[i].at_s - samples[count - 1].at_s) / 60;
        lines[0].y[0][i] = samples[i].requests_s;
        lines[0].y[1][i] = samples[i].scores_s;
        lines[0].y[2][i] = samples[i].written_s;
        lines[1].y[0][i] = samples[i].p50_us;
        lines[1].y[1][i] = samples[i].p99_us;
    }
    if (count > 1) {
        (void)fputs("<div class=\"two\">", view->out);
        chart(view->out, "Rates", "a second", &lines[0], rates, 3, count, NULL);
        chart(view->out, "Latency of requests", "time", &lines[1], latencies, 2, count,
              draw_number_us);
        (void)fputs("</div>\n", view->out);
    } else {
        console_note(view->out, "The first figures of rates come ten seconds after the start.");
    }
    free(samples);
    free(lines);
}

/* Where an operation is carried out: at once on an event loop, by the writer, or on a lane. */
static void cell_lane(struct console_table *table, struct icp_text op)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)op.bytes, op.data);
    const struct proto_op_info *info = proto_op_find_name(name);
    console_cell(table, info != NULL ? proto_lane_name(info->lane) : "");
}

static void cell_latency(struct console_table *table, const struct icp_value *metrics,
                         const char *part, struct icp_text op)
{
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)op.bytes, op.data);
    console_cell_open(table);
    console_duration(table->out, figure(metrics, part, name));
    console_cell_close(table);
}

static void operations(FILE *out, const struct icp_value *metrics)
{
    static const char *const columns[] = {"operation",   "lane",        "#requests",
                                          "#half below", "#99 % below", "#99.9 % below",
                                          "#longest"};
    struct console_table table;
    struct icp_value requests;
    struct icp_value count;
    struct icp_text op;
    if (!icp_value_get(metrics, "requests", &requests)) {
        return;
    }
    console_table_open(&table, out, "Operations since the start, and the lane each is answered on",
                       columns, 7);
    struct icp_walk walk = icp_walk_over(&requests);
    while (icp_next(&walk, &op, &count)) {
        console_cell_said(&table, op);
        cell_lane(&table, op);
        console_cell_count(&table, count.number);
        cell_latency(&table, metrics, "latency_p50_us", op);
        cell_latency(&table, metrics, "latency_p99_us", op);
        cell_latency(&table, metrics, "latency_p999_us", op);
        cell_latency(&table, metrics, "latency_max_us", op);
    }
    console_table_close(&table);
}

/* Work that no event loop does itself: how many pieces wait and run this moment. */
static void lanes(FILE *out, const struct icp_value *metrics)
{
    static const char *const columns[] = {"lane", "#wait", "#run"};
    struct console_table table;
    struct icp_value waiting;
    struct icp_value count;
    struct icp_text lane;
    if (!icp_value_get(metrics, "lanes_waiting", &waiting)) {
        return;
    }
    console_table_open(&table, out, "Lanes: what waits and runs now", columns, 3);
    struct icp_walk walk = icp_walk_over(&waiting);
    while (icp_next(&walk, &lane, &count)) {
        char name[32];
        snprintf(name, sizeof name, "%.*s", (int)lane.bytes, lane.data);
        console_cell_said(&table, lane);
        console_cell_count(&table, count.number);
        console_cell_count(&table, figure(metrics, "lanes_running", name));
    }
    console_table_close(&table);
}

static void errors(FILE *out, const struct icp_value *metrics)
{
    static const char *const columns[] = {"error", "#requests"};
    struct console_table table;
    struct icp_value found;
    struct icp_value count;
    struct icp_text name;
    if (!icp_value_get(metrics, "errors", &found) || found.count == 0) {
        return;
    }
    console_table_open(&table, out, "Requests answered by an error", columns, 2);
    struct icp_walk walk = icp_walk_over(&found);
    while (icp_next(&walk, &name, &count)) {
        console_cell_said(&table, name);
        console_cell_count(&table, count.number);
    }
    console_table_close(&table);
}

static void figures(FILE *out, const struct icp_value *metrics, const char *caption,
                    const struct shown *shown, size_t count)
{
    static const char *const columns[] = {"figure", "#value"};
    struct console_table table;
    console_table_open(&table, out, caption, columns, 2);
    for (size_t i = 0; i < count; i++) {
        console_cell(&table, shown[i].label);
        console_cell_open(&table);
        put(out, shown[i].kind, figure(metrics, shown[i].part, shown[i].name));
        console_cell_close(&table);
    }
    console_table_close(&table);
}

static void store(FILE *out, const struct icp_value *metrics)
{
    static const struct shown of_store[] = {
        {"last sequence of the log", "store", "seq", COUNT},
        {"file", "store", "file_bytes", SIZE},
        {"room that is left below map_bytes", "store", "room_bytes", SIZE},
        {"log that is kept", "store", "log_bytes", SIZE},
        {"committed and not folded yet, in memory", "store", "overlay_bytes", SIZE},
        {"index of ids and keys, in memory", "store", "index_bytes", SIZE},
        {"last commit took", "store", "commit_ns_last", DURATION},
        {"longest commit", "store", "commit_ns_max", DURATION},
        {"time that writes were held back", "store", "held_back_ns_sum", DURATION},
        {"oldest snapshot that is read", "store", "view_age_ns", DURATION},
        {"values found damaged", "store", "corrupt_found", COUNT},
    };
    static const struct shown of_net[] = {
        {"connections refused, too many", "net", "connections_refused", COUNT},
        {"connections without a token yet", "net", "strangers_open", COUNT},
        {"wrong tokens", "server", "logins_refused", COUNT},
        {"requests over the rate of their token", "server", "requests_limited", COUNT},
        {"slow requests", "server", "requests_slow", COUNT},
        {"closed: took none of their replies", "net", "closed_slow_reader", COUNT},
        {"requests answered busy for want of memory", "net", "frames_busy", COUNT},
        {"bytes held for connections", "net", "bytes_held", SIZE},
        {"replies that are waited for", "net", "requests_pending", COUNT},
    };
    (void)fputs("<div class=\"two\">", out);
    figures(out, metrics, "Store", of_store, sizeof of_store / sizeof *of_store);
    figures(out, metrics, "Connections", of_net, sizeof of_net / sizeof *of_net);
    (void)fputs("</div>\n", out);
}

static void job(struct console_table *table, const struct icp_value *job)
{
    console_cell_count(table, (double)console_whole_of(job, "job"));
    console_cell_said(table, console_text_of(job, "op"));
    cell_lane(table, console_text_of(job, "op"));
    console_cell_said(table, console_text_of(job, "state"));
    console_cell_said(table, console_text_of(job, "stage"));
    console_cell_number(table, "%.0f %%", 100 * console_number_of(job, "done"));
    console_cell_time(table, console_whole_of(job, "started"));
    console_cell_time(table, console_whole_of(job, "ended"));
    console_cell_said(table, console_text_of(job, "error"));
}

static void jobs(struct console_view *view)
{
    static const char *const columns[] = {"#job",  "operation", "lane",  "state",        "stage",
                                          "#done", "started",   "ended", "why it failed"};
    struct icp_reply reply = {0};
    struct icp_value list;
    struct icp_value entry;
    struct console_table table;
    console_question(view->link);
    if (console_get(view, ICP_OP_JOB_LIST, &reply) && icp_reply_get(&reply, "jobs", &list)) {
        if (list.count == 0) {
            console_note(view->out, "No job runs, waits or ended lately.");
        } else {
            console_table_open(&table, view->out, "Jobs and walks", columns, 9);
            struct icp_walk walk = icp_walk_over(&list);
            while (icp_next(&walk, NULL, &entry)) {
                job(&table, &entry);
            }
            console_table_close(&table);
        }
    }
    icp_reply_fini(&reply);
}

/* Who may read no figures is told where to go. */
static void greet(struct console_view *view)
{
    FILE *out = view->out;
    (void)fputs("<p>The token that you signed in with has the role ", out);
    console_text(out, console_link_role(view->link));
    (void)fputs(", which may not read figures. It may use:</p>\n<ul>", out);
    for (const struct console_entry *entry = console_entries; entry->path != NULL; entry++) {
        if (entry->path[1] != '\0' && console_may(view, entry->needs)) {
            (void)fprintf(out, "<li><a href=\"%s\">%s</a></li>", entry->path, entry->name);
        }
    }
    (void)fputs("</ul>\n", out);
}

void console_overview(struct console_view *view)
{
    struct icp_reply reply = {0};
    struct icp_value metrics;
    FILE *out = view->out;
    if (!console_may(view, ICP_OP_STATS)) {
        greet(view);
        return;
    }
    bool live = console_asked(view, "live") != NULL;
    view->exchange->refresh_s = live ? CONSOLE_TICK_S : 0;
    (void)fputs(live ? "<p><a href=\"/\">Stop following</a></p>\n"
                     : "<p><a href=\"/?live=1\">Follow: show it anew every 5 seconds</a></p>\n",
                out);
    console_question(view->link);
    if (console_get(view, ICP_OP_STATS, &reply) && icp_reply_get(&reply, "metrics", &metrics)) {
        tiles(out, &metrics);
        console_heading(out, "The last half hour");
        charts(view);
        console_heading(out, "Operations");
        operations(out, &metrics);
        errors(out, &metrics);
        console_heading(out, "Lanes and jobs");
        lanes(out, &metrics);
        if (console_may(view, ICP_OP_JOB_LIST)) {
            jobs(view);
        }
        console_heading(out, "Store and connections");
        store(out, &metrics);
    }
    icp_reply_fini(&reply);
}
