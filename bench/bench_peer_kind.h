/* SPDX-License-Identifier: Apache-2.0 */
/* What is particular to each peer: how it is started, filled and asked. For bench_peer.c alone.
 * Ownership: a command's texts lie within it. Threads: one. */
#ifndef BENCH_PEER_KIND_H
#define BENCH_PEER_KIND_H

#include "bench/bench_peer.h"
#include "server/math/random.h"

/* Bytes of a value that stands for what icpd answers: the payload of its reply. */
#define BENCH_PEER_VALUE_BYTES 80
/* Hashes of 40 fields take 1 KB each in Redis: so many accounts have them. */
#define BENCH_PEER_HASHES_MAX 100000
#define BENCH_TARANTOOL_SPACE 512
#define BENCH_TARANTOOL_FEATURES 32

struct bench_peer_command {
    const char *argv[24];
    char texts[8][512];
};

struct bench_peer_asker {
    const struct bench_peer *peer;
    enum bench_peer_ask ask;
    struct math_random random;
};

void bench_redis_command(const struct bench_peer *peer, struct bench_peer_command *command);
bool bench_redis_fill(struct bench_peer *peer, struct proto_fault *fault);
void bench_redis_encode(void *asker, uint32_t index, struct proto_writer *out);

void bench_memcached_command(const struct bench_peer *peer, struct bench_peer_command *command);
bool bench_memcached_fill(struct bench_peer *peer, struct proto_fault *fault);
void bench_memcached_encode(void *asker, uint32_t index, struct proto_writer *out);

bool bench_tarantool_command(const struct bench_peer *peer, struct bench_peer_command *command,
                             struct proto_fault *fault);
void bench_tarantool_encode(void *asker, uint32_t index, struct proto_writer *out);

#endif
