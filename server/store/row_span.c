/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "server/store/block_check.h"
#include "server/store/store_parts.h"

static_assert(STORE_ROWS_MAX == STORE_BLOCK_ROWS, "a span is at most a block");

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
    if (__builtin_cpu_supports("avx2"))
        return disk_get_u64(block) == store_hash_avx2(block + 8, bytes, seed);
#endif
    return disk_get_u64(block) == store_hash_plain(block + 8, bytes, seed);
}

bool store_rows(struct store_view *view, uint32_t slot, struct store_rows *rows,
                struct proto_fault *fault)
{
    assert(view->active);
    const struct disk_state *state = &view->txn.state;
    uint32_t end = store_view_rows_slots(view);
    end = end < state->slots ? end : state->slots;
    if (slot >= end)
        return false;
    const uint8_t *block = store_view_block(view, slot / STORE_BLOCK_ROWS, fault);
    if (block == NULL) {
        store_damage(view->store, fault);
        return false;
    }
    const uint8_t *row = store_block_row(block, slot, state->row_bytes);
    uint32_t left = STORE_BLOCK_ROWS - slot % STORE_BLOCK_ROWS;
    *rows = (struct store_rows){.codes = row + STORE_ROW_HEADER_BYTES,
                                .stride = state->row_bytes,
                                .slot = slot,
                                .count = end - slot < left ? end - slot : left};
    /* One hash for all; a block that does not match is looked at row by row, for the others are
     * right by themselves. */
    bool sound = block_sound(state, block, slot / STORE_BLOCK_ROWS);
    for (unsigned i = 0; i < rows->count; i++, row += state->row_bytes) {
        unsigned flags = disk_get_u16(row + 12);
        bool valid =
            (flags & STORE_ROW_WRITTEN) != 0 &&
            (sound || store_row_valid(row, state->row_bytes, slot + i, state->rows_digest));
        rows->living |= (uint64_t)(valid && (flags & STORE_ROW_LIVING) != 0) << i;
        rows->damaged |= (uint64_t)!valid << i;
    }
    return true;
}
