/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of a cluster (cluster_snapshots): a node without a store is made from the newest one
 * before it joins, and nodes that follow write one in turn. What stands in the shared log behind
 * the oldest that is kept is then needed by nobody, and the log is told so.
 *
 * Ownership: options are borrowed. Errors: those of server/backup. Threads: node_snapshot_seed
 * before there is a store; a thread of low priority of its own, from start to stop. Cost: a restore
 * takes some 100 MB of records a second, a snapshot reads as much. */
#ifndef SERVER_NODE_SNAPSHOT_H
#define SERVER_NODE_SNAPSHOT_H

#include "server/base/config.h"
#include "server/base/log.h"
#include "server/cluster/cluster.h"
#include "server/store/store.h"

struct node_snapshots;

/* Where `data` has no store and there is a snapshot, a store is made of the newest that is whole.
 * Without any the node begins empty. */
bool node_snapshot_seed(const struct base_config *config, struct base_log *log,
                        struct proto_fault *fault);
/* *snapshots NULL: none are to be written. */
bool node_snapshots_start(const struct base_config *config, struct store *store,
                          struct cluster *cluster, struct base_log *log,
                          struct node_snapshots **snapshots, struct proto_fault *fault);
/* Ends one that is being written. NULL is fine. Before the cluster and the store end. */
void node_snapshots_stop(struct node_snapshots *snapshots);

#endif
