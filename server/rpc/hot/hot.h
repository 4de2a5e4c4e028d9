/* SPDX-License-Identifier: Apache-2.0 */
/* The short ways for what lead routers send most: a score by id and nothing else, one with reasons,
 * an inline lead; by the active version, without flags in the frame.
 *
 * Requests of one of these forms at the head of a batch are a run, which is served together:
 * by id they are hashed and looked up in groups, so that memory latency is paid once a group;
 * replies are templates with numbers patched in. Whatever does not fit, down to an id that is not
 * found, is left to the ordinary handler, so the two ways cannot differ in what they refuse.
 *
 * This is the entry; the three ways are hot_id.c, hot_reasons.c and hot_lead.c (hot_parts.h).
 * Ownership: a worker has one rpc_hot. Threads: the worker's. Errors: none of its own. Cost: 600
 * instructions a score by id at depth 64; see docs/performance.md. */
#ifndef RPC_HOT_H
#define RPC_HOT_H

#include "server/rpc/call.h"

enum { RPC_HOT_GROUP = ENGINE_RAW_GROUP };

struct rpc_hot *rpc_hot_create(struct proto_fault *fault);
void rpc_hot_destroy(struct rpc_hot *hot); /* NULL is fine */

/* A run of frames at the head of a batch that are served together. */
struct rpc_hot_run {
    size_t count; /* 0: none there */
    size_t leads; /* of them, those that named no account: count or 0 */
    bool answered[RPC_HOT_GROUP];
};

/* Serves the run at the head of the frames as far as it can: replies are appended to *out in order,
 * answered tells whose. False if there is no run, or none that can be served this way now. There is
 * an active version. */
bool rpc_hot_serve(struct rpc_worker *worker, const struct proto_frame *frames, size_t count,
                   struct rpc_hot_run *run, struct proto_writer *out);

/* One lead of a score-many by the active version: appends the map that answers it, with so many
 * reasons. False if that is for the ordinary handler to do, and then nothing was written. */
bool rpc_hot_entry(struct rpc_worker *worker, struct proto_span lead, unsigned reasons,
                   struct proto_writer *out);

#endif
