/* SPDX-License-Identifier: Apache-2.0 */
/* A running server: engine, rpc and net joined. net hands frames to rpc, rpc posts late replies to
 * net; neither knows the other, the glue is here. Threads: all calls from the main thread. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "server/base/config.h"
#include "server/base/log.h"

struct server;

/* Opens the store, binds, starts the workers, writes the ports file. Config and log are borrowed
 * until destroy. */
struct server *server_create(const struct base_config *config, struct base_log *log,
                             struct proto_fault *fault);
/* Requests slower than this are logged; 0: none. */
void server_slow_set(struct server *server, uint64_t slow_us);
/* The limit of the tables from now on; returns what it became (store_map_bytes_set). */
size_t server_map_bytes_set(struct server *server, size_t bytes);
/* Reads certificate, key and who signs clients anew; connections that are open keep what they have.
 * False with *fault: all stays as it was. */
bool server_tls_reload(struct server *server, const struct base_config *config,
                       struct proto_fault *fault);
/* Reads the file of named tokens anew; connections whose token is gone or changed end a moment
 * later. False with *fault: all stays as it was. */
bool server_tokens_reload(struct server *server, struct proto_fault *fault);
void server_drain(struct server *server, unsigned grace_ms);
void server_join(struct server *server);
void server_destroy(struct server *server);

#endif
