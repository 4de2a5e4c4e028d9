/* SPDX-License-Identifier: Apache-2.0 */
/* The table `account`: the record of each slot.
 *
 *    0 u64 check, over the rest and the slot   8 u32 flags: 1 deleted   12 u32 record bytes   16
 * record
 *
 * A deleted slot keeps an entry without a record: every slot below `slots` has an entry, so one
 * that is missing is damage and not an answer. Also the one place that resolves a text through
 * table `id`. Ownership: spans borrow from the transaction. Errors: PROTO_CORRUPT. Threads: reading
 * any, writing the writer. Cost: reading one mdb_get (960 ns in a tree of 1 M) and one XXH3 of the
 * record. */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "server/store/bucket.h"

#define STORE_ACCOUNT_HEADER_BYTES 16

struct store_account {
    bool deleted;
    uint64_t check;
    struct proto_span record; /* empty if deleted */
};

/* slot < txn->state.slots. */
bool store_account_get(const struct disk_txn *txn, uint32_t slot, struct store_account *account,
                       struct proto_fault *fault);
/* Writes the record with these stamps, or a deleted entry for an empty one, and keeps the sums.
 * `was` is what is there now, NULL for a new slot, which must be the next one of the table. */
bool store_account_put(struct disk_txn *txn, uint32_t slot, const struct store_account *was,
                       struct proto_span record, uint32_t created_s, uint32_t changed_s,
                       struct proto_fault *fault);

/* Slot that a text names: through table id, and by the stored text where a hash is found. slot is
 * STORE_NO_SLOT if there is none; false only on a fault. */
bool store_resolve(const struct disk_txn *txn, enum store_kind kind, struct proto_span text,
                   uint64_t hash, uint32_t *slot, struct proto_fault *fault);
/* True if the record has this id or key. */
bool store_record_has(struct proto_span record, enum store_kind kind, struct proto_span text);

#endif
