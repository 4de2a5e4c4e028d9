/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions of the environment, and the only way to its tables: every key and value that is
 * read, by name or by a cursor, comes through here.
 *
 * Reading follows pages by itself (tree.h): a damaged page costs the keys below it and nothing
 * else. Writing is LMDB's, which a damaged page would end: it is asked for a key only where every
 * page that it will touch was found sound. A value whose place is behind a damaged page goes to the
 * table `aside`, under a hash of its table and key, and is read from there before it is looked for
 * in its place; a walk does not find it.
 *
 * A read transaction is a snapshot; it can rest and be renewed, which costs 230 ns instead of a
 * new one. The one write transaction has the state that it will leave behind in `state`; committing
 * writes it. Ownership: a transaction is its owner's, to be ended once; keys and values borrow from
 * it, and from a write transaction until its next write. Errors: what disk_env_fault makes of
 * LMDB's codes, PROTO_CORRUPT for a state that is not of the snapshot. Threads: one at a time for
 * each transaction (MDB_NOTLS). Cost: a get in a tree of 1 M entries 960 ns. */
#ifndef DISK_TXN_H
#define DISK_TXN_H

#include "server/disk/env.h"
#include "server/disk/tree.h"

struct disk_span {
    bool known;
    uint64_t low, high;
};

/* What a write has found sound so far. */
struct disk_ways {
    bool aside; /* the table of that name has something */
    struct disk_way put[DISK_TABLE_COUNT];
    struct disk_span gone[DISK_TABLE_COUNT]; /* keys that may be deleted */
};

/* A transaction with the state that it sees (read) or will leave behind (write). */
struct disk_txn {
    const struct disk_env *env;
    struct disk_env *grows; /* of a write: the same, whose file its commit stretches; else NULL */
    struct MDB_txn *mdb;
    struct disk_state state;
    struct disk_tree trees[DISK_TABLE_COUNT]; /* as they were committed */
    struct disk_ways *ways;                   /* of a write; NULL: a read, or a store being made */
};

bool disk_txn_write(struct disk_txn *txn, struct disk_env *env, struct proto_fault *fault);
/* Writes the state and commits; on a fault nothing has changed. The transaction is over either way.
 */
bool disk_txn_commit(struct disk_txn *txn, struct proto_fault *fault);
/* Ends a transaction of either kind; what it wrote is forgotten. */
void disk_txn_abort(struct disk_txn *txn);
/* A snapshot of now, with its state. */
bool disk_txn_read(struct disk_txn *txn, const struct disk_env *env, struct proto_fault *fault);
/* A read transaction that rests: nothing can be read before it is renewed. */
bool disk_txn_open(struct disk_txn *txn, const struct disk_env *env, struct proto_fault *fault);
/* Moves one that rests to a snapshot of now. On a fault it goes on resting. */
bool disk_txn_renew(struct disk_txn *txn, struct proto_fault *fault);
void disk_txn_rest(struct disk_txn *txn);
/* Reads the state that the transaction sees. */
bool disk_txn_load(struct disk_txn *txn, struct proto_fault *fault);
/* Number of the snapshot, or the one that a write transaction will commit under. */
uint64_t disk_txn_number(const struct disk_txn *txn);

enum disk_got disk_txn_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                           struct proto_span *value, struct proto_fault *fault);
/* How a value is put: anywhere, over what is there; after the last key of the table; where nothing
 * is yet. Where the table contradicts the latter two, an older page stands in the place of a newer
 * one, perhaps: the value is put aside, and the scrub finds that counts do not add up. */
enum disk_put { DISK_PUT_ANY, DISK_PUT_LAST, DISK_PUT_NEW };
/* Makes room for a value and returns where it goes: to be filled before the next call. NULL on a
 * fault: the transaction must be aborted. */
uint8_t *disk_txn_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                      enum disk_put how, struct proto_fault *fault);
/* Deleting what is not there is corruption: the caller knows that it is. Behind a damaged page
 * nothing can be deleted: PROTO_CORRUPT, and the transaction goes on. */
bool disk_txn_delete(struct disk_txn *txn, enum disk_table table, uint64_t key,
                     struct proto_fault *fault);

/* What an entry of table `aside` stands for. */
bool disk_aside_open(uint64_t at, struct proto_span value, enum disk_table *table, uint64_t *key,
                     struct proto_span *inner);

/* Takes every entry out of a table. */
bool disk_txn_empty(struct disk_txn *txn, enum disk_table table, struct proto_fault *fault);

/* A walk of one table in the order of its keys; ends before its transaction does, and before that
 * writes. */
struct disk_cursor {
    const struct disk_txn *txn;
    enum disk_table table;
    struct MDB_cursor *mdb; /* of a write: what it wrote must be seen */
    struct disk_span sound; /* and what LMDB may step through */
    struct disk_walk walk;  /* of a read */
    bool begun, thorough;
    uint64_t key;            /* of the entry that was got */
    struct proto_span value; /* empty: what stands there is no entry of ours, and is damage */
};

bool disk_cursor_open(struct disk_cursor *cursor, const struct disk_txn *txn, enum disk_table table,
                      struct proto_fault *fault);
void disk_cursor_close(struct disk_cursor *cursor);
/* Has a walk of a read examine every page whole, also what no look-up needs. Before it begins. */
void disk_cursor_thorough(struct disk_cursor *cursor);
/* The next entry, the first at the beginning. After DISK_GOT_FAULT with PROTO_CORRUPT a read may go
 * on: the next call gives what stands behind the damage. */
enum disk_got disk_cursor_next(struct disk_cursor *cursor, struct proto_fault *fault);
/* Of a read: the next entry is the first at or above `key`. True. */
bool disk_cursor_from(struct disk_cursor *cursor, uint64_t key);
/* The first entry at or above `key`. */
enum disk_got disk_cursor_seek(struct disk_cursor *cursor, uint64_t key, struct proto_fault *fault);
/* The last entry below `key`. */
enum disk_got disk_cursor_before(struct disk_cursor *cursor, uint64_t key,
                                 struct proto_fault *fault);

#endif
