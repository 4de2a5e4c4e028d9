/* SPDX-License-Identifier: Apache-2.0 */
/* The reply of stats: every figure of net, store, engine and requests as one MessagePack map. */
#ifndef SERVER_STATS_H
#define SERVER_STATS_H

#include "proto/writer.h"
#include "server/base/metrics.h"
#include "server/engine/engine_create.h"
#include "server/net/net.h"

struct cluster;

struct server_figures {
    struct engine *engine;
    const struct net_server *net;
    const struct base_metrics *metrics;
    uint64_t uptime_s;
    struct cluster *cluster; /* NULL: this is a single server */
};

/* Any thread; takes some microseconds, for histograms are merged. */
void server_stats_write(const struct server_figures *figures, struct proto_writer *out);

#endif
