/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a finished plan into the transaction: ids, accounts, rows, documents. A fault here is one
 * of the store itself (full, damaged, out of memory): the transaction must be aborted. Ownership:
 * edits are kept by the writer until the commit, for the index in memory. Threads: the writer.
 * Cost: about 5 µs an account with two keys, mostly LMDB's. */
#ifndef STORE_APPLY_H
#define STORE_APPLY_H

#include "server/store/plan.h"
#include "server/store/row.h"

/* Changes of table id by all batches of a commit, in order. */
struct store_edits {
    struct store_id_edit *list;
    size_t count;
    size_t room;
};

bool store_apply(struct disk_txn *txn, struct store_plan *plan, struct store_row_writer *rows,
                 struct store_bucket_room *room, struct store_edits *edits,
                 struct proto_fault *fault);

#endif
