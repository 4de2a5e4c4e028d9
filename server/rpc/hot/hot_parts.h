/* SPDX-License-Identifier: Apache-2.0 */
/* The three short ways behind hot.h. Each has a function that says how many frames at the head are
 * of its form, and one that answers them: answered[i] tells which it did, in order; what it did not
 * is for the ordinary handler.
 *
 * Ownership: a worker owns its rpc_hot; frames are borrowed for the call. Errors: none. Threads:
 * the worker's own. */
#ifndef RPC_HOT_PARTS_H
#define RPC_HOT_PARTS_H

#include "server/rpc/hot/hot.h"

struct rpc_hot_lead;

/* A whole reply by id, header included. */
struct rpc_hot_reply {
    uint8_t bytes[256];
    size_t size;
    size_t members; /* where the template's first key stands */
};

struct rpc_hot {
    struct rpc_score_template members;
    struct rpc_hot_reply reply;
    /* By label, where segments are in force: each has its name behind the members. */
    struct rpc_hot_reply *labelled;
    struct rpc_hot_reply *by_label[UINT8_MAX + 1];
    size_t label_count;
    uint64_t generation; /* of the state that they were made for; 0: none yet */
    uint64_t seq;        /* that was patched into them last */
    struct rpc_hot_lead *lead;
};

/* {"id": text} or, with `pairs` 2, {"id": text, …: the id as fixstr or str 8, and what stands
 * behind it. A text of other bytes than ASCII is looked up as it is: if it is found it equals a
 * stored id, which is valid UTF-8. NULL if the frame is another. */
static inline const uint8_t *rpc_hot_id(const struct proto_frame *frame, unsigned pairs,
                                        struct proto_span *id)
{
    const uint8_t *data = frame->payload.data;
    size_t bytes = frame->payload.bytes;
    const size_t head = 1 + sizeof(PROTO_KEY_SCORE_ID);
    if (frame->header.code != PROTO_OP_SCORE || frame->header.flags != 0 || bytes < head + 2 ||
        data[0] != (PROTO_MARK_FIXMAP | pairs) || !PROTO_KEY_IS(data + 1, bytes - 1, SCORE_ID)) {
        return NULL;
    }
    bool is_short = (data[head] & ~PROTO_FIXSTR_BYTES_MAX) == PROTO_MARK_FIXSTR;
    *id = is_short
              ? (struct proto_span){data + head + 1, data[head] & (unsigned)PROTO_FIXSTR_BYTES_MAX}
              : (struct proto_span){data + head + 2, data[head + 1]};
    bool fits = is_short || data[head] == PROTO_MARK_STR8;
    return fits && id->bytes <= bytes - (size_t)(id->data - data) ? id->data + id->bytes : NULL;
}

bool rpc_hot_id_init(struct rpc_hot *hot);
void rpc_hot_id_fini(struct rpc_hot *hot);
size_t rpc_hot_id_run(const struct proto_frame *frames, size_t count, struct proto_span *ids);
/* False if none can be answered this way now (rows of another codebook). */
bool rpc_hot_id_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                      const struct proto_span *ids, size_t count, bool *answered,
                      struct proto_writer *out);

/* The same with reasons, so many of each sign for each frame. */
size_t rpc_hot_reasons_run(const struct proto_frame *frames, size_t count, struct proto_span *ids,
                           uint8_t *reasons);
bool rpc_hot_reasons_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                           const struct proto_span *ids, const uint8_t *reasons, size_t count,
                           bool *answered, struct proto_writer *out);

#endif
