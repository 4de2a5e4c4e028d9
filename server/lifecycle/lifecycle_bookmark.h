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
};

/* Leaves the page of the slot, or none. */
bool lifecycle_bookmark_turn(struct lifecycle_bookmark *mark, uint32_t slot,
                             struct proto_fault *fault);
/* Whether the page has the slot as the view sees it; after _turn. */
bool lifecycle_bookmark_holds(const struct lifecycle_bookmark *mark, uint32_t slot);
void lifecycle_bookmark_fini(struct lifecycle_bookmark *mark);

#endif
