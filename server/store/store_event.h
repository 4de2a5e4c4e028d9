/* SPDX-License-Identifier: Apache-2.0 */
/* Table `event`: the timeline of each account as blocks, the newest events in block 0, which is
 * written anew until it is full; then its events become the next of the blocks 1, 2 …, which are
 * never changed. Where nothing was told of an account there is no block.
 *
 *    key: slot · 2^32 + number
 *    0 u64 check (table check)
 *    8 u32 of block 0: blocks behind it, bit 31: events were lost; of others: events in it
 *   12 u32 of block 0: events in the blocks behind it; of others 0
 *   16 a block of events (server/event/event_block.h), perhaps an empty one
 *
 * That a slot has no block 0 must be certain, for a damaged page can hide one: as soon as anything
 * was told of any account, a directory says so for each slot that was given, and none of it may be
 * missing:
 *
 *    key: 2^63 + number    0 u64 check    8 u32 number    12 u32 reserved (0)
 *   16 a bit for each of 8,192 slots: block 0 is there
 *
 * What is at fault is found by look-ups, never by a walk, so that a block that was put aside for a
 * damaged page is found. Where block 0 is damaged when events are folded, those blocks behind it
 * that can be read are kept, and the account's timeline is told to be damaged until a repair.
 *
 * Ownership: spans borrow from the transaction, until its next write. Errors: PROTO_CORRUPT, those
 * of the tables. Threads: the transaction's owner. */
#ifndef STORE_STORE_EVENT_H
#define STORE_STORE_EVENT_H

#include "server/disk/txn.h"
#include "server/event/event_block.h"
#include "server/store/sight.h"

#define STORE_EVENT_HEADER_BYTES 16u
#define STORE_EVENT_VALUE_BYTES_MAX (STORE_EVENT_HEADER_BYTES + EVENT_BLOCK_BYTES_MAX)
#define STORE_EVENT_BLOCKS_MAX 0x7fffffffu

struct store_event_head {
    bool there;
    bool lost;              /* some of the account's events are gone */
    uint32_t closed;        /* blocks behind it */
    uint32_t events_closed; /* events in them */
    struct proto_span block;
};

#define STORE_EVENT_DIRECTORY_SLOTS 8192u
#define STORE_EVENT_DIRECTORY_BYTES (STORE_EVENT_HEADER_BYTES + STORE_EVENT_DIRECTORY_SLOTS / 8)
#define STORE_EVENT_DIRECTORY_KEY (UINT64_C(1) << 63)

/* A piece of the directory that a fold works on. */
struct store_event_directory {
    uint8_t value[STORE_EVENT_DIRECTORY_BYTES];
    uint32_t number;
    bool loaded, changed;
};

static inline uint64_t store_event_key(uint32_t slot, uint32_t number)
{
    return (uint64_t)slot << 32 | number;
}

/* Block 0, checked; there = false: nothing was told of the slot. */
bool store_event_head_get(const struct disk_txn *txn, uint32_t slot, struct store_event_head *head,
                          struct proto_fault *fault);
/* The same where `expected` says whether it must be there. */
bool store_event_head_look(const struct disk_txn *txn, uint32_t slot, bool expected,
                           struct store_event_head *head, struct proto_fault *fault);
/* Whether the directory has block 0 of the slot. */
bool store_event_expected(const struct disk_txn *txn, uint32_t slot, bool *expected,
                          struct proto_fault *fault);
/* Pieces of the directory from `first` up to that of the last slot, empty. */
bool store_event_directory_grow(struct disk_txn *txn, uint32_t first, uint32_t slots,
                                struct proto_fault *fault);
/* Makes the slot's piece the one at hand; one that is damaged is made anew of what can be found,
 * and *damaged set. */
bool store_event_directory_load(struct disk_txn *txn, struct store_event_directory *directory,
                                uint32_t slot, bool *damaged, struct proto_fault *fault);
bool store_event_directory_flush(struct disk_txn *txn, struct store_event_directory *directory,
                                 struct proto_fault *fault);
static inline bool store_event_directory_has(const struct store_event_directory *directory,
                                             uint32_t slot)
{
    uint32_t bit = slot % STORE_EVENT_DIRECTORY_SLOTS;
    return (directory->value[STORE_EVENT_HEADER_BYTES + bit / 8] >> bit % 8 & 1) != 0;
}
void store_event_directory_mark(struct store_event_directory *directory, uint32_t slot, bool has);
/* Seals a piece as its value. */
void store_event_directory_seal(uint8_t value[STORE_EVENT_DIRECTORY_BYTES], uint32_t number);

/* One of the blocks behind it; PROTO_CORRUPT if it is not there. */
bool store_event_block_get(const struct disk_txn *txn, uint32_t slot, uint32_t number,
                           struct proto_span *block, struct proto_fault *fault);
/* Whether a value is one of the table, with that key; for scrub and repair. */
bool store_event_value_open(uint64_t key, struct proto_span value, struct store_event_head *head);

/* Encodes the events of the writer as the block of that number: a value of the table. `out` has
 * room for STORE_EVENT_VALUE_BYTES_MAX; returns its bytes. */
size_t store_event_encode(const struct event_block_writer *writer, uint32_t slot, uint32_t number,
                          const struct store_event_head *head, uint8_t *out);
/* Puts a value over what is there, and keeps the sums. */
bool store_event_put(struct disk_txn *txn, uint64_t key, struct proto_span value,
                     struct proto_fault *fault);
/* Takes the slot's blocks away, also from its piece of the directory. What lies behind a damaged
 * page cannot be: then an empty block 0 says that nothing is behind it. */
bool store_event_clear(struct disk_txn *txn, struct store_event_directory *directory, uint32_t slot,
                       struct proto_fault *fault);

/* What is stored of an event's source and id. */
struct store_event_found {
    bool any;       /* something was told of the slot that stands */
    bool there;     /* the event is stored */
    bool same;      /* and tells the same */
    uint32_t count; /* events of the account, more than those that are looked at perhaps */
};
/* Looks for an event over overlay and tables; the writer. Cost: a probe of each generation, a
 * look-up of each block. */
bool store_event_find(const struct store_sight *sight, uint32_t slot, const struct event *event,
                      uint64_t hash, struct store_event_found *found, struct proto_fault *fault);
/* Whether anything is told of the slot. */
bool store_event_any(const struct store_sight *sight, uint32_t slot, bool *any,
                     struct proto_fault *fault);

#endif
