/* SPDX-License-Identifier: Apache-2.0 */
/* One contender at one case. */
#include <math.h>
#include <stdlib.h>

#include "bench/gate/gate_parts.h"

#define TOUCH_DEPTH 16
#define TOUCH_S_MAX 120
#define CALIBRATIONS 3
#define WRITERS 2

static struct peer_base *base_of(struct gate *gate, enum gate_contender who)
{
    return &gate->bases[who == GATE_BY_SMALL ? 1 : who == GATE_BY_LARGE ? 2 : 0];
}

static struct gate_traffic *traffic_find(struct gate *gate, enum gate_contender who,
                                         const char *workload)
{
    for (unsigned i = 0; i < gate->traffic_count; i++) {
        if (gate->traffics[i].who == who && strcmp(gate->traffics[i].workload, workload) == 0) {
            return &gate->traffics[i];
        }
    }
    return NULL;
}

static bool workload_load(const struct gate *gate, const char *name, struct load_workload *workload,
                          struct proto_fault *fault)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.conf", gate->options.workloads, name);
    load_workload_default(workload);
    return load_workload_load(workload, path, fault);
}

static void echo_encode(void *context, uint32_t index, struct proto_writer *out)
{
    const struct gate_echo *echo = context;
    uint8_t *at = proto_writer_reserve(out, echo->request_bytes);
    (void)index;
    if (at != NULL) {
        memset(at, 'e', echo->request_bytes);
        out->bytes += echo->request_bytes;
    }
}

static bool traffic_make(struct gate *gate, const struct gate_entry *entry, const char *workload,
                         struct gate_traffic *made, struct proto_fault *fault)
{
    struct load_workload settings;
    const struct peer_base *base = base_of(gate, entry->who);
    *made = (struct gate_traffic){.who = entry->who, .workload = workload};
    if (entry->who == GATE_BY_ECHO) {
        return load_traffic_make(&made->traffic, echo_encode, &gate->echoes[entry->what], fault);
    }
    if (entry->who < GATE_BY_ECHO) {
        enum peer_ask ask = (enum peer_ask)entry->who;
        return peer_traffic(&gate->peers[peer_ask_info(ask)->peer], ask, base->seed, &made->traffic,
                            fault);
    }
    return workload_load(gate, workload, &settings, fault) &&
           load_workload_traffic(&settings, base->accounts, base->seed, &made->traffic, fault);
}

static struct gate_traffic *traffic_get(struct gate *gate, const struct gate_entry *entry,
                                        const char *workload, struct proto_fault *fault)
{
    struct gate_traffic *traffic = traffic_find(gate, entry->who, workload);
    if (traffic != NULL) {
        return traffic;
    }
    if (gate->traffic_count == GATE_TRAFFICS_MAX) {
        proto_fault_set(fault, PROTO_INTERNAL, "", "more kinds of requests than there is room for");
        return NULL;
    }
    traffic = &gate->traffics[gate->traffic_count];
    if (!traffic_make(gate, entry, workload, traffic, fault)) {
        return NULL;
    }
    gate->traffic_count++;
    return traffic;
}

static void stream_fill(struct gate *gate, const struct gate_entry *entry,
                        const struct gate_traffic *traffic, struct load_options *load)
{
    struct load_stream *stream = &load->streams[0];
    stream->traffic = &traffic->traffic;
    stream->connections = gate->options.connections;
    if (entry->who == GATE_BY_ECHO) {
        const struct gate_echo *echo = &gate->echoes[entry->what];
        stream->wire = &load_wire_echo;
        stream->target.port = echo->port;
        stream->reply_bytes = echo->reply_bytes;
        load->server_pid = echo->process.pid;
    } else if (entry->who < GATE_BY_ECHO) {
        enum peer_id id = peer_ask_info((enum peer_ask)entry->who)->peer;
        stream->wire = peer_info(id)->wire;
        stream->target.port = gate->peers[id].port;
        load->server_pid = gate->peers[id].process.pid;
    } else {
        const struct peer_base *base = base_of(gate, entry->who);
        stream->wire = &load_wire_icp;
        stream->target.port = base->port;
        load->server_pid = base->process.pid;
    }
}

static struct load_options load_for(struct gate *gate, const struct gate_entry *entry,
                                    const struct gate_traffic *traffic)
{
    struct load_options load = {
        .stream_count = 1,
        .warmup_s = gate->options.warmup_s,
        .measure_s = gate->options.measure_s,
        .seed = 1,
        .cpu = gate->options.load_cpu,
        .clock = base_clock_system(),
    };
    stream_fill(gate, entry, traffic, &load);
    load.streams[0].depth = gate_case_info(entry->what)->depth;
    return load;
}

/* Starts the echo of a case, at the sizes that icpd's frames were seen to have. */
static bool echo_start(struct gate *gate, enum gate_case what, struct proto_fault *fault)
{
    struct gate_echo *echo = &gate->echoes[what];
    const struct gate_entry icp = {what, GATE_BY_ICP};
    if (echo->process.pid > 0) {
        return true;
    }
    if (!gate_prepare(gate, &icp, fault)) {
        return false;
    }
    const struct gate_traffic *seen =
        traffic_find(gate, GATE_BY_ICP, gate_case_info(what)->workload);
    char request[24];
    char reply[24];
    char ports[128];
    char log[128];
    echo->request_bytes = (size_t)lround(load_traffic_mean_bytes(&seen->traffic));
    echo->reply_bytes = (size_t)lround(seen->reply_bytes);
    snprintf(request, sizeof request, "%zu", echo->request_bytes);
    snprintf(reply, sizeof reply, "%zu", echo->reply_bytes);
    snprintf(ports, sizeof ports, "%s/echo-%s", gate->work, gate_case_name(what));
    snprintf(log, sizeof log, "%s/echo-%s.log", gate->work, gate_case_name(what));
    const char *const argv[] = {gate->options.self, "echo", "--request", request, "--reply", reply,
                                "--ports-file",     ports,  NULL};
    return peer_process_start(&echo->process, argv, gate->options.server_cpu, log, fault) &&
           peer_process_await_file(&echo->process, ports, 30, &echo->port, fault);
}

/* Sends every request once, so that each page and line that will be asked for has been touched. */
static bool touch(struct gate *gate, const struct gate_entry *entry, struct gate_traffic *traffic,
                  struct proto_fault *fault)
{
    struct load_result *result = calloc(1, sizeof *result);
    struct load_options load = load_for(gate, entry, traffic);
    if (result == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    }
    load.streams[0].depth = TOUCH_DEPTH;
    if (traffic->traffic.count < load.streams[0].connections * TOUCH_DEPTH) {
        load.streams[0].depth = 1;
    }
    load.warmup_s = 0;
    load.measure_s = TOUCH_S_MAX;
    load.requests_max = traffic->traffic.count;
    bool ok = load_run(&load, result, fault);
    if (ok && result->completed > 0) {
        traffic->reply_bytes = (double)result->reply_bytes / (double)result->completed;
    }
    if (ok && load_result_errors(result) > 0 && entry->who != GATE_BY_ECHO) {
        ok = proto_fault_set(
            fault, PROTO_IO, "", "%s answers %llu of %llu requests of %s by errors",
            gate_contender_name(entry->who), (unsigned long long)load_result_errors(result),
            (unsigned long long)result->completed, gate_case_name(entry->what));
    }
    traffic->touched = ok;
    load_result_fini(result);
    free(result);
    return ok;
}

bool gate_prepare(struct gate *gate, const struct gate_entry *entry, struct proto_fault *fault)
{
    if (entry->who == GATE_BY_ECHO && !echo_start(gate, entry->what, fault)) {
        return false;
    }
    struct gate_traffic *traffic =
        traffic_get(gate, entry, gate_case_info(entry->what)->workload, fault);
    return traffic != NULL && (traffic->touched || touch(gate, entry, traffic, fault));
}

bool gate_calibrate(struct gate *gate, struct proto_fault *fault)
{
    const struct gate_entry entry = {GATE_ID1, GATE_BY_ECHO};
    double rates[CALIBRATIONS];
    struct load_result *result = calloc(1, sizeof *result);
    bool ok = result != NULL;
    for (unsigned i = 0; ok && i < CALIBRATIONS; i++) {
        struct load_options load = load_for(
            gate, &entry, traffic_find(gate, entry.who, gate_case_info(GATE_ID1)->workload));
        ok = load_run(&load, result, fault);
        rates[i] = result->rate;
        load_result_fini(result);
    }
    free(result);
    if (ok) {
        gate->open_rate = report_spread_of(rates, CALIBRATIONS).median / 2;
    }
    return ok;
}

/* Durable updates beside the first stream. */
static bool writes_add(struct gate *gate, const struct gate_entry *entry, unsigned rate,
                       struct load_options *load, struct proto_fault *fault)
{
    struct gate_traffic *writes = traffic_get(gate, entry, "write_1000", fault);
    if (writes == NULL) {
        return false;
    }
    load->streams[1] = load->streams[0];
    load->streams[1].traffic = &writes->traffic;
    load->streams[1].connections = WRITERS;
    load->streams[1].arrival = (struct load_arrival_options){.rate = rate, .even = true};
    load->stream_count = 2;
    return true;
}

bool gate_run(struct gate *gate, const struct gate_entry *entry, struct load_result *results,
              struct proto_fault *fault)
{
    const struct gate_case_info *info = gate_case_info(entry->what);
    const struct gate_traffic *traffic = traffic_find(gate, entry->who, info->workload);
    struct load_options load = load_for(gate, entry, traffic);
    memset(results, 0, LOAD_STREAMS_MAX * sizeof *results);
    if (info->loop == GATE_LOOP_OPEN) {
        load.streams[0].arrival.rate = gate->open_rate;
    }
    if (info->writes > 0 && !writes_add(gate, entry, info->writes, &load, fault)) {
        return false;
    }
    struct load_stages before = {0};
    char uri[64] = "";
    if (entry->who >= GATE_BY_ICP) {
        peer_base_uri(base_of(gate, entry->who), uri);
        load_stages_read(uri, &before);
    }
    if (!load_run(&load, results, fault)) {
        return false;
    }
    if (entry->who >= GATE_BY_ICP) {
        load_stages_read(uri, &results[0].stages);
        load_stages_since(&before, &results[0].stages);
    }
    return true;
}
