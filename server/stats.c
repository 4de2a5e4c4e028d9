/* SPDX-License-Identifier: Apache-2.0 */
#include "server/stats.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "server/node.h"

static const struct {
    const char *name;
    size_t offset;
} store_figures[] = {
#define X(name, kind, unit, help) {#name, offsetof(struct store_stats, name)},
#include "server/store/store_figure.def"
#undef X
};

static uint64_t u64_at(const void *base, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)base + offset, sizeof value);
    return value;
}

static void write_store(const struct server_figures *figures, struct proto_writer *out)
{
    struct store_stats stats;
    store_stats(engine_store(figures->engine), &stats);
    size_t count = sizeof store_figures / sizeof *store_figures;
    proto_write_text(out, "store");
    proto_write_map(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_text(out, store_figures[i].name);
        proto_write_uint(out, u64_at(&stats, store_figures[i].offset));
    }
}

static void write_net(const struct server_figures *figures, struct proto_writer *out)
{
    struct net_counters counters;
    size_t count;
    const struct net_counter_info *infos = net_counter_infos(&count);
    net_server_counters(figures->net, &counters);
    proto_write_text(out, "net");
    proto_write_map(out, count);
    for (size_t i = 0; i < count; i++) {
        proto_write_text(out, infos[i].name);
        proto_write_uint(out, u64_at(&counters, infos[i].offset));
    }
}

static void write_metrics(const struct server_figures *figures, struct proto_writer *out)
{
    size_t count;
    const struct base_metric_info *infos = base_metric_infos(&count);
    (void)count;
    proto_write_text(out, "server");
    proto_write_map(out, BASE_METRIC_COUNT);
    for (unsigned i = 0; i < BASE_METRIC_COUNT; i++) {
        proto_write_text(out, infos[i].name);
        proto_write_int(out, base_metrics_value(figures->metrics, (enum base_metric)i));
    }
}

/* Each distribution as a map of its middle, its end and its size. */
static void write_distributions(const struct server_figures *figures, struct proto_writer *out)
{
    size_t count;
    const struct base_metric_info *infos = base_metric_infos(&count);
    struct base_histogram held; /* 10 KiB */
    struct base_histogram *histogram = &held;
    for (unsigned i = 0; i < BASE_DISTRIBUTION_COUNT; i++) {
        proto_write_text(out, infos[BASE_METRIC_COUNT + i].name);
        memset(histogram, 0, sizeof *histogram);
        base_metrics_distribution(figures->metrics, (enum base_distribution)i, histogram);
        proto_write_map(out, 5);
        proto_write_text(out, "count");
        proto_write_uint(out, base_histogram_total(histogram));
        proto_write_text(out, "sum");
        proto_write_uint(out, base_histogram_sum(histogram));
        proto_write_text(out, "p50");
        proto_write_uint(out, base_histogram_percentile(histogram, 0.5));
        proto_write_text(out, "p99");
        proto_write_uint(out, base_histogram_percentile(histogram, 0.99));
        proto_write_text(out, "max");
        proto_write_uint(out, base_histogram_max(histogram));
    }
}

/* What is written of the latency of each operation that was asked for. */
static const struct {
    const char *name;
    double share; /* above 1: the maximum */
} latencies[] = {{"latency_p50_us", 0.5},
                 {"latency_p99_us", 0.99},
                 {"latency_p999_us", 0.999},
                 {"latency_max_us", 2}};

static double latency_us(const struct base_histogram *histogram, double share)
{
    uint64_t ns =
        share > 1 ? base_histogram_max(histogram) : base_histogram_percentile(histogram, share);
    return (double)ns / 1000;
}

/* How often each operation was asked for, or each error given, read once: a map says first how
 * many entries it has, and workers go on counting while it is written. */
struct counted {
    uint64_t times[UINT8_MAX + 1]; /* by place in the table */
    size_t rows;                   /* of the table */
    size_t seen;                   /* rows with times > 0 */
};

static void count_row(struct counted *counted, uint64_t times)
{
    counted->times[counted->rows++] = times;
    counted->seen += times > 0;
}

static void write_latencies(const struct server_figures *figures, const struct counted *asked,
                            struct proto_writer *out)
{
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    struct base_histogram held; /* 10 KiB */
    for (size_t part = 0; part < sizeof latencies / sizeof *latencies; part++) {
        proto_write_text(out, latencies[part].name);
        proto_write_map(out, asked->seen);
        for (size_t i = 0; i < count; i++) {
            if (asked->times[i] > 0) {
                memset(&held, 0, sizeof held);
                base_metrics_latency(figures->metrics, (uint8_t)ops[i].op, &held);
                proto_write_text(out, ops[i].name);
                proto_write_f64(out, latency_us(&held, latencies[part].share));
            }
        }
    }
}

static void write_requests(const struct server_figures *figures, struct proto_writer *out)
{
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    struct counted asked = {.rows = 0};
    for (size_t i = 0; i < count; i++) {
        count_row(&asked, base_metrics_requests(figures->metrics, (uint8_t)ops[i].op));
    }
    proto_write_text(out, "requests");
    proto_write_map(out, asked.seen);
    for (size_t i = 0; i < count; i++) {
        if (asked.times[i] > 0) {
            proto_write_text(out, ops[i].name);
            proto_write_uint(out, asked.times[i]);
        }
    }
    write_latencies(figures, &asked, out);
}

static void write_errors(const struct server_figures *figures, struct proto_writer *out)
{
    size_t count;
    const struct proto_error_info *errors = proto_errors(&count);
    struct counted given = {.rows = 0};
    for (size_t i = 0; i < count; i++) {
        bool fault = errors[i].code != PROTO_OK;
        count_row(&given, fault ? base_metrics_errors(figures->metrics, errors[i].code) : 0);
    }
    proto_write_text(out, "errors");
    proto_write_map(out, given.seen);
    for (size_t i = 0; i < count; i++) {
        if (given.times[i] > 0) {
            proto_write_text(out, errors[i].name);
            proto_write_uint(out, given.times[i]);
        }
    }
}

_Static_assert(BASE_OP_COUNT <= UINT8_MAX + 1 && BASE_ERROR_COUNT <= UINT8_MAX + 1,
               "a table fits into struct counted");

/* One map of what waits and one of what runs, by name of the lane. */
static void write_lanes(const struct server_figures *figures, struct proto_writer *out)
{
    static const char *const names[] = {"lanes_waiting", "lanes_running"};
    for (size_t part = 0; part < 2; part++) {
        proto_write_text(out, names[part]);
        proto_write_map(out, ENGINE_LANES);
        for (unsigned i = 0; i < ENGINE_LANES; i++) {
            size_t found[2];
            proto_write_text(out, engine_lane_look(figures->engine, (enum engine_lane_id)i,
                                                   &found[0], &found[1]));
            proto_write_uint(out, found[part]);
        }
    }
}

void server_stats_write(const struct server_figures *figures, struct proto_writer *out)
{
    struct engine_state *state = engine_state_get(figures->engine);
    proto_write_map(out, 3 + 5 + 2 + (size_t)(figures->cluster != NULL) + BASE_DISTRIBUTION_COUNT +
                             sizeof latencies / sizeof *latencies);
    proto_write_text(out, "uptime_s");
    proto_write_uint(out, figures->uptime_s);
    proto_write_text(out, "schema");
    proto_write_uint(out, state->schema ? state->schema->version : 0);
    proto_write_text(out, "icp");
    proto_write_uint(out, state->active ? state->active->version : 0);
    engine_state_release(state);
    write_metrics(figures, out);
    write_distributions(figures, out);
    write_net(figures, out);
    write_store(figures, out);
    write_errors(figures, out);
    write_requests(figures, out);
    write_lanes(figures, out);
    if (figures->cluster != NULL) {
        node_stats_write(figures->cluster, out);
    }
}
