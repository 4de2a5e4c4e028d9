/* SPDX-License-Identifier: Apache-2.0 */
/* A build without libpq: whoever configures a shared log is told so. */
#include "server/cluster/cluster_log_pg.h"

bool cluster_log_pg_check(const char *where, struct proto_fault *fault)
{
    (void)where;
    return proto_fault_set(fault, PROTO_BAD_CONFIG, "cluster_log",
                           "this icpd was built without PostgreSQL (libpq), which keeps the shared "
                           "log");
}

bool cluster_log_pg_make(const struct cluster_log_options *options, struct cluster_log *log,
                         struct proto_fault *fault)
{
    (void)log;
    return cluster_log_pg_check(options->where, fault);
}
