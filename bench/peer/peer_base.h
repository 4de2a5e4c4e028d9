/* SPDX-License-Identifier: Apache-2.0 */
/* An icpd with a base of accounts to measure: filled once into a folder that is kept, then started
 * on it again and again. Before it is measured its index is complete and its rows are made.
 * Ownership: peer_base_stop ends the process; the folder stays. Errors: a fault. Threads: one.
 * Cost: filling takes about 10 to 100 µs an account, once. */
#ifndef BENCH_PEER_BASE_H
#define BENCH_PEER_BASE_H

#include "bench/peer/peer_process.h"

struct peer_base {
    uint64_t accounts;
    uint64_t seed;
    struct peer_process process;
    uint16_t port;
    char folder[400];
    char socket_path[100];
};

/* Starts `program` (icpd) on the base of that size below `folder`, filling it first if it is not
 * there; cpu -1: not pinned. */
bool peer_base_start(struct peer_base *base, const char *program, const char *folder,
                     uint64_t accounts, int cpu, struct proto_fault *fault);
void peer_base_stop(struct peer_base *base);

/* For libicp. */
void peer_base_uri(const struct peer_base *base, char uri[64]);
/* A number of the server's stats by its map and name, e.g. "store", "index_bytes"; -1 if there is
 * none. */
double peer_base_figure(const struct peer_base *base, const char *map, const char *name);

/* Builds a target account list of 1,000 from the whole base; the time that it took, as a client
 * sees it, in seconds. Negative with a fault if it cannot be done. */
double peer_base_scan(const struct peer_base *base, struct proto_fault *fault);

#endif
