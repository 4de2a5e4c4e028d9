/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a server, opened one on another: store and engine, who may come in, sockets,
 * requests, and those who watch; what one tells another goes through the callbacks here. What fails
 * to open closes all that was opened; at the end net drains first, and the engine stops before net
 * is freed, for its last replies are posted there. */
#include "server/serve.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "server/encrypt.h"
#include "server/engine/engine_create.h"
#include "server/node_snapshot.h"
#include "server/serve_parts.h"
#include "server/stats.h"

/* At once: what waits for an answer gets none, which says that nothing is known of it. Whoever
 * supervises icpd starts it anew, and what is on disk is served again. */
static void leave(void *context, const struct proto_fault *fault)
{
    (void)context;
    _exit(fault->code == PROTO_NO_MEMORY ? EX_OSERR : EX_IOERR);
}

/* A ticket of net travels through rpc as two words. */
_Static_assert(sizeof(struct net_ticket) == sizeof(struct rpc_ticket), "a ticket fits");

static void post_reply(void *context, struct rpc_ticket ticket, struct proto_span frames,
                       bool final)
{
    struct server *server = context;
    struct net_ticket to;
    memcpy(&to, &ticket, sizeof to);
    net_post(server->net, to, frames, final);
}

static void take_figures(void *context, struct server_figures *figures)
{
    struct server *server = context;
    *figures = (struct server_figures){
        .engine = server->engine,
        .net = server->net,
        .metrics = server->metrics,
        .cluster = server->cluster,
        .uptime_s = (base_clock_now_ns(&server->clock) - server->started_ns) / 1000000000,
    };
}

static void write_stats(void *context, struct proto_writer *out)
{
    struct server_figures figures;
    take_figures(context, &figures);
    server_stats_write(&figures, out);
}

static bool is_draining(void *context)
{
    struct server *server = context;
    return atomic_load_explicit(&server->draining, memory_order_relaxed);
}

static bool take_socket(void *context, int fd)
{
    struct server *server = context;
    return net_server_take(server->net, fd);
}

static bool log_slow(void *context, const struct proto_op_info *op, uint64_t took_ns)
{
    struct server *server = context;
    uint64_t slow_us = atomic_load_explicit(&server->slow_us, memory_order_relaxed);
    /* A job takes as long as it takes. */
    if (slow_us == 0 || took_ns / 1000 < slow_us || (op && op->lane == PROTO_LANE_JOB)) {
        return false;
    }
    base_log(server->log, BASE_LOG_WARN, "rpc", "slow request",
             BASE_FIELDS(base_field_text("op", op ? op->name : "unknown"),
                         base_field_uint("us", took_ns / 1000)));
    return true;
}

/* The name that a client gives itself; its own choice, so at the level for the search of a fault.
 */
static void log_hello(void *context, const char *client, const char *token, enum proto_role role)
{
    struct server *server = context;
    base_log(server->log, BASE_LOG_DEBUG, "rpc", "hello",
             BASE_FIELDS(base_field_text("client", client), base_field_text("token", token),
                         base_field_text("role", proto_role_name(role))));
}

static bool is_crowded(void *context)
{
    const struct server *server = context;
    return net_server_crowded(server->net);
}

static bool engine_open(struct server *server, struct proto_fault *fault)
{
    const struct base_config *config = server->config;
    struct engine_options options = {
        .store = {.path = config->data,
                  .must_exist = config->require_data,
                  .starting = true,
                  .map_bytes_max = config->map_bytes,
                  .queue_bytes_max = config->queue_bytes_max,
                  .commit_bytes_max = config->commit_bytes_max,
                  .log_bytes_max = config->log_bytes_max,
                  .fold_bytes = config->fold_bytes,
                  .overlay_bytes_max = config->overlay_bytes_max,
                  .view_ms_max = config->view_ms_max},
        .now_ms = server->clock.now_ms,
        .now_context = server->clock.context,
        .learn_threads = (unsigned)config->learn_threads,
        .log = server->log,
        .on_lost = leave,
    };
    server->engine = node_check(config, fault) && node_snapshot_seed(config, server->log, fault)
                         ? engine_create(&options, fault)
                         : NULL;
    if (server->engine == NULL ||
        !node_open(config, server->engine, &server->clock, server->log, &server->cluster, fault) ||
        !node_snapshots_start(config, engine_store(server->engine), server->cluster, server->log,
                              &server->snapshots, fault)) {
        return false;
    }
    server->lookalike = lookalike_create(server->engine, config->similar_graph_bytes_max, fault);
    server->dispute = server->lookalike ? dispute_create(server->engine, fault) : NULL;
    server->columns = server->dispute != NULL
                          ? lifecycle_columns_create(config->event_columns_bytes_max, fault)
                          : NULL;
    return server->columns != NULL;
}

static bool rpc_open(struct server *server, struct proto_fault *fault)
{
    const struct base_config *config = server->config;
    unsigned workers = net_server_workers(server->net);
    server->metrics = base_metrics_create(workers + RPC_EXTRA_BLOCKS);
    if (!server->metrics) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the figures");
    }
    struct rpc_options options = {
        .engine = server->engine,
        .lookalike = server->lookalike,
        .columns = server->columns,
        .dispute = server->dispute,
        .metrics = server->metrics,
        .workers = workers,
        .tokens = server->door.tokens,
        .book = server->door.book,
        .addresses = server->door.addresses,
        .now_ns = server->clock.now_ns,
        .now_context = server->clock.context,
        .post = post_reply,
        .post_context = server,
        .stats_write = write_stats,
        .stats_context = server,
        .on_answered = log_slow,
        .answered_context = server,
        .on_hello = log_hello,
        .hello_context = server,
        .capture = server->capture,
        .applied_ms = config->applied_ms,
        .scan_ms = config->scan_ms,
        .crowded = is_crowded,
        .crowded_context = server,
        .transfer = server->transfer,
        .backup_path = config->backup_path,
    };
    server->rpc = rpc_create(&options, fault);
    return server->rpc != NULL;
}

static bool aside_open(struct server *server, struct proto_fault *fault)
{
    const struct capture_options options = {
        .data = server->config->data,
        .now_ns = server->clock.now_ns,
        .now_ms = server->clock.now_ms,
        .now_context = server->clock.context,
    };
    server->capture = capture_create(&options, fault);
    server->transfer = transfer_create(server->config->data, fault);
    return server->capture != NULL && server->transfer != NULL;
}

static bool watch_open(struct server *server, struct proto_fault *fault)
{
    if (server->config->http_host[0] == '\0' && server->sockets.http == 0) {
        return true;
    }
    const struct watch_options options = {
        .config = server->config,
        .door = &server->door,
        .listen_fd = server->sockets.http,
        .now_ns = server->clock.now_ns,
        .now_ms = server->clock.now_ms,
        .now_context = server->clock.context,
        .context = server,
        .figures = take_figures,
        .draining = is_draining,
        .take = take_socket,
    };
    server->sockets.http = 0;
    server->watch = watch_start(&options, fault);
    return server->watch != NULL;
}

/* Written aside and renamed, so that whoever waits for the file never reads half of it. */
static bool ports_write(struct server *server, struct proto_fault *fault)
{
    const char *path = server->config->ports_file;
    if (path[0] == '\0') {
        return true;
    }
    char aside[4200];
    snprintf(aside, sizeof aside, "%s.%d", path, (int)getpid());
    FILE *file = fopen(aside, "we");
    if (file) {
        fprintf(file, "port = %u\n", net_server_port(server->net));
        if (server->watch) {
            fprintf(file, "http = %u\n", watch_port(server->watch));
        }
        if (net_server_tls_port(server->net) != 0) {
            fprintf(file, "tls = %u\n", net_server_tls_port(server->net));
        }
        if (server->config->socket_path[0]) {
            fprintf(file, "socket = %s\n", server->config->socket_path);
        }
        bool written = ferror(file) == 0;
        if (fclose(file) == 0 && written && rename(aside, path) == 0) {
            server->ports_written = true;
            return true;
        }
        int code = errno;
        unlink(aside);
        errno = code;
    }
    return proto_fault_set(fault, errno == ENOMEM ? PROTO_NO_MEMORY : PROTO_BAD_CONFIG,
                           "ports_file", "%s cannot be written: %s", path, strerror(errno));
}

struct server *server_create(const struct base_config *config, struct base_log *log,
                             struct proto_fault *fault)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the server");
        return NULL;
    }
    server->config = config;
    server->log = log;
    server->clock = base_clock_system();
    server->started_ns = base_clock_now_ns(&server->clock);
    server_slow_set(server, config->slowlog_us);
    if (!server_sockets_take(&server->sockets, fault) || !engine_open(server, fault) ||
        !aside_open(server, fault) || !door_open(&server->door, config, log, fault) ||
        !server_net_open(server, fault) || !rpc_open(server, fault) ||
        !net_server_start(server->net, fault) || !watch_open(server, fault) ||
        !ports_write(server, fault)) {
        server_destroy(server);
        return NULL;
    }
    engine_started(server->engine);
    base_log(log, BASE_LOG_INFO, "main", "serving",
             BASE_FIELDS(base_field_text("host", config->host),
                         base_field_uint("port", net_server_port(server->net)),
                         base_field_uint("http", server->watch ? watch_port(server->watch) : 0),
                         base_field_uint("tls", net_server_tls_port(server->net)),
                         base_field_text("socket", config->socket_path),
                         base_field_text("data", config->data),
                         base_field_uint("workers", net_server_workers(server->net))));
    return server;
}

void server_slow_set(struct server *server, uint64_t slow_us)
{
    atomic_store_explicit(&server->slow_us, slow_us, memory_order_relaxed);
}

size_t server_map_bytes_set(struct server *server, size_t bytes)
{
    return store_map_bytes_set(engine_store(server->engine), bytes);
}

bool server_tls_reload(struct server *server, const struct base_config *config,
                       struct proto_fault *fault)
{
    struct tls_context *tls;
    if (net_server_tls_port(server->net) == 0) {
        return true; /* a listener takes a start */
    }
    if (!server_encrypt(config, &tls, fault)) {
        return false;
    }
    if (tls == NULL) {
        return proto_fault_set(fault, PROTO_BAD_CONFIG, "tls_certificate",
                               "the listener for TLS ends only with the process");
    }
    net_server_tls_set(server->net, tls);
    tls_context_drop(tls);
    return true;
}

bool server_tokens_reload(struct server *server, struct proto_fault *fault)
{
    return door_reload(&server->door, fault);
}

void server_drain(struct server *server, unsigned grace_ms)
{
    atomic_store_explicit(&server->draining, true, memory_order_relaxed);
    /* A job would hold the drain up to its end and then be lost: it is cancelled, and its client
     * is told so. */
    int64_t scans_until_ms = server->clock.now_ms(server->clock.context) + grace_ms * 3 / 4;
    engine_jobs_cancel(server->engine, scans_until_ms);
    net_server_drain(server->net, grace_ms);
}

void server_join(struct server *server)
{
    net_server_join(server->net);
}

void server_destroy(struct server *server)
{
    if (!server) {
        return;
    }
    if (server->net) {
        net_server_drain(server->net, 0);
        net_server_join(server->net);
    }
    watch_stop(server->watch);
    node_snapshots_stop(server->snapshots);
    cluster_stop(server->cluster); /* nothing waits for a shared log after it */
    server_sockets_close(&server->sockets);
    /* The engine ends before net is freed: its last replies are posted, and dropped, there. */
    if (server->engine) {
        engine_stop(server->engine);
    }
    dispute_destroy(server->dispute);
    lookalike_destroy(server->lookalike);
    lifecycle_columns_destroy(server->columns);
    cluster_destroy(server->cluster);
    engine_destroy(server->engine);
    net_server_destroy(server->net);
    rpc_destroy(server->rpc);
    door_close(&server->door);
    capture_destroy(server->capture);
    transfer_destroy(server->transfer);
    base_metrics_destroy(server->metrics);
    if (server->ports_written) {
        unlink(server->config->ports_file);
    }
    free(server);
}
