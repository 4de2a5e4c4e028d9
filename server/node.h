/* SPDX-License-Identifier: Apache-2.0 */
/* This process as a node of a cluster (server/cluster), if the configuration says so: the part that
 * joins engine, shared log and figures. Threads: node_open and node_found from the main thread; the
 * rest from any. */
#ifndef SERVER_NODE_H
#define SERVER_NODE_H

#include "proto/writer.h"
#include "server/base/clock.h"
#include "server/base/config.h"
#include "server/cluster/cluster.h"
#include "server/engine/engine_create.h"

/* What the options of a cluster say, without a connection. */
bool node_check(const struct base_config *config, struct proto_fault *fault);
/* Joins the cluster; *cluster NULL: there is none. Refuses to serve a store that follows a shared
 * log without one, for what is written to it would be in no other. */
bool node_open(const struct base_config *config, struct engine *engine,
               const struct base_clock *clock, struct base_log *log, struct cluster **cluster,
               struct proto_fault *fault);
/* Makes the shared log that begins with the store of `data`; says so; an exit code. */
int node_found(const struct base_config *config);

enum { NODE_WHY_BYTES = 512 };
/* Whether answers are as new as they can be, for who sends clients here: not before the node has
 * applied what stood in the log when it came to it, and not in quarantine. A log that is away makes
 * nobody else's answers newer. why: what speaks against it. */
bool node_is_ready(struct cluster *cluster, char why[NODE_WHY_BYTES]);
/* The entry "cluster" of the reply of stats. */
void node_stats_write(struct cluster *cluster, struct proto_writer *out);
/* Families of /metrics. */
void node_metrics_write(struct cluster *cluster, FILE *out);

#endif
