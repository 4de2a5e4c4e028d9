/* SPDX-License-Identifier: Apache-2.0 */
/* What serve.c (the parts of a server, opened and closed) and serve_net.c (what connections ask of
 * them) share. Ownership: server_create makes it, server_destroy ends it. Threads: members are set
 * before net runs; those that change are atomic. */
#ifndef SERVER_SERVE_PARTS_H
#define SERVER_SERVE_PARTS_H

#include <stdatomic.h>

#include "server/activate.h"
#include "server/base/clock.h"
#include "server/door.h"
#include "server/lifecycle/lifecycle_columns.h"
#include "server/net/net.h"
#include "server/node.h"
#include "server/rpc/rpc.h"
#include "server/serve.h"
#include "server/transfer/transfer.h"
#include "server/watch.h"

struct server {
    const struct base_config *config;
    struct base_log *log;
    struct base_clock clock;
    uint64_t started_ns;
    struct engine *engine;
    struct cluster *cluster; /* NULL: it is no node of one */
    struct node_snapshots *snapshots;
    struct lookalike *lookalike;
    struct lifecycle_columns *columns;
    struct dispute *dispute;
    struct base_metrics *metrics;
    struct door door;              /* who may come in */
    struct server_sockets sockets; /* of the service manager, until each is given on */
    struct rpc *rpc;
    struct net_server *net;
    struct capture *capture;
    struct transfer *transfer; /* exports that wait to be read */
    struct watch *watch;       /* NULL: nobody may watch */
    _Atomic bool draining;
    _Atomic uint64_t slow_us;
    bool ports_written; /* by this process: another server's file is not ours to remove */
};

/* Opens the sockets; workers and connections call rpc from then on. */
bool server_net_open(struct server *server, struct proto_fault *fault);

#endif
