/* SPDX-License-Identifier: Apache-2.0 */
/* A cell is put into the first free place from its hash on: its pointer, then its tag. A table that
 * fills is copied into one twice as large, which readers get by one store; without memory it stays
 * as it is, and the caller gives the change up. */
#include "server/store/cells.h"

#include <stdlib.h>

enum { REHASH_AHEAD = 16 };

size_t store_cells_bytes(size_t count)
{
    return sizeof(struct store_cells) +
           count * (sizeof(_Atomic(void *)) + sizeof(_Atomic uint16_t));
}

struct store_cells *store_cells_create(size_t count)
{
    struct store_cells *cells = calloc(1, store_cells_bytes(count));
    if (cells != NULL) {
        cells->count = count;
        void *behind = (uint8_t *)cells + sizeof *cells + count * sizeof(_Atomic(void *));
        cells->tags = behind;
    }
    return cells;
}

void store_cells_destroy(struct store_cells *cells)
{
    while (cells != NULL) {
        struct store_cells *smaller = cells->smaller;
        free(cells);
        cells = smaller;
    }
}

void store_cells_put(struct store_cells *cells, uint64_t hash, void *cell)
{
    size_t place = hash & (cells->count - 1);
    while (atomic_load_explicit(&cells->tags[place], memory_order_relaxed) != 0) {
        place = (place + 1) & (cells->count - 1);
    }
    atomic_store_explicit(&cells->at[place], cell, memory_order_release);
    atomic_store_explicit(&cells->tags[place], store_cells_tag(hash), memory_order_release);
}

bool store_cells_reserve(_Atomic(struct store_cells *) *table, size_t taken,
                         uint64_t (*hash_of)(const void *cell), size_t *grown)
{
    struct store_cells *cells = atomic_load_explicit(table, memory_order_relaxed);
    *grown = 0;
    if ((taken + 1) * 3 <= cells->count * 2) {
        return true;
    }
    struct store_cells *larger = store_cells_create(cells->count * 2);
    if (larger == NULL) {
        return false;
    }
    for (size_t i = 0; i < cells->count; i++) {
        void *cell = atomic_load_explicit(&cells->at[i], memory_order_relaxed);
        /* The cells lie anywhere: some are on their way while one is read. */
        size_t ahead = i + REHASH_AHEAD < cells->count ? i + REHASH_AHEAD : i;
        __builtin_prefetch(atomic_load_explicit(&cells->at[ahead], memory_order_relaxed));
        if (cell != NULL) {
            store_cells_put(larger, hash_of(cell), cell);
        }
    }
    larger->smaller = cells;
    *grown = store_cells_bytes(larger->count);
    atomic_store_explicit(table, larger, memory_order_release);
    return true;
}
