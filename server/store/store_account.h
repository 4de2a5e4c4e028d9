/* SPDX-License-Identifier: Apache-2.0 */
/* The table `account`: the record of each slot.
 *
 *    0 u64 check, over the rest and the slot   8 u32 flags: 1 deleted, 2 table `history` has a
 *   value of the slot   12 u32 record bytes   16 record, then u64 sequence that made the account;
 *   0, or left out as before there was history: not known
 *
 * A deleted slot keeps an entry without a record: every slot below `slots` has an entry, so one
 * that is missing is damage and not an answer. Also the one place that resolves a text through
 * table `id`. Ownership: spans borrow from the transaction. Errors: PROTO_CORRUPT. Threads: reading
 * any, writing the writer. Cost: reading one mdb_get (960 ns in a tree of 1 M) and one XXH3 of the
 * record. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "server/store/bucket.h"
#include "server/store/sight.h"

#define STORE_ACCOUNT_HEADER_BYTES 16

struct store_account {
    bool deleted;
    bool past;      /* there is history (store_past.h) */
    uint64_t begun; /* sequence that made it; 0: not known */
    uint64_t check;
    struct proto_span value;  /* as it is stored */
    struct proto_span record; /* empty if deleted */
};

/* slot < sight->state->slots. */
bool store_account_get(const struct store_sight *sight, uint32_t slot,
                       struct store_account *account, struct proto_fault *fault);

static inline size_t store_account_bytes(struct proto_span record)
{
    return STORE_ACCOUNT_HEADER_BYTES + record.bytes + (record.bytes > 0 ? sizeof(uint64_t) : 0);
}
/* The record within a value, which is not judged; empty if there is none. */
static inline struct proto_span store_account_record(struct proto_span value)
{
    size_t most =
        value.bytes < STORE_ACCOUNT_HEADER_BYTES ? 0 : value.bytes - STORE_ACCOUNT_HEADER_BYTES;
    size_t bytes = most == 0 ? 0 : disk_get_u32(value.data + 12);
    return bytes > most ? (struct proto_span){NULL, 0}
                        : (struct proto_span){value.data + STORE_ACCOUNT_HEADER_BYTES, bytes};
}
/* What the store says of an account beside its record. */
struct store_account_stamp {
    uint32_t created_s;
    uint32_t changed_s;
    uint64_t begun;
    bool past;
};
/* The value that holds the record with these stamps, or says deleted for an empty one, into
 * store_account_bytes at `at`. */
void store_account_encode(uint8_t *at, uint32_t slot, struct proto_span record,
                          const struct store_account_stamp *stamp);
/* Puts such a value into the table and keeps the sums. `fresh`: the slot is the next one of the
 * table. */
bool store_account_put(struct disk_txn *txn, uint32_t slot, bool fresh, struct proto_span value,
                       struct proto_fault *fault);

/* Slot that a text names: by the overlay, or through table id, and by the stored text where a hash
 * is found. slot is STORE_NO_SLOT if there is none; false only on a fault. */
bool store_resolve(const struct store_sight *sight, enum store_kind kind, struct proto_span text,
                   uint64_t hash, uint32_t *slot, struct proto_fault *fault);
/* True if the record has this id or key. */
bool store_record_has(struct proto_span record, enum store_kind kind, struct proto_span text);

#endif
