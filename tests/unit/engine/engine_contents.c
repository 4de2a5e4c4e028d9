/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/engine/engine_contents.h"

#include "server/base/hash.h"
#include "server/store/dump.h"
#include "server/store/past.h"
#include "server/store/store_account.h"

static bool histories_add(struct store *store, uint64_t *digest)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_view *view = store_view_open(store, &fault);
    bool good = view != NULL;
    for (uint32_t slot = 0; good && slot < store_view_slots(view); slot++) {
        struct store_history history;
        uint64_t begun;
        bool there = store_history(view, slot, &history, &begun, &fault);
        good = there || fault.code == PROTO_NOT_FOUND; /* a deleted account has none */
        for (size_t i = 0; there && i < history.count; i++) {
            const struct store_past_group *group = &history.list[i];
            *digest = base_hash(group->entries.data, group->entries.bytes, *digest ^ group->seq);
        }
        store_history_fini(&history);
    }
    store_view_close(view);
    return good;
}

static uint64_t entry_digest(const struct store_entry *entry)
{
    const uint8_t *value = entry->value.data;
    return entry->table == DISK_TABLE_ACCOUNT
               ? base_hash(value + STORE_ACCOUNT_HEADER_BYTES, disk_get_u32(value + 12), 0)
               : disk_get_u64(value);
}

uint64_t engine_contents_digest(struct store *store)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_entry entry;
    struct store_dump *dump = store_dump_open(store, &fault);
    uint64_t digest = 1;
    while (dump != NULL && store_dump_next(dump, &entry, &fault) == DISK_GOT_ONE) {
        if (entry.table != DISK_TABLE_META && entry.table != DISK_TABLE_ROW &&
            entry.table != DISK_TABLE_VECTOR && entry.table != DISK_TABLE_HISTORY) {
            digest = digest * 31 + entry_digest(&entry) + entry.key;
        }
    }
    store_dump_close(dump);
    return fault.code == PROTO_OK && histories_add(store, &digest) ? digest : 0;
}
