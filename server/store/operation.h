/* SPDX-License-Identifier: Apache-2.0 */
/* Operations that were applied, by the id that a client gave them: a repeated one is answered as
 * the first time, and applied once.
 *
 * The id travels in the batch, as its last command (command.h), so whoever replays the log knows
 * it. Beside that, table `operation` holds what came of it, so that it outlives the log entry:
 *
 *    key = sequence of the log entry
 *    0 u64 check (table check)    8 i64 time, ms since 1970    16 u64 × 2 hash of the id
 *   32 u64 digest of the request 40 u32 count  44 u32 created  48 u32 version  52 u32 previous
 *   56 u64 reserved (0)
 *
 * An id is known by 128 bits of XXH3 with the store's seed. Operations are kept for
 * PROTO_OPERATION_SECONDS, PROTO_OPERATIONS_MAX of them; older ones are forgotten.
 *
 *   _answer ─▶ plan ─▶ _reserve ─▶ applied, appended ─▶ _add ─▶ … ─▶ _write, into the tables
 *                                        lost: _take_back
 *
 * Memory: 64 bytes an operation and 8 of an index, from 1,024 operations on by doubling. Ownership:
 * embedded. Errors: PROTO_NO_MEMORY, PROTO_CORRUPT. Threads: any, a mutex within; who adds is one.
 * Cost: finding and adding some 100 ns, writing an LMDB put of 64 bytes. */
#ifndef STORE_OPERATION_H
#define STORE_OPERATION_H

#include <pthread.h>

#include "server/disk/txn.h"
#include "server/store/command.h"
#include "server/store/hasher.h"

#define STORE_OPERATION_VALUE_BYTES 64

struct store_operation {
    uint64_t seq;
    int64_t time_ms;
    uint64_t id[2]; /* hash */
    uint64_t digest;
    uint32_t count, created, version, previous;
};

struct store_operations {
    pthread_mutex_t mutex;
    uint64_t seed;
    size_t most;     /* kept */
    int64_t keep_ms; /* for so long */
    /* A ring by sequence: positions from first to next, each at position & (capacity - 1). */
    struct store_operation *ring;
    size_t capacity; /* 0, or a power of two */
    uint64_t first, next;
    uint32_t *cells;      /* place in the ring + 1, by hash; twice the capacity */
    uint64_t written;     /* sequence up to which the table holds them */
    uint64_t table_first; /* no entry of the table is older */
};

bool store_operations_init(struct store_operations *operations);
void store_operations_fini(struct store_operations *operations);
/* What the table holds, at opening. */
bool store_operations_load(struct store_operations *operations, const struct store_hasher *hasher,
                           const struct disk_txn *txn, struct proto_fault *fault);
/* The answer to a batch whose operation was applied before, or that only asks; false: it is to be
 * planned. */
bool store_operations_answer(struct store_operations *operations, const struct store_batch *batch,
                             int64_t now_ms, struct store_result *result);
/* Makes sure that one more can be added. */
bool store_operations_reserve(struct store_operations *operations, struct proto_fault *fault);
/* What came of the operation of that id, whose entry of the log is result->seq: sequences ascend.
 * Forgets the oldest if there are too many. */
void store_operations_add(struct store_operations *operations, struct proto_span id,
                          uint64_t digest, int64_t time_ms, const struct store_result *result);
/* Forgets those that are older than they are kept, as of a commit of that time. */
void store_operations_expire(struct store_operations *operations, int64_t now_ms);
/* Forgets those above the sequence: they did not happen. */
void store_operations_take_back(struct store_operations *operations, uint64_t seq);
/* Brings those up to the sequence into the table, and takes out of memory and table what is older
 * than it is kept; of what is to go some is left for the next time. If the transaction is not
 * committed, call it again with the next: it goes by what the table holds. */
bool store_operations_write(struct store_operations *operations, struct disk_txn *txn, uint64_t seq,
                            int64_t now_ms, struct proto_fault *fault);
/* The transaction of the last write was committed. */
void store_operations_written(struct store_operations *operations, uint64_t seq);
size_t store_operations_count(struct store_operations *operations);

#endif
