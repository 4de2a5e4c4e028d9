/* SPDX-License-Identifier: Apache-2.0 */
/* One connection to PostgreSQL that never blocks its thread for longer than it is asked to, but
 * while libpq looks up the name of a host: it connects, asks one statement at a time and waits, and
 * asks goes_on() meanwhile. Nobody else includes libpq.
 *
 * Hosts of the address are tried one after the other, beginning with the one that answered last,
 * each for some seconds: libpq would wait for ever at one whose machine is gone. What they all said
 * is told; but where the one that writes refuses, that alone.
 *
 * Failing. A connection that broke, or an answer that did not come in time, closes it: what was
 * asked may be done or not (cluster_link_broken). An answer that is an error leaves it open. A
 * server that only reads (a standby), or whose timeline is older than one that was seen before (a
 * primary that was replaced), is refused. A running statement is never cancelled: to cancel one
 * that waits for a standby would make it look durable.
 *
 * Passwords come from PGPASSFILE, ~/.pgpass or PGPASSWORD; one in the address is refused, and an
 * address that cannot be read is not quoted. Messages of PostgreSQL name hosts and users.
 *
 * Ownership: texts of options are borrowed; a result belongs to the link until the next question.
 * Errors: PROTO_IO, PROTO_BAD_CONFIG, PROTO_NO_MEMORY. Threads: one link, one thread; poke from
 * any. Cost: a round trip a question. Source: libpq of PostgreSQL 15. */
#ifndef CLUSTER_CLUSTER_LINK_H
#define CLUSTER_CLUSTER_LINK_H

#include <libpq-fe.h>

#include "server/cluster/cluster_host.h"
#include "server/cluster/cluster_log.h"

struct cluster_link {
    struct cluster_log_options options;
    PGconn *conn; /* NULL: closed */
    PGresult *result;
    int poked; /* eventfd */
    bool broken;
    struct cluster_seen own; /* where options.seen was NULL */
};

/* A parameter, as bytes. */
struct cluster_parameter {
    const void *data;
    size_t bytes;
};

bool cluster_link_init(struct cluster_link *link, const struct cluster_log_options *options,
                       struct proto_fault *fault);
void cluster_link_fini(struct cluster_link *link);
bool cluster_link_open(struct cluster_link *link, struct proto_fault *fault);
void cluster_link_close(struct cluster_link *link);
/* Asks and waits for all of the answer, in binary; NULL with *fault. parameters: in binary. */
PGresult *cluster_link_ask(struct cluster_link *link, const char *sql,
                           const struct cluster_parameter *parameters, int count,
                           struct proto_fault *fault);
/* The last fault left open what came of the question. */
bool cluster_link_broken(const struct cluster_link *link);
/* Several statements, without parameters. */
bool cluster_link_run(struct cluster_link *link, const char *sql, struct proto_fault *fault);
/* Waits for a notification, a poke or the end of time. */
void cluster_link_wait(struct cluster_link *link, int timeout_ms);
void cluster_link_poke(struct cluster_link *link);

#endif
