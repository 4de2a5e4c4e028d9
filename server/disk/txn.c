/* SPDX-License-Identifier: Apache-2.0 */
/* A write transaction begins from the state of the commit before, puts and deletes, and ends with
 * one commit that writes the state beside the data; then the witness and the tail of the file
 * follow. Whatever fails on the way leaves the store as it was: the caller aborts. A read
 * transaction that sees a state of another snapshot is refused as damage. */
#include "server/disk/txn.h"

#include <lmdb.h>

#include "server/disk/meta.h"

enum { ENTRY_BYTES_LEAST = 8 }; /* every value begins with its check */

bool disk_txn_write(struct disk_txn *txn, const struct disk_env *env, struct proto_fault *fault)
{
    txn->env = env;
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn->mdb);
    if (code != MDB_SUCCESS) {
        return disk_env_fault(env, code, "beginning a transaction", fault);
    }
    if (disk_txn_load(txn, fault)) {
        return true;
    }
    disk_txn_abort(txn);
    return false;
}

static bool txn_begin_read(struct disk_txn *txn, const struct disk_env *env,
                           struct proto_fault *fault)
{
    txn->env = env;
    int code = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &txn->mdb);
    return code == MDB_SUCCESS || disk_env_fault(env, code, "beginning to read", fault);
}

bool disk_txn_read(struct disk_txn *txn, const struct disk_env *env, struct proto_fault *fault)
{
    if (!txn_begin_read(txn, env, fault)) {
        return false;
    }
    if (disk_txn_load(txn, fault)) {
        return true;
    }
    disk_txn_abort(txn);
    return false;
}

bool disk_txn_open(struct disk_txn *txn, const struct disk_env *env, struct proto_fault *fault)
{
    if (!txn_begin_read(txn, env, fault)) {
        return false;
    }
    mdb_txn_reset(txn->mdb);
    return true;
}

bool disk_txn_renew(struct disk_txn *txn, struct proto_fault *fault)
{
    int code = mdb_txn_renew(txn->mdb);
    if (code != MDB_SUCCESS) {
        return disk_env_fault(txn->env, code, "renewing a view", fault);
    }
    if (disk_txn_load(txn, fault)) {
        return true;
    }
    mdb_txn_reset(txn->mdb);
    return false;
}

void disk_txn_rest(struct disk_txn *txn)
{
    mdb_txn_reset(txn->mdb);
}

uint64_t disk_txn_number(const struct disk_txn *txn)
{
    return mdb_txn_id(txn->mdb);
}

bool disk_txn_load(struct disk_txn *txn, struct proto_fault *fault)
{
    struct proto_span value;
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_META, DISK_STATE_KEY, &value, fault);
    if (got == DISK_GOT_NONE) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "the store has no state");
    }
    /* A write transaction has the number that it will commit under; what it sees is one older. */
    uint64_t seen = mdb_txn_id(txn->mdb);
    MDB_envinfo info;
    mdb_env_info(txn->env->mdb, &info);
    if (seen > info.me_last_txnid) {
        seen = info.me_last_txnid;
    }
    return got == DISK_GOT_ONE && disk_state_decode(value, seen, &txn->state, fault);
}

/* A meta page that was not written may all the same be on disk: then nobody must be told that
 * nothing was changed. LMDB says so only to the next transaction. */
static bool commit_fault(const struct disk_env *env, int code, struct proto_fault *fault)
{
    MDB_txn *next;
    int after = mdb_txn_begin(env->mdb, NULL, MDB_RDONLY, &next);
    if (after == MDB_SUCCESS) {
        mdb_txn_abort(next);
    }
    return disk_env_fault(env, after == MDB_PANIC ? after : code, "committing", fault);
}

bool disk_txn_commit(struct disk_txn *txn, struct proto_fault *fault)
{
    txn->state.txn = mdb_txn_id(txn->mdb);
    uint8_t *at =
        disk_txn_put(txn, DISK_TABLE_META, DISK_STATE_KEY, DISK_STATE_BYTES, DISK_PUT_ANY, fault);
    if (at == NULL) {
        disk_txn_abort(txn);
        return false;
    }
    disk_state_encode(&txn->state, at);
    int code = mdb_txn_commit(txn->mdb);
    txn->mdb = NULL;
    if (code != MDB_SUCCESS) {
        return commit_fault(txn->env, code, fault);
    }
    int fd;
    if (mdb_env_get_fd(txn->env->mdb, &fd) == MDB_SUCCESS) {
        disk_meta_witness(fd, txn->env->witness_fd);
    }
    disk_env_stretch(txn->env);
    return true;
}

void disk_txn_abort(struct disk_txn *txn)
{
    mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
}

enum disk_got disk_txn_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                           struct proto_span *value, struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    MDB_val data;
    int code = mdb_get(txn->mdb, txn->env->tables[table], &name, &data);
    if (code == MDB_NOTFOUND) {
        return DISK_GOT_NONE;
    }
    if (code != MDB_SUCCESS) {
        disk_env_fault(txn->env, code, "reading", fault);
        return DISK_GOT_FAULT;
    }
    *value = (struct proto_span){data.mv_data, data.mv_size};
    return DISK_GOT_ONE;
}

uint8_t *disk_txn_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                      enum disk_put how, struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    MDB_val data = {bytes, NULL};
    unsigned flags = MDB_RESERVE;
    flags |= how == DISK_PUT_LAST ? MDB_APPEND : how == DISK_PUT_NEW ? MDB_NOOVERWRITE : 0;
    int code = mdb_put(txn->mdb, txn->env->tables[table], &name, &data, flags);
    if (code == MDB_KEYEXIST) {
        code = MDB_CORRUPTED;
    }
    if (code != MDB_SUCCESS) {
        disk_env_fault(txn->env, code, "writing", fault);
        return NULL;
    }
    return data.mv_data;
}

bool disk_txn_delete(struct disk_txn *txn, enum disk_table table, uint64_t key,
                     struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    int code = mdb_del(txn->mdb, txn->env->tables[table], &name, NULL);
    return code == MDB_SUCCESS || disk_env_fault(txn->env, code, "deleting", fault);
}

bool disk_txn_empty(struct disk_txn *txn, enum disk_table table, struct proto_fault *fault)
{
    int code = mdb_drop(txn->mdb, txn->env->tables[table], 0);
    if (code != MDB_SUCCESS) {
        return disk_env_fault(txn->env, code, "emptying a table", fault);
    }
    txn->state.sums[table] = (struct disk_sum){0};
    return true;
}

bool disk_cursor_open(struct disk_cursor *cursor, const struct disk_txn *txn, enum disk_table table,
                      struct proto_fault *fault)
{
    *cursor = (struct disk_cursor){.txn = txn};
    int code = mdb_cursor_open(txn->mdb, txn->env->tables[table], &cursor->mdb);
    return code == MDB_SUCCESS || disk_env_fault(txn->env, code, "reading", fault);
}

void disk_cursor_close(struct disk_cursor *cursor)
{
    mdb_cursor_close(cursor->mdb);
    cursor->mdb = NULL;
}

static enum disk_got cursor_move(struct disk_cursor *cursor, uint64_t from, MDB_cursor_op op,
                                 struct proto_fault *fault)
{
    MDB_val key = {sizeof from, &from};
    MDB_val data;
    int code = mdb_cursor_get(cursor->mdb, &key, &data, op);
    if (code == MDB_NOTFOUND) {
        return DISK_GOT_NONE;
    }
    if (code != MDB_SUCCESS) {
        disk_env_fault(cursor->txn->env, code, "reading", fault);
        return DISK_GOT_FAULT;
    }
    bool ours = key.mv_size == sizeof cursor->key && data.mv_size >= ENTRY_BYTES_LEAST;
    cursor->key = ours ? disk_get_u64(key.mv_data) : UINT64_MAX;
    cursor->value = ours ? (struct proto_span){data.mv_data, data.mv_size} : (struct proto_span){0};
    return DISK_GOT_ONE;
}

enum disk_got disk_cursor_next(struct disk_cursor *cursor, struct proto_fault *fault)
{
    return cursor_move(cursor, 0, MDB_NEXT, fault);
}

enum disk_got disk_cursor_seek(struct disk_cursor *cursor, uint64_t key, struct proto_fault *fault)
{
    return cursor_move(cursor, key, MDB_SET_RANGE, fault);
}

enum disk_got disk_cursor_before(struct disk_cursor *cursor, uint64_t key,
                                 struct proto_fault *fault)
{
    enum disk_got got = disk_cursor_seek(cursor, key, fault);
    if (got == DISK_GOT_FAULT) {
        return got;
    }
    return cursor_move(cursor, 0, got == DISK_GOT_ONE ? MDB_PREV : MDB_LAST, fault);
}
