/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>

#include "server/store/block_check.h"
#include "server/store/store_parts.h"

static_assert(STORE_ROWS_MAX == STORE_BLOCK_ROWS, "a span is at most a block");

enum { SCRATCH_OFFSET = 16 }; /* of a block behind a page's begin */

uint64_t store_hash_plain(const uint8_t *bytes, size_t count, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, count, seed);
}

/* Whether every byte of the block is as it was written. */
static bool block_sound(const struct disk_state *state, const uint8_t *block, uint32_t number)
{
    size_t bytes = store_block_bytes(state->row_bytes) - 8;
    uint64_t seed = disk_check_seed(DISK_TABLE_ROW, store_row_key(state->rows_generation, number));
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        return disk_get_u64(block) == store_hash_avx2(block + 8, bytes, seed);
    }
#endif
    return disk_get_u64(block) == store_hash_plain(block + 8, bytes, seed);
}

/* A copy of the block with the rows that the overlay has instead. NULL: no memory. */
static uint8_t *scratch_copy(struct store_view *view, const uint8_t *block, size_t bytes)
{
    if (view->scratch_bytes < bytes) {
        free(view->scratch);
        /* Rows lie on cache lines as they do in the map: behind 16 bytes and the block's header. */
        view->scratch = aligned_alloc(64, (SCRATCH_OFFSET + bytes + 63) / 64 * 64);
        view->scratch_bytes = view->scratch == NULL ? 0 : bytes;
    }
    if (view->scratch == NULL) {
        return NULL;
    }
    if (block != NULL) {
        memcpy(view->scratch + SCRATCH_OFFSET, block, bytes);
    }
    return view->scratch + SCRATCH_OFFSET;
}

/* Row i of a span as it is in the block. */
static void row_judge(struct store_rows *rows, unsigned i, const uint8_t *row, bool valid)
{
    unsigned flags = disk_get_u16(row + 12);
    valid = valid && (flags & STORE_ROW_WRITTEN) != 0;
    rows->living |= (uint64_t)(valid && (flags & STORE_ROW_LIVING) != 0) << i;
    rows->damaged |= (uint64_t)!valid << i;
}

/* One hash for all; a block that does not match is looked at row by row, for the others are right
 * by themselves. */
static void block_judge(const struct store_view *view, const uint8_t *block, uint32_t slot,
                        unsigned count, struct store_rows *rows)
{
    const struct disk_state *tables = &view->txn.state;
    const uint8_t *row = store_block_row(block, slot, tables->row_bytes);
    bool sound = block_sound(tables, block, slot / STORE_BLOCK_ROWS);
    for (unsigned i = 0; i < count; i++, row += tables->row_bytes) {
        row_judge(rows, i, row,
                  sound || store_row_valid(row, tables->row_bytes, slot + i, tables->rows_digest));
    }
}

/* Lays rows of the overlay over the copy. One of another codebook is to be read as a record. */
static void overlay_lay(const struct store_view *view, uint8_t *block, uint32_t slot,
                        struct store_rows *rows)
{
    size_t row_bytes = view->txn.state.row_bytes;
    for (unsigned i = 0; i < rows->count; i++) {
        const struct store_version *version = store_sight_version(&view->sight, slot + i);
        if (version == NULL) {
            continue;
        }
        uint8_t *place =
            block + STORE_BLOCK_HEADER_BYTES + ((slot + i) % STORE_BLOCK_ROWS) * row_bytes;
        const uint8_t *row = store_view_row_of(view, version);
        uint64_t bit = UINT64_C(1) << i;
        rows->living &= ~bit;
        rows->damaged &= ~bit;
        if (row == NULL) {
            memset(place, 0, row_bytes);
            rows->damaged |= bit;
            continue;
        }
        memcpy(place, row, row_bytes);
        row_judge(rows, i, place, true);
    }
}

/* How many of the rows from `slot` on the tables have. */
static unsigned stored_count(const struct store_view *view, uint32_t slot, unsigned count)
{
    const struct disk_state *tables = &view->txn.state;
    uint32_t end = tables->rows_slots < tables->slots ? tables->rows_slots : tables->slots;
    if (slot >= end) {
        return 0;
    }
    return end - slot < count ? end - slot : count;
}

bool store_rows(struct store_view *view, uint32_t slot, struct store_rows *rows,
                struct proto_fault *fault)
{
    assert(view->active);
    const struct disk_state *tables = &view->txn.state;
    uint32_t end = view->rows_slots;
    if (slot >= end) {
        return false;
    }
    unsigned left = STORE_BLOCK_ROWS - slot % STORE_BLOCK_ROWS;
    unsigned count = end - slot < left ? end - slot : left;
    unsigned stored = stored_count(view, slot, count);
    const uint8_t *block = NULL;
    if (stored > 0 && (block = store_view_block(view, slot / STORE_BLOCK_ROWS, fault)) == NULL) {
        store_damage(view->store, fault);
        return false;
    }
    *rows = (struct store_rows){.stride = tables->row_bytes, .slot = slot, .count = count};
    if (block != NULL) {
        block_judge(view, block, slot, stored, rows);
    }
    if (stored < count || store_view_overlaid(view, slot)) {
        uint8_t *copy = scratch_copy(view, block, store_block_bytes(tables->row_bytes));
        if (copy == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a block of rows");
        }
        overlay_lay(view, copy, slot, rows);
        block = copy;
    }
    rows->codes = store_block_row(block, slot, tables->row_bytes) + STORE_ROW_HEADER_BYTES;
    return true;
}
