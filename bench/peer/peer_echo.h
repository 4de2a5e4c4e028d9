/* SPDX-License-Identifier: Apache-2.0 */
/* The floor: a bare libuv server on one loop that answers every `request_bytes` bytes with
 * `reply_bytes` bytes, whatever they hold. It parses, looks up and allocates nothing; all whole
 * requests of a read are answered with one write. No event-loop server can be faster at frames of
 * these sizes, so what it reaches is the limit that others are compared with.
 * Ownership, threads: runs on the calling thread until SIGTERM. Errors: a fault before it serves.
 */
#ifndef BENCH_PEER_ECHO_H
#define BENCH_PEER_ECHO_H

#include "proto/fault.h"

#include <stddef.h>

struct peer_echo_options {
    uint16_t port;    /* 0: any; on 127.0.0.1 */
    const char *path; /* a Unix socket beside it; NULL = none */
    size_t request_bytes;
    size_t reply_bytes;
    void (*on_ready)(void *context, uint16_t port);
    void *context;
};

bool peer_echo_serve(const struct peer_echo_options *options, struct proto_fault *fault);

#endif
