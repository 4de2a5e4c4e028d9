/* SPDX-License-Identifier: Apache-2.0 */
/* What is measured of clients: each way asks one server as fast as it can for some seconds.
 * Units: requests a second of wall time, nanoseconds of the client's processor time a request.
 * Errors: a fault; a reply that is wrong is one. Threads: one, but for the pool's eight. */
#ifndef BENCH_CLIENT_ROW_H
#define BENCH_CLIENT_ROW_H

#include "proto/fault.h"

#define CLIENT_ROW_ACCOUNTS 10000
#define CLIENT_ROW_DEPTH 64
#define CLIENT_ROW_THREADS 8

struct client_row_target {
    const char *uri; /* of icpd */
    const char *delayed_uri;
    uint16_t redis_port;
    double seconds;
};

struct client_row_result {
    double rate;
    double cpu_ns; /* 0: not measured */
};

typedef bool client_row_way(const struct client_row_target *target,
                            struct client_row_result *result, struct proto_fault *fault);

client_row_way client_row_icp_ping;
client_row_way client_row_icp_score;
client_row_way client_row_icp_pings;  /* CLIENT_ROW_DEPTH in flight */
client_row_way client_row_icp_scores; /* likewise */
client_row_way client_row_icp_far;    /* one connection, replies delayed */
client_row_way client_row_icp_pool;   /* a pool and CLIENT_ROW_THREADS threads, likewise */
client_row_way client_row_redis_ping;
client_row_way client_row_redis_get;
client_row_way client_row_redis_pings;
client_row_way client_row_redis_gets;

/* Stores what client_row_redis_get asks for. */
bool client_row_redis_fill(uint16_t port, struct proto_fault *fault);

#endif
