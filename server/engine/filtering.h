/* SPDX-License-Identifier: Apache-2.0 */
/* Which accounts match a filter expression: counted, listed in order of arrival, or best first.
 * Runs on the scan thread, on the snapshot and state of the worker given. Ownership: results are
 * the caller's. Errors: PROTO_BAD_FILTER with the column, PROTO_NO_SCHEMA, PROTO_NO_ICP if the
 * expression or the request needs a score and no version is active, PROTO_BAD_FIELD for a cursor,
 * and those of walk.h. */
#ifndef ENGINE_FILTERING_H
#define ENGINE_FILTERING_H

#include "server/engine/ranking.h"
#include "server/engine/walk.h"

/* An expression on its schema, with the version that scores for it (borrowed from the worker's
 * state; NULL if none is needed). */
struct engine_expression {
    struct filter *filter; /* NULL for an empty text: every account */
    const struct learn_document *document;
};

/* icp 0: the active version. scores: a version is needed whatever the expression says. */
bool engine_expression_open(struct engine_worker *worker, struct proto_span text, uint64_t icp,
                            bool scores, struct engine_expression *expression,
                            struct proto_fault *fault);
void engine_expression_close(struct engine_expression *expression);

bool engine_count(struct engine_worker *worker, const struct engine_job *job,
                  const struct engine_expression *expression, uint64_t *count,
                  struct proto_fault *fault);

#define ENGINE_CURSOR_BYTES 320

struct engine_page {
    struct proto_span after; /* cursor of the page before, empty for the first */
    bool best_first;
    size_t limit;
    /* set */
    struct engine_found *found; /* malloc'd, caller frees */
    size_t count;
    char next[ENGINE_CURSOR_BYTES]; /* "" if there is no more */
};

/* With a cursor, a page goes on behind the last account of the page before. Accounts that change in
 * between may be given twice or never in best-first order, never in order of arrival. */
bool engine_filter(struct engine_worker *worker, const struct engine_job *job,
                   const struct engine_expression *expression, struct engine_page *page,
                   struct proto_fault *fault);

#endif
