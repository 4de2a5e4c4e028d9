/* SPDX-License-Identifier: Apache-2.0 */
/* The LMDB environment: the only place where files are opened, and where LMDB's codes become
 * faults.
 *
 * A directory holds data.mdb and lock.mdb of LMDB, store.check (meta.h), and store.lock: an flock
 * on it keeps out a second process as well as a second opening in this process, which LMDB itself
 * would not survive. Before the map is trusted, the two meta pages and the length of the file are
 * read with pread: a file that is too short is refused instead of dying of SIGBUS later. The file
 * is kept longer than its last page by a tail of STORE_TAIL_BYTES without blocks on disk, so that a
 * damaged length within a page never leads past its end.
 *
 * Ownership: the environment owns its handles; keys and values borrow from the transaction.
 * Errors: PROTO_LOCKED, PROTO_CORRUPT, PROTO_DISK_FULL, PROTO_IO, PROTO_NO_MEMORY, PROTO_LIMIT.
 * Threads: immutable after opening; transactions as LMDB says (MDB_NOTLS). Source: LMDB 0.9.24. */
#ifndef STORE_ENV_H
#define STORE_ENV_H

#include <lmdb.h>

#include "server/store/state.h"

/* More than the longest value, which is a batch in the log. */
#define STORE_TAIL_BYTES ((size_t)72 << 20)

struct store_env {
    MDB_env *mdb;
    MDB_dbi tables[STORE_TABLE_COUNT];
    int lock_fd;
    int witness_fd; /* meta.h */
    size_t map_bytes;
    struct store_format format;
};

struct store_env_options {
    const char *path;
    size_t map_bytes;
    unsigned readers;
    int64_t now_ms; /* stamped on a new store */
};

bool store_env_open(struct store_env *env, const struct store_env_options *options,
                    struct proto_fault *fault);
void store_env_close(struct store_env *env);

/* Translates a code of LMDB or errno; `doing` names the step. Always returns false. */
bool store_env_fault(const struct store_env *env, int code, const char *doing,
                     struct proto_fault *fault);
/* Lets go of reader slots of processes that died; returns how many. */
unsigned store_env_clear_readers(const struct store_env *env);
/* Sees to the tail; best effort. Writer thread. */
void store_env_stretch(const struct store_env *env);

/* A transaction with the state that it sees (read) or will leave behind (write). */
struct store_txn {
    const struct store_env *env;
    MDB_txn *mdb;
    struct store_state state;
};

bool store_txn_write(struct store_txn *txn, const struct store_env *env, struct proto_fault *fault);
/* Writes the state and commits; on a fault nothing has changed. The transaction is over either way.
 */
bool store_txn_commit(struct store_txn *txn, struct proto_fault *fault);
void store_txn_abort(struct store_txn *txn);
/* Reads the state that the transaction sees. */
bool store_txn_load(struct store_txn *txn, struct proto_fault *fault);

enum store_got { STORE_GOT_FAULT, STORE_GOT_NONE, STORE_GOT_ONE };
enum store_got store_txn_get(const struct store_txn *txn, enum store_table table, uint64_t key,
                             struct proto_span *value, struct proto_fault *fault);
/* Makes room for a value and returns where it goes: to be filled before the next call. flags: 0 or
 * MDB_APPEND. NULL on a fault: the transaction must be aborted. */
uint8_t *store_txn_put(struct store_txn *txn, enum store_table table, uint64_t key, size_t bytes,
                       unsigned flags, struct proto_fault *fault);
/* Deleting what is not there is corruption: the caller knows that it is. */
bool store_txn_delete(struct store_txn *txn, enum store_table table, uint64_t key,
                      struct proto_fault *fault);

#endif
