/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over the base: which accounts match a filter, and their raw scores. Rows of codes are
 * read where they lie in the map, a block at a time (filter_rows.h, model_raw_many); a record is
 * read only where a bin does not decide, where the row is not encoded yet or damaged, or where the
 * score asked for has another codebook than the rows.
 *
 * Ownership: everything is borrowed for the call. Errors: PROTO_CANCELLED, PROTO_DEADLINE,
 * PROTO_CORRUPT (a record is damaged: no answer is better than a wrong one), PROTO_BAD_FILTER,
 * PROTO_NO_MEMORY. Threads: that of the worker, whose view must not be refreshed meanwhile. Cost:
 * some 20 ns a row of 40 columns with a score, 12 ns without; about 1 µs a record. */
#ifndef ENGINE_WALK_H
#define ENGINE_WALK_H

#include "server/engine/worker.h"
#include "server/filter/filter_rows.h"

struct engine_walk {
    struct engine_worker *worker;
    const struct engine_job *job;          /* asked whether to go on; may be NULL */
    const struct filter *filter;           /* NULL: every account */
    const struct learn_document *document; /* that scores; NULL if nobody asks for scores */
    uint32_t from;                         /* first slot */
    void *context;
    /* Each account that matches, slots ascending; raw is 0 without a document. False ends the walk
     * without a fault, unless fault->code is set. NULL: they are counted only. */
    bool (*each)(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault);
    uint64_t matched; /* set */
};

bool engine_walk(struct engine_walk *walk, struct proto_fault *fault);

/* The values of an account, in the worker's scratch; its id if id is not NULL. PROTO_NOT_FOUND for
 * a deleted slot. */
bool engine_values(struct engine_worker *worker, uint32_t slot, struct proto_span *id,
                   struct proto_fault *fault);
/* The raw score of the values in the worker's scratch. */
bool engine_values_raw(struct engine_worker *worker, const struct learn_document *document,
                       int64_t *raw, struct proto_fault *fault);

/* Answers conditions on scores and lists. */
struct engine_facts {
    struct engine_worker *worker;
    const struct learn_document *document; /* NULL: no filter reads a score */
};
struct filter_facts engine_filter_facts(struct engine_facts *facts);

#endif
