/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An icpd over a set of vectors: filled once into a folder that is kept, its vectors built and
 * stored, then started on it again and again. Accounts are called acct-00000042 by their place in
 * the set and have one field, `v`, so that icpd compares the very vectors of the set; with `scored`
 * there is an ICP too, learned from accounts that are deleted again.
 * Ownership: stop ends the process; the folder stays. Errors: a fault. Threads: one. Cost: filling
 * takes some 50 us an account.
 */
#ifndef ICP_BENCH_LOOKALIKE_BASE_H
#define ICP_BENCH_LOOKALIKE_BASE_H

#include "bench/lookalike/lookalike_data.h"
#include "bench/peer/peer_process.h"
#include "client/icp.h"

struct lookalike_base_options {
    const char *icpd;   /* program */
    const char *folder; /* below which the base's own is */
    bool scored;
};

struct lookalike_base {
    struct peer_process process;
    uint16_t port;
    char folder[400];
    char socket_path[100];
    struct icp_client *client; /* over the socket */
    double start_seconds;      /* from the start of the program to the first look-alike */
};

bool lookalike_base_start(struct lookalike_base *base, const struct lookalike_base_options *options,
                          const struct lookalike_data *data, struct proto_fault *fault);
void lookalike_base_stop(struct lookalike_base *base);

/* A request for the k nearest to a vector, exact with `recall` 1; without reasons. */
void lookalike_request(struct icp_payload *payload, const float *vector, uint32_t dim,
                       double recall);
/* Asks and waits; asks again while the server says that it is busy opening. */
bool lookalike_ask(struct lookalike_base *base, const struct icp_payload *payload,
                   struct icp_reply *reply, struct proto_fault *fault);
/* Bytes that the base takes on disk. */
uint64_t lookalike_base_bytes(const struct lookalike_base *base);

#endif
