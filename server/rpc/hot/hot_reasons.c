/* SPDX-License-Identifier: Apache-2.0 */
/* A score by id with reasons and nothing else: slots and rows of a run are found together, each row
 * is explained, and the reply is written from templates (score_reply.h). */
#include "server/rpc/hot/hot_parts.h"

#include "server/rpc/score_reply.h"

/* Of each sign, over the replies of a run: what a run writes beyond the room for output stays below
 * a megabyte, however many reasons each request asks for. */
enum { REASONS_IN_RUN = 8 * RPC_HOT_GROUP };

/* {"id": text, "reasons": n}, n as fixint. */
static bool form(const struct proto_frame *frame, struct proto_span *id, uint8_t *reasons)
{
    const uint8_t *rest = rpc_hot_id(frame, 2, id);
    const size_t key = sizeof(PROTO_KEY_SCORE_REASONS);
    size_t left = rest ? (size_t)(frame->payload.data + frame->payload.bytes - rest) : 0;
    if (left != key + 1 || !PROTO_KEY_IS(rest, left, SCORE_REASONS)) {
        return false;
    }
    *reasons = rest[key];
    return *reasons > 0 && *reasons <= PROTO_FIXINT_MAX;
}

size_t rpc_hot_reasons_run(const struct proto_frame *frames, size_t count, struct proto_span *ids,
                           uint8_t *reasons)
{
    size_t most = count < RPC_HOT_GROUP ? count : RPC_HOT_GROUP;
    size_t run = 0;
    size_t asked = 0;
    while (run < most && asked < REASONS_IN_RUN && form(&frames[run], &ids[run], &reasons[run])) {
        asked += reasons[run++];
    }
    return run;
}

static bool answer_one(struct rpc_worker *worker, const struct engine_query *query, uint32_t slot,
                       const uint8_t *row, uint32_t request_id, struct proto_writer *out)
{
    struct engine_answer answer;
    struct proto_fault fault = {0};
    if (!engine_score_row(worker->engine, query, slot, row, &answer, &fault)) {
        return false; /* the ordinary handler says why */
    }
    proto_writer_frame_begin(out);
    rpc_score_reply_write(worker->score_reply, worker->engine, query, &answer, NULL, out);
    proto_writer_frame_end(out, PROTO_OK, PROTO_FLAG_REPLY, request_id);
    if (!proto_writer_ok(out)) {
        proto_writer_frame_cancel(out);
        return false;
    }
    return true;
}

bool rpc_hot_reasons_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                           const struct proto_span *ids, const uint8_t *reasons, size_t count,
                           bool *answered, struct proto_writer *out)
{
    const struct learn_document *active = engine_worker_state(worker->engine)->active;
    if (!active || !engine_rows_usable(worker->engine, active)) {
        return false;
    }
    uint32_t slots[RPC_HOT_GROUP];
    const uint8_t *rows[RPC_HOT_GROUP];
    engine_rows_find(worker->engine, ids, count, slots, rows);
    for (size_t i = 0; i < count; i++) {
        struct engine_query query = {
            .name = {.id = ids[i]}, .document = active, .reasons = reasons[i], .bare = true};
        answered[i] = rows[i] != NULL && answer_one(worker, &query, slots[i], rows[i],
                                                    frames[i].header.request_id, out);
    }
    return true;
}
