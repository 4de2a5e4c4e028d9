/* SPDX-License-Identifier: Apache-2.0 */
/* Walks every table of one snapshot with a cursor and checks what it meets: an entry that is none
 * of ours, a value that does not match its check, a table whose entries are not those that the
 * state counts. Any of them ends the walk. */
#include "server/disk/seal.h"
#include "server/store/dump_parts.h"

bool store_walk_open(struct store_walk *walk, const struct disk_env *env, struct proto_fault *fault)
{
    *walk = (struct store_walk){.table = DISK_TABLE_META};
    return disk_txn_read(&walk->txn, env, fault);
}

void store_walk_close(struct store_walk *walk)
{
    if (walk->open) {
        disk_cursor_close(&walk->cursor);
    }
    disk_txn_abort(&walk->txn);
}

uint64_t store_walk_entries(const struct store_walk *walk)
{
    uint64_t entries = 2; /* format and state */
    for (enum disk_table table = DISK_TABLE_META + 1; table < DISK_TABLE_COUNT; table++) {
        entries += walk->txn.state.sums[table].count;
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

static bool table_end(struct store_walk *walk, struct proto_fault *fault)
{
    disk_cursor_close(&walk->cursor);
    walk->open = false;
    if (!store_sum_good(&walk->txn.state, walk->table, &walk->sum, fault)) {
        return false;
    }
    walk->table++;
    walk->sum = (struct disk_sum){0};
    return true;
}

static enum disk_got entry_give(struct store_walk *walk, struct store_entry *entry,
                                struct proto_fault *fault)
{
    *entry = (struct store_entry){walk->table, walk->cursor.key, walk->cursor.value};
    if (!store_entry_good(entry)) {
        proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(entry->table),
                        "entry %llu of table %s does not match its checksum",
                        (unsigned long long)entry->key, disk_table_name(entry->table));
        return DISK_GOT_FAULT;
    }
    walk->sum.count++;
    walk->sum.digest ^= disk_get_u64(entry->value.data);
    return DISK_GOT_ONE;
}

enum disk_got store_walk_next(struct store_walk *walk, struct store_entry *entry,
                              struct proto_fault *fault)
{
    while (walk->table < DISK_TABLE_COUNT) {
        if (!walk->open && !disk_cursor_open(&walk->cursor, &walk->txn, walk->table, fault)) {
            return DISK_GOT_FAULT;
        }
        walk->open = true;
        enum disk_got got = disk_cursor_next(&walk->cursor, fault);
        if (got == DISK_GOT_ONE) {
            return entry_give(walk, entry, fault);
        }
        if (got == DISK_GOT_FAULT || !table_end(walk, fault)) {
            return DISK_GOT_FAULT;
        }
    }
    return DISK_GOT_NONE;
}
