/* SPDX-License-Identifier: Apache-2.0 */
/* The page that an account is in, kept open while its neighbours are walked.
 *
 * Ownership: borrows columns, worker and job; lifecycle_bookmark_fini lets go of the page. Errors:
 * CANCELLED, DEADLINE; no page is no fault. Threads: one. Cost: a lock a page. */
#ifndef LIFECYCLE_LIFECYCLE_BOOKMARK_H
#define LIFECYCLE_LIFECYCLE_BOOKMARK_H

#include "server/lifecycle/lifecycle_columns.h"

struct lifecycle_bookmark {
    struct lifecycle_columns *columns; /* NULL: there is never a page */
    struct engine_worker *worker;
    const struct engine_job *job;
    struct lifecycle_page *page; /* of the account under way; NULL: there is none */
    uint32_t number;
    bool asked;
    size_t turns;  /* pages so far: which one it is */
    size_t looked; /* rows since who asked was asked whether to go on */
};

/* Leaves the page of the slot, or none. */
bool lifecycle_bookmark_turn(struct lifecycle_bookmark *mark, uint32_t slot,
                             struct proto_fault *fault);
/* Whether the page has the slot as the view sees it; after _turn. */
bool lifecycle_bookmark_holds(const struct lifecycle_bookmark *mark, uint32_t slot);
/* Both, for whoever reads the rows of the slot; *there: the page has it. Who asked is asked between
 * two accounts, once in 65,536 rows. */
bool lifecycle_bookmark_find(struct lifecycle_bookmark *mark, uint32_t slot, bool *there,
                             struct proto_fault *fault);
void lifecycle_bookmark_fini(struct lifecycle_bookmark *mark);

#endif
