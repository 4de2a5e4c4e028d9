/* SPDX-License-Identifier: Apache-2.0 */
/* The events of an account out of columns, as its timeline tells them, but for what a page does not
 * have: known time, the source's id, and the end of an interval. Where there is no page, or it is
 * not what the view sees, the timeline is to be read.
 *
 * Shapes: events in the order of a page (lifecycle_page.h), which is that of journeys. Ownership:
 * events live until the next account or _fini; their texts borrow from the page and its columns.
 * Errors: NO_MEMORY, CANCELLED, DEADLINE. Threads: one. Cost: some 15 ns an event. */
#ifndef LIFECYCLE_LIFECYCLE_RECALL_H
#define LIFECYCLE_LIFECYCLE_RECALL_H

#include "server/lifecycle/lifecycle_bookmark.h"
#include "server/lifecycle/lifecycle_page_parts.h"
#include "server/measure/event_fold.h"

struct lifecycle_recall {
    struct lifecycle_bookmark mark;
    int64_t *numbers; /* of the account, column by column */
    size_t room;
    struct {
        const int64_t *numbers;
        size_t step; /* 0: one number all along */
    } columns[LIFECYCLE_COLUMNS];
    struct event *events; /* of the account */
    size_t event_room;
    struct measure_event *list;
    size_t count, list_room;
};

/* Leaves in `list` the `count` events of the slot that stand and are of the types, bits 1 <<
 * event_type among LIFECYCLE_PAGE_NAMED; *done: there was a page to have them of. */
bool lifecycle_recall_account(struct lifecycle_recall *recall, uint32_t slot, uint32_t account,
                              uint32_t types, bool *done, struct proto_fault *fault);
void lifecycle_recall_fini(struct lifecycle_recall *recall);

#endif
