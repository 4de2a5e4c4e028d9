/* SPDX-License-Identifier: Apache-2.0 */
/* A walk of a read steps through pages by itself and goes on behind one that is damaged. A walk of
 * a write is LMDB's, for it must see what was written; it is let step only where both neighbours of
 * the page at hand were found sound. */
#include <lmdb.h>

#include "server/disk/txn_parts.h"

enum { ENTRY_BYTES_LEAST = 8 }; /* every value begins with its check */

bool disk_cursor_open(struct disk_cursor *cursor, const struct disk_txn *txn, enum disk_table table,
                      struct proto_fault *fault)
{
    *cursor = (struct disk_cursor){.txn = txn, .table = table};
    if (txn->ways == NULL) {
        return true;
    }
    int code = mdb_cursor_open(txn->mdb, txn->env->tables[table], &cursor->mdb);
    return code == MDB_SUCCESS || disk_env_fault(txn->env, code, "reading", fault);
}

void disk_cursor_close(struct disk_cursor *cursor)
{
    if (cursor->mdb != NULL) {
        mdb_cursor_close(cursor->mdb);
    }
    cursor->mdb = NULL;
}

void disk_cursor_thorough(struct disk_cursor *cursor)
{
    cursor->thorough = true;
}

static enum disk_got given(struct disk_cursor *cursor, bool keyed, struct proto_span value)
{
    bool ours = keyed && value.bytes >= ENTRY_BYTES_LEAST;
    cursor->value = ours ? value : (struct proto_span){0};
    return DISK_GOT_ONE;
}

/* Whether LMDB may go to the key, and one step from there. */
static bool may_step(struct disk_cursor *cursor, uint64_t key, struct proto_fault *fault)
{
    struct disk_span *sound = &cursor->sound;
    if (sound->known && key >= sound->low && key <= sound->high) {
        return true;
    }
    sound->known = disk_tree_may_delete(&cursor->txn->trees[cursor->table], key, &sound->low,
                                        &sound->high, fault);
    return sound->known;
}

static enum disk_got mdb_move(struct disk_cursor *cursor, uint64_t from, MDB_cursor_op op,
                              struct proto_fault *fault)
{
    MDB_val key = {sizeof from, &from};
    MDB_val data;
    if (!may_step(cursor, from, fault)) {
        return DISK_GOT_FAULT;
    }
    int code = mdb_cursor_get(cursor->mdb, &key, &data, op);
    if (code == MDB_NOTFOUND) {
        return DISK_GOT_NONE;
    }
    if (code != MDB_SUCCESS) {
        disk_env_fault(cursor->txn->env, code, "reading", fault);
        return DISK_GOT_FAULT;
    }
    bool keyed = key.mv_size == sizeof cursor->key;
    cursor->key = keyed ? disk_get_u64(key.mv_data) : UINT64_MAX;
    return given(cursor, keyed, (struct proto_span){data.mv_data, data.mv_size});
}

enum disk_got disk_cursor_next(struct disk_cursor *cursor, struct proto_fault *fault)
{
    if (cursor->mdb != NULL) {
        uint64_t from = cursor->begun ? cursor->key : 0;
        cursor->begun = true;
        return mdb_move(cursor, from, MDB_NEXT, fault);
    }
    if (!cursor->begun) {
        disk_walk_begin(&cursor->walk, &cursor->txn->trees[cursor->table], 0, cursor->thorough);
        cursor->begun = true;
    }
    struct proto_span value;
    enum disk_got got = disk_walk_next(&cursor->walk, &cursor->key, &value, fault);
    return got == DISK_GOT_ONE ? given(cursor, true, value) : got;
}

bool disk_cursor_from(struct disk_cursor *cursor, uint64_t key)
{
    disk_walk_begin(&cursor->walk, &cursor->txn->trees[cursor->table], key, cursor->thorough);
    cursor->begun = true;
    return true;
}

enum disk_got disk_cursor_seek(struct disk_cursor *cursor, uint64_t key, struct proto_fault *fault)
{
    cursor->begun = true;
    if (cursor->mdb != NULL) {
        return mdb_move(cursor, key, MDB_SET_RANGE, fault);
    }
    disk_walk_begin(&cursor->walk, &cursor->txn->trees[cursor->table], key, cursor->thorough);
    return disk_cursor_next(cursor, fault);
}

enum disk_got disk_cursor_before(struct disk_cursor *cursor, uint64_t key,
                                 struct proto_fault *fault)
{
    if (cursor->mdb == NULL) {
        struct proto_span value;
        cursor->key = key;
        enum disk_got got =
            disk_tree_before(&cursor->txn->trees[cursor->table], &cursor->key, &value, fault);
        return got == DISK_GOT_ONE ? given(cursor, true, value) : got;
    }
    enum disk_got got = disk_cursor_seek(cursor, key, fault);
    if (got == DISK_GOT_FAULT) {
        return got;
    }
    return mdb_move(cursor, key, got == DISK_GOT_ONE ? MDB_PREV : MDB_LAST, fault);
}
