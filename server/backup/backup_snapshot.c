/* SPDX-License-Identifier: Apache-2.0 */
/* List, write what is due, and remove what is too many: the new one is on disk before an old one
 * goes. */
#include "server/backup/backup_snapshot.h"

#include <errno.h>
#include <unistd.h>

#include "server/backup/backup_set.h"
#include "server/store/dump.h"

static bool is_good(const struct backup_item *item)
{
    return item->fault.code == PROTO_OK && item->head.kind == BACKUP_BASE;
}

/* Items come in the order of their sequences. */
static void look(const struct backup_set *set, struct backup_snapshots *found)
{
    for (size_t i = 0; i < set->count; i++) {
        if (is_good(&set->items[i])) {
            found->oldest = found->count++ == 0 ? set->items[i].seq : found->oldest;
            found->newest = set->items[i].seq;
        }
    }
}

/* One that cannot be removed stays, and counts. */
static bool oldest_remove(const struct backup_set *set, size_t kept, struct backup_snapshots *found,
                          struct proto_fault *fault)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct backup_item *item = &set->items[i];
        if (!is_good(item)) {
            continue;
        }
        found->oldest = item->seq;
        if (found->count <= kept) {
            return true;
        }
        if (unlinkat(set->folder, item->name, 0) != 0 && errno != ENOENT) {
            return proto_fault_set(fault, PROTO_IO, "", "cannot remove %s: %s", item->name,
                                   strerror(errno));
        }
        found->count--;
    }
    found->oldest = found->newest; /* which was written just now, and is not in the list */
    return true;
}

static bool snapshot_run(const struct backup_making *making, struct backup_set *set,
                         const struct backup_snapshot_rule *rule, struct backup_snapshots *found,
                         struct proto_fault *fault)
{
    struct backup_result result = {.kind = "none"};
    look(set, found);
    uint64_t head = store_log_head(making->store, fault);
    if (fault->code != PROTO_OK) {
        return false;
    }
    if (head >= rule->every && head - rule->every >= found->newest) {
        if (!backup_make_base(making, set, &result, fault)) {
            return false;
        }
        found->made = true;
        found->bytes = result.bytes;
        found->newest = result.seq;
        found->count++;
    }
    return oldest_remove(set, rule->kept, found, fault);
}

bool backup_snapshot(const struct backup_making *making, const struct backup_snapshot_rule *rule,
                     struct backup_snapshots *found, struct proto_fault *fault)
{
    struct backup_set set;
    *found = (struct backup_snapshots){0};
    fault->code = PROTO_OK;
    if (!backup_set_open(&set, making->path, true, fault)) {
        return false;
    }
    bool good = snapshot_run(making, &set, rule, found, fault);
    backup_set_close(&set);
    return good;
}
