/* SPDX-License-Identifier: Apache-2.0 */
/* Readers of a generation: a cell is found by its hash, and of its changes, newest first, the first
 * that the reader's moment has. The fold is given whole lists of cells, and who has many look-ups
 * to make asks for what they will read before. */
#include "server/store/overlay_ahead.h"
#include "server/store/overlay_find.h"

#define LINE_BYTES 64 /* of a cache */

const struct store_version *store_generation_version(const struct store_generation *generation,
                                                     uint32_t slot, uint64_t seq)
{
    struct store_slot_cell *cell = store_slot_find(generation, slot);
    if (cell == NULL) {
        return NULL;
    }
    struct store_version *version = atomic_load_explicit(&cell->newest, memory_order_acquire);
    while (version != NULL && version->seq > seq) {
        version = version->older;
    }
    return version;
}

const struct store_owner *store_generation_owner(const struct store_generation *generation,
                                                 enum store_kind kind, uint64_t hash,
                                                 struct proto_span text, uint64_t seq)
{
    struct store_text_cell *cell = store_text_find(generation, kind, hash, text);
    if (cell == NULL) {
        return NULL;
    }
    struct store_owner *owner = atomic_load_explicit(&cell->newest, memory_order_acquire);
    while (owner != NULL && owner->seq > seq) {
        owner = owner->older;
    }
    return owner;
}

const struct store_paper *store_generation_paper(const struct store_generation *generation,
                                                 enum disk_table table, uint64_t key, uint64_t seq)
{
    struct store_paper *paper = atomic_load_explicit(&generation->papers, memory_order_acquire);
    while (paper != NULL && (paper->seq > seq || paper->table != table || paper->key != key)) {
        paper = paper->older;
    }
    return paper;
}

const struct store_happening *store_generation_told(const struct store_generation *generation,
                                                    uint32_t slot)
{
    const struct store_slot_cell *cell = store_slot_find(generation, slot);
    return cell == NULL ? NULL : atomic_load_explicit(&cell->told, memory_order_acquire);
}

static bool told_is(const struct store_happening *told, const struct event *event)
{
    struct event stored;
    struct proto_fault ignored;
    return event_decode(told->event, &stored, &ignored) &&
           proto_span_equal(stored.source, event->source) && proto_span_equal(stored.id, event->id);
}

const struct store_happening *store_generation_told_find(const struct store_generation *generation,
                                                         uint32_t slot, const struct event *event,
                                                         uint64_t hash, uint32_t *count, bool *cut)
{
    const struct store_slot_cell *cell = store_slot_find(generation, slot);
    struct store_cells *cells = atomic_load_explicit(&generation->tolds, memory_order_relaxed);
    *cut = cell != NULL && cell->cut_seq > 0;
    if (cell == NULL || cells == NULL) {
        return NULL;
    }
    *count += cell->told_count;
    uint64_t mixed = store_told_hash(slot, hash);
    uint64_t at = mixed;
    const struct store_happening *told = store_cells_next(cells, mixed, &at);
    while (told != NULL && (told->slot != slot || told->hash != hash || told->dead ||
                            told->seq <= cell->cut_seq || !told_is(told, event))) {
        told = store_cells_next(cells, mixed, &at);
    }
    return told;
}

bool store_generation_each(const struct store_generation *generation, uint64_t after, uint64_t seq,
                           bool (*each)(void *context, const uint32_t *slots, size_t count),
                           void *context)
{
    struct store_cells *cells = atomic_load_explicit(&generation->slots, memory_order_acquire);
    for (size_t i = 0; i < cells->count; i++) {
        struct store_slot_cell *cell = atomic_load_explicit(&cells->at[i], memory_order_acquire);
        if (cell == NULL) {
            continue;
        }
        struct store_version *version = atomic_load_explicit(&cell->newest, memory_order_acquire);
        while (version != NULL && version->seq > seq) {
            version = version->older;
        }
        if (version != NULL && version->seq > after && !each(context, &cell->slot, 1)) {
            return false;
        }
    }
    return true;
}

/* The first cell that may be the one of that hash; of no table none is. */
static const void *first_of(const _Atomic(struct store_cells *) *table, uint64_t hash)
{
    const struct store_cells *cells = atomic_load_explicit(table, memory_order_acquire);
    uint64_t at = hash;
    return cells == NULL ? NULL : store_cells_next(cells, hash, &at);
}

static void table_ahead(const _Atomic(struct store_cells *) *table, uint64_t hash)
{
    const struct store_cells *cells = atomic_load_explicit(table, memory_order_acquire);
    if (cells != NULL) {
        store_cells_ahead(cells, hash);
    }
}

void store_generation_ahead_text(const struct store_generation *generation, uint64_t hash,
                                 unsigned step)
{
    if (step == 0) {
        table_ahead(&generation->texts, hash);
    } else {
        __builtin_prefetch(first_of(&generation->texts, hash));
    }
}

void store_generation_ahead_slot(const struct store_generation *generation, uint32_t slot,
                                 unsigned step)
{
    uint64_t hash = store_slot_hash(slot);
    if (step == 0) {
        table_ahead(&generation->slots, hash);
        return;
    }
    const struct store_slot_cell *cell = first_of(&generation->slots, hash);
    if (step == 1 || cell == NULL) {
        __builtin_prefetch(cell);
        return;
    }
    const struct store_version *version = atomic_load_explicit(&cell->newest, memory_order_acquire);
    if (step == 2) {
        __builtin_prefetch(version);
    } else if (version != NULL) {
        __builtin_prefetch(version->value.data);
        if (version->value.bytes > LINE_BYTES) {
            __builtin_prefetch(version->value.data + LINE_BYTES);
        }
    }
}

void store_generation_ahead_told(const struct store_generation *generation, uint32_t slot,
                                 uint64_t hash)
{
    table_ahead(&generation->tolds, store_told_hash(slot, hash));
}

size_t store_generation_slots(const struct store_generation *generation,
                              struct store_slot_cell **list)
{
    struct store_cells *cells = atomic_load_explicit(&generation->slots, memory_order_acquire);
    size_t count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        struct store_slot_cell *cell = atomic_load_explicit(&cells->at[i], memory_order_acquire);
        if (cell != NULL && atomic_load_explicit(&cell->newest, memory_order_acquire) != NULL) {
            list[count++] = cell;
        }
    }
    return count;
}

size_t store_generation_texts(const struct store_generation *generation,
                              struct store_text_cell **list)
{
    struct store_cells *cells = atomic_load_explicit(&generation->texts, memory_order_acquire);
    size_t count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        struct store_text_cell *cell = atomic_load_explicit(&cells->at[i], memory_order_acquire);
        if (cell != NULL && atomic_load_explicit(&cell->newest, memory_order_acquire) != NULL) {
            list[count++] = cell;
        }
    }
    return count;
}

size_t store_generation_tolds(const struct store_generation *generation,
                              struct store_slot_cell **list)
{
    struct store_cells *cells = atomic_load_explicit(&generation->slots, memory_order_acquire);
    size_t count = 0;
    for (size_t i = 0; i < cells->count; i++) {
        struct store_slot_cell *cell = atomic_load_explicit(&cells->at[i], memory_order_acquire);
        if (cell != NULL && atomic_load_explicit(&cell->told, memory_order_acquire) != NULL) {
            list[count++] = cell;
        }
    }
    return count;
}
