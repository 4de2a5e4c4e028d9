/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/peer/peer_base.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/load_account.h"
#include "bench/load/load_fill.h"
#include "client/icp.h"
#include "server/base/clock.h"

#define START_S 120
#define READY_S 1800
#define SCAN_TAKEN 1000
#define SCAN_MS_MAX 120000
#define FILL_BYTES_MAX "256G"

void peer_base_uri(const struct peer_base *base, char uri[64])
{
    snprintf(uri, 64, "icp://127.0.0.1:%u", base->port);
}

/* filling: let as many accounts share a commit as wait, for each commit writes most of the index.
 */
static bool process_start(struct peer_base *base, const char *program, int cpu, bool filling,
                          struct proto_fault *fault)
{
    char data[440];
    char ports[440];
    char log[440];
    snprintf(data, sizeof data, "%s/data", base->folder);
    snprintf(ports, sizeof ports, "%s/ports", base->folder);
    snprintf(log, sizeof log, "%s/log", base->folder);
    unlink(ports);
    const char *const argv[] = {program,
                                "--host",
                                "127.0.0.1",
                                "--port",
                                "0",
                                "--data",
                                data,
                                "--map-bytes",
                                FILL_BYTES_MAX,
                                "--socket-path",
                                base->socket_path,
                                "--ports-file",
                                ports,
                                filling ? "--commit-bytes-max" : NULL,
                                "64M",
                                NULL};
    return peer_process_start(&base->process, argv, cpu, log, fault) &&
           peer_process_await_file(&base->process, ports, START_S, &base->port, fault);
}

double peer_base_figure(const struct peer_base *base, const char *map, const char *name)
{
    char uri[64];
    struct icp_fault why;
    struct icp_reply reply = {0};
    struct icp_value metrics, inner, value;
    double found = -1;
    peer_base_uri(base, uri);
    struct icp_client *client = icp_connect(uri, NULL, &why);
    if (client == NULL) {
        return -1;
    }
    if (icp_call_STATS(client, NULL, &reply) && icp_reply_get(&reply, "metrics", &metrics) &&
        icp_value_get(&metrics, map, &inner) && icp_value_get(&inner, name, &value)) {
        found = value.number;
    }
    icp_reply_fini(&reply);
    icp_close(client);
    return found;
}

double peer_base_scan(const struct peer_base *base, struct proto_fault *fault)
{
    char uri[64];
    char name[64];
    struct icp_fault why;
    struct icp_reply reply = {0};
    struct base_clock clock = base_clock_system();
    peer_base_uri(base, uri);
    struct icp_client *client = icp_connect(uri, NULL, &why);
    struct icp_payload *payload = icp_payload_create();
    double took = -1;
    if (client != NULL && payload != NULL) {
        uint64_t began_ns = base_clock_now_ns(&clock);
        snprintf(name, sizeof name, "bench %lld %llu", (long long)base_clock_now_ms(&clock),
                 (unsigned long long)began_ns);
        icp_payload_text(payload, "name", name);
        icp_payload_uint(payload, "k", SCAN_TAKEN);
        if (icp_call_within(client, ICP_OP_TAL_BUILD, payload, SCAN_MS_MAX, &reply)) {
            took = (double)(base_clock_now_ns(&clock) - began_ns) / 1e9;
        } else {
            why = reply.fault;
        }
    }
    if (took < 0) {
        proto_fault_set(fault, PROTO_IO, "", "a list cannot be built: %s", why.message);
    }
    icp_reply_fini(&reply);
    icp_payload_destroy(payload);
    icp_close(client);
    return took;
}

static bool await_ready(struct peer_base *base, struct proto_fault *fault)
{
    struct timespec rest = {0, 200000000};
    for (int i = 0; i < READY_S * 5; i++) {
        double total = peer_base_figure(base, "store", "rows_total");
        if (peer_base_figure(base, "store", "index_ready") > 0 &&
            peer_base_figure(base, "store", "rows_done") >= total &&
            peer_base_figure(base, "store", "accounts") >= (double)base->accounts) {
            return true;
        }
        nanosleep(&rest, NULL);
    }
    return proto_fault_set(fault, PROTO_IO, "", "icpd did not finish its index and rows in %d s",
                           READY_S);
}

static bool folder_make(const char *path, struct proto_fault *fault)
{
    return mkdir(path, 0755) == 0 || errno == EEXIST ||
           proto_fault_set(fault, PROTO_IO, "", "%s: %s", path, strerror(errno));
}

/* Fills the folder once; a stamp says that it is whole. */
static bool fill_once(struct peer_base *base, const char *program, struct proto_fault *fault)
{
    char stamp[440];
    char uri[64];
    snprintf(stamp, sizeof stamp, "%s/filled", base->folder);
    if (access(stamp, R_OK) == 0) {
        return true;
    }
    fprintf(stderr, "icp-bench: filling %s, once\n", base->folder);
    peer_folder_remove(base->folder);
    if (!folder_make(base->folder, fault) || !process_start(base, program, -1, true, fault)) {
        return false;
    }
    peer_base_uri(base, uri);
    const struct load_fill_options options = {
        .uri = uri, .accounts = base->accounts, .seed = base->seed};
    bool ok = load_fill(&options, fault) && await_ready(base, fault);
    peer_process_stop(&base->process);
    FILE *file = ok ? fopen(stamp, "we") : NULL;
    if (file != NULL) {
        fclose(file);
    }
    return ok;
}

static bool start_on(struct peer_base *base, const char *program, int cpu,
                     struct proto_fault *fault)
{
    return fill_once(base, program, fault) && process_start(base, program, cpu, false, fault) &&
           await_ready(base, fault);
}

bool peer_base_start(struct peer_base *base, const char *program, const char *folder,
                     uint64_t accounts, int cpu, struct proto_fault *fault)
{
    *base = (struct peer_base){.accounts = accounts, .seed = LOAD_SEED};
    snprintf(base->folder, sizeof base->folder, "%s/base-%llu", folder,
             (unsigned long long)accounts);
    /* A socket's path is short; the build folder's may not be. */
    snprintf(base->socket_path, sizeof base->socket_path, "/tmp/icp-bench-%d-%llu.sock",
             (int)getpid(), (unsigned long long)accounts);
    if (start_on(base, program, cpu, fault)) {
        return true;
    }
    if (access(base->folder, F_OK) == 0) {
        /* It may be of an icpd whose store had another form. */
        fprintf(stderr, "icp-bench: %s does not start on %s; filling it anew\n", program,
                base->folder);
        peer_base_stop(base);
        peer_folder_remove(base->folder);
        if (start_on(base, program, cpu, fault)) {
            return true;
        }
    }
    peer_base_stop(base);
    return false;
}

void peer_base_stop(struct peer_base *base)
{
    peer_process_stop(&base->process);
}
