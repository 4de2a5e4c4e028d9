/* SPDX-License-Identifier: Apache-2.0 */
/* Which accounts match a filter expression: counted, listed in order of arrival, or best first.
 * Runs on the thread of its lane, on the snapshot and state of the worker given. Ownership: results
 * are the caller's. Errors: PROTO_BAD_FILTER with the column, PROTO_NO_SCHEMA, PROTO_NO_ICP if the
 * expression or the request needs a score and no version is active, PROTO_BAD_FIELD for a cursor,
 * and those of walk.h. */
#ifndef LISTING_PAGE_H
#define LISTING_PAGE_H

#include "server/engine/expression.h"
#include "server/engine/walk.h"
#include "server/listing/listing_rank.h"

bool listing_count(struct engine_worker *worker, const struct engine_job *job,
                   const struct engine_expression *expression, uint64_t *count,
                   struct proto_fault *fault);

#define LISTING_CURSOR_BYTES 320

struct listing_page {
    struct proto_span after; /* cursor of the page before, empty for the first */
    bool best_first;
    size_t limit;
    /* set */
    struct listing_found *found; /* malloc'd, caller frees */
    size_t count;
    char next[LISTING_CURSOR_BYTES]; /* "" if there is no more */
};

/* With a cursor, a page goes on behind the last account of the page before. Accounts that change in
 * between may be given twice or never in best-first order, never in order of arrival. */
bool listing_filter(struct engine_worker *worker, const struct engine_job *job,
                    const struct engine_expression *expression, struct listing_page *page,
                    struct proto_fault *fault);

#endif
