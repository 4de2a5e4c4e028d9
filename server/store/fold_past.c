/* SPDX-License-Identifier: Apache-2.0 */
/* Histories of a generation into the table, slot by slot: what its versions of an account brought
 * becomes a piece behind what the table has; pieces of which nothing is kept go. A history in the
 * table that is damaged does not stop a fold: it begins anew and says that it was lost. This is
 * before the accounts are put, for what they say of their histories until then is needed, and what
 * they say from then on comes of it. */
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
    struct store_past_writer writer;
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

/* The newest piece that the table has of the slot; STORE_NO_RUN: none. PROTO_CORRUPT: the account
 * cannot be read, or has none where there must be one. */
static bool before_find(struct pasts *pasts, uint32_t slot, bool must, uint32_t *run,
                        struct proto_fault *fault)
{
    struct store_account account;
    struct store_sight tables = store_sight_of(pasts->txn);
    *run = STORE_NO_RUN;
    if (!store_account_get(&tables, slot, &account, fault)) {
        return false;
    }
    if (!account.deleted && account.past) {
        *run = account.run;
    }
    return !must || *run != STORE_NO_RUN ||
           proto_fault_set(fault, PROTO_CORRUPT, "history",
                           "the account of slot %u says nothing of its history", slot);
}

/* Of one that was lost it is known from its first group on. */
static void lost_mark(struct store_history *history)
{
    if (history->lost && history->gone_seq == 0 && history->count > 0) {
        history->gone_seq = history->list[0].seq - 1;
        history->gone_known_ms = history->list[0].known_ms - 1;
    }
}

/* Of an account that began anew: what the slot had goes. */
static bool before_clear(struct pasts *pasts, uint32_t slot, struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    const struct disk_sum *sums = pasts->txn->state.sums;
    uint32_t run = STORE_NO_RUN;
    if (slot >= pasts->slots_before ||
        (sums[DISK_TABLE_HISTORY].count == 0 && sums[DISK_TABLE_ASIDE].count == 0)) {
        return true;
    }
    if (!before_find(pasts, slot, false, &run, &why) && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    return run == STORE_NO_RUN ||
           store_past_table_clear(pasts->txn, &pasts->writer, slot, run, fault);
}

static bool news_collect(struct pasts *pasts, struct proto_fault *fault)
{
    pasts->history.count = 0;
    pasts->history.lost = pasts->history.gone = false;
    pasts->history.gone_seq = 0;
    pasts->history.gone_known_ms = 0;
    for (size_t i = pasts->count; i > 0; i--) {
        const struct store_version *version = pasts->list[i - 1];
        if (!store_history_add_run(&pasts->history, version->past, version->seq, fault)) {
            return false;
        }
    }
    return true;
}

/* Behind the piece of run *run, if there is one; *run is that of the newest then. */
static bool news_put(struct pasts *pasts, uint32_t slot, bool told, bool lost, uint32_t *run,
                     struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    uint32_t before = *run;
    if (!lost && !told) {
        return true;
    }
    if (!news_collect(pasts, fault)) {
        return false;
    }
    if (!lost && store_past_table_add(pasts->txn, &pasts->writer, slot, before, &pasts->history,
                                      run, &why)) {
        return true;
    }
    if (!lost && (why.code != PROTO_CORRUPT || before == STORE_NO_RUN)) {
        *fault = why;
        return false;
    }
    if (!lost) {
        store_damage(pasts->store, &why);
    }
    if (!news_collect(pasts, fault)) {
        return false;
    }
    pasts->history.lost = pasts->history.gone = true;
    lost_mark(&pasts->history);
    return store_past_table_add(pasts->txn, &pasts->writer, slot, STORE_NO_RUN, &pasts->history,
                                run, fault);
}

static bool slot_fold(struct pasts *pasts, const struct store_slot_cell *cell, uint32_t *run,
                      struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    bool told;
    *run = STORE_NO_RUN;
    if (!list_fill(pasts, cell, &told, fault)) {
        return false;
    }
    if (pasts->count == 0) {
        return true;
    }
    const struct store_version *oldest = pasts->list[pasts->count - 1];
    if (oldest->past_anew) {
        return before_clear(pasts, cell->slot, fault) &&
               news_put(pasts, cell->slot, told, false, run, fault);
    }
    if (!oldest->past_had) {
        return news_put(pasts, cell->slot, told, false, run, fault);
    }
    bool found = before_find(pasts, cell->slot, true, run, &why);
    if (!found && why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    if (!found) {
        store_damage(pasts->store, &why);
    }
    return news_put(pasts, cell->slot, told, !found, run, fault);
}

bool store_fold_pasts(struct store *store, struct disk_txn *txn, struct store_slot_cell **slots,
                      size_t count, uint32_t slots_before, uint32_t *runs,
                      struct proto_fault *fault)
{
    struct pasts *pasts = calloc(1, sizeof *pasts);
    bool good = pasts != NULL;
    if (!good) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold histories");
    }
    pasts->store = store;
    pasts->txn = txn;
    pasts->slots_before = slots_before;
    pasts->writer.least =
        store->tuning.piece_bytes == 0 ? STORE_PIECE_BYTES_LEAST : store->tuning.piece_bytes;
    txn->state.history_runs++;
    for (size_t i = 0; good && i < count; i++) {
        good = slot_fold(pasts, slots[i], &runs[i], fault);
    }
    store_history_fini(&pasts->history);
    free(pasts->list);
    free(pasts);
    return good;
}
