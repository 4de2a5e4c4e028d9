/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of transactions share: LMDB's own calls, whether they may be made, and the table
 * `aside`. Contract and threads: txn.h. */
#ifndef DISK_TXN_PARTS_H
#define DISK_TXN_PARTS_H

#include "server/disk/txn.h"

/* txn_aside.c. In a write: whether LMDB may be asked for the key. */
bool disk_txn_may_put(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                      struct proto_fault *fault);
bool disk_txn_may_delete(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                         struct proto_fault *fault);
enum disk_got disk_aside_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                             struct proto_span *value, struct proto_fault *fault);
uint8_t *disk_aside_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                        struct proto_fault *fault);

/* LMDB alone. */
enum disk_got disk_mdb_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                           struct proto_span *value, struct proto_fault *fault);
/* PROTO_CONFLICT: the table contradicts `how`; nothing was changed. */
uint8_t *disk_mdb_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                      enum disk_put how, struct proto_fault *fault);

#endif
