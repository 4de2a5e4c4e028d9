/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/lookalike/lookalike_base.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/lookalike/lookalike_bench.h"
#include "bench/lookalike/lookalike_fill.h"
#include "bench/peer/peer_base.h"

#define START_S 120
#define READY_S 1800
#define MAP_BYTES "256G"

static void rest(void)
{
    struct timespec pause = {0, 20000000};
    nanosleep(&pause, NULL);
}

static bool connect_to(struct lookalike_base *base, struct proto_fault *fault)
{
    char uri[128];
    struct icp_fault why;
    const struct icp_options options = {.name = "icp-bench-lookalike",
                                        .call_timeout_ms = LOOKALIKE_CALL_MS};
    snprintf(uri, sizeof uri, "icp+unix:%s", base->socket_path);
    base->client = icp_connect(uri, &options, &why);
    return base->client != NULL || proto_fault_set(fault, PROTO_IO, "", "%s", why.message);
}

static bool process_start(struct lookalike_base *base, const char *program,
                          struct proto_fault *fault)
{
    char data[440];
    char ports[440];
    char log[440];
    snprintf(data, sizeof data, "%s/data", base->folder);
    snprintf(ports, sizeof ports, "%s/ports", base->folder);
    snprintf(log, sizeof log, "%s/log", base->folder);
    unlink(ports);
    const char *const argv[] = {
        program,           "--host",       "127.0.0.1",   "--port",  "0",
        "--data",          data,           "--map-bytes", MAP_BYTES, "--socket-path",
        base->socket_path, "--ports-file", ports,         NULL};
    return peer_process_start(&base->process, argv, -1, log, fault) &&
           peer_process_await_file(&base->process, ports, START_S, &base->port, fault) &&
           connect_to(base, fault);
}

/* Filled, built, and all that goes on behind done: rows made, vectors stored. */
static bool fill_once(struct lookalike_base *base, const struct lookalike_base_options *options,
                      const struct lookalike_data *data, struct proto_fault *fault)
{
    char stamp[440];
    snprintf(stamp, sizeof stamp, "%s/filled", base->folder);
    if (access(stamp, R_OK) == 0) {
        return true;
    }
    fprintf(stderr, "icp-bench-lookalike: filling %s, once\n", base->folder);
    peer_folder_remove(base->folder);
    if (mkdir(base->folder, 0755) != 0) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", base->folder, strerror(errno));
    }
    bool good = process_start(base, options->icpd, fault) &&
                lookalike_fill(base->client, data, options->scored, fault);
    lookalike_base_stop(base);
    FILE *file = good ? fopen(stamp, "we") : NULL;
    if (file != NULL) {
        fclose(file);
    }
    return good;
}

static bool ready_await(const struct lookalike_base *base, uint32_t accounts,
                        struct proto_fault *fault)
{
    const struct peer_base asked = {.port = base->port};
    for (double until = lookalike_wall() + READY_S; lookalike_wall() < until; rest()) {
        double total = peer_base_figure(&asked, "store", "rows_total");
        if (peer_base_figure(&asked, "store", "index_ready") > 0 &&
            peer_base_figure(&asked, "store", "rows_done") >= total &&
            peer_base_figure(&asked, "store", "accounts") >= accounts) {
            return true;
        }
    }
    return proto_fault_set(fault, PROTO_IO, "", "icpd did not finish its index in %d s", READY_S);
}

static bool first_ask(struct lookalike_base *base, const struct lookalike_data *data,
                      struct proto_fault *fault)
{
    struct icp_reply reply = {0};
    struct icp_payload *payload = icp_payload_create();
    bool good = payload != NULL;
    if (good) {
        lookalike_request(payload, data->queries, data->dim, 0.975);
        good = lookalike_ask(base, payload, &reply, fault);
    }
    icp_payload_destroy(payload);
    icp_reply_fini(&reply);
    return good;
}

static bool start_on(struct lookalike_base *base, const struct lookalike_base_options *options,
                     const struct lookalike_data *data, struct proto_fault *fault)
{
    if (!fill_once(base, options, data, fault)) {
        return false;
    }
    double begun = lookalike_wall();
    bool good = process_start(base, options->icpd, fault) && first_ask(base, data, fault);
    base->start_seconds = lookalike_wall() - begun;
    good = good && ready_await(base, data->count, fault);
    if (!good) {
        lookalike_base_stop(base);
    }
    return good;
}

bool lookalike_base_start(struct lookalike_base *base, const struct lookalike_base_options *options,
                          const struct lookalike_data *data, struct proto_fault *fault)
{
    *base = (struct lookalike_base){0};
    snprintf(base->folder, sizeof base->folder, "%s/lookalike-%ux%u%s", options->folder,
             data->count, data->dim, options->scored ? "-scored" : "");
    /* A socket's path is short; the build folder's may not be. */
    snprintf(base->socket_path, sizeof base->socket_path, "/tmp/icp-bench-lookalike-%d.sock",
             (int)getpid());
    (void)mkdir(options->folder, 0755); /* whether it is there shows when the base's own is made */
    bool kept = access(base->folder, F_OK) == 0;
    if (start_on(base, options, data, fault)) {
        return true;
    }
    if (!kept) {
        return false;
    }
    /* It may be of an icpd whose store had another form. */
    fprintf(stderr, "icp-bench-lookalike: %s does not serve %s (%s); filling it anew\n",
            options->icpd, base->folder, fault->message);
    peer_folder_remove(base->folder);
    return start_on(base, options, data, fault);
}

void lookalike_base_stop(struct lookalike_base *base)
{
    icp_close(base->client);
    base->client = NULL;
    peer_process_stop(&base->process);
    unlink(base->socket_path);
}

void lookalike_request(struct icp_payload *payload, const float *vector, uint32_t dim,
                       double recall)
{
    icp_payload_reset(payload);
    icp_payload_list_begin(payload, "positives");
    icp_payload_map_begin(payload, NULL);
    icp_payload_map_begin(payload, "values");
    icp_payload_bytes(payload, "v", vector, dim * sizeof *vector);
    icp_payload_map_end(payload);
    icp_payload_map_end(payload);
    icp_payload_list_end(payload);
    icp_payload_uint(payload, "k", LOOKALIKE_K);
    icp_payload_uint(payload, "reasons", 0);
    if (recall < 1) {
        icp_payload_number(payload, "recall", recall);
    }
}

bool lookalike_ask(struct lookalike_base *base, const struct icp_payload *payload,
                   struct icp_reply *reply, struct proto_fault *fault)
{
    for (double until = lookalike_wall() + READY_S; lookalike_wall() < until; rest()) {
        if (icp_call(base->client, ICP_OP_SIMILAR, payload, reply)) {
            return true;
        }
        if (reply->fault.code != ICP_BUSY) {
            break;
        }
    }
    return proto_fault_set(fault, PROTO_IO, reply->fault.field, "similar: %s",
                           reply->fault.message);
}

uint64_t lookalike_base_bytes(const struct lookalike_base *base)
{
    char path[1024];
    struct stat about;
    uint64_t bytes = 0;
    snprintf(path, sizeof path, "%s/data", base->folder);
    DIR *folder = opendir(path);
    for (const struct dirent *entry = folder != NULL ? readdir(folder) : NULL; entry != NULL;
         entry = readdir(folder)) {
        snprintf(path, sizeof path, "%s/data/%s", base->folder, entry->d_name);
        if (stat(path, &about) == 0 && S_ISREG(about.st_mode)) {
            bytes += (uint64_t)about.st_blocks * 512;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return bytes;
}
