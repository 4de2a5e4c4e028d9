/* SPDX-License-Identifier: Apache-2.0 */
/* A write transaction begins from the state of the commit before, puts and deletes, and ends with
 * one commit that writes the state beside the data; then the witness and the tail of the file
 * follow. Whatever fails on the way leaves the store as it was: the caller aborts. A read
 * transaction that sees a state of another snapshot is refused as damage. What stands behind a
 * damaged page is put aside (txn_aside.c). */
#include "server/disk/txn.h"

#include <lmdb.h>
#include <stdlib.h>

#include "server/disk/meta.h"
#include "server/disk/trunk.h"
#include "server/disk/txn_parts.h"

enum {
    ENTRY_BYTES_LEAST = 8, /* every value begins with its check */
    RENEWALS_MAX = 1000,   /* two commits in the time that one of these takes */
};

bool disk_txn_write(struct disk_txn *txn, struct disk_env *env, struct proto_fault *fault)
{
    *txn = (struct disk_txn){.env = env, .grows = env};
    struct disk_ways *ways = calloc(1, sizeof *ways);
    if (ways == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a transaction");
    }
    int code = mdb_txn_begin(env->mdb, NULL, 0, &txn->mdb);
    if (code != MDB_SUCCESS) {
        free(ways);
        return disk_env_fault(env, code, "beginning a transaction", fault);
    }
    bool good = disk_txn_load(txn, fault);
    txn->ways = ways; /* what was read so far was committed */
    ways->aside = txn->trees[DISK_TABLE_ASIDE].depth > 0;
    if (!good) {
        disk_txn_abort(txn);
    }
    return good;
}

static bool txn_begin_read(struct disk_txn *txn, const struct disk_env *env,
                           struct proto_fault *fault)
{
    *txn = (struct disk_txn){.env = env};
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

/* A write transaction has the number that it will commit under; what it sees is one older. */
static uint64_t seen_of(const struct disk_txn *txn)
{
    uint64_t seen = mdb_txn_id(txn->mdb);
    MDB_envinfo info;
    mdb_env_info(txn->env->mdb, &info);
    return seen > info.me_last_txnid ? info.me_last_txnid : seen;
}

bool disk_txn_load(struct disk_txn *txn, struct proto_fault *fault)
{
    struct proto_span value;
    enum disk_trunk_got trunk;
    uint64_t seen = seen_of(txn);
    /* The page that tells of the snapshot is written again by the second commit after it: then the
     * snapshot moves on. A write transaction holds commits off. */
    for (int i = 0;
         (trunk = disk_trunk_trees(txn->env, seen, txn->trees, fault)) == DISK_TRUNK_MOVED &&
         i < RENEWALS_MAX;
         i++) {
        mdb_txn_reset(txn->mdb);
        int code = mdb_txn_renew(txn->mdb);
        if (code != MDB_SUCCESS) {
            return disk_env_fault(txn->env, code, "renewing a view", fault);
        }
        seen = seen_of(txn);
    }
    if (trunk != DISK_TRUNK_GOT) {
        return trunk == DISK_TRUNK_MOVED ? proto_fault_set(fault, PROTO_CORRUPT, "meta",
                                                           "the meta page of transaction %llu "
                                                           "is not there",
                                                           (unsigned long long)seen)
                                         : false;
    }
    enum disk_got got = disk_txn_get(txn, DISK_TABLE_META, DISK_STATE_KEY, &value, fault);
    if (got == DISK_GOT_NONE) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "the store has no state");
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
    free(txn->ways);
    txn->ways = NULL;
    if (code != MDB_SUCCESS) {
        return commit_fault(txn->env, code, fault);
    }
    int fd;
    if (mdb_env_get_fd(txn->env->mdb, &fd) == MDB_SUCCESS) {
        disk_meta_witness(fd, txn->env->witness_fd);
    }
    if (txn->grows != NULL) {
        disk_env_stretch(txn->grows, 0);
    }
    return true;
}

void disk_txn_abort(struct disk_txn *txn)
{
    mdb_txn_abort(txn->mdb);
    txn->mdb = NULL;
    free(txn->ways);
    txn->ways = NULL;
}

enum disk_got disk_txn_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                           struct proto_span *value, struct proto_fault *fault)
{
    bool aside = txn->ways == NULL ? txn->trees[DISK_TABLE_ASIDE].depth > 0 : txn->ways->aside;
    if (aside && table != DISK_TABLE_ASIDE) {
        enum disk_got got = disk_aside_get(txn, table, key, value, fault);
        if (got != DISK_GOT_NONE) {
            return got;
        }
    }
    if (txn->ways == NULL) {
        return disk_tree_get(&txn->trees[table], key, value, fault);
    }
    /* Behind a page that LMDB must not touch is what was committed: a reader finds it there too. */
    return disk_txn_may_put(txn, table, key, fault)
               ? disk_mdb_get(txn, table, key, value, fault)
               : disk_tree_get(&txn->trees[table], key, value, fault);
}

uint8_t *disk_txn_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                      enum disk_put how, struct proto_fault *fault)
{
    struct proto_span was;
    struct proto_fault damage;
    if (txn->ways == NULL) {
        return disk_mdb_put(txn, table, key, bytes, how, fault);
    }
    bool there =
        txn->ways->aside && disk_aside_get(txn, table, key, &was, &damage) != DISK_GOT_NONE;
    if (!there && disk_txn_may_put(txn, table, key, &damage)) {
        uint8_t *at = disk_mdb_put(txn, table, key, bytes, how, fault);
        if (at != NULL || fault->code != PROTO_CONFLICT) {
            return at;
        }
    }
    return disk_aside_put(txn, table, key, bytes, fault);
}

bool disk_txn_delete(struct disk_txn *txn, enum disk_table table, uint64_t key,
                     struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    if (txn->ways != NULL && !disk_txn_may_delete(txn, table, key, fault)) {
        return false;
    }
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
