/* SPDX-License-Identifier: Apache-2.0 */
/* A server is ended, its process started anew on a port that is known beforehand, and one request
 * sent again and again until it is answered. */
#include "bench/gate/gate_restart.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "bench/peer/peer.h"
#include "bench/report/report_median.h"

#define START_S 600.0
#define LOADED_S 2.0
enum { TIMES = 3 };

struct asked {
    const struct load_traffic *traffic;
};

static void first_encode(void *context, uint32_t request, struct proto_writer *out)
{
    const struct load_traffic *traffic = ((const struct asked *)context)->traffic;
    (void)request;
    proto_write_raw(out, (struct proto_span){traffic->bytes, traffic->offsets[1]});
}

static void text_encode(void *context, uint32_t request, struct proto_writer *out)
{
    (void)request;
    proto_write_raw(out, proto_span_text(context));
}

/* Asks until there is an answer; milliseconds since began_ns. */
static bool await_answer(const struct load_wire *wire, uint16_t port, load_encode *encode,
                         void *context, uint64_t began_ns, double *ms, struct proto_fault *fault)
{
    struct base_clock clock = base_clock_system();
    const struct timespec millisecond = {0, 1000000};
    do {
        bool answered = peer_send(wire, port, encode, context, 1, NULL, 0, fault);
        *ms = (double)(base_clock_now_ns(&clock) - began_ns) / 1e6;
        if (answered) {
            return true;
        }
        nanosleep(&millisecond, NULL);
    } while (*ms < START_S * 1e3);
    return false;
}

static bool icp_restart(struct gate_ingest *ingest, const struct load_traffic *scores, double *ms,
                        struct proto_fault *fault)
{
    struct base_clock clock = base_clock_system();
    struct gate_contender *icp = &ingest->contenders[GATE_INGEST_ICP];
    struct asked asked = {scores};
    icp->port = peer_port_free();
    uint64_t began_ns = base_clock_now_ns(&clock);
    return gate_ingest_icp_launch(ingest, icp, icp->port, fault) &&
           await_answer(&load_wire_icp, icp->port, first_encode, &asked, began_ns, ms, fault);
}

/* Updates for a moment, so that there is something to replay. */
static bool load_for_a_moment(struct gate_ingest *ingest, const struct load_traffic *updates,
                              struct proto_fault *fault)
{
    struct load_result *result = calloc(1, sizeof *result);
    if (result == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a run");
    }
    const struct load_options load = {
        .streams = {{.wire = &load_wire_icp,
                     .traffic = updates,
                     .target = {.port = ingest->contenders[GATE_INGEST_ICP].port},
                     .connections = ingest->options.connections,
                     .depth = 1}},
        .stream_count = 1,
        .measure_s = LOADED_S,
        .cpu = ingest->options.load_cpu,
        .clock = base_clock_system(),
    };
    bool ok = load_run(&load, result, fault);
    load_result_fini(result);
    free(result);
    return ok;
}

static bool icp_times(struct gate_ingest *ingest, const struct load_traffic *updates,
                      const struct load_traffic *scores, bool killed, double *ms,
                      struct proto_fault *fault)
{
    struct peer_process *process = &ingest->contenders[GATE_INGEST_ICP].process;
    double times[TIMES];
    for (unsigned i = 0; i < TIMES; i++) {
        if (killed) {
            if (!load_for_a_moment(ingest, updates, fault)) {
                return false;
            }
            kill(process->pid, SIGKILL);
            waitpid(process->pid, NULL, 0);
            process->pid = 0;
        } else {
            peer_process_stop(process);
        }
        if (!icp_restart(ingest, scores, &times[i], fault)) {
            return false;
        }
    }
    *ms = report_spread_of(times, TIMES).median;
    return true;
}

static bool redis_launch(const char *folder, uint16_t port, int cpu, struct peer_process *process,
                         struct proto_fault *fault)
{
    char text[8];
    char log[400];
    snprintf(text, sizeof text, "%u", port);
    snprintf(log, sizeof log, "%s/log", folder);
    const char *const argv[] = {"redis-server", "--port", text,   "--bind",
                                "127.0.0.1",    "--save", "",     "--appendonly",
                                "no",           "--dir",  folder, NULL};
    return peer_process_start(process, argv, cpu, log, fault);
}

/* Filled with the same records, which its snapshot then holds. */
static bool redis_fill(struct gate_ingest *ingest, uint16_t port, struct proto_fault *fault)
{
    enum { BATCH = 1000, CHUNK = 256 };
    static char save[] = "*1\r\n$4\r\nSAVE\r\n";
    uint64_t accounts = ingest->options.accounts;
    for (uint64_t at = 0; at < accounts; at += (uint64_t)BATCH * CHUNK) {
        struct load_traffic traffic;
        const struct gate_ingest_work work = {GATE_INGEST_NEW, 0,        at, BATCH,
                                              ingest->fields,  LOAD_SEED};
        if (!gate_ingest_traffic(GATE_INGEST_REDIS_ALWAYS, &work, CHUNK, &traffic, fault)) {
            return false;
        }
        bool ok = true;
        uint64_t left = (accounts - at + BATCH - 1) / BATCH;
        for (uint32_t i = 0; ok && i < CHUNK && i < left; i++) {
            const struct load_traffic one = {
                .bytes = traffic.bytes + traffic.offsets[i],
                .offsets = (uint32_t[]){0, traffic.offsets[i + 1] - traffic.offsets[i]},
                .count = 1};
            struct asked asked = {&one};
            ok = peer_send(&load_wire_redis, port, first_encode, &asked, 1, NULL, 0, fault);
        }
        load_traffic_fini(&traffic);
        if (!ok) {
            return false;
        }
    }
    return peer_send(&load_wire_redis, port, text_encode, save, 1, NULL, 0, fault);
}

static bool redis_times(struct gate_ingest *ingest, double *ms, struct proto_fault *fault)
{
    static char get[] = "*2\r\n$3\r\nGET\r\n$13\r\nacct-00000042\r\n";
    struct base_clock clock = base_clock_system();
    struct peer_process process = {0};
    char folder[340];
    double times[TIMES];
    uint16_t port = peer_port_free();
    snprintf(folder, sizeof folder, "%s/redis-rdb", ingest->folder);
    if (mkdir(folder, 0700) != 0) {
        return proto_fault_set(fault, PROTO_IO, "", "%s cannot be made", folder);
    }
    bool ok = redis_launch(folder, port, ingest->options.server_cpu, &process, fault) &&
              peer_process_await_port(&process, port, START_S, fault) &&
              redis_fill(ingest, port, fault);
    for (unsigned i = 0; ok && i < TIMES; i++) {
        peer_process_stop(&process);
        uint64_t began_ns = base_clock_now_ns(&clock);
        ok = redis_launch(folder, port, ingest->options.server_cpu, &process, fault) &&
             await_answer(&load_wire_redis, port, text_encode, get, began_ns, &times[i], fault);
    }
    peer_process_stop(&process);
    if (ok) {
        *ms = report_spread_of(times, TIMES).median;
    }
    return ok;
}

bool gate_restart_measure(struct gate_ingest *ingest, const struct load_traffic *updates,
                          const struct load_traffic *scores, struct gate_restart *out,
                          struct proto_fault *fault)
{
    *out = (struct gate_restart){0};
    fprintf(stderr, "icp-bench: stops and starts\n");
    if (!icp_times(ingest, updates, scores, false, &out->clean_ms, fault) ||
        !icp_times(ingest, updates, scores, true, &out->killed_ms, fault)) {
        return false;
    }
    if (!peer_program_exists("redis-server")) {
        return true;
    }
    return redis_times(ingest, &out->redis_ms, fault);
}
