/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a shared log, and the hosts in it: postgresql://HOST:PORT,HOST:PORT/DATABASE, or
 * what else libpq takes as one. Ownership: a plain value; the address is borrowed. Errors:
 * PROTO_BAD_CONFIG, which quotes nothing of the address; PROTO_NO_MEMORY. Threads: pure. */
#ifndef CLUSTER_CLUSTER_HOST_H
#define CLUSTER_CLUSTER_HOST_H

#include "proto/fault.h"

#define CLUSTER_HOST_BYTES 256

/* One of them, by the names that libpq has; what the address does not say is empty. */
struct cluster_host {
    char name[CLUSTER_HOST_BYTES], address[CLUSTER_HOST_BYTES], port[CLUSTER_HOST_BYTES];
    unsigned count; /* of all */
};

/* Whether it can be one, and has no password in it. */
bool cluster_host_check(const char *where, struct proto_fault *fault);
/* The place-th; place < count, which is that of each. */
bool cluster_host_take(const char *where, unsigned place, struct cluster_host *host,
                       struct proto_fault *fault);

#endif
