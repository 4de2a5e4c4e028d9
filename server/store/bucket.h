/* SPDX-License-Identifier: Apache-2.0 */
/* The table `id`: which slot an id or key names. A linear hash table (Litwin 1980) laid out over
 * LMDB: entry h lies in bucket h mod 2^n, or h mod 2^(n-1) if that bucket does not exist yet; one
 * bucket is split whenever the average exceeds STORE_BUCKET_TARGET. Every bucket below id_buckets
 * exists and carries a check, so that "there is no such id" is as well proven as "here it is": in a
 * plain tree of hashes a flipped bit would make an account vanish in silence
 * (docs/decisions/store-buckets.md).
 *
 *    0 u64 check   8 u32 entries   12 u32 reserved (0)   16 u64 hash × entries
 *   then u32 ref × entries, then zeros up to a multiple of 16; in order of hash, then ref
 *   ref: bits 0–29 slot, bit 30 kind (1: key), bit 31 shared: other texts of this store have this
 * hash
 *
 * Ownership: borrows from the transaction. Errors: PROTO_CORRUPT and what LMDB says. Threads:
 * reading any, editing the writer. Cost: reading one mdb_get and one XXH3 of about 600 bytes. */
#ifndef STORE_BUCKET_H
#define STORE_BUCKET_H

#include "server/disk/txn.h"
#include "server/store/hasher.h"
#include "server/store/store.h"

#define STORE_BUCKET_TARGET 48u
#define STORE_REF_SLOT ((UINT32_C(1) << 30) - 1)
#define STORE_REF_KEY (UINT32_C(1) << 30)
#define STORE_REF_SHARED (UINT32_C(1) << 31)
static_assert(PROTO_ACCOUNTS_MAX <= STORE_REF_SLOT + 1, "a slot fits 30 bits");

struct store_bucket {
    uint32_t count;
    const uint8_t *hashes;
    const uint8_t *refs;
};

static inline uint64_t store_bucket_hash(const struct store_bucket *bucket, uint32_t i)
{
    return disk_get_u64(bucket->hashes + (size_t)i * 8);
}

static inline uint32_t store_bucket_ref(const struct store_bucket *bucket, uint32_t i)
{
    return disk_get_u32(bucket->refs + (size_t)i * 4);
}

/* Bucket of a hash among `buckets` ≥ 1. */
uint32_t store_bucket_of(uint64_t hash, uint32_t buckets);
bool store_bucket_get(const struct disk_txn *txn, uint32_t number, struct store_bucket *bucket,
                      struct proto_fault *fault);

/* One change: an entry to add, or one to take away that is there. */
struct store_id_edit {
    uint64_t hash;
    uint32_t ref; /* slot and kind */
    bool add;
};

/* Room that edits work in; kept between calls by the writer. */
struct store_bucket_room {
    uint64_t *hashes;
    uint32_t *refs;
    size_t capacity;
};

void store_bucket_room_fini(struct store_bucket_room *room);

/* Splits as needed, then makes all edits, which it sorts by bucket. A bucket that is damaged stays
 * as it is, and an entry that is to go and is not there is passed over: *damaged counts both,
 * *fault tells of one. Whoever asks such a bucket is told that it is damaged. */
bool store_bucket_edit(struct disk_txn *txn, struct store_bucket_room *room,
                       struct store_id_edit *edits, size_t count, uint32_t *damaged,
                       struct proto_fault *fault);

#endif
