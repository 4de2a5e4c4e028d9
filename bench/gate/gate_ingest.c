/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part: starts the servers and opens the files, ends and removes all of it, and says in
 * JSON what came of it. The runs are in gate_ingest_run.c. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/gate/gate_ingest_parts.h"
#include "bench/load/load_fill.h"
#include "bench/report/report_json.h"

#define START_S 60
/* Accounts of 40 fields in icpd before: enough to learn an ICP from, so that rows are made. */
#define ICP_ACCOUNTS 20000

static const struct gate_ingest_info infos[] = {
#define I(ID, name, durability, configuration) {name, durability, configuration},
#include "bench/gate/ingest.def"
#undef I
};

static const char *const mode_names[] = {
#define M(ID, name, text) name,
#include "bench/gate/ingest_mode.def"
#undef M
};

const char *gate_ingest_mode_name(enum gate_ingest_mode mode)
{
    return mode_names[mode];
}

const struct gate_ingest_info *gate_ingest_info(enum gate_ingest_who who)
{
    return &infos[who];
}

const struct gate_ingest_series *gate_ingest_series(const struct gate_ingest *ingest,
                                                    enum gate_ingest_mode mode,
                                                    unsigned batch_index, enum gate_ingest_who who)
{
    return &ingest->series[mode][batch_index][who];
}

bool gate_ingest_is_sqlite(enum gate_ingest_who who)
{
    return who == GATE_INGEST_SQLITE_FULL || who == GATE_INGEST_SQLITE_NORMAL;
}

bool gate_ingest_icp_launch(struct gate_ingest *ingest, struct gate_contender *icp, uint16_t port,
                            struct proto_fault *fault)
{
    char data[320];
    char ports[320];
    char log[320];
    char number[8];
    snprintf(data, sizeof data, "%s/icp", ingest->folder);
    snprintf(ports, sizeof ports, "%s/icp.ports", ingest->folder);
    snprintf(log, sizeof log, "%s/icp.log", ingest->folder);
    snprintf(number, sizeof number, "%u", port);
    const char *const argv[] = {ingest->options.icpd,
                                "--host",
                                "127.0.0.1",
                                "--port",
                                number,
                                "--http-port",
                                "0",
                                "--data",
                                data,
                                "--map-bytes",
                                "64G",
                                "--ports-file",
                                ports,
                                NULL};
    return peer_process_start(&icp->process, argv, ingest->options.server_cpu, log, fault);
}

static bool icp_start(struct gate_ingest *ingest, struct gate_contender *icp,
                      struct proto_fault *fault)
{
    char ports[320];
    char uri[64];
    snprintf(ports, sizeof ports, "%s/icp.ports", ingest->folder);
    if (!gate_ingest_icp_launch(ingest, icp, 0, fault) ||
        !peer_process_await_file(&icp->process, ports, START_S, &icp->port, fault)) {
        return false;
    }
    snprintf(uri, sizeof uri, "icp://127.0.0.1:%u", icp->port);
    const struct load_fill_options fill = {
        .uri = uri, .accounts = ICP_ACCOUNTS, .seed = LOAD_SEED, .quiet = true};
    icp->there = true;
    return load_fill(&fill, fault);
}

static bool redis_start(struct gate_ingest *ingest, enum gate_ingest_who who,
                        struct proto_fault *fault)
{
    struct gate_contender *redis = &ingest->contenders[who];
    char folder[340];
    char log[360];
    char port[8];
    redis->port = peer_port_free();
    snprintf(folder, sizeof folder, "%s/%s", ingest->folder, infos[who].name);
    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(port, sizeof port, "%u", redis->port);
    if (mkdir(folder, 0700) != 0) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", folder, strerror(errno));
    }
    const char *const argv[] = {"redis-server",
                                "--port",
                                port,
                                "--bind",
                                "127.0.0.1",
                                "--save",
                                "",
                                "--appendonly",
                                "yes",
                                "--appendfsync",
                                who == GATE_INGEST_REDIS_ALWAYS ? "always" : "everysec",
                                "--auto-aof-rewrite-percentage",
                                "0",
                                "--latency-tracking",
                                "no",
                                "--dir",
                                folder,
                                NULL};
    redis->there =
        peer_process_start(&redis->process, argv, ingest->options.server_cpu, log, fault) &&
        peer_process_await_port(&redis->process, redis->port, START_S, fault);
    return redis->there;
}

static bool sqlite_start(struct gate_ingest *ingest, enum gate_ingest_who who,
                         struct proto_fault *fault)
{
    struct gate_contender *sqlite = &ingest->contenders[who];
    char path[340];
    snprintf(path, sizeof path, "%s/%s.db", ingest->folder, infos[who].name);
    sqlite->sqlite = gate_sqlite_open(path, who == GATE_INGEST_SQLITE_FULL, fault);
    sqlite->there = sqlite->sqlite != NULL;
    return sqlite->there;
}

/* A peer that does not start is left out with a word. */
static void peers_start(struct gate_ingest *ingest)
{
    bool redis = peer_program_exists("redis-server");
    if (!redis) {
        fprintf(stderr, "icp-bench: redis-server is not installed and is left out\n");
    }
    if (gate_sqlite_missing()) {
        fprintf(stderr, "icp-bench: SQLite was not there at the build and is left out\n");
    }
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
        enum gate_ingest_who who = (enum gate_ingest_who)i;
        struct proto_fault fault = {0};
        if (who == GATE_INGEST_ICP ||
            (gate_ingest_is_sqlite(who) ? gate_sqlite_missing() : !redis)) {
            continue;
        }
        if (!(gate_ingest_is_sqlite(who) ? sqlite_start : redis_start)(ingest, who, &fault)) {
            fprintf(stderr, "icp-bench: %s is left out: %s\n", infos[who].name, fault.message);
        }
    }
}

struct gate_ingest *gate_ingest_create(const struct gate_ingest_options *options,
                                       struct proto_fault *fault)
{
    struct gate_ingest *ingest = calloc(1, sizeof *ingest);
    if (ingest == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a measurement");
        return NULL;
    }
    ingest->options = *options;
    ingest->fields = load_record_fields(options->record_bytes);
    snprintf(ingest->folder, sizeof ingest->folder, "%.250s/ingest-XXXXXX", options->folder);
    bool made = (mkdir(options->folder, 0755) == 0 || errno == EEXIST) && mkdtemp(ingest->folder);
    if (!made) {
        proto_fault_set(fault, PROTO_IO, "", "%s: %s", options->folder, strerror(errno));
        ingest->folder[0] = '\0';
    }
    if (!made || !icp_start(ingest, &ingest->contenders[GATE_INGEST_ICP], fault)) {
        gate_ingest_destroy(ingest);
        return NULL;
    }
    if (options->peers) {
        peers_start(ingest);
    }
    return ingest;
}

void gate_ingest_destroy(struct gate_ingest *ingest)
{
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
        struct gate_contender *contender = &ingest->contenders[i];
        peer_process_stop(&contender->process);
        gate_sqlite_close(contender->sqlite);
        for (unsigned mode = 0; mode < GATE_INGEST_MODES; mode++) {
            for (unsigned b = 0; b < GATE_INGEST_BATCHES_MAX; b++) {
                json_decref(ingest->series[mode][b][i].runs);
            }
        }
    }
    if (ingest->folder[0] != '\0') {
        peer_folder_remove(ingest->folder);
    }
    free(ingest);
}

static json_t *contenders_json(const struct gate_ingest *ingest)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "name", infos[i].name, "does",
                                              infos[i].durability, "configuration",
                                              infos[i].configuration, "measured",
                                              ingest->contenders[i].there));
    }
    return list;
}

/* One entry of "series". */
static json_t *series_json(const struct gate_ingest *ingest, enum gate_ingest_mode mode, unsigned b,
                           unsigned who)
{
    char name[48];
    unsigned batch = ingest->options.batches[b];
    snprintf(name, sizeof name, "ingest-%s-%u", mode_names[mode], batch);
    return json_pack("{s:s, s:s, s:i, s:O}", "case", name, "contender", infos[who].name,
                     "records_each", (int)batch, "runs", ingest->series[mode][b][who].runs);
}

json_t *gate_ingest_json(const struct gate_ingest *ingest)
{
    const struct gate_ingest_options *options = &ingest->options;
    json_t *list = json_array();
    for (unsigned mode = 0; mode < GATE_INGEST_MODES; mode++) {
        for (unsigned b = 0; b < options->batch_count; b++) {
            for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
                if (ingest->series[mode][b][i].runs != NULL) {
                    json_array_append_new(list,
                                          series_json(ingest, (enum gate_ingest_mode)mode, b, i));
                }
            }
        }
    }
    struct gate_line lines[GATE_INGEST_ROWS_MAX];
    size_t count = gate_ingest_rows(ingest, options, lines, GATE_INGEST_ROWS_MAX);
    return json_pack("{s:i, s:s, s:o, s:{s:I, s:I, s:i, s:f, s:f, s:i, s:i}, s:o, s:o, s:o}",
                     "format", REPORT_JSON_FORMAT, "kind", "ingest", "machine",
                     report_json_machine(), "setup", "accounts", (json_int_t)options->accounts,
                     "record_bytes", (json_int_t)options->record_bytes, "connections",
                     (int)options->connections, "warmup_s", options->warmup_s, "measure_s",
                     options->measure_s, "server_cpu", options->server_cpu, "load_cpu",
                     options->load_cpu, "contenders", contenders_json(ingest), "series", list,
                     "rows", gate_lines_json(lines, count));
}
