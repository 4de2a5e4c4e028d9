/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the overlay: from a hash to cells that are never taken out, with readers who take no
 * lock. Open addressing; each place has 15 bits of the hash beside its pointer, so that a search
 * reads one line of these and follows only what is almost certainly meant.
 *
 *   pointer × count    u16 tag × count, 0: free
 *
 * A pointer is stored before its tag: whoever sees the tag finds the cell. At two thirds a larger
 * table takes over; the one before stays until the end, for some reader may be in it. Shapes: ten
 * bytes a place. Ownership: owns its tables, not the cells. Errors: NULL or false without memory.
 * Threads: one writer, any readers. Cost: two cache misses for what is there, one for what is not.
 * Source: tags as in Bronson, Shi, F14 (2019). */
#ifndef STORE_CELLS_H
#define STORE_CELLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store_cells {
    struct store_cells *smaller; /* the table before */
    size_t count;                /* of places, a power of two */
    _Atomic uint16_t *tags;
    _Atomic(void *) at[];
};

/* With a power of two of places. */
struct store_cells *store_cells_create(size_t count);
/* And those before it. */
void store_cells_destroy(struct store_cells *cells);
size_t store_cells_bytes(size_t count);
/* There must be a free place. */
void store_cells_put(struct store_cells *cells, uint64_t hash, void *cell);
/* Sees to a place for one more beside `taken`; *grown: bytes of a larger table that took over. */
bool store_cells_reserve(_Atomic(struct store_cells *) *table, size_t taken,
                         uint64_t (*hash_of)(const void *cell), size_t *grown);

static inline uint16_t store_cells_tag(uint64_t hash)
{
    return (uint16_t)(hash >> 28 | 1);
}

/* The next cell that may have the hash, from *at on, which begins as the hash; NULL: there is none.
 */
static inline void *store_cells_next(const struct store_cells *cells, uint64_t hash, uint64_t *at)
{
    const uint16_t tag = store_cells_tag(hash);
    for (;;) {
        size_t place = (*at)++ & (cells->count - 1);
        uint16_t there = atomic_load_explicit(&cells->tags[place], memory_order_acquire);
        if (there == tag) {
            return atomic_load_explicit(&cells->at[place], memory_order_acquire);
        }
        if (there == 0) {
            return NULL;
        }
    }
}

/* Asks for what a search begins with: it reads a tag, then a pointer. */
static inline void store_cells_ahead(const struct store_cells *cells, uint64_t hash)
{
    size_t place = hash & (cells->count - 1);
    __builtin_prefetch(&cells->tags[place]);
    __builtin_prefetch(&cells->at[place]);
}

#endif
