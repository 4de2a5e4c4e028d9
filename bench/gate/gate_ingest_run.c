/* SPDX-License-Identifier: Apache-2.0 */
/* The runs. Everybody is filled; then, round by round, each kind of work in each size of batches is
 * done by one after another, another one first in each round. The requests of a run are encoded
 * before it, as many as its contender could need, so that none is sent twice; if it was faster than
 * that after all, its requests come again and the run says so. */
#include <stdlib.h>
#include <unistd.h>

#include "bench/gate/gate_ingest_parts.h"
#include "bench/report/report_json.h"

#define FILL_BATCH 1000u
#define FILL_S_MAX 3600
/* Records of one run that are held ready: never fewer, for the first run knows no rate yet, and
 * never more, for they take some 600 bytes each. */
#define READY_LEAST 65536.0
#define READY_MOST 1048576.0

/* Transactions one after another for so many seconds, or so many of them. */
static bool sqlite_run(struct gate_contender *sqlite, const struct gate_ingest_work *work,
                       double seconds, uint64_t requests, struct load_result *result,
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
        if (!gate_sqlite_put(sqlite->sqlite, work, (uint32_t)result->completed, fault)) {
            return false;
        }
        at_ns = base_clock_now_ns(&clock);
        base_histogram_record(&result->latency, at_ns - start_ns);
        result->completed++;
    }
    load_usage_read(getpid(), &result->server);
    load_usage_since(&before, &result->server);
    result->seconds = (double)(at_ns - began_ns) / 1e9;
    result->status[0] = result->sent = result->completed;
    result->rate = (double)result->completed / result->seconds;
    return true;
}

/* requests 0: by time. */
static bool server_run(struct gate_ingest *ingest, enum gate_ingest_who who,
                       const struct load_traffic *traffic, uint64_t requests,
                       struct load_result *result, struct proto_fault *fault)
{
    const struct gate_ingest_options *options = &ingest->options;
    const struct gate_contender *contender = &ingest->contenders[who];
    struct load_options load = {
        .streams = {{.wire = who == GATE_INGEST_ICP ? &load_wire_icp : &load_wire_redis,
                     .traffic = traffic,
                     .target = {.port = contender->port},
                     .connections = options->connections,
                     .depth = 1}},
        .stream_count = 1,
        .warmup_s = requests > 0 ? 0 : options->warmup_s,
        .measure_s = requests > 0 ? FILL_S_MAX : options->measure_s,
        .requests_max = requests,
        .cpu = options->load_cpu,
        .server_pid = contender->process.pid,
        .clock = base_clock_system(),
    };
    return load_run(&load, result, fault);
}

/* Does `requests` requests of the work, or (0) as many as the time of a run holds; *ready is how
 * many were held ready. */
static bool work_do(struct gate_ingest *ingest, enum gate_ingest_who who,
                    const struct gate_ingest_work *work, uint64_t requests, uint32_t *ready,
                    struct load_result *result, struct proto_fault *fault)
{
    const struct gate_ingest_options *options = &ingest->options;
    struct gate_contender *contender = &ingest->contenders[who];
    struct load_traffic traffic;
    if (gate_ingest_is_sqlite(who)) {
        *ready = UINT32_MAX;
        return sqlite_run(contender, work, requests > 0 ? FILL_S_MAX : options->measure_s, requests,
                          result, fault);
    }
    double records = contender->fastest * 1.5 * (options->warmup_s + options->measure_s);
    records = records < READY_LEAST ? READY_LEAST : records > READY_MOST ? READY_MOST : records;
    uint64_t need = requests > 0 ? requests : (uint64_t)(records / work->batch) + 1;
    for (*ready = 1; *ready < need;) {
        *ready *= 2;
    }
    if (!gate_ingest_traffic(who, work, *ready, &traffic, fault)) {
        return false;
    }
    bool ok = server_run(ingest, who, &traffic, requests, result, fault);
    load_traffic_fini(&traffic);
    return ok;
}

bool gate_ingest_fill(struct gate_ingest *ingest, enum gate_ingest_who who,
                      struct load_result *result, struct proto_fault *fault)
{
    enum { CHUNK = 256 }; /* requests */
    uint64_t accounts = ingest->options.accounts;
    for (uint64_t at = 0; at < accounts;) {
        uint32_t ready;
        unsigned batch = accounts - at < FILL_BATCH ? (unsigned)(accounts - at) : FILL_BATCH;
        uint64_t requests = (accounts - at) / batch < CHUNK ? (accounts - at) / batch : CHUNK;
        const struct gate_ingest_work work = {GATE_INGEST_NEW, 0,        at, batch,
                                              ingest->fields,  LOAD_SEED};
        if (!work_do(ingest, who, &work, requests, &ready, result, fault)) {
            return false;
        }
        if (load_result_errors(result) > 0) {
            proto_fault_set(fault, PROTO_IO, "", "%s answers by errors (most: %s)",
                            gate_ingest_info(who)->name, load_result_error(result));
            load_result_fini(result);
            return false;
        }
        load_result_fini(result);
        at += requests * batch;
    }
    return true;
}

static void keep(struct gate_ingest_series *series, const struct load_result *result,
                 const struct gate_ingest_work *work, uint32_t ready)
{
    double done = result->completed > 0 ? (double)result->completed : 1;
    if (series->count == REPORT_RUNS_MAX) {
        return;
    }
    size_t at = series->count++;
    series->records[at] = result->rate * work->batch;
    series->p50_us[at] = (double)base_histogram_percentile(&result->latency, 0.5) / 1e3;
    series->p99_us[at] = (double)base_histogram_percentile(&result->latency, 0.99) / 1e3;
    series->cpu_us[at] = (double)result->server.cpu_ns / 1e3 / done / work->batch;
    series->busy[at] = load_result_busy(result);
    series->wrong += load_result_errors(result) + result->misplaced;
    if (series->runs == NULL) {
        series->runs = json_array();
    }
    json_t *run = report_json_result(result);
    json_object_set_new(run, "records_per_s", json_real(series->records[at]));
    json_object_set_new(run, "repeated", json_boolean(result->sent > ready));
    json_array_append_new(series->runs, run);
}

static bool one_run(struct gate_ingest *ingest, enum gate_ingest_mode mode, unsigned b,
                    enum gate_ingest_who who, struct load_result *result, struct proto_fault *fault)
{
    struct gate_contender *contender = &ingest->contenders[who];
    struct gate_ingest_series *series = &ingest->series[mode][b][who];
    uint32_t ready;
    /* Other values than those that are there: the seed goes with the run. */
    const struct gate_ingest_work work = {.mode = mode,
                                          .accounts = ingest->options.accounts,
                                          .first = contender->next[mode],
                                          .batch = ingest->options.batches[b],
                                          .fields = ingest->fields,
                                          .seed = LOAD_SEED + 1 + series->count};
    if (!work_do(ingest, who, &work, 0, &ready, result, fault)) {
        return false;
    }
    /* What was sent in the warm-up is not counted in `sent`: what was ready is past, all of it. */
    contender->next[mode] +=
        (uint64_t)(ready == UINT32_MAX ? result->completed : ready) * work.batch;
    if (result->rate * work.batch > contender->fastest) {
        contender->fastest = result->rate * work.batch;
    }
    keep(series, result, &work, ready);
    load_result_fini(result);
    return true;
}

static bool round_run(struct gate_ingest *ingest, unsigned round, struct load_result *result,
                      struct proto_fault *fault)
{
    fprintf(stderr, "icp-bench: round %u of %u\n", round + 1, ingest->options.rounds);
    for (unsigned mode = 0; mode < GATE_INGEST_MODES; mode++) {
        for (unsigned b = 0; b < ingest->options.batch_count; b++) {
            for (unsigned i = 0; i < GATE_INGEST_COUNT; i++) {
                /* Another one begins in each round. */
                enum gate_ingest_who who = (enum gate_ingest_who)((i + round) % GATE_INGEST_COUNT);
                if (ingest->contenders[who].there &&
                    !one_run(ingest, (enum gate_ingest_mode)mode, b, who, result, fault)) {
                    return false;
                }
            }
        }
    }
    return true;
}

bool gate_ingest_measure(struct gate_ingest *ingest, struct proto_fault *fault)
{
    struct load_result *result = calloc(1, sizeof *result);
    bool ok = result != NULL || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    for (unsigned i = 0; ok && i < GATE_INGEST_COUNT; i++) {
        if (ingest->contenders[i].there) {
            fprintf(stderr, "icp-bench: %s is filled\n",
                    gate_ingest_info((enum gate_ingest_who)i)->name);
            ok = gate_ingest_fill(ingest, (enum gate_ingest_who)i, result, fault);
        }
    }
    for (unsigned round = 0; ok && round < ingest->options.rounds; round++) {
        ok = round_run(ingest, round, result, fault);
    }
    free(result);
    return ok;
}
