/* SPDX-License-Identifier: Apache-2.0 */
/* The short way for what a lead router sends most: score by id and nothing else, the active
 * version, a stored row.
 *
 * All such requests at the head of a batch are hashed and looked up together, so that memory
 * latency is paid once a group and not once a request; replies are a template with numbers patched
 * in. Whatever does not fit, down to an id that is not found, is left to the ordinary handler, so
 * the two ways cannot differ in what they refuse. */
#ifndef RPC_HOT_H
#define RPC_HOT_H

#include "server/rpc/call.h"

enum { RPC_HOT_GROUP = ENGINE_RAW_GROUP };

void rpc_hot_template_init(struct rpc_hot_template *template);

/* How many of the frames at the head, at most RPC_HOT_GROUP, have the hot form. ids[i] is the id of
 * frame i. */
size_t rpc_hot_run(const struct proto_frame *frames, size_t count, struct proto_span *ids);

/* Tries to answer `count` frames of a hot run in order. answered[i] tells which it did; their
 * replies are appended to *out. False if none can be answered this way now (no active version, rows
 * of another codebook). */
bool rpc_hot_serve(struct rpc_worker *worker, const struct proto_frame *frames,
                   const struct proto_span *ids, size_t count, bool *answered,
                   struct proto_writer *out);

#endif
