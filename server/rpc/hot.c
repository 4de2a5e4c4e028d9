/* SPDX-License-Identifier: Apache-2.0 */
#include "server/rpc/hot.h"

#include "server/rpc/patch_number.h"

static size_t put_wide(struct proto_writer *out, const struct proto_op_info *op, int index,
                       uint8_t mark, size_t bytes)
{
    static const uint8_t zeros[8];
    rpc_key(out, op, index);
    proto_write_raw(out, (struct proto_span){&mark, 1});
    size_t at = out->bytes;
    proto_write_raw(out, (struct proto_span){zeros, bytes});
    return at;
}

void rpc_hot_template_init(struct rpc_hot_template *template)
{
    const struct proto_op_info *op = proto_op_find(PROTO_OP_SCORE);
    struct proto_writer out;
    proto_writer_init(&out);
    proto_writer_frame_begin(&out);
    proto_write_map(&out, 8);
    template->icp = put_wide(&out, op, PROTO_A_SCORE_ICP, RPC_MARK_U32, 4);
    template->seq = put_wide(&out, op, PROTO_A_SCORE_SEQ, RPC_MARK_U64, 8);
    rpc_put_flag(&out, op, PROTO_A_SCORE_FOUND, true);
    rpc_put_flag(&out, op, PROTO_A_SCORE_TAL, false);
    template->tal = out.bytes - 1;
    template->fit = put_wide(&out, op, PROTO_A_SCORE_FIT, RPC_MARK_F64, 8);
    template->p = put_wide(&out, op, PROTO_A_SCORE_P, RPC_MARK_F64, 8);
    template->grade = put_wide(&out, op, PROTO_A_SCORE_GRADE, RPC_MARK_STR1, 1);
    template->raw = put_wide(&out, op, PROTO_A_SCORE_RAW, RPC_MARK_I64, 8);
    proto_writer_frame_end(&out, PROTO_OK, PROTO_FLAG_REPLY, 0);
    template->size = 0;
    if (proto_writer_ok(&out) && out.bytes <= sizeof template->bytes) {
        memcpy(template->bytes, out.data, out.bytes);
        template->size = out.bytes; /* 0: no memory, and the hot way stays closed */
    }
    proto_writer_fini(&out);
}

/* {"id": text} and nothing else, the text as fixstr or str 8. A text of other bytes than ASCII is
 * looked up as it is: if it is found it equals a stored id, which is valid UTF-8. */
static bool hot_form(const struct proto_frame *frame, struct proto_span *id)
{
    static const uint8_t head[4] = {0x81, 0xa2, 'i', 'd'};
    const uint8_t *data = frame->payload.data;
    size_t bytes = frame->payload.bytes;
    if (frame->header.code != PROTO_OP_SCORE || frame->header.flags != 0 || bytes < 6 ||
        memcmp(data, head, sizeof head) != 0) {
        return false;
    }
    if ((data[4] & 0xe0) == 0xa0) {
        *id = (struct proto_span){data + 5, data[4] & 0x1fU};
        return bytes == 5 + id->bytes;
    }
    *id = (struct proto_span){data + 6, data[5]};
    return data[4] == 0xd9 && bytes == 6 + id->bytes;
}

void rpc_peek(const struct rpc_worker *worker, struct proto_span bytes, unsigned step)
{
    struct proto_frame frame;
    struct proto_span id;
    if (bytes.bytes < PROTO_HEADER_BYTES) {
        return;
    }
    proto_header_decode(bytes.data, &frame.header);
    frame.payload =
        (struct proto_span){bytes.data + PROTO_HEADER_BYTES, bytes.bytes - PROTO_HEADER_BYTES};
    if (frame.header.payload_bytes > frame.payload.bytes) {
        return;
    }
    frame.payload.bytes = frame.header.payload_bytes;
    if (hot_form(&frame, &id)) {
        engine_raw_peek(worker->engine, id, step);
    }
}

size_t rpc_hot_run(const struct proto_frame *frames, size_t count, struct proto_span *ids)
{
    size_t most = count < RPC_HOT_GROUP ? count : RPC_HOT_GROUP;
    size_t run = 0;
    while (run < most && hot_form(&frames[run], &ids[run])) {
        run++;
    }
    return run;
}

static void put_reply(const struct rpc_hot_template *template, uint8_t *at, uint32_t request_id,
                      const struct engine_answer *answer, bool tal)
{
    memcpy(at, template->bytes, template->size);
    memcpy(at + 8, &request_id, sizeof request_id);
    rpc_patch_f64(at + template->fit, answer->fit);
    rpc_patch_f64(at + template->p, answer->p);
    at[template->grade] = (uint8_t)answer->grade;
    at[template->tal] = (uint8_t)(RPC_MARK_FALSE + tal); /* true is the byte behind false */
    rpc_patch_u64(at + template->raw, (uint64_t)answer->raw);
}

bool rpc_hot_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                   const struct proto_span *ids, size_t count, bool *answered,
                   struct proto_writer *out)
{
    struct rpc_hot_template *template = &worker->hot;
    const struct engine_state *state = engine_worker_state(worker->engine);
    const struct learn_document *active = state->active;
    struct engine_raw raw;
    if (!active || template->size == 0 ||
        !engine_raw_many(worker->engine, active, ids, count, &raw)) {
        return false;
    }
    uint8_t *at = proto_writer_reserve(out, count * template->size);
    if (!at) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        engine_lists_prefetch(state->lists, raw.slots[i]);
    }
    rpc_patch_u32(template->bytes + template->icp, active->version);
    rpc_patch_u64(template->bytes + template->seq, engine_worker_seq(worker->engine));
    for (size_t i = 0; i < count; i++) {
        answered[i] = raw.known[i];
        if (answered[i]) {
            struct engine_answer answer;
            engine_answer_from_raw(active, raw.raws[i], &answer);
            put_reply(template, at, frames[i].header.request_id, &answer,
                      engine_state_on_tal(state, raw.slots[i]));
            at += template->size;
            out->bytes += template->size;
        }
    }
    return true;
}
