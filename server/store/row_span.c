/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "server/store/store_parts.h"

static_assert(STORE_ROWS_MAX == STORE_BLOCK_ROWS, "a span is at most a block");

bool store_rows(struct store_view *view, uint32_t slot, struct store_rows *rows,
                struct proto_fault *fault)
{
    assert(view->active);
    const struct store_state *state = &view->txn.state;
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
    for (unsigned i = 0; i < rows->count; i++, row += state->row_bytes) {
        unsigned flags = store_get_u16(row + 12);
        bool valid = (flags & STORE_ROW_WRITTEN) != 0 &&
                     store_row_valid(row, state->row_bytes, slot + i, state->rows_digest);
        rows->living |= (uint64_t)(valid && (flags & STORE_ROW_LIVING) != 0) << i;
        rows->damaged |= (uint64_t)!valid << i;
    }
    return true;
}
