/* SPDX-License-Identifier: Apache-2.0 */
/* A filter expression of a request, made ready: parsed on the worker's schema, with the ICP version
 * that scores for it. Ownership: close frees the filter; the document borrows from the worker's
 * state. Errors: PROTO_BAD_FILTER with the column, PROTO_NO_SCHEMA, and PROTO_NO_ICP if a score is
 * needed and no version is active. Threads: that of the worker. Cost: microseconds. */
#ifndef ENGINE_EXPRESSION_H
#define ENGINE_EXPRESSION_H

#include "server/engine/worker.h"
#include "server/filter/filter.h"

struct engine_expression {
    struct filter *filter; /* NULL for an empty text: every account */
    const struct learn_document *document;
};

/* icp 0: the active version. scores: a version is needed whatever the expression says. */
bool engine_expression_open(struct engine_worker *worker, struct proto_span text, uint64_t icp,
                            bool scores, struct engine_expression *expression,
                            struct proto_fault *fault);
void engine_expression_close(struct engine_expression *expression);

#endif
