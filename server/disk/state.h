/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a store: every number that is not in a table of its own. One value of 640 bytes,
 * written in each transaction, so that counts, versions and data can never disagree. The layout is
 * state.def.
 *
 *    0  u64 check   8 … 111 fields of state.def   112 … 479 sums: per table u64 count, u64 digest;
 *    of tables that there are not 0   480 … 639 fields of state.def, others 0
 *
 * A digest is the exclusive or of the checks of all values of the table: it can be kept up to date
 * by taking the old check out and putting the new one in. Threads: a plain value. Errors:
 * PROTO_CORRUPT. */
#ifndef DISK_STATE_H
#define DISK_STATE_H

#include "server/disk/layout.h"

#define DISK_STATE_BYTES 640
#define DISK_STATE_SUMS_AT 112
#define DISK_STATE_SUMS_MAX 23 /* tables that there is room for */
/* The state as it was before there were target account lists and vectors, before there was history
 * (sums end there), before there were definitions of metrics and challenges, and before histories
 * came in pieces. Read, and written anew in full by the next commit. */
#define DISK_STATE_BYTES_FIRST 256
#define DISK_STATE_BYTES_SECOND 320
#define DISK_STATE_BYTES_THIRD 512
#define DISK_STATE_BYTES_FOURTH 576
#define DISK_STATE_KEY 1
#define DISK_FORMAT_BYTES 64
#define DISK_FORMAT_KEY 0

struct disk_sum {
    uint64_t count;
    uint64_t digest;
};

struct disk_state {
#define X(offset, bits, name, meaning) uint##bits##_t name;
#include "server/disk/state.def"
#undef X
    struct disk_sum sums[DISK_TABLE_COUNT];
};

void disk_state_encode(const struct disk_state *state, uint8_t bytes[DISK_STATE_BYTES]);
/* Checks size, check and reserved bytes, and that it was written by transaction `txn`. */
bool disk_state_decode(struct proto_span bytes, uint64_t txn, struct disk_state *state,
                       struct proto_fault *fault);

/* What is decided once, when a store is made (table meta, key 0):
 *    0 u64 check   8 u32 magic "ICS1"   12 u32 format version   16 u64 seed of ids   24 u64 seed of
 * keys 32 i64 created, ms since 1970   40 … 63 reserved (0) */
struct disk_format {
    uint64_t seeds[2];
    int64_t created_ms;
    uint32_t version;
};

void disk_format_encode(const struct disk_format *format, uint8_t bytes[DISK_FORMAT_BYTES]);
bool disk_format_decode(struct proto_span bytes, struct disk_format *format,
                        struct proto_fault *fault);

/* Keeps count and digest of a table when a value changes: old and new checks, 0 for "there is
 * none". */
static inline void disk_sum_change(struct disk_state *state, enum disk_table table, bool had,
                                   uint64_t had_check, bool has, uint64_t has_check)
{
    struct disk_sum *sum = &state->sums[table];
    sum->count += (uint64_t)has - (uint64_t)had;
    sum->digest ^= (had ? had_check : 0) ^ (has ? has_check : 0);
}

#endif
