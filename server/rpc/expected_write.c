/* SPDX-License-Identifier: Apache-2.0 */
/* The map is written by what writes every score, which knows nothing of values and so costs nothing
 * for them; its head is rewritten here, with room for a longer count if it needs that. */
#include "server/rpc/expected_write.h"

#include <string.h>

#include "proto/mark.h"

enum { FIX_MAX = 15, HEAD16 = 3 };

void rpc_map_grow(struct proto_writer *out, size_t start, size_t more)
{
    if (!proto_writer_ok(out)) {
        return;
    }
    uint8_t first = out->data[start];
    bool fixed = (first & 0xf0U) == PROTO_MARK_FIXMAP;
    size_t count =
        fixed ? (size_t)(first & 0x0fU) : (size_t)out->data[start + 1] << 8 | out->data[start + 2];
    count += more;
    if (fixed && count <= FIX_MAX) {
        out->data[start] = (uint8_t)(PROTO_MARK_FIXMAP + count);
        return;
    }
    if (fixed) {
        if (!proto_writer_reserve(out, HEAD16 - 1)) {
            return;
        }
        memmove(out->data + start + HEAD16, out->data + start + 1, out->bytes - start - 1);
        out->bytes += HEAD16 - 1;
    }
    out->data[start] = PROTO_MARK_MAP16;
    out->data[start + 1] = (uint8_t)(count >> 8);
    out->data[start + 2] = (uint8_t)count;
}

void rpc_expected_put(struct proto_writer *out, const struct proto_op_info *op, int first,
                      const struct engine_expected *expected)
{
    const double numbers[RPC_EXPECTED_MEMBERS] = {expected->value,        expected->value_low,
                                                  expected->value_high,   expected->expected,
                                                  expected->expected_low, expected->expected_high};
    for (int i = 0; i < RPC_EXPECTED_MEMBERS; i++) {
        rpc_put_number(out, op, first + i, numbers[i]);
    }
}
