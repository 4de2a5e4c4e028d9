/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of a generation into the table, slot by slot: what its versions of an account brought
 * is put behind what the table has; the oldest that do not fit go, and the value says so. A history
 * in the table that is damaged does not stop a fold: it begins anew and says that it was lost. */
#include <stdlib.h>

#include "server/store/past_table.h"
#include "server/store/store_parts.h"

struct pasts {
    struct store *store;
    struct disk_txn *txn;
    uint32_t slots_before;
    struct store_history history;
    const struct store_version **list; /* of one slot, newest first */
    size_t count, room;
};

/* The versions since the one with which the history begins; *told: any brought something. */
static bool list_fill(struct pasts *pasts, const struct store_slot_cell *cell, bool *told,
                      struct proto_fault *fault)
{
    const struct store_version *version = atomic_load_explicit(&cell->newest, memory_order_acquire);
    *told = false;
    pasts->count = 0;
    for (; version != NULL; version = version->past_anew ? NULL : version->older) {
        if (pasts->count == pasts->room) {
            size_t room = pasts->room == 0 ? 64 : pasts->room * 2;
            const struct store_version **list = realloc(pasts->list, room * sizeof *list);
            if (list == NULL) {
                return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold %zu changes",
                                       room);
            }
            pasts->list = list;
            pasts->room = room;
        }
        pasts->list[pasts->count++] = version;
        *told |= version->past.bytes > 0;
    }
    return true;
}

/* What the table has, where the oldest version goes on with it. */
static bool base_read(struct pasts *pasts, uint32_t slot, const struct store_version *oldest,
                      struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    if (oldest->past_anew || !oldest->past_had ||
        store_past_table_get(pasts->txn, slot, true, &pasts->history, &why)) {
        return true;
    }
    if (why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    store_damage(pasts->store, &why);
    pasts->history.count = 0;
    pasts->history.lost = pasts->history.gone = true;
    return true;
}

/* Of one that was lost it is known from its first group on. */
static void lost_mark(struct store_history *history)
{
    if (history->lost && history->gone_seq == 0 && history->count > 0) {
        history->gone_seq = history->list[0].seq - 1;
        history->gone_known_ms = history->list[0].known_ms - 1;
    }
}

static bool slot_fold(struct pasts *pasts, const struct store_slot_cell *cell,
                      struct proto_fault *fault)
{
    bool told;
    if (!list_fill(pasts, cell, &told, fault)) {
        return false;
    }
    if (pasts->count == 0) {
        return true;
    }
    const struct store_version *oldest = pasts->list[pasts->count - 1];
    if (!told) {
        bool perhaps = oldest->past_anew && cell->slot < pasts->slots_before &&
                       (pasts->txn->state.sums[DISK_TABLE_HISTORY].count > 0 ||
                        pasts->txn->state.sums[DISK_TABLE_ASIDE].count > 0);
        return !perhaps || store_past_table_clear(pasts->txn, cell->slot, fault);
    }
    pasts->history.count = 0;
    pasts->history.lost = pasts->history.gone = false;
    pasts->history.gone_seq = 0;
    pasts->history.gone_known_ms = 0;
    if (!base_read(pasts, cell->slot, oldest, fault)) {
        return false;
    }
    for (size_t i = pasts->count; i > 0; i--) {
        const struct store_version *version = pasts->list[i - 1];
        if (!store_history_add_run(&pasts->history, version->past, version->seq, fault)) {
            return false;
        }
    }
    lost_mark(&pasts->history);
    store_history_trim(&pasts->history);
    return store_past_table_put(pasts->txn, cell->slot, &pasts->history, fault);
}

bool store_fold_pasts(struct store *store, struct disk_txn *txn, struct store_slot_cell **slots,
                      size_t count, uint32_t slots_before, struct proto_fault *fault)
{
    struct pasts pasts = {.store = store, .txn = txn, .slots_before = slots_before};
    bool good = true;
    for (size_t i = 0; good && i < count; i++) {
        good = slot_fold(&pasts, slots[i], fault);
    }
    store_history_fini(&pasts.history);
    free(pasts.list);
    return good;
}
