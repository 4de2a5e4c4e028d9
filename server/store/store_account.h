/* SPDX-License-Identifier: Apache-2.0 */
/* The table `account`: the record of each slot.
 *
 *    0 u64 check, over the rest and the slot   8 u32 flags: 1 deleted, 2 table `history` has a
 *   value of the slot, 4 identity entries name it, 8 it is a fold, 16 of history in pieces
 *   12 u32 record bytes
 *   16 record, then u64 sequence that made the account; 0, or left out as before there was history:
 *   not known; then with 16 u32 run of the newest piece of its history (past_piece.h), which the
 *   fold knows: 0 until then; then with 4 u32 newest entry that names it, u32 slot of its fold (all
 * ones: none), with 8 the slots of its source records, u32 each, the one that gives the id first
 *
 * A fold is what several source records come to (plan_fold.c): an account like any other, whose
 * record is worked out. Its source records keep their slots, events and histories, and are nobody's
 * answer while they have a fold: their ids and keys name the fold.
 *
 * A deleted slot keeps an entry without a record: every slot below `slots` has an entry, so one
 * that is missing is damage and not an answer. Also the one place that resolves a text through
 * table `id`. Ownership: spans borrow from the transaction. Errors: PROTO_CORRUPT. Threads: reading
 * any, writing the writer. Cost: reading one mdb_get (960 ns in a tree of 1 M) and one XXH3 of the
 * record. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include <assert.h>

#include "server/store/bucket.h"
#include "server/store/sight.h"

#define STORE_ACCOUNT_HEADER_BYTES 16

struct store_account {
    bool deleted;
    bool past;      /* there is history (past.h) */
    uint32_t run;   /* of its newest piece in the tables; of the overlay it is not known */
    uint32_t entry; /* newest identity entry that names it; 0: none does */
    uint32_t fold;  /* slot of the account that it is a source record of; STORE_NO_SLOT: none */
    struct proto_span members; /* of a fold: slots of its source records, u32 each */
    uint64_t begun;            /* sequence that made it; 0: not known */
    uint64_t check;
    struct proto_span value;  /* as it is stored */
    struct proto_span record; /* empty if deleted */
};

/* slot < sight->state->slots. */
bool store_account_get(const struct store_sight *sight, uint32_t slot,
                       struct store_account *account, struct proto_fault *fault);

/* Whether it answers for itself: it is there, and no source record of another. */
static inline bool store_account_answers(const struct store_account *account)
{
    return !account->deleted && account->fold == STORE_NO_SLOT;
}
static inline uint32_t store_member(struct proto_span members, size_t index)
{
    assert(members.data != NULL);
    return disk_get_u32(members.data + index * sizeof(uint32_t));
}
static inline size_t store_member_count(struct proto_span members)
{
    return members.bytes / sizeof(uint32_t);
}

/* What the store says of an account beside its record. */
struct store_account_stamp {
    uint32_t created_s;
    uint32_t changed_s;
    uint64_t begun;
    bool past;
    uint32_t entry;
    uint32_t fold; /* STORE_NO_SLOT: none */
    struct proto_span members;
};
size_t store_account_bytes(struct proto_span record, const struct store_account_stamp *stamp);
/* The record within a value, which is not judged; empty if there is none. */
static inline struct proto_span store_account_record(struct proto_span value)
{
    size_t most =
        value.bytes < STORE_ACCOUNT_HEADER_BYTES ? 0 : value.bytes - STORE_ACCOUNT_HEADER_BYTES;
    size_t bytes = most == 0 ? 0 : disk_get_u32(value.data + 12);
    return bytes > most ? (struct proto_span){NULL, 0}
                        : (struct proto_span){value.data + STORE_ACCOUNT_HEADER_BYTES, bytes};
}
/* The record of which a row is made: empty where the account does not answer for itself. */
struct proto_span store_account_shown(struct proto_span value);
/* The value that holds the record with these stamps, or says deleted for an empty one, into
 * store_account_bytes at `at`. */
void store_account_encode(uint8_t *at, uint32_t slot, struct proto_span record,
                          const struct store_account_stamp *stamp);
/* Puts such a value into the table, with the run of its history if it has any, and keeps the sums.
 * `fresh`: the slot is the next one of the table. */
bool store_account_put(struct disk_txn *txn, uint32_t slot, bool fresh, struct proto_span value,
                       uint32_t run, struct proto_fault *fault);

/* Slot that a text names: by the overlay, or through table id, and by the stored text where a hash
 * is found. slot is STORE_NO_SLOT if there is none; false only on a fault. */
bool store_resolve(const struct store_sight *sight, enum store_kind kind, struct proto_span text,
                   uint64_t hash, uint32_t *slot, struct proto_fault *fault);
/* True if the record has this id or key. */
bool store_record_has(struct proto_span record, enum store_kind kind, struct proto_span text);
/* Whether the text names the account as it is stored: its id or a key, or, of a fold, the id of one
 * of its source records. A source record is named by nothing. False on a fault. */
bool store_account_named(const struct store_sight *sight, const struct store_account *account,
                         enum store_kind kind, struct proto_span text, bool *named,
                         struct proto_fault *fault);
/* The source record of a fold that has the text; the slot itself of an account that is none.
 * STORE_NO_SLOT with *fault. */
uint32_t store_account_source(const struct store_sight *sight, uint32_t slot, enum store_kind kind,
                              struct proto_span text, struct proto_fault *fault);

#endif
