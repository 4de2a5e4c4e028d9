/* SPDX-License-Identifier: Apache-2.0 */
/* A score by id and nothing else: the ids of a run are looked up together, raw scores come from
 * memory, and each reply is the template with five numbers patched in. An id that is not found, or
 * whose score is not in memory, is not answered here. Where segments are in force there is a
 * template for each label, and nothing else is done otherwise. */
#include <stdlib.h>

#include "server/engine/labels.h"
#include "server/rpc/hot/hot_parts.h"

/* A frame around the members, and a segment if it has a name. */
static bool reply_make(const struct rpc_score_template *members, struct proto_span segment,
                       struct rpc_hot_reply *reply)
{
    struct proto_writer out;
    proto_writer_init(&out);
    proto_writer_frame_begin(&out);
    proto_write_map(&out, RPC_SCORE_MEMBERS + (segment.bytes > 0));
    reply->members = out.bytes;
    proto_write_raw(&out, (struct proto_span){members->bytes, members->size});
    if (segment.bytes > 0) {
        rpc_put_str(&out, proto_op_find(PROTO_OP_SCORE), PROTO_A_SCORE_SEGMENT, segment);
    }
    proto_writer_frame_end(&out, PROTO_OK, PROTO_FLAG_REPLY, 0);
    bool good = proto_writer_ok(&out) && out.bytes <= sizeof reply->bytes;
    if (good) {
        memcpy(reply->bytes, out.data, out.bytes);
        reply->size = out.bytes;
    }
    proto_writer_fini(&out);
    return good;
}

bool rpc_hot_id_init(struct rpc_hot *hot)
{
    return reply_make(&hot->members, (struct proto_span){0}, &hot->reply);
}

void rpc_hot_id_fini(struct rpc_hot *hot)
{
    free(hot->labelled);
}

/* The replies of the labels of the state, made once for it. */
static bool labelled_make(struct rpc_hot *hot, const struct engine_state *state)
{
    size_t count = ENGINE_LABEL_FIRST + engine_labels_count(state->labels);
    free(hot->labelled);
    hot->generation = 0;
    hot->label_count = count;
    hot->labelled = calloc(count, sizeof *hot->labelled);
    for (size_t i = ENGINE_LABEL_NONE; i < count; i++) {
        struct proto_span none = {0};
        if (!hot->labelled ||
            !reply_make(&hot->members,
                        i == ENGINE_LABEL_NONE ? none
                                               : engine_labels_name(state->labels, (uint8_t)i),
                        &hot->labelled[i])) {
            return false;
        }
        hot->by_label[i] = &hot->labelled[i];
    }
    hot->generation = state->generation;
    hot->seq = UINT64_MAX;
    return true;
}

/* The same with the version and sequence of this run. */
static bool labelled_follow(struct rpc_hot *hot, const struct engine_state *state, uint64_t seq)
{
    if (hot->generation != state->generation && !labelled_make(hot, state)) {
        return false;
    }
    for (size_t i = ENGINE_LABEL_NONE; hot->seq != seq && i < hot->label_count; i++) {
        rpc_score_template_state(&hot->members, hot->labelled[i].bytes + hot->reply.members,
                                 state->active->version, seq);
    }
    hot->seq = seq;
    return true;
}

static bool form(const struct proto_frame *frame, struct proto_span *id)
{
    const uint8_t *rest = rpc_hot_id(frame, 1, id);
    return rest && rest == frame->payload.data + frame->payload.bytes;
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
    if (form(&frame, &id)) {
        engine_raw_peek(worker->engine, id, step);
    }
}

size_t rpc_hot_id_run(const struct proto_frame *frames, size_t count, struct proto_span *ids)
{
    size_t most = count < RPC_HOT_GROUP ? count : RPC_HOT_GROUP;
    size_t run = 0;
    while (run < most && form(&frames[run], &ids[run])) {
        run++;
    }
    return run;
}

/* As below, with the reply of each account's label. */
static bool labelled_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                           const struct engine_raw *raw, size_t count, bool *answered,
                           struct proto_writer *out)
{
    struct rpc_hot *hot = worker->hot;
    const struct engine_state *state = engine_worker_state(worker->engine);
    const struct learn_document *active = state->active;
    const size_t members = hot->reply.members;
    uint8_t *at = labelled_follow(hot, state, engine_worker_seq(worker->engine))
                      ? proto_writer_reserve(out, count * sizeof hot->reply.bytes)
                      : NULL;
    if (!at) {
        return false;
    }
    const uint8_t *start = at;
    struct engine_label_window window = engine_label_window(worker->engine);
    for (size_t i = 0; i < count; i++) {
        uint8_t label = raw->known[i] ? engine_label_window_at(window, raw->slots[i])
                                      : (uint8_t)ENGINE_LABEL_UNKNOWN;
        answered[i] = label != ENGINE_LABEL_UNKNOWN;
        if (answered[i]) {
            const struct rpc_hot_reply *reply = hot->by_label[label];
            struct engine_answer answer;
            engine_answer_from_raw(active, raw->raws[i], &answer);
            memcpy(at, reply->bytes, reply->size);
            memcpy(at + 8, &frames[i].header.request_id, sizeof frames[i].header.request_id);
            rpc_score_template_answer(&hot->members, at + members, &answer,
                                      engine_state_on_tal(state, raw->slots[i]));
            at += reply->size;
        }
    }
    if (!engine_label_window_holds(worker->engine)) {
        return false; /* a commit came in between: the ordinary way tells whose it was */
    }
    out->bytes += (size_t)(at - start);
    return true;
}

bool rpc_hot_id_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                      const struct proto_span *ids, size_t count, bool *answered,
                      struct proto_writer *out)
{
    struct rpc_hot_reply *reply = &worker->hot->reply;
    const struct rpc_score_template *members = &worker->hot->members;
    const struct engine_state *state = engine_worker_state(worker->engine);
    const struct learn_document *active = state->active;
    struct engine_raw raw;
    if (!active || engine_state_tal_unsure(state) ||
        !engine_raw_many(worker->engine, active, ids, count, &raw)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        engine_lists_prefetch(state->lists, raw.slots[i]);
    }
    if (state->labels) {
        return labelled_serve(worker, frames, &raw, count, answered, out);
    }
    uint8_t *at = proto_writer_reserve(out, count * reply->size);
    if (!at) {
        return false;
    }
    rpc_score_template_state(members, reply->bytes + reply->members, active->version,
                             engine_worker_seq(worker->engine));
    for (size_t i = 0; i < count; i++) {
        answered[i] = raw.known[i];
        if (answered[i]) {
            struct engine_answer answer;
            engine_answer_from_raw(active, raw.raws[i], &answer);
            memcpy(at, reply->bytes, reply->size);
            memcpy(at + 8, &frames[i].header.request_id, sizeof frames[i].header.request_id);
            rpc_score_template_answer(members, at + reply->members, &answer,
                                      engine_state_on_tal(state, raw.slots[i]));
            at += reply->size;
            out->bytes += reply->size;
        }
    }
    return true;
}
