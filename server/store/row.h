/* SPDX-License-Identifier: Apache-2.0 */
/* The table `row`: bin codes of every slot for one codebook, in blocks that fill whole pages.
 * Key: generation << 32 | block; block = slot / 63. With rows of 64 bytes:
 *
 *    0   16 bytes of LMDB's page header, not part of the value
 *   16   block header: 0 u64 check, over the rest and the key   8 u64 digest of the codebook
 *        16 u32 generation   20 u32 block   24 u32 row bytes   28 u32 rows written   32 … 47
 * reserved (0) 64   63 rows: each on one cache line, 4096 bytes in all
 *
 *   row: 0 u64 hash of the primary id   8 u32 check   12 u16 flags: 1 living, 2 written
 *        14 u16 reserved (0)   16 codes, then zeros up to a multiple of 64
 *
 * The check of a row is over its hash, its slot, the codebook and all that follows it; it is
 * verified at each reading, so a row is right by itself wherever the pointer came from. The block's
 * check serves the scrub. Ownership: borrows from the transaction. Errors: PROTO_CORRUPT and what
 * LMDB says. Threads: reading any, writing the writer. Cost: verifying a row of 64 bytes about 6
 * ns. */
#ifndef STORE_ROW_H
#define STORE_ROW_H

#include <stdatomic.h>

#include "server/disk/txn.h"
#include "server/store/hasher.h"
#include "server/store/store.h"

#define STORE_BLOCK_ROWS 63u
#define STORE_BLOCK_HEADER_BYTES 48u
#define STORE_ROW_LIVING 1u
#define STORE_ROW_WRITTEN 2u
static_assert(16 + STORE_BLOCK_HEADER_BYTES + STORE_BLOCK_ROWS * 64 == DISK_PAGE_BYTES,
              "a block of rows of 64 bytes fills a page behind LMDB's header");

static inline uint64_t store_row_key(uint32_t generation, uint32_t block)
{
    return (uint64_t)generation << 32 | block;
}

static inline size_t store_row_bytes(size_t code_bytes)
{
    return (STORE_ROW_HEADER_BYTES + code_bytes + 63) & ~(size_t)63;
}

static inline size_t store_block_bytes(size_t row_bytes)
{
    return STORE_BLOCK_HEADER_BYTES + STORE_BLOCK_ROWS * row_bytes;
}

static inline const uint8_t *store_block_row(const uint8_t *block, uint32_t slot, size_t row_bytes)
{
    return block + STORE_BLOCK_HEADER_BYTES + (slot % STORE_BLOCK_ROWS) * row_bytes;
}

static inline uint32_t store_row_check(const uint8_t *row, size_t row_bytes, uint32_t slot,
                                       uint64_t digest)
{
    uint64_t seed = (disk_get_u64(row) ^ digest) + (slot + 1) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)XXH3_64bits_withSeed(row + 12, row_bytes - 12, seed);
}

static inline bool store_row_valid(const uint8_t *row, size_t row_bytes, uint32_t slot,
                                   uint64_t digest)
{
    return disk_get_u32(row + 8) == store_row_check(row, row_bytes, slot, digest);
}

/* The block of the rows that txn->state speaks of; its header and length are checked, its rows are
 * not. NULL with *fault. */
const uint8_t *store_block_get(const struct disk_txn *txn, uint32_t block,
                               struct proto_fault *fault);

/* For each block of rows the transaction that wrote it last, so that a view knows which of its
 * pointers still hold. Read without locks while it grows. */
#define STORE_STAMP_SEGMENT 4096u
#define STORE_STAMP_SEGMENTS (PROTO_ACCOUNTS_MAX / STORE_BLOCK_ROWS / STORE_STAMP_SEGMENT + 1)
struct store_stamps {
    _Atomic(_Atomic uint64_t *) segments[STORE_STAMP_SEGMENTS];
};

void store_stamps_fini(struct store_stamps *stamps);
/* 0: not written since the store was opened. */
static inline uint64_t store_stamp(const struct store_stamps *stamps, uint32_t block)
{
    _Atomic uint64_t *segment =
        atomic_load_explicit(&stamps->segments[block / STORE_STAMP_SEGMENT], memory_order_acquire);
    return segment == NULL
               ? 0
               : atomic_load_explicit(&segment[block % STORE_STAMP_SEGMENT], memory_order_acquire);
}
/* Before the commit of transaction `txn`, which changes the block. */
bool store_stamp_set(struct store_stamps *stamps, uint32_t block, uint64_t txn,
                     struct proto_fault *fault);

/* Turns records into rows. */
struct store_row_maker {
    const struct store_encoder *encoder; /* NULL: there is nothing to make them with */
    const struct store_hasher *hasher;
    struct feature_value *values;
    size_t value_room;
    uint8_t *codes; /* what the encoder writes */
    size_t code_room;
};

void store_row_maker_fini(struct store_row_maker *maker);
/* Makes room for another encoder, which must outlive its use; NULL: for none. On a fault there is
 * none. */
bool store_row_maker_set(struct store_row_maker *maker, const struct store_encoder *encoder,
                         struct proto_fault *fault);
/* The row of one record, or of a deleted slot for an empty span; row_bytes as store_row_bytes of
 * the encoder's code_bytes. */
bool store_row_make(struct store_row_maker *maker, uint32_t slot, struct proto_span record,
                    uint8_t *row, struct proto_fault *fault);

/* Writes rows, a block at a time. */
struct store_row_writer {
    struct disk_txn *txn;
    struct store_stamps *stamps;
    uint8_t *block;
    size_t block_room;
    uint32_t number; /* of the block that is loaded */
    bool loaded;
};

void store_row_writer_fini(struct store_row_writer *writer);
/* Begins with a transaction, whose state says what rows there are. */
void store_row_writer_begin(struct store_row_writer *writer, struct disk_txn *txn);
/* Where the row of the slot is to be written, row_bytes of the state; until the next call. NULL on
 * a fault. Slots best ascend. `anew`: nothing of the block that the slot is in is needed. */
uint8_t *store_row_place(struct store_row_writer *writer, uint32_t slot, bool anew,
                         struct proto_fault *fault);
/* Writes the block that is loaded. */
bool store_row_flush(struct store_row_writer *writer, struct proto_fault *fault);

#endif
