/* SPDX-License-Identifier: Apache-2.0 */
/* The shared log in PostgreSQL: tables and functions of cluster.sql. See cluster_log.h for what is
 * asked of it and cluster_link.h for the connection. A build without libpq has cluster_log_none.c
 * in its place, which refuses with PROTO_BAD_CONFIG.
 *
 * Ownership: *log is to be closed with log->close; texts of options are borrowed until then.
 * Threads: one. Cost: no connection before log->open. */
#ifndef CLUSTER_CLUSTER_LOG_PG_H
#define CLUSTER_CLUSTER_LOG_PG_H

#include "server/cluster/cluster_log.h"

/* Whether the address can be one: without a connection. */
bool cluster_log_pg_check(const char *where, struct proto_fault *fault);
bool cluster_log_pg_make(const struct cluster_log_options *options, struct cluster_log *log,
                         struct proto_fault *fault);

#endif
