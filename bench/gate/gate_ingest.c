/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/gate/gate_ingest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/load/load_account.h"
#include "bench/load/load_fill.h"
#include "bench/peer/peer_process.h"
#include "bench/report/report_json.h"

#define START_S 60
/* Accounts in icpd before: enough to learn an ICP from, so that rows are made. */
#define ICP_ACCOUNTS 20000
#define TOUCH_S_MAX 600

static const struct gate_ingest_info infos[] = {
#define I(ID, name, durability, configuration) {name, durability, configuration},
#include "bench/gate/ingest.def"
#undef I
};

struct contender {
    bool there;
    struct peer_process process;
    uint16_t port;
    struct gate_sqlite *sqlite;
    struct load_traffic traffic[GATE_INGEST_BATCHES_MAX];
    uint32_t request; /* of SQLite: next one */
};

struct gate_ingest {
    struct gate_ingest_options options;
    char folder[300];
    struct contender contenders[GATE_INGEST_COUNT];
    struct gate_ingest_series series[GATE_INGEST_BATCHES_MAX][GATE_INGEST_COUNT];
};

const struct gate_ingest_info *gate_ingest_info(enum gate_ingest_who who)
{
    return &infos[who];
}

const struct gate_ingest_series *gate_ingest_series(const struct gate_ingest *ingest,
                                                    unsigned batch_index, enum gate_ingest_who who)
{
    return &ingest->series[batch_index][who];
}

static bool is_sqlite(enum gate_ingest_who who)
{
    return who == GATE_INGEST_SQLITE_FULL || who == GATE_INGEST_SQLITE_NORMAL;
}

static bool icp_start(struct gate_ingest *ingest, struct contender *icp, struct proto_fault *fault)
{
    char data[320];
    char ports[320];
    char log[320];
    char uri[64];
    snprintf(data, sizeof data, "%s/icp", ingest->folder);
    snprintf(ports, sizeof ports, "%s/icp.ports", ingest->folder);
    snprintf(log, sizeof log, "%s/icp.log", ingest->folder);
    const char *const argv[] = {
        ingest->options.icpd, "--host", "127.0.0.1",    "--port", "0", "--data", data,
        "--map-bytes",        "64G",    "--ports-file", ports,    NULL};
    if (!peer_process_start(&icp->process, argv, ingest->options.server_cpu, log, fault) ||
        !peer_process_await_file(&icp->process, ports, START_S, &icp->port, fault))
        return false;
    snprintf(uri, sizeof uri, "icp://127.0.0.1:%u", icp->port);
    const struct load_fill_options fill = {
        .uri = uri, .accounts = ICP_ACCOUNTS, .seed = LOAD_SEED, .quiet = true};
    icp->there = true;
    return load_fill(&fill, fault);
}

static bool redis_start(struct gate_ingest *ingest, enum gate_ingest_who who,
                        struct proto_fault *fault)
{
    struct contender *redis = &ingest->contenders[who];
    char folder[340];
    char log[360];
    char port[8];
    redis->port = peer_port_free();
    snprintf(folder, sizeof folder, "%s/%s", ingest->folder, infos[who].name);
    snprintf(log, sizeof log, "%s/log", folder);
    snprintf(port, sizeof port, "%u", redis->port);
    if (mkdir(folder, 0700) != 0)
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", folder, strerror(errno));
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
    struct contender *sqlite = &ingest->contenders[who];
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
    if (!redis)
        fprintf(stderr, "icp-bench: redis-server is not installed and is left out\n");
    if (gate_sqlite_missing())
        fprintf(stderr, "icp-bench: SQLite was not there at the build and is left out\n");
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
        enum gate_ingest_who who = (enum gate_ingest_who)i;
        struct proto_fault fault = {0};
        if (who == GATE_INGEST_ICP || (is_sqlite(who) ? gate_sqlite_missing() : !redis))
            continue;
        if (!(is_sqlite(who) ? sqlite_start : redis_start)(ingest, who, &fault))
            fprintf(stderr, "icp-bench: %s is left out: %s\n", infos[who].name, fault.message);
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
    if (options->peers)
        peers_start(ingest);
    return ingest;
}

void gate_ingest_destroy(struct gate_ingest *ingest)
{
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
        struct contender *contender = &ingest->contenders[i];
        peer_process_stop(&contender->process);
        gate_sqlite_close(contender->sqlite);
        for (unsigned j = 0; j < GATE_INGEST_BATCHES_MAX; j++) {
            load_traffic_fini(&contender->traffic[j]);
            json_decref(ingest->series[j][i].runs);
        }
    }
    if (ingest->folder[0] != '\0')
        peer_folder_remove(ingest->folder);
    free(ingest);
}

/* Transactions one after another for so many seconds, or so many of them. */
static bool sqlite_run(struct gate_ingest *ingest, struct contender *sqlite, unsigned batch,
                       double seconds, uint32_t requests, struct load_result *result,
                       struct proto_fault *fault)
{
    struct base_clock clock = base_clock_system();
    struct load_usage before;
    uint64_t began_ns = base_clock_now_ns(&clock);
    uint64_t at_ns = began_ns;
    *result = (struct load_result){0};
    load_usage_read(getpid(), &before);
    while ((double)(at_ns - began_ns) / 1e9 < seconds &&
           (requests == 0 || result->completed < requests)) {
        uint64_t start_ns = at_ns;
        if (!gate_sqlite_put(sqlite->sqlite, ingest->options.accounts, sqlite->request++, batch,
                             fault))
            return false;
        at_ns = base_clock_now_ns(&clock);
        base_histogram_record(&result->latency, at_ns - start_ns);
        result->completed++;
    }
    load_usage_read(getpid(), &result->server);
    load_usage_since(&before, &result->server);
    result->seconds = (double)(at_ns - began_ns) / 1e9;
    result->status[0] = result->completed;
    result->rate = (double)result->completed / result->seconds;
    return true;
}

/* requests 0: by time. */
static bool server_run(struct gate_ingest *ingest, enum gate_ingest_who who,
                       const struct load_traffic *traffic, uint64_t requests,
                       struct load_result *result, struct proto_fault *fault)
{
    const struct gate_ingest_options *options = &ingest->options;
    const struct contender *contender = &ingest->contenders[who];
    struct load_options load = {
        .streams = {{.wire = who == GATE_INGEST_ICP ? &load_wire_icp : &load_wire_redis,
                     .traffic = traffic,
                     .target = {.port = contender->port},
                     .connections = options->connections,
                     .depth = 1}},
        .stream_count = 1,
        .warmup_s = requests > 0 ? 0 : options->warmup_s,
        .measure_s = requests > 0 ? TOUCH_S_MAX : options->measure_s,
        .requests_max = requests,
        .cpu = options->load_cpu,
        .server_pid = contender->process.pid,
        .clock = base_clock_system(),
    };
    return load_run(&load, result, fault);
}

/* Stores every record once, so that whatever is measured replaces one. */
static bool touch(struct gate_ingest *ingest, enum gate_ingest_who who, unsigned batch,
                  const struct load_traffic *traffic, struct proto_fault *fault)
{
    struct load_result *result = calloc(1, sizeof *result);
    if (result == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    uint64_t requests = is_sqlite(who) ? ingest->options.accounts / batch + 1 : traffic->count;
    bool ok = is_sqlite(who) ? sqlite_run(ingest, &ingest->contenders[who], batch, TOUCH_S_MAX,
                                          (uint32_t)requests, result, fault)
                             : server_run(ingest, who, traffic, requests, result, fault);
    if (ok && load_result_errors(result) > 0)
        ok = proto_fault_set(fault, PROTO_IO, "", "%s answers by errors", infos[who].name);
    load_result_fini(result);
    free(result);
    return ok;
}

/* Makes the requests, and sends those of the largest batches once. */
static bool prepare_one(struct gate_ingest *ingest, enum gate_ingest_who who,
                        struct proto_fault *fault)
{
    const struct gate_ingest_options *options = &ingest->options;
    struct contender *contender = &ingest->contenders[who];
    unsigned largest = 0;
    for (unsigned b = 0; b < options->batch_count; b++) {
        largest = options->batches[b] > options->batches[largest] ? b : largest;
        if (!is_sqlite(who) && !gate_ingest_traffic(who, options->accounts, options->batches[b],
                                                    &contender->traffic[b], fault))
            return false;
    }
    return touch(ingest, who, options->batches[largest], &contender->traffic[largest], fault);
}

static bool prepare(struct gate_ingest *ingest, struct proto_fault *fault)
{
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++)
        if (ingest->contenders[i].there && !prepare_one(ingest, (enum gate_ingest_who)i, fault))
            return false;
    return true;
}

static void keep(struct gate_ingest_series *series, const struct load_result *result,
                 unsigned batch)
{
    double done = result->completed > 0 ? (double)result->completed : 1;
    if (series->count == REPORT_RUNS_MAX)
        return;
    size_t at = series->count++;
    series->records[at] = result->rate * batch;
    series->p50_us[at] = (double)base_histogram_percentile(&result->latency, 0.5) / 1e3;
    series->p99_us[at] = (double)base_histogram_percentile(&result->latency, 0.99) / 1e3;
    series->cpu_us[at] = (double)result->server.cpu_ns / 1e3 / done / batch;
    series->busy[at] = load_result_busy(result);
    series->wrong += load_result_errors(result) + result->misplaced;
    if (series->runs == NULL)
        series->runs = json_array();
    json_t *run = report_json_result(result);
    json_object_set_new(run, "records_per_s", json_real(series->records[at]));
    json_array_append_new(series->runs, run);
}

static bool one_run(struct gate_ingest *ingest, unsigned b, enum gate_ingest_who who,
                    struct proto_fault *fault)
{
    struct contender *contender = &ingest->contenders[who];
    unsigned batch = ingest->options.batches[b];
    struct load_result *result = calloc(1, sizeof *result);
    if (result == NULL)
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    bool ok = is_sqlite(who) ? sqlite_run(ingest, contender, batch, ingest->options.measure_s, 0,
                                          result, fault)
                             : server_run(ingest, who, &contender->traffic[b], 0, result, fault);
    if (ok)
        keep(&ingest->series[b][who], result, batch);
    load_result_fini(result);
    free(result);
    return ok;
}

bool gate_ingest_measure(struct gate_ingest *ingest, struct proto_fault *fault)
{
    if (!prepare(ingest, fault))
        return false;
    for (unsigned round = 0; round < ingest->options.rounds; round++) {
        fprintf(stderr, "icp-bench: round %u of %u\n", round + 1, ingest->options.rounds);
        for (unsigned b = 0; b < ingest->options.batch_count; b++)
            for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
                /* Another one begins in each round. */
                enum gate_ingest_who who = (enum gate_ingest_who)((i + round) % GATE_INGEST_COUNT);
                if (ingest->contenders[who].there && !one_run(ingest, b, who, fault))
                    return false;
            }
    }
    return true;
}

static json_t *contenders_json(const struct gate_ingest *ingest)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < GATE_INGEST_COUNT; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "name", infos[i].name, "does",
                                              infos[i].durability, "configuration",
                                              infos[i].configuration, "measured",
                                              ingest->contenders[i].there));
    return list;
}

json_t *gate_ingest_json(const struct gate_ingest *ingest)
{
    const struct gate_ingest_options *options = &ingest->options;
    json_t *list = json_array();
    for (unsigned b = 0; b < options->batch_count; b++)
        for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
            char name[32];
            if (ingest->series[b][i].runs == NULL)
                continue;
            snprintf(name, sizeof name, "ingest-%u", options->batches[b]);
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:i, s:O}", "case", name, "contender",
                                            infos[i].name, "records_each", (int)options->batches[b],
                                            "runs", ingest->series[b][i].runs));
        }
    struct gate_line lines[GATE_INGEST_ROWS_MAX];
    size_t count = gate_ingest_rows(ingest, options, lines, GATE_INGEST_ROWS_MAX);
    return json_pack("{s:i, s:s, s:o, s:{s:I, s:i, s:f, s:f, s:i, s:i}, s:o, s:o, s:o}", "format",
                     REPORT_JSON_FORMAT, "kind", "ingest", "machine", report_json_machine(),
                     "setup", "accounts", (json_int_t)options->accounts, "connections",
                     (int)options->connections, "warmup_s", options->warmup_s, "measure_s",
                     options->measure_s, "server_cpu", options->server_cpu, "load_cpu",
                     options->load_cpu, "contenders", contenders_json(ingest), "series", list,
                     "rows", gate_lines_json(lines, count));
}
