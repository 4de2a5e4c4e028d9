/* SPDX-License-Identifier: Apache-2.0 */
/* A view is refreshed in an order that lets the writer free behind it without locks: it announces
 * which generations it may look into, takes a snapshot of the tables, takes the moment, which is
 * then not before the snapshot, and narrows what it announced. A fault leaves it at rest. */
#include <assert.h>
#include <stdlib.h>

#include "server/store/store_parts.h"
#include "server/store/written.h"

/* The limit is ours: LMDB keeps the larger table of readers of an earlier run. */
static bool view_link(struct store *store, struct store_view *view, struct proto_fault *fault)
{
    pthread_mutex_lock(&store->views.mutex);
    bool good = view->own || store->views.count < store->options.readers_max;
    if (good) {
        view->next = store->views.first;
        if (view->next != NULL) {
            view->next->previous = view;
        }
        store->views.first = view;
        store->views.count += !view->own;
    }
    pthread_mutex_unlock(&store->views.mutex);
    return good || proto_fault_set(fault, PROTO_LIMIT, "", "%u views are open, their limit",
                                   store->options.readers_max);
}

static struct store_view *view_open(struct store *store, bool own, struct proto_fault *fault)
{
    struct store_view *view = calloc(1, sizeof *view);
    if (view == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a view");
        return NULL;
    }
    view->store = store;
    view->own = own;
    atomic_init(&view->epoch, UINT64_MAX);
    atomic_init(&view->low, UINT64_MAX);
    atomic_init(&view->kept, UINT64_MAX);
    if (!disk_txn_open(&view->txn, &store->env, fault)) {
        free(view);
        return NULL;
    }
    if (!view_link(store, view, fault)) {
        disk_txn_abort(&view->txn);
        free(view);
        return NULL;
    }
    if (store_view_refresh(view, fault)) {
        return view;
    }
    store_view_close(view);
    return NULL;
}

struct store_view *store_view_open(struct store *store, struct proto_fault *fault)
{
    return view_open(store, false, fault);
}

struct store_view *store_view_open_own(struct store *store, struct proto_fault *fault)
{
    return view_open(store, true, fault);
}

void store_view_close(struct store_view *view)
{
    if (view == NULL) {
        return;
    }
    struct store *store = view->store;
    pthread_mutex_lock(&store->views.mutex);
    if (view->previous == NULL) {
        store->views.first = view->next;
    } else {
        view->previous->next = view->next;
    }
    if (view->next != NULL) {
        view->next->previous = view->previous;
    }
    store->views.count -= !view->own;
    pthread_mutex_unlock(&store->views.mutex);
    disk_txn_abort(&view->txn);
    free(view->places);
    free(view->scratch);
    free(view);
}

static void view_let_go(struct store_view *view)
{
    view->active = false;
    view->table = NULL;
    atomic_store(&view->epoch, UINT64_MAX);
    atomic_store(&view->low, UINT64_MAX);
}

void store_view_rest(struct store_view *view)
{
    if (!view->active) {
        return;
    }
    disk_txn_rest(&view->txn);
    view_let_go(view);
}

/* Takes hold of the index. The epoch is shown before the pointer is read: either the writer sees
 * that this view may hold an old table, or this view reads the new one. */
static void index_hold(struct store_view *view)
{
    struct store_index *index = &view->store->index;
    atomic_store(&view->epoch, atomic_load(&index->epoch));
    view->table = atomic_load(&index->table);
}

/* Moves the snapshot of the tables on; it then holds what was folded when that was asked. */
static bool tables_renew(struct store_view *view, struct proto_fault *fault)
{
    struct store *store = view->store;
    for (;;) {
        if (!disk_txn_renew(&view->txn, fault)) {
            if (fault->code == PROTO_CORRUPT) {
                store_damage(store, fault);
            }
            return false;
        }
        if (view->txn.state.seq >= atomic_load(&store->folded)) {
            break;
        }
        disk_txn_rest(&view->txn);
    }
    /* The stamps of this transaction were set before `writing` was: acquire them. It can only be
     * behind for the moment between two instructions of the folder. */
    while (atomic_load_explicit(&store->writing, memory_order_acquire) < view->txn.state.txn) {
        continue;
    }
    view->taken_ns = store_clock_ns();
    return true;
}

/* Rows are complete as far as those of the tables are, and as far as the generations above have
 * rows of the same codebook. */
static uint32_t rows_complete(const struct store_view *view)
{
    const struct disk_state *tables = &view->txn.state;
    if (tables->rows_digest == 0) {
        return 0;
    }
    uint32_t slots = tables->rows_slots == tables->slots ? view->state.slots : tables->rows_slots;
    for (const struct store_generation *generation = view->sight.newest; generation != NULL;
         generation = store_generation_older(generation, tables->seq)) {
        uint32_t least = atomic_load_explicit(&generation->least, memory_order_acquire);
        if (atomic_load_explicit(&generation->digest, memory_order_acquire) !=
            tables->rows_digest) {
            slots = least < slots ? least : slots;
        }
    }
    return slots;
}

/* Whether the snapshot of the tables is still the newest. */
static bool tables_are_new(const struct store_view *view)
{
    return view->active && view->txn.state.txn == atomic_load(&view->store->tables);
}

bool store_view_refresh(struct store_view *view, struct proto_fault *fault)
{
    struct store *store = view->store;
    uint64_t turn = atomic_load_explicit(&store->turn, memory_order_acquire);
    if (view->active && view->turn == turn) {
        if (view->table == NULL) {
            index_hold(view); /* it may have become ready since */
        }
        return true;
    }
    atomic_store(&view->high, UINT64_MAX);
    if (!tables_are_new(view)) {
        if (view->active) {
            disk_txn_rest(&view->txn);
        }
        view->active = false;
        atomic_store(&view->low, atomic_load(&store->folded));
        if (!tables_renew(view, fault)) {
            view_let_go(view);
            return false;
        }
    }
    view->sight.base = &view->txn;
    view->sight.state = &view->state;
    store_moment_get(&store->moments, &view->state, &view->sight.newest);
    view->sight.seq = view->state.seq;
    atomic_store(&view->high, view->state.seq);
    view->rows_slots = rows_complete(view);
    view->turn = turn;
    view->active = true;
    index_hold(view);
    return true;
}

void store_view_keep_slots(struct store_view *view, uint64_t seq)
{
    atomic_store(&view->kept, seq);
}

/* A view that is being refreshed sees at least what was folded when that began. */
static uint64_t seen_by(const struct store_view *view)
{
    uint64_t low = atomic_load(&view->low);
    uint64_t high = atomic_load(&view->high);
    uint64_t kept = atomic_load(&view->kept);
    uint64_t seen = low == UINT64_MAX ? UINT64_MAX : high == UINT64_MAX ? low : high;
    return kept < seen ? kept : seen;
}

uint64_t store_views_seen(struct store *store)
{
    uint64_t least = store->writer.state.seq;
    pthread_mutex_lock(&store->views.mutex);
    for (const struct store_view *view = store->views.first; view != NULL; view = view->next) {
        uint64_t seen = seen_by(view);
        least = seen < least ? seen : least;
    }
    pthread_mutex_unlock(&store->views.mutex);
    return least;
}

bool store_snapshot_young(const struct store *store, const struct disk_txn *txn, uint64_t taken_ns,
                          struct proto_fault *fault)
{
    uint64_t most_ms = store->options.view_ms_max;
    if (most_ms == 0 || txn->state.txn == atomic_load(&store->tables) ||
        store_clock_ns() - taken_ns <= most_ms * 1000000) {
        return true;
    }
    return proto_fault_set(fault, PROTO_LIMIT, "",
                           "this has read one snapshot for more than %llu ms (view_ms_max), while "
                           "the file of the store grows by what is written",
                           (unsigned long long)most_ms);
}

bool store_view_young(const struct store_view *view, struct proto_fault *fault)
{
    return !view->active || store_snapshot_young(view->store, &view->txn, view->taken_ns, fault);
}

uint64_t store_seq(const struct store *store)
{
    return atomic_load_explicit(&store->moments.seq, memory_order_acquire);
}

uint64_t store_view_seq(const struct store_view *view)
{
    return view->state.seq;
}

bool store_view_is_latest(const struct store_view *view, uint32_t slot)
{
    return store_stamp(&view->store->stamps, slot / STORE_BLOCK_ROWS) <= view->state.seq;
}

uint64_t store_view_written(const struct store_view *view, uint32_t slot)
{
    return store_stamp(&view->store->stamps, slot / STORE_BLOCK_ROWS);
}

uint32_t store_view_slots(const struct store_view *view)
{
    return view->state.slots;
}

uint64_t store_view_accounts(const struct store_view *view)
{
    return view->state.accounts;
}

uint64_t store_view_rows_digest(const struct store_view *view)
{
    return view->txn.state.rows_digest;
}

uint32_t store_view_rows_slots(const struct store_view *view)
{
    return view->rows_slots;
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
    if (slot == STORE_BAD_SLOT) {
        return bad_slot(fault);
    }
    if (slot < view->state.slots && !store_account_get(&view->sight, slot, &account, fault)) {
        store_damage(view->store, fault);
        return false;
    }
    if (!store_account_answers(&account)) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "", "slot %u holds no account", slot);
    }
    *record = account.record;
    return true;
}

static bool source_get(struct store_view *view, uint32_t slot, struct store_account *account,
                       struct proto_fault *fault)
{
    assert(view->active);
    *account = (struct store_account){.deleted = true};
    if (slot == STORE_BAD_SLOT) {
        return bad_slot(fault);
    }
    if (slot < view->state.slots && !store_account_get(&view->sight, slot, account, fault)) {
        store_damage(view->store, fault);
        return false;
    }
    return !account->deleted ||
           proto_fault_set(fault, PROTO_NOT_FOUND, "", "slot %u holds no account", slot);
}

bool store_source(struct store_view *view, uint32_t slot, struct store_source *source,
                  struct proto_fault *fault)
{
    struct store_account account;
    if (!source_get(view, slot, &account, fault)) {
        return false;
    }
    *source = (struct store_source){
        .record = account.record,
        .fold = account.fold,
        .entry = account.entry,
        .begun = account.begun,
        .count = (uint32_t)store_member_count(account.members),
    };
    for (uint32_t i = 0; i < source->count && i < PROTO_IDENTITY_SOURCES_MAX; i++) {
        source->members[i] = store_member(account.members, i);
    }
    return true;
}

uint64_t store_view_sources(const struct store_view *view)
{
    return view->state.sources;
}

uint64_t store_view_records(const struct store_view *view)
{
    return view->state.accounts - view->state.folds + view->state.sources;
}

uint64_t store_view_folds(const struct store_view *view)
{
    return view->state.folds;
}

uint32_t store_view_entries(const struct store_view *view)
{
    return view->state.identities;
}

uint32_t store_view_documents(const struct store_view *view, enum store_document_kind kind)
{
    return store_document_last(&view->state, kind);
}

/* Room for the places of all blocks and some more; without it every row goes through LMDB. */
static bool places_grow(struct store_view *view)
{
    size_t count = (size_t)view->txn.state.slots / STORE_BLOCK_ROWS * 5 / 4 + 64;
    struct store_block_place *places = realloc(view->places, count * sizeof *places);
    if (places == NULL) {
        return false;
    }
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
    if (block >= view->place_count && !places_grow(view)) {
        return store_block_get(&view->txn, block, fault);
    }
    struct store_block_place *place = &view->places[block];
    if (place->block != NULL &&
        (place->txn == now || store_stamp(&view->store->written, block) <= place->txn)) {
        place->txn = now;
        return place->block;
    }
    place->block = store_block_get(&view->txn, block, fault);
    place->txn = now;
    return place->block;
}

/* Codes of a row that is right by itself; NULL if its account is deleted. */
static const uint8_t *row_codes(const uint8_t *row)
{
    return (disk_get_u16(row + 12) & STORE_ROW_LIVING) != 0 ? row + STORE_ROW_HEADER_BYTES : NULL;
}

const uint8_t *store_row(struct store_view *view, uint32_t slot, struct proto_fault *fault)
{
    assert(view->active);
    const struct disk_state *tables = &view->txn.state;
    if (slot == STORE_BAD_SLOT) {
        bad_slot(fault);
    }
    if (slot >= view->state.slots || tables->rows_digest == 0) {
        return NULL;
    }
    if (store_view_overlaid(view, slot)) {
        const struct store_version *version = store_sight_version(&view->sight, slot);
        const uint8_t *row = version == NULL ? NULL : store_view_row_of(view, version);
        if (version != NULL) {
            return row == NULL ? NULL : row_codes(row);
        }
    }
    if (slot >= tables->rows_slots || slot >= tables->slots) {
        return NULL;
    }
    const uint8_t *block = store_view_block(view, slot / STORE_BLOCK_ROWS, fault);
    if (block == NULL) {
        store_damage(view->store, fault);
        return NULL;
    }
    const uint8_t *row = store_block_row(block, slot, tables->row_bytes);
    if (!store_row_valid(row, tables->row_bytes, slot, tables->rows_digest) ||
        (disk_get_u16(row + 12) & STORE_ROW_WRITTEN) == 0) {
        proto_fault_set(fault, PROTO_CORRUPT, "row",
                        "the row of slot %u does not match its checksum", slot);
        store_damage(view->store, fault);
        return NULL;
    }
    return row_codes(row);
}

bool store_document_get(struct store_view *view, enum store_document_kind kind, uint32_t number,
                        struct store_change *change, struct proto_fault *fault)
{
    struct proto_fault local = {.code = PROTO_OK};
    assert(view->active);
    if (store_document_read(&view->sight, kind, number, change, &local)) {
        return true;
    }
    if (local.code != PROTO_NOT_FOUND) {
        store_damage(view->store, &local);
    }
    *fault = local;
    return false;
}

bool store_switches(struct store_view *view,
                    void (*each)(void *context, const struct store_change *change), void *context,
                    struct proto_fault *fault)
{
    uint32_t last = store_document_last(&view->state, STORE_DOCUMENT_SWITCH);
    for (uint32_t number = 1; number <= last; number++) {
        struct store_change change;
        if (!store_document_get(view, STORE_DOCUMENT_SWITCH, number, &change, fault)) {
            return false;
        }
        each(context, &change);
    }
    return true;
}
