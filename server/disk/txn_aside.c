/* SPDX-License-Identifier: Apache-2.0 */
/* Before LMDB is asked for a key, the pages that it will touch are examined as they were committed;
 * what a transaction itself has written is sound. Behind a damaged page a value is put aside, into
 * a table of its own under a hash of table and key, and stays there: from then on it is found there
 * first. If that table is damaged at the same time, the put fails, and the transaction with it.
 *
 *   aside   0 u64 check, over 8 … 63 and the key   8 u64 key   16 u32 table   20 u32 bytes
 *          24 reserved (0)   64 the value, with its own check */
#include <lmdb.h>

#include "server/disk/seal.h"
#include "server/disk/txn_parts.h"

enum { ASIDE_BYTES = 64, ASIDE_KEY = 8, ASIDE_TABLE = 16, ASIDE_VALUE_BYTES = 20, TRIES = 8 };

enum disk_got disk_mdb_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
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

uint8_t *disk_mdb_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                      enum disk_put how, struct proto_fault *fault)
{
    MDB_val name = {sizeof key, &key};
    MDB_val data = {bytes, NULL};
    unsigned flags = MDB_RESERVE;
    flags |= how == DISK_PUT_LAST ? MDB_APPEND : how == DISK_PUT_NEW ? MDB_NOOVERWRITE : 0;
    int code = mdb_put(txn->mdb, txn->env->tables[table], &name, &data, flags);
    if (code == MDB_KEYEXIST) {
        proto_fault_set(fault, PROTO_CONFLICT, disk_table_name(table),
                        "table %s has what it should not have yet", disk_table_name(table));
        return NULL;
    }
    if (code != MDB_SUCCESS) {
        disk_env_fault(txn->env, code, "writing", fault);
        return NULL;
    }
    return data.mv_data;
}

bool disk_txn_may_put(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                      struct proto_fault *fault)
{
    return disk_tree_may_put(&txn->trees[table], key, &txn->ways->put[table], fault);
}

bool disk_txn_may_delete(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                         struct proto_fault *fault)
{
    struct disk_span *gone = &txn->ways->gone[table];
    if (gone->known && key >= gone->low && key <= gone->high) {
        return disk_txn_may_put(txn, table, key, fault); /* the value that is freed */
    }
    gone->known = disk_tree_may_delete(&txn->trees[table], key, &gone->low, &gone->high, fault);
    return gone->known;
}

static uint64_t aside_key(enum disk_table table, uint64_t key, unsigned attempt)
{
    uint8_t bytes[16];
    disk_set_u64(bytes, key);
    disk_set_u64(bytes + 8, (uint64_t)table);
    return XXH3_64bits_withSeed(bytes, sizeof bytes, attempt);
}

static enum disk_got aside_read(const struct disk_txn *txn, uint64_t at, struct proto_span *value,
                                struct proto_fault *fault)
{
    const struct disk_tree *tree = &txn->trees[DISK_TABLE_ASIDE];
    if (txn->ways == NULL) {
        return disk_tree_get(tree, at, value, fault);
    }
    return disk_txn_may_put(txn, DISK_TABLE_ASIDE, at, fault)
               ? disk_mdb_get(txn, DISK_TABLE_ASIDE, at, value, fault)
               : DISK_GOT_FAULT;
}

bool disk_aside_open(uint64_t at, struct proto_span value, enum disk_table *table, uint64_t *key,
                     struct proto_span *inner)
{
    if (value.bytes < ASIDE_BYTES ||
        disk_get_u64(value.data) !=
            disk_check(DISK_TABLE_ASIDE, at, value.data + 8, ASIDE_BYTES - 8) ||
        disk_get_u32(value.data + ASIDE_VALUE_BYTES) != value.bytes - ASIDE_BYTES) {
        return false;
    }
    *key = disk_get_u64(value.data + ASIDE_KEY);
    *table = (enum disk_table)disk_get_u32(value.data + ASIDE_TABLE);
    *inner = (struct proto_span){value.data + ASIDE_BYTES, value.bytes - ASIDE_BYTES};
    return *table < DISK_TABLE_COUNT;
}

/* Where the value is (ONE), or may be put (NONE). */
static enum disk_got aside_find(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                                uint64_t *at, struct proto_span *value, struct proto_fault *fault)
{
    for (unsigned i = 0; i < TRIES; i++) {
        enum disk_table found;
        uint64_t found_key;
        struct proto_span whole = {0};
        *at = aside_key(table, key, i);
        enum disk_got got = aside_read(txn, *at, &whole, fault);
        if (got != DISK_GOT_ONE) {
            return got;
        }
        if (!disk_aside_open(*at, whole, &found, &found_key, value)) {
            proto_fault_set(fault, PROTO_CORRUPT, "aside",
                            "entry %016llx of table aside does not match its checksum",
                            (unsigned long long)*at);
            return DISK_GOT_FAULT;
        }
        if (found == table && found_key == key) {
            return DISK_GOT_ONE;
        }
    }
    proto_fault_set(fault, PROTO_CORRUPT, "aside", "table aside has no place for a value");
    return DISK_GOT_FAULT;
}

enum disk_got disk_aside_get(const struct disk_txn *txn, enum disk_table table, uint64_t key,
                             struct proto_span *value, struct proto_fault *fault)
{
    uint64_t at;
    return aside_find(txn, table, key, &at, value, fault);
}

uint8_t *disk_aside_put(struct disk_txn *txn, enum disk_table table, uint64_t key, size_t bytes,
                        struct proto_fault *fault)
{
    uint64_t at;
    struct proto_span was;
    enum disk_got got = aside_find(txn, table, key, &at, &was, fault);
    if (got == DISK_GOT_FAULT) {
        return NULL;
    }
    uint64_t had = got == DISK_GOT_ONE ? disk_get_u64(was.data - ASIDE_BYTES) : 0;
    uint8_t *to = disk_mdb_put(txn, DISK_TABLE_ASIDE, at, bytes + ASIDE_BYTES, DISK_PUT_ANY, fault);
    if (to == NULL) {
        return NULL;
    }
    memset(to, 0, ASIDE_BYTES);
    disk_set_u64(to + ASIDE_KEY, key);
    disk_set_u32(to + ASIDE_TABLE, (uint32_t)table);
    disk_set_u32(to + ASIDE_VALUE_BYTES, (uint32_t)bytes);
    uint64_t has = disk_check(DISK_TABLE_ASIDE, at, to + 8, ASIDE_BYTES - 8);
    disk_set_u64(to, has);
    disk_sum_change(&txn->state, DISK_TABLE_ASIDE, got == DISK_GOT_ONE, had, true, has);
    txn->ways->aside = true;
    return to + ASIDE_BYTES;
}
