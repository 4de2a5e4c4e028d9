/* SPDX-License-Identifier: Apache-2.0 */
/* Every file is read to its end. A base must also be a store: its entries in order, each matching
 * its check; a log must have no gap. */
#include <stdlib.h>

#include "server/backup/backup_restore.h"

struct pass {
    uint64_t seq; /* of the batch before */
    bool table_any;
    struct store_entry before;
};

static bool entry_check(struct pass *pass, const struct store_entry *entry,
                        struct proto_fault *fault)
{
    const uint8_t *at = entry->value.data;
    bool follows = !pass->table_any || entry->table > pass->before.table ||
                   (entry->table == pass->before.table && entry->key > pass->before.key);
    bool good =
        follows && entry->value.bytes >= 8 &&
        disk_get_u64(at) == disk_check(entry->table, entry->key, at + 8, entry->value.bytes - 8);
    pass->before = *entry;
    pass->table_any = true;
    return good || proto_fault_set(fault, PROTO_CORRUPT, "",
                                   "entry %llu of table %u is out of place or does not match its "
                                   "checksum",
                                   (unsigned long long)entry->key, (unsigned)entry->table);
}

static bool batch_check(struct pass *pass, const struct store_logged *logged,
                        struct proto_fault *fault)
{
    bool good = logged->seq == pass->seq + 1;
    pass->seq = logged->seq;
    return good || proto_fault_set(fault, PROTO_CORRUPT, "", "batch %llu is missing",
                                   (unsigned long long)pass->seq);
}

static void item_verify(const struct backup_set *set, struct backup_item *item)
{
    struct backup_record record;
    struct pass pass = {.seq = item->head.after};
    struct backup_reader *reader = backup_reader_open(set->folder, item->name, &item->fault);
    if (reader == NULL) {
        return;
    }
    bool good = true;
    while (good) {
        switch (backup_reader_next(reader, &record, &item->fault)) {
        case BACKUP_GOT_ENTRY:
            good =
                item->head.kind == BACKUP_BASE && entry_check(&pass, &record.entry, &item->fault);
            break;
        case BACKUP_GOT_BATCH:
            good =
                item->head.kind == BACKUP_LOG && batch_check(&pass, &record.logged, &item->fault);
            break;
        default:
            backup_reader_close(reader);
            return;
        }
    }
    if (item->fault.code == PROTO_OK) {
        proto_fault_set(&item->fault, PROTO_CORRUPT, "", "it holds what its kind does not");
    }
    backup_reader_close(reader);
}

bool backup_verify(const char *backups,
                   void (*on_file)(void *context, const struct backup_item *item), void *context,
                   struct proto_fault *fault)
{
    struct backup_set set;
    if (!backup_set_open(&set, backups, false, fault)) {
        return false;
    }
    bool good = set.count > 0 ||
                proto_fault_set(fault, PROTO_NOT_FOUND, "", "there is no backup in %s", backups);
    for (size_t i = 0; i < set.count; i++) {
        if (set.items[i].fault.code == PROTO_OK) {
            item_verify(&set, &set.items[i]);
        }
        if (set.items[i].fault.code != PROTO_OK && good) {
            good = proto_fault_set(fault, PROTO_CORRUPT, "", "%s is damaged", set.items[i].name);
        }
        on_file(context, &set.items[i]);
    }
    backup_set_close(&set);
    return good;
}
