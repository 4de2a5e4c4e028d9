/* SPDX-License-Identifier: Apache-2.0 */
/* The long run: fill, build vectors, scores alone, then updates and scores together, then wait
 * until the disk is quiet; then stops and starts (gate_restart.c). */
#include "bench/gate/gate_sustain.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/gate/gate_ingest_parts.h"
#include "bench/gate/gate_restart.h"
#include "bench/report/report_json.h"
#include "client/icp.h"

#define IDLE_S 10.0
#define FIRST_S 5
#define SLOW_S 10
#define QUIET_S_MAX 300

static const struct {
    enum gate_limit limit;
    double target;
    const char *unit, *text;
} rows[] = {
#define R(ID, LIMIT, target, unit, text) {GATE_##LIMIT, target, unit, text},
#include "bench/gate/sustain_row.def"
#undef R
};

struct run {
    const struct gate_sustain_options *options;
    struct gate_sustain *out;
    struct gate_ingest *ingest;
    struct load_traffic updates, scores;
    struct load_result *results; /* updates, scores */
};

static struct gate_contender *icp_of(const struct run *run)
{
    return &run->ingest->contenders[GATE_INGEST_ICP];
}

static void line_set(struct run *run, enum gate_sustain_row row, double value)
{
    struct gate_line *line = &run->out->lines[row];
    line->measured = (struct report_spread){value, value, value, 1};
    line->state = GATE_MEASURED;
}

static void lines_begin(struct run *run)
{
    const struct gate_sustain_options *options = run->options;
    bool shown_only = options->seconds < GATE_SUSTAIN_SECONDS ||
                      options->ingest.accounts < GATE_INGEST_ACCOUNTS || !options->vectors;
    for (size_t i = 0; i < GATE_SUSTAIN_ROWS; i++) {
        run->out->lines[i] = (struct gate_line){.name = "",
                                                .text = rows[i].text,
                                                .unit = rows[i].unit,
                                                .limit = rows[i].limit,
                                                .target = rows[i].target,
                                                .state = shown_only ? GATE_SKIPPED : GATE_MISSING,
                                                .shown_only = shown_only,
                                                .busy = (double)NAN};
    }
}

/* Bytes that the process has caused to be sent to the disk so far. */
static uint64_t bytes_written(pid_t pid)
{
    char path[64];
    char line[128];
    unsigned long long bytes = 0;
    snprintf(path, sizeof path, "/proc/%d/io", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "write_bytes:", 12) == 0) {
            bytes = strtoull(line + 12, NULL, 10);
        }
    }
    fclose(file);
    return bytes;
}

/* Waits until nothing was written for three seconds. */
static void wait_quiet(pid_t pid)
{
    uint64_t before = bytes_written(pid);
    for (unsigned still = 0, waited = 0; still < 3 && waited < QUIET_S_MAX; waited++) {
        sleep(1);
        uint64_t now = bytes_written(pid);
        still = now == before ? still + 1 : 0;
        before = now;
    }
}

static bool vectors_build(struct run *run, struct proto_fault *fault)
{
    char uri[64];
    struct icp_fault why;
    struct icp_reply reply = {0};
    const struct icp_options options = {.name = "icp-bench sustain", .call_timeout_ms = 3600000};
    snprintf(uri, sizeof uri, "icp://127.0.0.1:%u", icp_of(run)->port);
    struct icp_client *client = icp_connect(uri, &options, &why);
    bool ok = client != NULL && icp_call(client, ICP_OP_SIMILAR_BUILD, NULL, &reply);
    if (!ok) {
        proto_fault_set(fault, PROTO_IO, "", "no vectors: %s",
                        client == NULL ? why.message : reply.fault.message);
    }
    icp_reply_fini(&reply);
    icp_close(client);
    return ok;
}

static bool prepare(struct run *run, struct proto_fault *fault)
{
    const struct gate_sustain_options *options = run->options;
    const struct gate_ingest_options *ingest = &options->ingest;
    struct load_workload workload;
    char path[512];
    uint32_t requests = 1;
    const struct gate_ingest_work work = {.mode = GATE_INGEST_UPDATE,
                                          .accounts = ingest->accounts,
                                          .batch = ingest->batches[0],
                                          .fields = run->ingest->fields,
                                          .seed = LOAD_SEED + 1};
    while ((uint64_t)requests * 2 * work.batch <= ingest->accounts && requests < 1u << 20 &&
           (uint64_t)requests * 2 * work.batch <= GATE_INGEST_ACCOUNTS) {
        requests *= 2;
    }
    snprintf(path, sizeof path, "%s/score_id.conf", options->workloads);
    load_workload_default(&workload);
    fprintf(stderr, "icp-bench: %llu accounts are stored\n", (unsigned long long)ingest->accounts);
    return gate_ingest_fill(run->ingest, GATE_INGEST_ICP, &run->results[0], fault) &&
           (!options->vectors || vectors_build(run, fault)) &&
           gate_ingest_traffic(GATE_INGEST_ICP, &work, requests, &run->updates, fault) &&
           load_workload_load(&workload, path, fault) &&
           load_workload_traffic(&workload, ingest->accounts, LOAD_SEED, &run->scores, fault);
}

/* Stream 0 is that of scores if `updates` is false, else updates and then scores. */
static bool load(struct run *run, bool updates, double seconds, struct proto_fault *fault)
{
    const struct gate_ingest_options *ingest = &run->options->ingest;
    const struct load_target target = {.port = icp_of(run)->port};
    struct load_stream writes = {.wire = &load_wire_icp,
                                 .traffic = &run->updates,
                                 .target = target,
                                 .connections = ingest->connections,
                                 .depth = 1};
    struct load_stream reads = {.wire = &load_wire_icp,
                                .traffic = &run->scores,
                                .target = target,
                                .connections = ingest->connections,
                                .arrival = {.rate = run->options->score_rate}};
    struct load_options options = {.stream_count = updates ? 2 : 1,
                                   .warmup_s = 1,
                                   .measure_s = seconds,
                                   .cpu = ingest->load_cpu,
                                   .server_pid = icp_of(run)->process.pid,
                                   .clock = base_clock_system()};
    options.streams[0] = updates ? writes : reads;
    options.streams[1] = reads;
    if (!load_run(&options, run->results, fault)) {
        return false;
    }
    for (unsigned i = 0; i < options.stream_count; i++) {
        const struct load_result *result = &run->results[i];
        if (load_result_errors(result) + result->misplaced > 0) {
            return proto_fault_set(
                fault, PROTO_IO, "", "icpd answers by %llu errors (most: %s), %llu of no request",
                (unsigned long long)load_result_errors(result), load_result_error(result),
                (unsigned long long)result->misplaced);
        }
    }
    return true;
}

static double p99(const struct load_result *result)
{
    return (double)base_histogram_percentile(&result->latency, 0.99);
}

/* Requests a second of the seconds from `from` on, `count` of them. */
static double rate_of(const struct load_result *result, size_t from, size_t count)
{
    double sum = 0;
    for (size_t i = from; i < from + count; i++) {
        sum += (double)result->timeline[i].completed;
    }
    return sum / (double)count;
}

static void judge_rates(struct run *run)
{
    const struct load_result *updates = &run->results[0];
    if (updates->timeline_count <= 2 * SLOW_S) {
        return;
    }
    double lowest = (double)INFINITY;
    for (size_t i = 0; i + SLOW_S <= updates->timeline_count; i++) {
        lowest = fmin(lowest, rate_of(updates, i, SLOW_S));
    }
    double first = rate_of(updates, 0, FIRST_S);
    if (first > 0) {
        line_set(run, GATE_SUSTAIN_SHORT, updates->rate / first);
    }
    line_set(run, GATE_SUSTAIN_LOWEST, lowest / updates->rate);
}

static bool long_run(struct run *run, struct proto_fault *fault)
{
    const struct gate_ingest_options *ingest = &run->options->ingest;
    pid_t pid = icp_of(run)->process.pid;
    struct load_memory early = {0};
    struct load_memory late = {0};
    wait_quiet(pid);
    fprintf(stderr, "icp-bench: scores alone\n");
    if (!load(run, false, IDLE_S, fault)) {
        return false;
    }
    double idle = p99(&run->results[0]);
    load_result_fini(&run->results[0]);
    uint64_t before = bytes_written(pid);
    double tenth = run->options->seconds / 10;
    double records = 0;
    fprintf(stderr, "icp-bench: updates for %.0f s\n", run->options->seconds);
    if (!load(run, true, tenth, fault)) {
        return false;
    }
    records += (double)run->results[0].completed * ingest->batches[0];
    load_result_fini(&run->results[0]);
    load_result_fini(&run->results[1]);
    bool known = load_memory_read(pid, &early);
    if (!load(run, true, run->options->seconds - tenth, fault)) {
        return false;
    }
    known = load_memory_read(pid, &late) && known;
    records += (double)run->results[0].completed * ingest->batches[0];
    wait_quiet(pid);
    double payload = records * (double)ingest->record_bytes;
    run->out->updates = run->results[0].rate * ingest->batches[0];
    judge_rates(run);
    line_set(run, GATE_SUSTAIN_WRITTEN, (double)(bytes_written(pid) - before) / payload);
    if (idle > 0) {
        line_set(run, GATE_SUSTAIN_SCORE_P99, p99(&run->results[1]) / idle);
    }
    if (known && early.anonymous > 0) {
        line_set(run, GATE_SUSTAIN_MEMORY, (double)late.anonymous / (double)early.anonymous);
    }
    return true;
}

static bool restarts(struct run *run, struct proto_fault *fault)
{
    struct gate_restart restart;
    if (!gate_restart_measure(run->ingest, &run->updates, &run->scores, &restart, fault)) {
        return false;
    }
    line_set(run, GATE_SUSTAIN_START_CLEAN, restart.clean_ms);
    line_set(run, GATE_SUSTAIN_START_KILLED, restart.killed_ms);
    if (restart.redis_ms > 0) {
        line_set(run, GATE_SUSTAIN_REDIS, restart.redis_ms / restart.clean_ms);
    } else {
        snprintf(run->out->lines[GATE_SUSTAIN_REDIS].why,
                 sizeof run->out->lines[GATE_SUSTAIN_REDIS].why, "redis-server is not installed");
    }
    return true;
}

static json_t *json_of(const struct run *run)
{
    const struct gate_sustain_options *options = run->options;
    return json_pack(
        "{s:i, s:s, s:o, s:{s:I, s:I, s:i, s:i, s:f, s:f, s:b}, s:f, s:o, s:o, s:o}", "format",
        REPORT_JSON_FORMAT, "kind", "sustain", "machine", report_json_machine(), "setup",
        "accounts", (json_int_t)options->ingest.accounts, "record_bytes",
        (json_int_t)options->ingest.record_bytes, "batch", (int)options->ingest.batches[0],
        "connections", (int)options->ingest.connections, "seconds", options->seconds, "score_rate",
        options->score_rate, "vectors", options->vectors, "updates_per_s", run->out->updates,
        "updates", report_json_result(&run->results[0]), "scores",
        report_json_result(&run->results[1]), "rows",
        gate_lines_json(run->out->lines, GATE_SUSTAIN_ROWS));
}

bool gate_sustain_measure(const struct gate_sustain_options *options, struct gate_sustain *out,
                          struct proto_fault *fault)
{
    struct run run = {.options = options, .out = out};
    *out = (struct gate_sustain){0};
    run.results = calloc(2, sizeof *run.results);
    if (run.results == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    }
    lines_begin(&run);
    run.ingest = gate_ingest_create(&options->ingest, fault);
    bool ok = run.ingest != NULL && prepare(&run, fault) && long_run(&run, fault) &&
              restarts(&run, fault);
    if (ok) {
        out->json = json_of(&run);
    }
    load_result_fini(&run.results[0]);
    load_result_fini(&run.results[1]);
    free(run.results);
    load_traffic_fini(&run.updates);
    load_traffic_fini(&run.scores);
    if (run.ingest != NULL) {
        gate_ingest_destroy(run.ingest);
    }
    return ok;
}
