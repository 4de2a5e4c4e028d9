/* SPDX-License-Identifier: Apache-2.0 */
/* The short way for a score by id with reasons, as hot.h for one without: requests at the head of a
 * batch are looked up together, and what does not fit is left to the ordinary handler. Both write
 * the reply with score_reply.h, so the two ways cannot differ in what they say. */
#ifndef RPC_HOT_REASONS_H
#define RPC_HOT_REASONS_H

#include "server/rpc/hot.h"

/* How many of the frames at the head, at most RPC_HOT_GROUP, ask for {"id": text, "reasons": n} and
 * nothing else, n from 1 to 127; fewer of them the more reasons they ask for. ids[i] and reasons[i]
 * are those of frame i. */
size_t rpc_hot_reasons_run(const struct proto_frame *frames, size_t count, struct proto_span *ids,
                           uint8_t *reasons);

/* As rpc_hot_serve. */
bool rpc_hot_reasons_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                           const struct proto_span *ids, const uint8_t *reasons, size_t count,
                           bool *answered, struct proto_writer *out);

#endif
