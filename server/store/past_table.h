/* SPDX-License-Identifier: Apache-2.0 */
/* Table `history`: slot → what values of its account were before (past.h). Whether a slot has a
 * value says its entry in table `account`, so that one that a damaged page hides is damage and not
 * an account that never changed.
 *
 * Ownership: groups borrow from overlay and transaction. Errors: PROTO_CORRUPT, those of the
 * tables. Threads: the transaction's owner. Cost: a look-up, and a probe of each generation. */
#ifndef STORE_PAST_TABLE_H
#define STORE_PAST_TABLE_H

#include "server/store/past.h"
#include "server/store/sight.h"
#include "server/store/store_account.h"

/* The value that is there, or that `must` be; adds it to the history. */
bool store_past_table_get(const struct disk_txn *txn, uint32_t slot, bool must,
                          struct store_history *history, struct proto_fault *fault);
/* Puts it in the place of what is there, and keeps the sums. */
bool store_past_table_put(struct disk_txn *txn, uint32_t slot, const struct store_history *history,
                          struct proto_fault *fault);
/* Takes it away. What lies behind a damaged page cannot be: then an empty one says that nothing
 * was. */
bool store_past_table_clear(struct disk_txn *txn, uint32_t slot, struct proto_fault *fault);

/* What the sight shows of a living account, trimmed; to be given back with store_history_fini, also
 * after a fault. */
bool store_history_read(const struct store_sight *sight, uint32_t slot,
                        struct store_history *history, struct proto_fault *fault);

#endif
