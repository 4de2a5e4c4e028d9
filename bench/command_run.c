/* SPDX-License-Identifier: Apache-2.0 */
/* icp-bench run: one or more workloads, at once, against a server that runs already. */
#include <argp.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "bench/bench_account.h"
#include "bench/bench_cli.h"
#include "bench/bench_hgrm.h"
#include "bench/bench_json.h"
#include "bench/bench_load.h"
#include "bench/bench_workload.h"

/* Settings of workload.def have keys from here on. */
enum {
    KEY_PORT = 256,
    KEY_SOCKET,
    KEY_PID,
    KEY_ACCOUNTS,
    KEY_SEED,
    KEY_CPU,
    KEY_ECHO,
    KEY_JSON,
    KEY_HGRM,
    KEY_NDJSON,
    KEY_SETTINGS = 1024
};

struct arguments {
    struct bench_load_options load;
    struct bench_workload workloads[BENCH_STREAMS_MAX];
    const char *names[BENCH_STREAMS_MAX];
    unsigned count;
    struct bench_target target;
    uint64_t accounts;
    size_t echo_request, echo_reply;
    const char *json, *hgrm;
    struct proto_fault fault;
    const char *set_names[64], *set_texts[64];
    unsigned set_count;
};

static const struct argp_option own_options[] = {
    {"port", KEY_PORT, "N", 0, "TCP port on 127.0.0.1 (default 4273)", 1},
    {"socket", KEY_SOCKET, "PATH", 0, "Unix socket instead", 1},
    {"pid", KEY_PID, "PID", 0, "measure this server's processor time and context switches", 1},
    {"accounts", KEY_ACCOUNTS, "N", 0, "accounts that the server was filled with (1000000)", 1},
    {"seed", KEY_SEED, "N", 0, "seed that it was filled with (7)", 1},
    {"cpu", KEY_CPU, "N", 0, "pin the generator to a processor", 1},
    {"echo", KEY_ECHO, "REQUEST,REPLY", 0, "the server is icp-bench echo with these sizes", 1},
    {"json", KEY_JSON, "FILE", 0, "write the result there", 2},
    {"hgrm", KEY_HGRM, "FILE", 0, "write the latencies there as HdrHistogram percentiles", 2},
    {"ndjson", KEY_NDJSON, "FILE", 0, "write a line a second there (- is standard output)", 2},
};

/* Where a workload's file lies: as named, else among those that come with the source. */
static bool workload_find(struct bench_workload *workload, const char *name,
                          struct proto_fault *fault)
{
    char path[512];
    bench_workload_default(workload);
    if (access(name, R_OK) == 0)
        return bench_workload_load(workload, name, fault);
    snprintf(path, sizeof path, "%s/%s.conf", BENCH_WORKLOADS, name);
    return bench_workload_load(workload, path, fault);
}

static error_t parse_output(struct arguments *arguments, int key, char *text)
{
    switch (key) {
    case KEY_JSON:
        arguments->json = text;
        return 0;
    case KEY_HGRM:
        arguments->hgrm = text;
        return 0;
    case KEY_NDJSON:
        arguments->load.ndjson = strcmp(text, "-") == 0 ? stdout : fopen(text, "we");
        return arguments->load.ndjson != NULL ? 0 : EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_setting(struct arguments *arguments, int key, char *text)
{
    size_t count;
    const struct bench_setting *settings = bench_settings(&count);
    if (key < KEY_SETTINGS || (size_t)(key - KEY_SETTINGS) >= count ||
        arguments->set_count == sizeof arguments->set_names / sizeof *arguments->set_names)
        return ARGP_ERR_UNKNOWN;
    arguments->set_names[arguments->set_count] = settings[key - KEY_SETTINGS].name;
    arguments->set_texts[arguments->set_count++] = text;
    return 0;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct arguments *arguments = state->input;
    switch (key) {
    case KEY_PORT:
        arguments->target.port = (uint16_t)strtoul(text, NULL, 10);
        return 0;
    case KEY_SOCKET:
        arguments->target.path = text;
        return 0;
    case KEY_PID:
        arguments->load.server_pid = (pid_t)strtol(text, NULL, 10);
        return 0;
    case KEY_ACCOUNTS:
        arguments->accounts = strtoull(text, NULL, 10);
        return 0;
    case KEY_SEED:
        arguments->load.seed = strtoull(text, NULL, 10);
        return 0;
    case KEY_CPU:
        arguments->load.cpu = (int)strtol(text, NULL, 10);
        return 0;
    case KEY_ECHO:
        arguments->echo_request = strtoul(text, &text, 10);
        arguments->echo_reply = *text == ',' ? strtoul(text + 1, NULL, 10) : 0;
        return arguments->echo_reply > 0 ? 0 : EINVAL;
    case ARGP_KEY_ARG:
        if (arguments->count == BENCH_STREAMS_MAX)
            argp_error(state, "at most %d workloads at once", BENCH_STREAMS_MAX);
        arguments->names[arguments->count++] = text;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "name a workload: score_id, lead_routing … or a file");
        return EINVAL;
    default:
        return key >= KEY_SETTINGS && key < ARGP_KEY_ARGS ? parse_setting(arguments, key, text)
                                                          : parse_output(arguments, key, text);
    }
}

/* A setting on the command line belongs to the first workload. */
static bool workloads_read(struct arguments *arguments)
{
    for (unsigned i = 0; i < arguments->count; i++)
        if (!workload_find(&arguments->workloads[i], arguments->names[i], &arguments->fault))
            return false;
    for (unsigned i = 0; i < arguments->set_count; i++)
        if (!bench_workload_set(&arguments->workloads[0], arguments->set_names[i],
                                arguments->set_texts[i], &arguments->fault))
            return false;
    return true;
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

static bool stream_make(struct arguments *arguments, unsigned index, struct bench_traffic *traffic)
{
    const struct bench_workload *workload = &arguments->workloads[index];
    arguments->load.streams[index] = (struct bench_stream){
        .wire = arguments->echo_reply > 0 ? &bench_wire_echo : &bench_wire_icp,
        .traffic = traffic,
        .target = arguments->target,
        .reply_bytes = arguments->echo_reply,
        .connections = (unsigned)workload->connections,
        .depth = (unsigned)workload->depth,
        .arrival = bench_workload_arrival(workload),
    };
    if (arguments->echo_reply > 0)
        return bench_traffic_make(traffic, echo_encode, &arguments->echo_request,
                                  &arguments->fault);
    return bench_workload_traffic(workload, arguments->accounts, arguments->load.seed, traffic,
                                  &arguments->fault);
}

static void result_print(const char *name, const struct bench_result *result)
{
    char remark[512];
    bench_result_remark(result, remark, sizeof remark);
    printf("%-14s %11.0f/s  p50 %8.1f  p99 %8.1f  p99.9 %8.1f  max %8.0f us", name, result->rate,
           (double)base_histogram_percentile(&result->latency, 0.5) / 1e3,
           (double)base_histogram_percentile(&result->latency, 0.99) / 1e3,
           (double)base_histogram_percentile(&result->latency, 0.999) / 1e3,
           (double)base_histogram_max(&result->latency) / 1e3);
    if (result->server.known && result->completed > 0)
        printf("  server %6.0f ns, %.2f switches a request",
               (double)result->server.cpu_ns / (double)result->completed,
               (double)(result->server.switches + result->server.preemptions) /
                   (double)result->completed);
    printf("  generator %.0f ns\n",
           result->completed > 0 ? (double)result->self.cpu_ns / (double)result->completed : 0);
    if (remark[0] != '\0')
        printf("  note: %s\n", remark);
}

static int results_write(const struct arguments *arguments, const struct bench_result *results)
{
    struct proto_fault fault = {0};
    for (unsigned i = 0; i < arguments->count; i++)
        result_print(arguments->names[i], &results[i]);
    if (arguments->hgrm != NULL && !bench_hgrm_write(&results[0].latency, arguments->hgrm, &fault))
        return bench_fail(&fault);
    if (arguments->json != NULL &&
        !bench_json_write_run(arguments->names, results, arguments->count, arguments->json, &fault))
        return bench_fail(&fault);
    return EX_OK;
}

static int run(struct arguments *arguments)
{
    struct bench_traffic traffic[BENCH_STREAMS_MAX] = {0};
    struct bench_result *results = calloc(BENCH_STREAMS_MAX, sizeof *results);
    bool ok = results != NULL && workloads_read(arguments);
    for (unsigned i = 0; ok && i < arguments->count; i++)
        ok = stream_make(arguments, i, &traffic[i]);
    arguments->load.stream_count = arguments->count;
    arguments->load.warmup_s = arguments->workloads[0].warmup;
    arguments->load.measure_s = arguments->workloads[0].seconds;
    arguments->load.label = arguments->names[0];
    ok = ok && bench_load_run(&arguments->load, results, &arguments->fault);
    int code = ok ? results_write(arguments, results) : bench_fail(&arguments->fault);
    for (unsigned i = 0; i < arguments->count; i++) {
        bench_traffic_fini(&traffic[i]);
        if (results != NULL)
            bench_result_fini(&results[i]);
    }
    free(results);
    return code;
}

int bench_command_run(int argc, char **argv)
{
    size_t count;
    size_t own = sizeof own_options / sizeof *own_options;
    const struct bench_setting *settings = bench_settings(&count);
    struct argp_option *options = calloc(own + count + 1, sizeof *options);
    struct arguments *arguments = calloc(1, sizeof *arguments);
    int code = EX_OSERR;
    if (options != NULL && arguments != NULL) {
        memcpy(options, own_options, sizeof own_options);
        for (size_t i = 0; i < count; i++)
            options[own + i] = (struct argp_option){.name = settings[i].name,
                                                    .key = KEY_SETTINGS + (int)i,
                                                    .arg = "N",
                                                    .doc = settings[i].help,
                                                    .group = 3};
        const struct argp parser = {
            options, parse, "WORKLOAD…", "Sends workloads to a running server and measures it.",
            NULL,    NULL,  NULL};
        arguments->load = (struct bench_load_options){
            .cpu = -1, .seed = BENCH_SEED, .clock = base_clock_system()};
        arguments->target.port = PROTO_PORT;
        arguments->accounts = 1000000;
        argp_parse(&parser, argc, argv, 0, NULL, arguments);
        code = run(arguments);
    }
    free(options);
    free(arguments);
    return code;
}
