/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: the route of the engine's batches goes through the cluster. Figures: rows of
 * cluster_figure.def. */
#include "server/node.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "server/cluster/cluster_log_pg.h"
#include "server/engine/applied.h"
#include "server/engine/submit.h"
#include "server/http/exposition.h"
#include "server/store/position.h"

enum { COUNTER = HTTP_COUNTER, GAUGE = HTTP_GAUGE };

static const char *const states[] = {
#define X(NAME, name, meaning) name,
#include "server/cluster/cluster_state.def"
#undef X
};
enum { STATES = sizeof states / sizeof *states };

static const struct row {
    const char *name;
    const char *help;
    enum http_kind kind;
    size_t offset;
} rows[] = {
#define X(name, kind, unit, meaning)                                                               \
    {#name, meaning, (enum http_kind)(kind), offsetof(struct cluster_look, name)},
#include "server/cluster/cluster_figure.def"
#undef X
};
enum { ROWS = sizeof rows / sizeof *rows };

static uint64_t row_value(const struct cluster_look *look, const struct row *row)
{
    uint64_t value;
    memcpy(&value, (const char *)look + row->offset, sizeof value);
    return value;
}

bool node_check(const struct base_config *config, struct proto_fault *fault)
{
    if (config->cluster_log[0] == '\0' && config->cluster_snapshots[0] != '\0') {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "cluster_snapshots",
                               "is for nodes of a cluster: give cluster_log, or backup_path for "
                               "backups of a single server");
    }
    return config->cluster_log[0] == '\0' || (cluster_node_check(config->node, fault) &&
                                              cluster_log_pg_check(config->cluster_log, fault));
}

static struct cluster_options options_of(const struct base_config *config, struct store *store)
{
    return (struct cluster_options){.node = config->node,
                                    .where = config->cluster_log,
                                    .store = store,
                                    .clock = base_clock_system(),
                                    .queue_bytes_max = config->queue_bytes_max,
                                    .check_entries = config->cluster_check_entries,
                                    .quarantine_reads = config->cluster_quarantine_reads != 0,
                                    .make = cluster_log_pg_make};
}

static void on_log(void *context, uint64_t log)
{
    engine_applied_follow(context, log);
}

bool node_open(const struct base_config *config, struct engine *engine,
               const struct base_clock *clock, struct base_log *log, struct cluster **cluster,
               struct proto_fault *fault)
{
    struct store_position position;
    struct cluster_options options = options_of(config, engine_store(engine));
    *cluster = NULL;
    options.clock = *clock;
    options.log = log;
    options.on_log = on_log;
    options.context = engine;
    if (!node_check(config, fault)) {
        return false;
    }
    store_position_get(options.store, &position);
    if (config->cluster_log[0] == '\0') {
        return !position.follows ||
               proto_fault_set(fault, PROTO_BAD_CONFIG, "cluster_log",
                               "the store in `data` follows a shared log: give cluster_log, or "
                               "what is written here would be nowhere else. To make a single "
                               "store of it, export everything and import it elsewhere");
    }
    *cluster = cluster_create(&options, fault);
    if (*cluster == NULL) {
        return false;
    }
    const struct engine_route route = {.submit = cluster_submit,
                                       .as_of = cluster_as_of,
                                       .age_ms = cluster_age_ms,
                                       .refuses = cluster_refuses,
                                       .context = *cluster};
    engine_route_set(engine, &route);
    return true;
}

static int64_t now_ms(void *context)
{
    struct base_clock clock = base_clock_system();
    (void)context;
    return clock.now_ms(clock.context);
}

static void on_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static bool found(const struct base_config *config, uint64_t *base, struct proto_fault *fault)
{
    const struct store_options options = {.path = config->data,
                                          .map_bytes_max = config->map_bytes,
                                          .must_exist = config->require_data,
                                          .now_ms = now_ms,
                                          .on_change = on_change};
    if (config->cluster_log[0] == '\0') {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "cluster_log",
                               "say by --cluster-log where the shared log is to be");
    }
    if (!node_check(config, fault)) {
        return false;
    }
    struct store *store = store_open(&options, fault);
    if (store == NULL) {
        return false;
    }
    const struct cluster_options cluster = options_of(config, store);
    bool good = cluster_found(&cluster, base, fault);
    store_close(store);
    return good;
}

int node_found(const struct base_config *config)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t base = 0;
    if (found(config, &base, &fault)) {
        printf("the shared log is made, and begins behind %llu, where the store in %s ends\n",
               (unsigned long long)base, config->data);
        return EX_OK;
    }
    fprintf(stderr, "icpd: %s%s%s\n", fault.field, fault.field[0] != '\0' ? ": " : "",
            fault.message);
    return fault.code == PROTO_BAD_CONFIG ? EX_CONFIG
           : fault.code == PROTO_IO       ? EX_UNAVAILABLE
           : fault.code == PROTO_LOCKED   ? EX_UNAVAILABLE
                                          : EX_CANTCREAT;
}

bool node_is_ready(struct cluster *cluster, char why[NODE_WHY_BYTES])
{
    struct cluster_look look;
    cluster_look(cluster, &look);
    (void)snprintf(why, NODE_WHY_BYTES, "%s%s%s, %llu entries of the shared log behind",
                   cluster_state_name(look.state), look.reason[0] != '\0' ? ": " : "", look.reason,
                   (unsigned long long)look.lag_entries);
    return look.state != CLUSTER_QUARANTINE && look.level;
}

void node_stats_write(struct cluster *cluster, struct proto_writer *out)
{
    struct cluster_look look;
    cluster_look(cluster, &look);
    proto_write_text(out, "cluster");
    proto_write_map(out, ROWS + STATES);
    for (size_t i = 0; i < STATES; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "state_%s", states[i]);
        proto_write_text(out, name);
        proto_write_uint(out, i == look.state);
    }
    for (size_t i = 0; i < ROWS; i++) {
        proto_write_text(out, rows[i].name);
        proto_write_uint(out, row_value(&look, &rows[i]));
    }
}

void node_metrics_write(struct cluster *cluster, FILE *out)
{
    struct cluster_look look;
    cluster_look(cluster, &look);
    http_family(out, "icpd_cluster_state", HTTP_GAUGE,
                "what the node is to its shared log: 1 for the state that it is in");
    for (size_t i = 0; i < STATES; i++) {
        http_sample(out, "icpd_cluster_state", "state", states[i], i == look.state);
    }
    for (size_t i = 0; i < ROWS; i++) {
        char full[HTTP_NAME_BYTES];
        bool ns = http_name(full, "cluster", rows[i].name, rows[i].kind);
        double value = (double)row_value(&look, &rows[i]);
        http_family(out, full, rows[i].kind, rows[i].help);
        http_sample(out, full, NULL, NULL, ns ? value / 1e9 : value);
    }
}
