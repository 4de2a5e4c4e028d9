/* SPDX-License-Identifier: Apache-2.0 */
/* Walks every table of one snapshot with a cursor and checks what it meets: an entry that is none
 * of ours, a value that does not match its check, a table whose entries are not those that the
 * state counts. Any of them ends the dump: a copy of a damaged store must not pass for a good one.
 */
#include "server/store/dump.h"

#include <stdlib.h>

#include "server/store/dump_parts.h"
#include "server/store/store_parts.h"

struct store_dump {
    struct store *store;
    struct disk_txn txn;
    struct disk_cursor cursor;
    bool open; /* the cursor */
    enum disk_table table;
    struct disk_sum sum; /* of the table under way */
};

uint64_t store_identity(const struct store *store)
{
    return XXH3_64bits(store->env.format.seeds, sizeof store->env.format.seeds);
}

struct store_dump *store_dump_open(struct store *store, struct proto_fault *fault)
{
    struct store_dump *dump = calloc(1, sizeof *dump);
    if (dump == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a copy of the store");
        return NULL;
    }
    dump->store = store;
    if (store_fold_wait(store, fault) && disk_txn_read(&dump->txn, &store->env, fault)) {
        return dump;
    }
    free(dump);
    return NULL;
}

void store_dump_close(struct store_dump *dump)
{
    if (dump == NULL) {
        return;
    }
    if (dump->open) {
        disk_cursor_close(&dump->cursor);
    }
    disk_txn_abort(&dump->txn);
    free(dump);
}

uint64_t store_dump_seq(const struct store_dump *dump)
{
    return dump->txn.state.seq;
}

uint64_t store_dump_entries(const struct store_dump *dump)
{
    uint64_t entries = 2; /* format and state */
    for (enum disk_table table = DISK_TABLE_META + 1; table < DISK_TABLE_COUNT; table++) {
        entries += dump->txn.state.sums[table].count;
    }
    return entries;
}

bool store_entry_good(const struct store_entry *entry)
{
    const uint8_t *at = entry->value.data;
    return entry->value.bytes >= 8 &&
           disk_get_u64(at) == disk_check(entry->table, entry->key, at + 8, entry->value.bytes - 8);
}

bool store_sum_good(const struct disk_state *state, enum disk_table table,
                    const struct disk_sum *sum, struct proto_fault *fault)
{
    const struct disk_sum *said = &state->sums[table];
    if (table == DISK_TABLE_META || (said->count == sum->count && said->digest == sum->digest)) {
        return true;
    }
    return proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(table),
                           "table %s holds %llu entries with digest %016llx, the state says %llu "
                           "and %016llx",
                           disk_table_name(table), (unsigned long long)sum->count,
                           (unsigned long long)sum->digest, (unsigned long long)said->count,
                           (unsigned long long)said->digest);
}

static bool table_end(struct store_dump *dump, struct proto_fault *fault)
{
    disk_cursor_close(&dump->cursor);
    dump->open = false;
    if (!store_sum_good(&dump->txn.state, dump->table, &dump->sum, fault)) {
        store_damage(dump->store, fault);
        return false;
    }
    dump->table++;
    dump->sum = (struct disk_sum){0};
    return true;
}

static enum disk_got entry_give(struct store_dump *dump, struct store_entry *entry,
                                struct proto_fault *fault)
{
    *entry = (struct store_entry){dump->table, dump->cursor.key, dump->cursor.value};
    if (!store_entry_good(entry)) {
        proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(entry->table),
                        "entry %llu of table %s does not match its checksum",
                        (unsigned long long)entry->key, disk_table_name(entry->table));
        store_damage(dump->store, fault);
        return DISK_GOT_FAULT;
    }
    dump->sum.count++;
    dump->sum.digest ^= disk_get_u64(entry->value.data);
    return DISK_GOT_ONE;
}

enum disk_got store_dump_next(struct store_dump *dump, struct store_entry *entry,
                              struct proto_fault *fault)
{
    while (dump->table < DISK_TABLE_COUNT) {
        if (!dump->open && !disk_cursor_open(&dump->cursor, &dump->txn, dump->table, fault)) {
            return DISK_GOT_FAULT;
        }
        dump->open = true;
        enum disk_got got = disk_cursor_next(&dump->cursor, fault);
        if (got == DISK_GOT_ONE) {
            return entry_give(dump, entry, fault);
        }
        if (got == DISK_GOT_FAULT || !table_end(dump, fault)) {
            return DISK_GOT_FAULT;
        }
    }
    return DISK_GOT_NONE;
}
