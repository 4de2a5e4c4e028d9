/* SPDX-License-Identifier: Apache-2.0 */
/* Which accounts names may mean (identity/name_match.h), over all accounts of a snapshot: two walks
 * over the records, one that counts words and one that compares.
 *
 * Ownership: texts are borrowed for the call; the matcher is the caller's. Errors: as of walk.h.
 * Threads: that of the lane. Memory: as of name_match.h, by rows and not by accounts. Cost: some
 * 5 µs an account, read from memory. */
#ifndef LISTING_MATCH_H
#define LISTING_MATCH_H

#include "server/engine/walk.h"
#include "server/identity/name_match.h"

struct listing_match_row {
    struct proto_span name; /* empty: nothing is looked for */
    struct proto_span country;
};

struct listing_match {
    const struct listing_match_row *rows;
    size_t row_count; /* at most IDENTITY_MATCH_ROWS */
    unsigned candidates;
    const struct feature_field *name;
    const struct feature_field *country; /* NULL: countries say nothing */
    /* set */
    uint64_t named; /* accounts that have a name */
    struct identity_matcher *matcher;
};

bool listing_match(struct engine_worker *worker, const struct engine_job *job,
                   struct listing_match *match, struct proto_fault *fault);

#endif
