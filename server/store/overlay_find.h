/* SPDX-License-Identifier: Apache-2.0 */
/* How cells of a generation are found: for the two files that do, overlay.c, which writes, and
 * overlay_read.c. Ownership: borrows. Errors: none; NULL: there is no such cell. Threads: those
 * that may read the generation. Cost: that of cells.h. */
#ifndef STORE_OVERLAY_FIND_H
#define STORE_OVERLAY_FIND_H

#include "server/store/overlay.h"

/* Slots are dense: spread them, so that neighbours do not probe each other's places. */
static inline uint64_t store_slot_hash(uint32_t slot)
{
    return (slot + UINT64_C(1)) * UINT64_C(0x9E3779B97F4A7C15) >> 20;
}

static inline uint64_t store_told_hash(uint32_t slot, uint64_t hash)
{
    return (hash ^ (slot + UINT64_C(1))) * UINT64_C(0x9E3779B97F4A7C15) >> 16;
}

static inline struct store_slot_cell *store_slot_find(const struct store_generation *generation,
                                                      uint32_t slot)
{
    const struct store_cells *cells =
        atomic_load_explicit(&generation->slots, memory_order_acquire);
    uint64_t hash = store_slot_hash(slot);
    uint64_t at = hash;
    struct store_slot_cell *cell = store_cells_next(cells, hash, &at);
    while (cell != NULL && cell->slot != slot) {
        cell = store_cells_next(cells, hash, &at);
    }
    return cell;
}

static inline struct store_text_cell *store_text_find(const struct store_generation *generation,
                                                      enum store_kind kind, uint64_t hash,
                                                      struct proto_span text)
{
    const struct store_cells *cells =
        atomic_load_explicit(&generation->texts, memory_order_acquire);
    uint64_t at = hash;
    struct store_text_cell *cell = store_cells_next(cells, hash, &at);
    while (cell != NULL &&
           (cell->hash != hash || cell->kind != kind || !proto_span_equal(cell->text, text))) {
        cell = store_cells_next(cells, hash, &at);
    }
    return cell;
}

#endif
