/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench run: one or more workloads at once, or a capture, against a server that runs already.
 */
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "bench/bench_cli.h"
#include "bench/bench_flags.h"
#include "bench/load/load.h"
#include "bench/load/load_account.h"
#include "bench/load/load_hgrm.h"
#include "bench/load/load_replay.h"
#include "bench/load/load_workload.h"
#include "bench/report/report_json.h"

#define SETTINGS_MAX 64
#define REPLAY_CONNECTIONS_MAX 1000

struct arguments {
    struct load_options load;
    struct load_workload workloads[LOAD_STREAMS_MAX];
    const char *names[LOAD_STREAMS_MAX];
    unsigned count;
    struct load_target target;
    uint64_t accounts;
    const char *echo;
    size_t echo_request, echo_reply;
    struct load_replay_options replay_options;
    struct load_replay replay;
    const char *json, *hgrm, *ndjson, *hlog;
    struct proto_fault fault;
    const char *set_names[SETTINGS_MAX], *set_texts[SETTINGS_MAX];
    unsigned set_count;
};

#define AT(field) offsetof(struct arguments, field)
static const struct bench_flag own_options[] = {
    {"port", "N", BENCH_FLAG_U16, AT(target.port), 1, 65535,
     "TCP port on 127.0.0.1 (default 4273)"},
    {"socket", "PATH", BENCH_FLAG_TEXT, AT(target.path), 0, 0, "Unix socket instead"},
    {"pid", "PID", BENCH_FLAG_INT, AT(load.server_pid), 1, 4194304,
     "measure this server's processor time and context switches"},
    {"accounts", "N", BENCH_FLAG_U64, AT(accounts), 1, LOAD_ACCOUNTS_MAX,
     "accounts that the server was filled with (1000000)"},
    {"seed", "N", BENCH_FLAG_U64, AT(load.seed), 0, 0x1p53, "seed that it was filled with (7)"},
    {"cpu", "N", BENCH_FLAG_INT, AT(load.cpu), 0, 1023, "pin the generator to a processor"},
    {"echo", "REQUEST,REPLY", BENCH_FLAG_TEXT, AT(echo), 0, 0,
     "the server is icp-bench echo with these sizes"},
    {"replay", "FILE", BENCH_FLAG_TEXT, AT(replay_options.path), 0, 0,
     "play a capture of icpd instead of a workload, at the times at which it came"},
    {"speed", "X", BENCH_FLAG_REAL, AT(replay_options.speed), 0.001, 1e6,
     "play it so many times as fast (1)"},
    {"no-writes", NULL, BENCH_FLAG_SWITCH, AT(replay_options.no_writes), 0, 0,
     "leave out of it what changes accounts"},
    {"names", "FILE", BENCH_FLAG_TEXT, AT(replay_options.names), 0, 0,
     "accounts of the target, a line `id` or `id,domain` each, where icp-bench did not fill it"},
    {"json", "FILE", BENCH_FLAG_TEXT, AT(json), 0, 0, "write the result there"},
    {"hgrm", "FILE", BENCH_FLAG_TEXT, AT(hgrm), 0, 0,
     "write the latencies there as HdrHistogram percentiles"},
    {"hlog", "FILE", BENCH_FLAG_TEXT, AT(hlog), 0, 0,
     "write the latencies of each second there as an HdrHistogram log"},
    {"ndjson", "FILE", BENCH_FLAG_TEXT, AT(ndjson), 0, 0,
     "write a line a second there (- is standard output)"},
};

/* Where a workload's file lies: as named, else among those that come with the source. */
static bool workload_find(struct load_workload *workload, const char *name,
                          struct proto_fault *fault)
{
    char path[512];
    load_workload_default(workload);
    if (access(name, R_OK) == 0) {
        return load_workload_load(workload, name, fault);
    }
    snprintf(path, sizeof path, "%s/%s.conf", BENCH_WORKLOADS, name);
    if (access(path, R_OK) != 0) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "",
                               "no workload and no file is called '%s'; workloads lie in %s", name,
                               BENCH_WORKLOADS);
    }
    return load_workload_load(workload, path, fault);
}

static bool take_workload(void *into, const char *text, char *why, size_t why_bytes)
{
    struct arguments *arguments = into;
    if (arguments->count == LOAD_STREAMS_MAX) {
        snprintf(why, why_bytes, "at most %d workloads at once", LOAD_STREAMS_MAX);
        return false;
    }
    arguments->names[arguments->count++] = text;
    return true;
}

static bool take_setting(void *into, const char *name, const char *text, char *why,
                         size_t why_bytes)
{
    struct arguments *arguments = into;
    struct load_workload tried;
    struct proto_fault fault = {0};
    load_workload_default(&tried);
    if (arguments->set_count == SETTINGS_MAX) {
        snprintf(why, why_bytes, "at most %d settings", SETTINGS_MAX);
        return false;
    }
    if (!load_workload_set(&tried, name, text, &fault)) {
        snprintf(why, why_bytes, "%.200s", fault.message);
        return false;
    }
    arguments->set_names[arguments->set_count] = name;
    arguments->set_texts[arguments->set_count++] = text;
    return true;
}

/* A setting on the command line belongs to the first workload. */
static bool workloads_read(struct arguments *arguments)
{
    for (unsigned i = 0; i < arguments->count; i++) {
        if (!workload_find(&arguments->workloads[i], arguments->names[i], &arguments->fault)) {
            return false;
        }
    }
    for (unsigned i = 0; i < arguments->set_count; i++) {
        if (!load_workload_set(&arguments->workloads[0], arguments->set_names[i],
                               arguments->set_texts[i], &arguments->fault)) {
            return false;
        }
    }
    return true;
}

static bool echo_read(struct arguments *arguments)
{
    char *end;
    if (arguments->echo == NULL) {
        return true;
    }
    arguments->echo_request = strtoul(arguments->echo, &end, 10);
    arguments->echo_reply = *end == ',' ? strtoul(end + 1, &end, 10) : 0;
    return (arguments->echo_request > 0 && arguments->echo_reply > 0 && *end == '\0') ||
           proto_fault_set(&arguments->fault, PROTO_BAD_CONFIG, "echo",
                           "'%s' is not two sizes such as 34,96", arguments->echo);
}

static void echo_encode(void *context, uint32_t index, struct proto_writer *out)
{
    size_t bytes = *(const size_t *)context;
    uint8_t *at = proto_writer_reserve(out, bytes);
    (void)index;
    if (at != NULL) {
        memset(at, 'e', bytes);
        out->bytes += bytes;
    }
}

static bool stream_make(struct arguments *arguments, unsigned index, struct load_traffic *traffic)
{
    const struct load_workload *workload = &arguments->workloads[index];
    arguments->load.streams[index] = (struct load_stream){
        .wire = arguments->echo_reply > 0 ? &load_wire_echo : &load_wire_icp,
        .traffic = traffic,
        .target = arguments->target,
        .reply_bytes = arguments->echo_reply,
        .connections = (unsigned)workload->connections,
        .depth = (unsigned)workload->depth,
        .arrival = load_workload_arrival(workload),
    };
    if (arguments->echo_reply > 0) {
        return load_traffic_make(traffic, echo_encode, &arguments->echo_request, &arguments->fault);
    }
    return load_workload_traffic(workload, arguments->accounts, arguments->load.seed, traffic,
                                 &arguments->fault);
}

static bool workloads_make(struct arguments *arguments, struct load_traffic *traffic)
{
    if (!workloads_read(arguments)) {
        return false;
    }
    for (unsigned i = 0; i < arguments->count; i++) {
        if (!stream_make(arguments, i, &traffic[i])) {
            return false;
        }
    }
    arguments->load.stream_count = arguments->count;
    arguments->load.warmup_s = arguments->workloads[0].warmup;
    arguments->load.measure_s = arguments->workloads[0].seconds;
    return true;
}

/* The capture as the one stream. Nothing of it is warm-up: its first requests were real ones. */
static bool replay_make(struct arguments *arguments)
{
    struct load_replay *replay = &arguments->replay;
    struct load_replay_options *options = &arguments->replay_options;
    options->accounts = arguments->accounts;
    options->connections_max = REPLAY_CONNECTIONS_MAX;
    if (!load_replay_make(replay, options, &arguments->fault)) {
        return false;
    }
    arguments->names[0] = "replay";
    arguments->count = arguments->load.stream_count = 1;
    arguments->load.streams[0] = (struct load_stream){.wire = &load_wire_icp,
                                                      .traffic = &replay->traffic,
                                                      .target = arguments->target,
                                                      .connections = replay->schedule.connections,
                                                      .schedule = &replay->schedule};
    arguments->load.measure_s =
        (double)replay->schedule.at_ns[replay->schedule.count - 1] / 1e9 + 0.001;
    printf("%u requests of %.1f s on %u connections for %llu accounts, %g times as fast as they "
           "came\n",
           replay->schedule.count, replay->seconds, replay->schedule.connections,
           (unsigned long long)replay->accounts, options->speed);
    if (replay->left_out + replay->lost + replay->writes > 0) {
        printf("  not played: %llu left out of the capture for they cannot be masked, %llu lost "
               "when it was made, %llu writes\n",
               (unsigned long long)replay->left_out, (unsigned long long)replay->lost,
               (unsigned long long)replay->writes);
    }
    fflush(stdout);
    return true;
}

static void result_print(const char *name, const struct load_result *result)
{
    char remark[512];
    load_result_remark(result, remark, sizeof remark);
    printf("%-14s %11.0f/s  p50 %8.1f  p99 %8.1f  p99.9 %8.1f  max %8.0f us", name, result->rate,
           (double)base_histogram_percentile(&result->latency, 0.5) / 1e3,
           (double)base_histogram_percentile(&result->latency, 0.99) / 1e3,
           (double)base_histogram_percentile(&result->latency, 0.999) / 1e3,
           (double)base_histogram_max(&result->latency) / 1e3);
    if (result->server.known && result->completed > 0) {
        printf("  server %6.0f ns, %.2f switches a request",
               (double)result->server.cpu_ns / (double)result->completed,
               (double)(result->server.switches + result->server.preemptions) /
                   (double)result->completed);
    }
    printf("  generator %.0f ns\n",
           result->completed > 0 ? (double)result->self.cpu_ns / (double)result->completed : 0);
    if (remark[0] != '\0') {
        printf("  note: %s\n", remark);
    }
}

static void stages_print(const struct load_stages *stages)
{
    printf("  within the server, ns a request:");
    for (unsigned i = 0; i < LOAD_STAGES; i++) {
        printf("  %s %.0f", load_stage_info((enum load_stage)i)->name, stages->ns[i]);
    }
    if (stages->commits > 0) {
        printf("; a commit %.0f us", stages->commit_ns / 1e3);
    }
    printf("  (%.0f requests sampled)\n", stages->frames);
}

static int results_write(const struct arguments *arguments, const struct load_result *results)
{
    struct proto_fault fault = {0};
    for (unsigned i = 0; i < arguments->count; i++) {
        result_print(arguments->names[i], &results[i]);
    }
    if (results[0].stages.known) {
        stages_print(&results[0].stages);
    }
    if (arguments->hgrm != NULL && !load_hgrm_write(&results[0].latency, arguments->hgrm, &fault)) {
        return bench_fail(&fault);
    }
    if (arguments->json != NULL &&
        !report_json_write_run(arguments->names, results, arguments->count, arguments->json,
                               &fault)) {
        return bench_fail(&fault);
    }
    return EX_OK;
}

static bool stream_open(const char *path, FILE **file, struct proto_fault *fault)
{
    if (path == NULL) {
        return true;
    }
    *file = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
    return *file != NULL ||
           proto_fault_set(fault, PROTO_BAD_CONFIG, "", "%s cannot be written", path);
}

static bool stream_close(FILE *file, const char *path, struct proto_fault *fault)
{
    if (file == NULL || file == stdout) {
        return true;
    }
    bool ok = ferror(file) == 0;
    ok = fclose(file) == 0 && ok;
    return ok || proto_fault_set(fault, PROTO_IO, "", "%s cannot be written", path);
}

static void target_uri(const struct arguments *arguments, char *uri, size_t uri_bytes)
{
    if (arguments->target.path != NULL) {
        snprintf(uri, uri_bytes, "icp+unix:%s", arguments->target.path);
    } else {
        snprintf(uri, uri_bytes, "icp://127.0.0.1:%u", arguments->target.port);
    }
}

static bool measure(struct arguments *arguments, struct load_traffic *traffic,
                    struct load_result *results)
{
    struct proto_fault *fault = &arguments->fault;
    struct load_options *load = &arguments->load;
    bool ok = (arguments->replay_options.path != NULL ? replay_make(arguments)
                                                      : workloads_make(arguments, traffic)) &&
              stream_open(arguments->ndjson, &load->ndjson, fault) &&
              stream_open(arguments->hlog, &load->hlog, fault);
    load->label = arguments->names[0];
    struct load_stages before = {0};
    char uri[512];
    target_uri(arguments, uri, sizeof uri);
    if (ok && arguments->echo_reply == 0) {
        load_stages_read(uri, &before);
    }
    ok = ok && load_run(load, results, fault);
    if (ok && before.known) {
        load_stages_read(uri, &results[0].stages);
        load_stages_since(&before, &results[0].stages);
    }
    bool closed = stream_close(load->ndjson, arguments->ndjson, fault);
    closed = stream_close(load->hlog, arguments->hlog, fault) && closed;
    return ok && closed;
}

static int run(struct arguments *arguments)
{
    struct load_traffic traffic[LOAD_STREAMS_MAX] = {0};
    struct load_result *results = calloc(LOAD_STREAMS_MAX, sizeof *results);
    if (results == NULL) {
        return EX_OSERR;
    }
    bool ok = measure(arguments, traffic, results);
    int code = ok ? results_write(arguments, results) : bench_fail(&arguments->fault);
    for (unsigned i = 0; i < LOAD_STREAMS_MAX; i++) {
        load_traffic_fini(&traffic[i]);
        load_result_fini(&results[i]);
    }
    load_replay_fini(&arguments->replay);
    free(results);
    return code;
}

/* The settings of a workload as flags. */
static struct bench_flag *settings_flags(size_t *count)
{
    const struct load_setting *settings = load_settings(count);
    struct bench_flag *flags = calloc(*count, sizeof *flags);
    for (size_t i = 0; flags != NULL && i < *count; i++) {
        flags[i] = (struct bench_flag){
            .name = settings[i].name, .argument = "N", .help = settings[i].help};
    }
    return flags;
}

static bool arguments_check(struct arguments *arguments)
{
    if (!echo_read(arguments)) {
        return false;
    }
    if ((arguments->replay_options.path != NULL) == (arguments->count > 0)) {
        return proto_fault_set(&arguments->fault, PROTO_BAD_CONFIG, "",
                               "name a workload (score_id, lead_routing … or a file), or a capture "
                               "with --replay, not both");
    }
    return true;
}

int bench_command_run(int argc, char **argv)
{
    size_t count;
    struct bench_flag *settings = settings_flags(&count);
    struct arguments *arguments = calloc(1, sizeof *arguments);
    int code = EX_OSERR;
    if (settings != NULL && arguments != NULL) {
        const struct bench_flags flags = {
            .what = "Sends workloads, or a capture of real traffic, to a running server and "
                    "measures it.",
            .arguments = "WORKLOAD…\n--replay FILE",
            .flags = own_options,
            .count = sizeof own_options / sizeof *own_options,
            .on_argument = take_workload,
            .more = settings,
            .more_count = count,
            .on_more = take_setting};
        arguments->load =
            (struct load_options){.cpu = -1, .seed = LOAD_SEED, .clock = base_clock_system()};
        arguments->target.port = PROTO_PORT;
        arguments->accounts = 1000000;
        arguments->replay_options.speed = 1;
        bench_flags_parse(&flags, argc, argv, arguments);
        code = arguments_check(arguments) ? run(arguments) : bench_fail(&arguments->fault);
    }
    free(settings);
    free(arguments);
    return code;
}
