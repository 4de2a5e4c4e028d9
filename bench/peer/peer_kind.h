/* SPDX-License-Identifier: Apache-2.0 */
/* What is particular to each peer: how it is started, filled and asked. For peer.c alone.
 * Ownership: a command's texts lie within it. Threads: one. */
#ifndef BENCH_PEER_KIND_H
#define BENCH_PEER_KIND_H

#include "bench/peer/peer.h"
#include "server/math/random.h"

/* Bytes of a value that stands for what icpd answers: the payload of its reply. */
#define PEER_VALUE_BYTES 80
/* Hashes of 40 fields take 1 KB each in Redis: so many accounts have them. */
#define PEER_HASHES_MAX 100000
#define PEER_TARANTOOL_SPACE 512
#define PEER_TARANTOOL_FEATURES 32

struct peer_command {
    const char *argv[24];
    char texts[8][512];
};

struct peer_asker {
    const struct peer *peer;
    enum peer_ask ask;
    struct math_random random;
};

void peer_redis_command(const struct peer *peer, struct peer_command *command);
bool peer_redis_fill(struct peer *peer, struct proto_fault *fault);
void peer_redis_encode(void *asker, uint32_t index, struct proto_writer *out);

void peer_memcached_command(const struct peer *peer, struct peer_command *command);
bool peer_memcached_fill(struct peer *peer, struct proto_fault *fault);
void peer_memcached_encode(void *asker, uint32_t index, struct proto_writer *out);

bool peer_tarantool_command(const struct peer *peer, struct peer_command *command,
                            struct proto_fault *fault);
void peer_tarantool_encode(void *asker, uint32_t index, struct proto_writer *out);

#endif
