/* SPDX-License-Identifier: Apache-2.0 */
/* The hashes under which ids and keys are found. Ownership: nothing. Errors: none. Threads: a plain
 * value. Cost: about 10 ns a text. Source: XXH3 of xxHash. */
#ifndef STORE_HASHER_H
#define STORE_HASHER_H

#include "server/disk/layout.h"

/* Ids and keys are hashed with one random seed each, made with the store, so that a key never meets
 * an id of the same text and nobody outside can aim for collisions. */
enum store_kind { STORE_KIND_ID, STORE_KIND_KEY };

struct store_hasher {
    uint64_t seeds[2];
    uint64_t mask; /* all ones; tests narrow it to make texts collide */
};

static inline uint64_t store_hash_text(const struct store_hasher *hasher, enum store_kind kind,
                                       struct proto_span text)
{
    return XXH3_64bits_withSeed(text.data, text.bytes, hasher->seeds[kind]) & hasher->mask;
}

#endif
