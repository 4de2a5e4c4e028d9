/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/age_write.h"

#include "proto/mark.h"

#define M(...)
#define R(NAME, name, TYPE, unit, help) static const char member_##NAME[] = name;
#include "proto/common.def"
#undef M
#undef R

/* map 16 has two bytes of a count behind its marker. */
#define MAP16_MORE 2

void rpc_map_widen(struct proto_writer *out, size_t at)
{
    static const uint8_t blank[MAP16_MORE] = {0};
    uint8_t mark = out->data[at];
    if (mark == PROTO_MARK_MAP16) {
        unsigned count = ((unsigned)out->data[at + 1] << 8 | out->data[at + 2]) + 1;
        assert(count <= UINT16_MAX);
        out->data[at + 1] = (uint8_t)(count >> 8);
        out->data[at + 2] = (uint8_t)count;
        return;
    }
    assert((mark & ~PROTO_FIX_COUNT_MAX) == PROTO_MARK_FIXMAP);
    if ((mark & PROTO_FIX_COUNT_MAX) < PROTO_FIX_COUNT_MAX) {
        out->data[at]++;
        return;
    }
    size_t behind = out->bytes - at - 1;
    proto_write_raw(out, (struct proto_span){blank, MAP16_MORE});
    if (!proto_writer_ok(out)) {
        return;
    }
    memmove(out->data + at + 1 + MAP16_MORE, out->data + at + 1, behind);
    out->data[at] = PROTO_MARK_MAP16;
    out->data[at + 1] = 0;
    out->data[at + 2] = PROTO_FIX_COUNT_MAX + 1;
}

void rpc_age_write(const struct rpc_call *call)
{
    struct proto_writer *out = call->out;
    if (!call->wants_age || !proto_writer_ok(out)) {
        return;
    }
    rpc_map_widen(out, out->frame_start + PROTO_HEADER_BYTES);
    proto_write_text(out, member_AGE_MS);
    proto_write_uint(out, engine_worker_age_ms(call->worker->engine));
}
