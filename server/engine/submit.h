/* SPDX-License-Identifier: Apache-2.0 */
/* Where a batch of a request goes: to the store of this process, or, on a node of a cluster, to the
 * log that it shares with others, from where it comes to the store.
 *
 * Sequences are the token for "read your writes": what a write is answered with is the sequence of
 * the log that all nodes of a cluster share, or of the store's own, which are the same number;
 * engine_applied (applied.h) says up to where this node has applied them.
 *
 * Ownership: the batch is taken as store_submit takes it. Errors: those of store_submit, and
 * PROTO_BUSY where the log cannot be reached. Threads: engine_route_set before there are requests;
 * the rest from any thread. Cost: a load more than store_submit. */
#ifndef ENGINE_SUBMIT_H
#define ENGINE_SUBMIT_H

#include "server/engine/engine.h"

struct store_batch;
struct store_result;

struct engine_route {
    bool (*submit)(void *context, struct store_batch *batch,
                   void (*on_done)(void *done_context, const struct store_result *result),
                   void *done_context, struct proto_fault *fault);
    /* Up to which moment, by a clock of its own, this node knows the log, and how long ago a moment
     * of that clock is. Both NULL: always of now. */
    int64_t (*as_of)(void *context);
    uint64_t (*age_ms)(void *context, int64_t as_of);
    /* Whether what is read here is refused, *fault says why; NULL: it is not. */
    bool (*refuses)(void *context, struct proto_fault *fault);
    void *context;
};

/* Every batch of the engine from here on goes that way. */
void engine_route_set(struct engine *engine, const struct engine_route *route);

/* store_submit, and store_submit_wait. */
bool engine_submit(struct engine *engine, struct store_batch *batch,
                   void (*on_done)(void *context, const struct store_result *result), void *context,
                   struct proto_fault *fault);
bool engine_submit_wait(struct engine *engine, struct store_batch *batch,
                        struct store_result *result);

#endif
