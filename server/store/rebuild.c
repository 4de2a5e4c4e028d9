/* SPDX-License-Identifier: Apache-2.0 */
/* Entries arrive in the order of tables and keys and are appended, a bounded stretch in each
 * transaction; the last one writes the state that came among them, once all that it counts was
 * seen. An entry out of order, one that does not match its check, a table that is not whole: each
 * ends the rebuild, and what was made until then has the state of an empty store, which it is not:
 * whoever builds does so in a directory that is not the store's yet. */
#include <stdlib.h>

#include "server/disk/seal.h"
#include "server/store/dump_parts.h"

enum { STRETCH_BYTES = 32 << 20 }; /* of values in one transaction */

struct store_rebuild {
    struct disk_env env;
    struct disk_txn txn;
    bool writing;
    size_t stretch;
    struct disk_state state; /* that came among the entries */
    bool stated, formatted;
    bool keeps_log;   /* the log that the state tells of stays beside it */
    uint32_t version; /* of the format */
    enum disk_table table;
    bool any; /* key is set */
    uint64_t key;
    struct disk_sum sums[DISK_TABLE_COUNT];
};

static int64_t no_time(void)
{
    return 0; /* the format that is made first is replaced by the one that comes */
}

static struct store_rebuild *rebuild_create(struct proto_fault *fault)
{
    struct store_rebuild *rebuild = calloc(1, sizeof *rebuild);
    if (rebuild == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to make a store");
    }
    return rebuild;
}

/* Of an environment that is open. */
static struct store_rebuild *rebuild_begin(struct store_rebuild *rebuild, const char *path,
                                           struct proto_fault *fault)
{
    if (disk_txn_write(&rebuild->txn, &rebuild->env, fault)) {
        rebuild->writing = true;
        if (rebuild->txn.state.seq == 0 && rebuild->txn.state.slots == 0) {
            return rebuild;
        }
        proto_fault_set(fault, PROTO_CONFLICT, "path", "%s holds a store already", path);
    }
    store_rebuild_abort(rebuild);
    return NULL;
}

struct store_rebuild *store_rebuild_open(const char *path, size_t map_bytes,
                                         struct proto_fault *fault)
{
    struct store_rebuild *rebuild = rebuild_create(fault);
    struct disk_env_options options = {
        .path = path, .map_bytes = map_bytes, .readers = 4, .now_ms = no_time()};
    if (rebuild != NULL && !disk_env_open(&rebuild->env, &options, fault)) {
        free(rebuild);
        rebuild = NULL;
    }
    return rebuild == NULL ? NULL : rebuild_begin(rebuild, path, fault);
}

struct store_rebuild *store_rebuild_open_file(const char *name, size_t map_bytes,
                                              struct proto_fault *fault)
{
    struct store_rebuild *rebuild = rebuild_create(fault);
    if (rebuild != NULL && (!disk_file_make(name, no_time(), fault) ||
                            !disk_env_open_file(&rebuild->env, name, map_bytes, fault))) {
        free(rebuild);
        rebuild = NULL;
    }
    if (rebuild == NULL) {
        return NULL;
    }
    rebuild->keeps_log = true;
    return rebuild_begin(rebuild, name, fault);
}

void store_rebuild_abort(struct store_rebuild *rebuild)
{
    if (rebuild == NULL) {
        return;
    }
    if (rebuild->writing) {
        disk_txn_abort(&rebuild->txn);
    }
    disk_env_close(&rebuild->env);
    free(rebuild);
}

static bool stretch_commit(struct store_rebuild *rebuild, struct proto_fault *fault)
{
    rebuild->writing = false;
    rebuild->stretch = 0;
    if (!disk_txn_commit(&rebuild->txn, fault) ||
        !disk_txn_write(&rebuild->txn, &rebuild->env, fault)) {
        return false;
    }
    rebuild->writing = true;
    return true;
}

static bool order_check(struct store_rebuild *rebuild, const struct store_entry *entry,
                        struct proto_fault *fault)
{
    bool follows = entry->table > rebuild->table ||
                   (entry->table == rebuild->table && (!rebuild->any || entry->key > rebuild->key));
    if (entry->table >= DISK_TABLE_COUNT || !follows) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "an entry of table %u is out of order",
                               (unsigned)entry->table);
    }
    if (!store_entry_good(entry)) {
        return proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(entry->table),
                               "entry %llu of table %s does not match its checksum",
                               (unsigned long long)entry->key, disk_table_name(entry->table));
    }
    rebuild->table = entry->table;
    rebuild->key = entry->key;
    rebuild->any = true;
    return true;
}

static bool meta_take(struct store_rebuild *rebuild, const struct store_entry *entry,
                      struct proto_fault *fault)
{
    struct disk_format format;
    if (entry->key == DISK_STATE_KEY) {
        if (entry->value.bytes < 16 ||
            !disk_state_decode(entry->value, disk_get_u64(entry->value.data + 8), &rebuild->state,
                               fault)) {
            return fault->code != PROTO_OK ||
                   proto_fault_set(fault, PROTO_CORRUPT, "meta", "the state is damaged");
        }
        rebuild->stated = true;
        return true; /* it is written last */
    }
    if (entry->key != DISK_FORMAT_KEY) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta", "table meta has an unknown entry");
    }
    if (!disk_format_decode(entry->value, &format, fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(&rebuild->txn, DISK_TABLE_META, DISK_FORMAT_KEY, DISK_FORMAT_BYTES,
                               DISK_PUT_ANY, fault);
    if (at == NULL) {
        return false;
    }
    disk_format_encode(&format, at);
    rebuild->formatted = true;
    rebuild->version = format.version;
    return true;
}

bool store_rebuild_put(struct store_rebuild *rebuild, const struct store_entry *entry,
                       struct proto_fault *fault)
{
    if (!order_check(rebuild, entry, fault)) {
        return false;
    }
    if (entry->table == DISK_TABLE_META) {
        return meta_take(rebuild, entry, fault);
    }
    if (rebuild->stretch > 0 && rebuild->stretch + entry->value.bytes > STRETCH_BYTES &&
        !stretch_commit(rebuild, fault)) {
        return false;
    }
    uint8_t *at = disk_txn_put(&rebuild->txn, entry->table, entry->key, entry->value.bytes,
                               DISK_PUT_LAST, fault);
    if (at == NULL) {
        return false;
    }
    memcpy(at, entry->value.data, entry->value.bytes);
    rebuild->stretch += entry->value.bytes;
    rebuild->sums[entry->table].count++;
    rebuild->sums[entry->table].digest ^= disk_get_u64(entry->value.data);
    return true;
}

bool store_rebuild_finish(struct store_rebuild *rebuild, struct proto_fault *fault)
{
    bool good =
        (rebuild->stated && rebuild->formatted) ||
        proto_fault_set(fault, PROTO_CORRUPT, "meta", "format or state was not among the entries");
    for (enum disk_table table = 0; good && table < DISK_TABLE_COUNT; table++) {
        good = store_sum_good(&rebuild->state, table, &rebuild->sums[table], fault);
    }
    if (good) {
        rebuild->txn.state = rebuild->state;
        if (rebuild->version == DISK_FORMAT_VERSION &&
            !rebuild->keeps_log) { /* its log is yet to be made */
            rebuild->txn.state.log_begins = rebuild->state.seq + 1;
        }
        rebuild->writing = false;
        good = disk_txn_commit(&rebuild->txn, fault);
    }
    store_rebuild_abort(rebuild);
    return good;
}
