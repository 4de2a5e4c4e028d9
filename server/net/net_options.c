/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <sched.h>
#include <sys/un.h>
#include <time.h>

#include "server/net/net_worker.h"

#define MIB ((size_t)1 << 20)

void net_options_default(struct net_options *options)
{
    *options = (struct net_options){
        .host = "127.0.0.1",
        .port = PROTO_PORT,
        .socket_mode = 0660,
        .tls_host = "127.0.0.1",
        .tls_port = PROTO_TLS_PORT,
        .workers = 1,
        .backlog = 1024,
        .tcp_nodelay = true,
        .connections_max = 10000,
        .frame_bytes_max = PROTO_FRAME_BYTES_MAX,
        .pending_max = 1024,
        .out_bytes_high = MIB,
        .out_bytes_max = 64 * MIB,
        .bytes_max = 256 * MIB,
        .stranger_ms = 10000,
        .first_byte_ms = 10000,
        .frame_ms = 30000,
        .idle_ms = 300000,
        .write_ms = 30000,
    };
}

static bool refuse(struct proto_fault *fault, const char *option, const char *rule)
{
    return proto_fault_set(fault, PROTO_BAD_CONFIG, option, "%s must be %s", option, rule);
}

static unsigned processors_usable(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    int count = CPU_COUNT(&set);
    return count < 1 ? 1 : (unsigned)count;
}

bool net_options_check(struct net_options *options, struct proto_fault *fault)
{
    if (options->host == NULL && options->socket_path == NULL && options->tls == NULL) {
        return refuse(fault, "host", "given unless there is a socket_path or a tls_certificate");
    }
    if (options->socket_path != NULL && options->socket_path[0] == '\0') {
        return refuse(fault, "socket_path", "a path");
    }
    if (options->socket_path != NULL &&
        strlen(options->socket_path) >= sizeof((struct sockaddr_un *)NULL)->sun_path) {
        return refuse(fault, "socket_path", "shorter than 108 bytes, a limit of the system");
    }
    if (options->socket_mode > 0777) {
        return refuse(fault, "socket_mode", "permission bits, at most 0777");
    }
    if (options->workers == 0) {
        options->workers = processors_usable();
    }
    if (options->workers > NET_WORKERS_MAX) {
        return refuse(fault, "workers", "at most 256");
    }
    if (options->backlog == 0 || options->backlog > INT32_MAX) {
        return refuse(fault, "backlog", "at least 1");
    }
    if (options->accepts_max > 1000000) {
        return refuse(fault, "accepts_max", "at most 1000000");
    }
    if (options->connections_max == 0 || options->connections_max >= UINT32_MAX) {
        return refuse(fault, "connections_max", "at least 1");
    }
    if (options->frame_bytes_max == 0 || options->frame_bytes_max > PROTO_FRAME_BYTES_MAX) {
        return refuse(fault, "frame_bytes_max", "1 to 16777216 bytes");
    }
    if (options->pending_max == 0) {
        return refuse(fault, "pending_max", "at least 1");
    }
    if (options->out_bytes_high < NET_SMALL_BYTES) {
        return refuse(fault, "out_bytes_high", "at least 16384 bytes");
    }
    if (options->out_bytes_max < options->out_bytes_high) {
        return refuse(fault, "out_bytes_max", "at least out_bytes_high");
    }
    if (options->bytes_max < NET_READ_BYTES) {
        return refuse(fault, "bytes_max", "at least 65536 bytes");
    }
    return true;
}

uint64_t net_server_now(const struct net_server *server)
{
    if (server->options.now_ns != NULL) {
        return server->options.now_ns(server->options.now_context);
    }
    struct timespec now;
    int rc = clock_gettime(CLOCK_MONOTONIC, &now);
    assert(rc == 0);
    (void)rc;
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}
