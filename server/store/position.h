/* SPDX-License-Identifier: Apache-2.0 */
/* Where a store stands in a shared log that several nodes follow, each with a store of its own.
 *
 * An entry of the shared log becomes one entry of the store's own log, under the same sequence: so
 * a sequence means the same on every node, and what was applied is known by how far the store is.
 * Its batch begins with a command that says where it stands; an entry that is refused, or whose
 * operation was applied before, leaves that command alone behind. Both are written by one append,
 * so whatever kills the process, an entry is applied once or not at all. A batch whose sequence is
 * not the next is not applied.
 *
 *   text of the command:
 *    0 u32 partition (0)   4 u32 reserved (0)   8 u64 sequence   16 u8 × 16 id of the entry
 *   32 u8 × 16 chain, over this entry and all before it, as the shared log says
 *   48 u8 × 16 outcome: XXH3-128 of the outcome before and what came of this entry
 *
 * What comes of an entry is the same on every node that is sound: it has the entry's time, new
 * accounts get the next slot (none of a deleted account, for which of those are free depends on who
 * reads), and what is refused for want of memory or disk, or for damage, is not settled: it is to
 * be given again. Two nodes of the same chain and another outcome have come apart.
 *
 * Ownership: batches are the caller's, payloads are copied. Errors: PROTO_CORRUPT for bytes that
 * are no commands, or not those of a client; PROTO_NO_MEMORY. Threads: store_position_get from any;
 * the rest as store.h. Cost: XXH3 of 53 bytes an entry. */
#ifndef STORE_POSITION_H
#define STORE_POSITION_H

#include "server/disk/state.h"
#include "server/store/store.h"

#define STORE_POSITION_BYTES 64
#define STORE_DIGEST_BYTES 16
#define STORE_ENTRY_ID_BYTES 16

struct store_command;

struct store_shared_entry {
    uint64_t seq; /* above 0 */
    int64_t time_ms;
    uint8_t id[STORE_ENTRY_ID_BYTES];
    uint8_t chain[STORE_DIGEST_BYTES];
    struct proto_span payload; /* commands of a batch */
};

struct store_position {
    uint64_t seq;
    bool follows; /* a shared log; else the digests are zeros */
    uint8_t chain[STORE_DIGEST_BYTES];
    uint8_t outcome[STORE_DIGEST_BYTES];
};

/* The batch of an entry, for store_submit. NULL with *fault. */
struct store_batch *store_batch_shared(const struct store_shared_entry *entry,
                                       struct proto_fault *fault);
/* What a batch that a client gave has to say to the others: its bytes, as an entry carries them;
 * until when it may wait (0: for ever). */
struct proto_span store_batch_payload(const struct store_batch *batch);
int64_t store_batch_waits_until(const struct store_batch *batch);
/* Where the store stands: as of the last commit that is on disk. */
void store_position_get(struct store *store, struct store_position *position);

/* Within the store. The command, as a plan takes it in. */
bool store_position_plan(const struct store_command *command, struct disk_state *next,
                         struct proto_fault *fault);
/* Whether a fault says something of the entry, on every node, and not of this node alone. */
bool store_position_settles(enum proto_error code);
/* What came of the batch: said in its first command, whose digest after it goes into *next. */
void store_position_say(struct store_batch *batch, const struct disk_state *before,
                        const struct store_result *result, struct disk_state *next);
/* Leaves of the batch its position alone. */
void store_position_leave(struct store_batch *batch);
void store_position_of(const struct disk_state *state, struct store_position *position);

#endif
