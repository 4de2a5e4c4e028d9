/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "server/store/store_parts.h"

/* The limit is ours: LMDB keeps the larger table of readers of an earlier run. */
static bool view_link(struct store *store, struct store_view *view, struct proto_fault *fault)
{
    pthread_mutex_lock(&store->views.mutex);
    bool good = store->views.count < store->options.readers_max;
    if (good) {
        view->next = store->views.first;
        if (view->next != NULL)
            view->next->previous = view;
        store->views.first = view;
        store->views.count++;
    }
    pthread_mutex_unlock(&store->views.mutex);
    return good || proto_fault_set(fault, PROTO_LIMIT, "", "%u views are open, their limit",
                                   store->options.readers_max);
}

struct store_view *store_view_open(struct store *store, struct proto_fault *fault)
{
    struct store_view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a view");
        return NULL;
    }
    view->store = store;
    atomic_init(&view->epoch, UINT64_MAX);
    if (!disk_txn_open(&view->txn, &store->env, fault)) {
        free(view);
        return NULL;
    }
    if (!view_link(store, view, fault)) {
        disk_txn_abort(&view->txn);
        free(view);
        return NULL;
    }
    if (store_view_refresh(view, fault))
        return view;
    store_view_close(view);
    return NULL;
}

void store_view_close(struct store_view *view)
{
    if (view == NULL)
        return;
    struct store *store = view->store;
    pthread_mutex_lock(&store->views.mutex);
    if (view->previous == NULL)
        store->views.first = view->next;
    else
        view->previous->next = view->next;
    if (view->next != NULL)
        view->next->previous = view->previous;
    store->views.count--;
    pthread_mutex_unlock(&store->views.mutex);
    disk_txn_abort(&view->txn);
    free(view->places);
    free(view);
}

void store_view_rest(struct store_view *view)
{
    if (!view->active)
        return;
    disk_txn_rest(&view->txn);
    view->active = false;
    view->table = NULL;
    atomic_store(&view->epoch, UINT64_MAX);
}

/* Takes hold of the index. The epoch is shown before the pointer is read: either the writer sees
 * that this view may hold an old table, or this view reads the new one. */
static void index_hold(struct store_view *view)
{
    struct store_index *index = &view->store->index;
    atomic_store(&view->epoch, atomic_load(&index->epoch));
    view->table = atomic_load(&index->table);
}

static bool view_renew(struct store_view *view, struct proto_fault *fault)
{
    if (!disk_txn_renew(&view->txn, fault)) {
        if (fault->code == PROTO_CORRUPT)
            store_damage(view->store, fault);
        return false;
    }
    /* The stamps of this transaction were set before `committing` was: acquire them. It can only be
     * behind for the moment between two instructions of the writer. */
    while (atomic_load_explicit(&view->store->committing, memory_order_acquire) <
           view->txn.state.txn)
        continue;
    view->active = true;
    return true;
}

bool store_view_refresh(struct store_view *view, struct proto_fault *fault)
{
    uint64_t committed = atomic_load_explicit(&view->store->committed, memory_order_acquire);
    if (view->active && view->txn.state.txn >= committed) {
        if (view->table == NULL)
            index_hold(view); /* it may have become ready since */
        return true;
    }
    if (view->active)
        disk_txn_rest(&view->txn);
    view->active = false;
    if (!view_renew(view, fault)) {
        view->table = NULL;
        atomic_store(&view->epoch, UINT64_MAX);
        return false;
    }
    index_hold(view);
    return true;
}

uint64_t store_view_seq(const struct store_view *view)
{
    return view->txn.state.seq;
}

uint64_t store_view_txn(const struct store_view *view)
{
    return view->txn.state.txn;
}

bool store_view_is_latest(const struct store_view *view, uint32_t slot)
{
    return store_stamp(&view->store->stamps, slot / STORE_BLOCK_ROWS) <= view->txn.state.txn;
}

uint32_t store_view_slots(const struct store_view *view)
{
    return view->txn.state.slots;
}

uint64_t store_view_accounts(const struct store_view *view)
{
    return view->txn.state.accounts;
}

uint64_t store_view_rows_digest(const struct store_view *view)
{
    return view->txn.state.rows_digest;
}

uint32_t store_view_rows_slots(const struct store_view *view)
{
    return view->txn.state.rows_digest == 0 ? 0 : view->txn.state.rows_slots;
}

static bool bad_slot(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "",
                           "what is stored of this account is damaged and cannot be read");
}

bool store_record(struct store_view *view, uint32_t slot, struct proto_span *record,
                  struct proto_fault *fault)
{
    assert(view->active);
    struct store_account account = {.deleted = true};
    if (slot == STORE_BAD_SLOT)
        return bad_slot(fault);
    if (slot < view->txn.state.slots && !store_account_get(&view->txn, slot, &account, fault)) {
        store_damage(view->store, fault);
        return false;
    }
    if (account.deleted)
        return proto_fault_set(fault, PROTO_NOT_FOUND, "", "slot %u holds no account", slot);
    *record = account.record;
    return true;
}

/* Room for the places of all blocks and some more; without it every row goes through LMDB. */
static bool places_grow(struct store_view *view)
{
    size_t count = (size_t)view->txn.state.slots / STORE_BLOCK_ROWS * 5 / 4 + 64;
    struct store_block_place *places = realloc(view->places, count * sizeof *places);
    if (places == NULL)
        return false;
    memset(places + view->place_count, 0, (count - view->place_count) * sizeof *places);
    view->places = places;
    view->place_count = count;
    return true;
}

/* A place holds as long as its block was not written since. That covers a change of generation too:
 * a row is asked for only when its block was written in the generation that the view sees. */
const uint8_t *store_view_block(struct store_view *view, uint32_t block, struct proto_fault *fault)
{
    uint64_t now = view->txn.state.txn;
    if (block >= view->place_count && !places_grow(view))
        return store_block_get(&view->txn, block, fault);
    struct store_block_place *place = &view->places[block];
    if (place->block != NULL &&
        (place->txn == now || store_stamp(&view->store->stamps, block) <= place->txn)) {
        place->txn = now;
        return place->block;
    }
    place->block = store_block_get(&view->txn, block, fault);
    place->txn = now;
    return place->block;
}

const uint8_t *store_row(struct store_view *view, uint32_t slot, struct proto_fault *fault)
{
    assert(view->active);
    const struct disk_state *state = &view->txn.state;
    if (slot == STORE_BAD_SLOT)
        bad_slot(fault);
    if (slot >= store_view_rows_slots(view) || slot >= state->slots)
        return NULL;
    const uint8_t *block = store_view_block(view, slot / STORE_BLOCK_ROWS, fault);
    if (block == NULL) {
        store_damage(view->store, fault);
        return NULL;
    }
    const uint8_t *row = store_block_row(block, slot, state->row_bytes);
    if (!store_row_valid(row, state->row_bytes, slot, state->rows_digest) ||
        (disk_get_u16(row + 12) & STORE_ROW_WRITTEN) == 0) {
        proto_fault_set(fault, PROTO_CORRUPT, "row",
                        "the row of slot %u does not match its checksum", slot);
        store_damage(view->store, fault);
        return NULL;
    }
    return (disk_get_u16(row + 12) & STORE_ROW_LIVING) != 0 ? row + STORE_ROW_HEADER_BYTES : NULL;
}

bool store_document_get(struct store_view *view, enum store_document_kind kind, uint32_t number,
                        struct store_change *change, struct proto_fault *fault)
{
    struct proto_fault local = {.code = PROTO_OK};
    assert(view->active);
    if (store_document_read(&view->txn, kind, number, change, &local))
        return true;
    if (local.code != PROTO_NOT_FOUND)
        store_damage(view->store, &local);
    *fault = local;
    return false;
}

bool store_switches(struct store_view *view,
                    void (*each)(void *context, const struct store_change *change), void *context,
                    struct proto_fault *fault)
{
    uint32_t last = store_document_last(&view->txn.state, STORE_DOCUMENT_SWITCH);
    for (uint32_t number = 1; number <= last; number++) {
        struct store_change change;
        if (!store_document_get(view, STORE_DOCUMENT_SWITCH, number, &change, fault))
            return false;
        each(context, &change);
    }
    return true;
}
