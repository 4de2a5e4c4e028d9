/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the tables of figures and writes each row as a family of its own. */
#include "server/metrics_page.h"

#include <stddef.h>
#include <string.h>

#include "server/http/exposition.h"
#include "server/node.h"

enum { COUNTER = HTTP_COUNTER, GAUGE = HTTP_GAUGE };

struct row {
    const char *name;
    const char *help;
    enum http_kind kind;
    size_t offset;
};

static const struct row store_figures[] = {
#define X(name, kind, unit, help)                                                                  \
    {#name, help, (enum http_kind)(kind), offsetof(struct store_stats, name)},
#include "server/store/store_figure.def"
#undef X
};

static const struct row net_figures[] = {
#define X(name, kind, help)                                                                        \
    {#name, help, (enum http_kind)(kind), offsetof(struct net_counters, name)},
#include "server/net/net_counter.def"
#undef X
};

static void put(FILE *out, const char *part, const char *name, enum http_kind kind,
                const char *help, double value)
{
    char full[HTTP_NAME_BYTES];
    bool ns = http_name(full, part, name, kind);
    http_family(out, full, kind, help);
    http_sample(out, full, NULL, NULL, ns ? value / 1e9 : value);
}

static void put_rows(FILE *out, const char *part, const struct row *rows, size_t count,
                     const void *base)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value;
        memcpy(&value, (const char *)base + rows[i].offset, sizeof value);
        put(out, part, rows[i].name, rows[i].kind, rows[i].help, (double)value);
    }
}

static void put_server(const struct server_figures *figures, FILE *out)
{
    size_t count;
    const struct base_metric_info *infos = base_metric_infos(&count);
    for (unsigned i = 0; i < BASE_METRIC_COUNT; i++) {
        put(out, "server", infos[i].name, infos[i].kind == BASE_COUNTER ? HTTP_COUNTER : HTTP_GAUGE,
            infos[i].help, (double)base_metrics_value(figures->metrics, (enum base_metric)i));
    }
}

static void put_requests(const struct server_figures *figures, FILE *out)
{
    static const char requests[] = "icpd_requests_total";
    static const char latency[] = "icpd_request_duration_seconds";
    size_t count;
    const struct proto_op_info *ops = proto_ops(&count);
    http_family(out, requests, HTTP_COUNTER, "requests answered, by operation");
    for (size_t i = 0; i < count; i++) {
        http_sample(out, requests, "operation", ops[i].name,
                    (double)base_metrics_requests(figures->metrics, (uint8_t)ops[i].op));
    }
    http_family(out, latency, HTTP_HISTOGRAM,
                "from the read of a request to its reply, by operation that was asked for");
    for (size_t i = 0; i < count; i++) {
        struct base_histogram histogram; /* 10 KiB */
        if (base_metrics_requests(figures->metrics, (uint8_t)ops[i].op) == 0) {
            continue;
        }
        memset(&histogram, 0, sizeof histogram);
        base_metrics_latency(figures->metrics, (uint8_t)ops[i].op, &histogram);
        http_histogram(out, latency, "operation", ops[i].name, &histogram);
    }
}

static void put_errors(const struct server_figures *figures, FILE *out)
{
    static const char name[] = "icpd_errors_total";
    size_t count;
    const struct proto_error_info *errors = proto_errors(&count);
    http_family(out, name, HTTP_COUNTER, "requests answered by an error, by its name");
    for (size_t i = 0; i < count; i++) {
        if (errors[i].code != PROTO_OK) {
            http_sample(out, name, "error", errors[i].name,
                        (double)base_metrics_errors(figures->metrics, errors[i].code));
        }
    }
}

static void put_lanes(const struct server_figures *figures, FILE *out)
{
    static const char *const families[][2] = {
        {"icpd_lane_waiting", "pieces of work that wait now, by lane"},
        {"icpd_lane_running", "pieces of work that run now, by lane"}};
    for (size_t part = 0; part < 2; part++) {
        http_family(out, families[part][0], HTTP_GAUGE, families[part][1]);
        for (unsigned i = 0; i < ENGINE_LANES; i++) {
            size_t found[2];
            const char *name =
                engine_lane_look(figures->engine, (enum engine_lane_id)i, &found[0], &found[1]);
            http_sample(out, families[part][0], "lane", name, (double)found[part]);
        }
    }
}

static void put_versions(const struct server_figures *figures, FILE *out)
{
    struct engine_state *state = engine_state_get(figures->engine);
    http_family(out, "icpd_build_info", HTTP_GAUGE, "always 1; the version is its label");
    http_sample(out, "icpd_build_info", "version", ICP_VERSION, 1);
    put(out, NULL, "uptime_seconds", HTTP_GAUGE, "since the start", (double)figures->uptime_s);
    put(out, NULL, "schema_version", HTTP_GAUGE, "schema in force, 0: none",
        state->schema ? (double)state->schema->version : 0);
    put(out, NULL, "icp_version", HTTP_GAUGE, "active ICP version, 0: none",
        state->active ? (double)state->active->version : 0);
    engine_state_release(state);
}

void server_metrics_page(const struct server_figures *figures, FILE *out)
{
    struct store_stats store;
    struct net_counters net;
    store_stats(engine_store(figures->engine), &store);
    net_server_counters(figures->net, &net);
    put_versions(figures, out);
    put_requests(figures, out);
    put_errors(figures, out);
    put_server(figures, out);
    put_lanes(figures, out);
    if (figures->cluster != NULL) {
        node_metrics_write(figures->cluster, out);
    }
    put_rows(out, "net", net_figures, sizeof net_figures / sizeof *net_figures, &net);
    put_rows(out, "store", store_figures, sizeof store_figures / sizeof *store_figures, &store);
}
