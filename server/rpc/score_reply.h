/* SPDX-License-Identifier: Apache-2.0 */
/* The reply of score, and one entry of score-many, from templates: what is the same in every reply
 * is encoded once, numbers stand at their widest and are patched in.
 *
 * A reason is a finished map {field, value, contribution}, and all three follow from the bin that
 * gave it. So the first reply that names a bin encodes it, and every later one copies it. Such
 * fragments are kept for the last four ICP versions that were explained: 4 bytes for each entry of
 * a version's tables and some 80 for each that was named, at most RPC_FRAGMENTS_BYTES_MAX; with 80
 * columns of 64 bins 0.4 MB. Beyond the bound, and for versions with tables beyond
 * RPC_FRAGMENTS_ENTRIES_MAX, reasons are encoded anew each time.
 *
 * Ownership: a worker has one. Threads: the worker's. Errors: no memory is sticky in the writer.
 * Cost: 40 ns a reply, 10 ns a reason that was named before, some 2 µs one that was not. */
#ifndef RPC_SCORE_REPLY_H
#define RPC_SCORE_REPLY_H

#include "proto/writer.h"
#include "server/engine/engine.h"
#include "server/rpc/values.h"

enum {
    RPC_FRAGMENTS_ENTRIES_MAX = 1 << 18,
    RPC_FRAGMENTS_BYTES_MAX = 4 << 20,
};

struct rpc_score_reply;

/* What a reply has beside the score. */
struct rpc_score_beside {
    const struct rpc_unknown *unknown; /* NULL: no names of values were passed over */
    bool named;
    struct proto_span name; /* display name, if named */
};

struct rpc_score_reply *rpc_score_reply_create(struct proto_fault *fault);
void rpc_score_reply_destroy(struct rpc_score_reply *reply); /* NULL is fine */

/* Appends the map to *out. query->bare, if there are reasons; beside may be NULL. */
void rpc_score_reply_write(struct rpc_score_reply *reply, struct engine_worker *worker,
                           const struct engine_query *query, const struct engine_answer *answer,
                           const struct rpc_score_beside *beside, struct proto_writer *out);

#endif
