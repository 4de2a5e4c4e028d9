/* SPDX-License-Identifier: Apache-2.0 */
/* The same sum as append() of cluster.sql makes, so that a node which reads an entry can hold it
 * against those that it has applied. */
#include <string.h>
#include <xxhash.h>

#include "server/cluster/cluster_log.h"
#include "server/math/sha256.h"

static void be_u64(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

void cluster_chain_next(uint8_t chain[CLUSTER_DIGEST_BYTES], const struct cluster_logged *logged)
{
    struct math_sha256 sha;
    uint8_t sum[MATH_SHA256_BYTES];
    uint8_t numbers[16];
    be_u64(numbers, logged->seq);
    be_u64(numbers + 8, (uint64_t)logged->time_ms);
    math_sha256_begin(&sha);
    math_sha256_add(&sha, chain, CLUSTER_DIGEST_BYTES);
    math_sha256_add(&sha, numbers, sizeof numbers);
    math_sha256_add(&sha, logged->id, CLUSTER_ID_BYTES);
    math_sha256_add(&sha, logged->digest, CLUSTER_DIGEST_BYTES);
    math_sha256_end(&sha, sum);
    memcpy(chain, sum, CLUSTER_DIGEST_BYTES);
}

void cluster_digest(struct proto_span payload, uint8_t digest[CLUSTER_DIGEST_BYTES])
{
    XXH128_hash_t hash = XXH3_128bits(payload.data, payload.bytes);
    be_u64(digest, hash.high64);
    be_u64(digest + 8, hash.low64);
}
