/* SPDX-License-Identifier: Apache-2.0 */
/* A page while it is made: its rows as they are gathered, and how they become one piece of memory.
 *
 * Shapes: rows[c] has `count` numbers, held `held_count`. Ownership: lifecycle_page_parts_fini
 * frees. Errors: false or NULL: no memory, or texts beyond 4 GB. Threads: one. Cost: 10 ns a number
 * to write. */
#ifndef LIFECYCLE_LIFECYCLE_PAGE_PARTS_H
#define LIFECYCLE_LIFECYCLE_PAGE_PARTS_H

#include "server/event/event_timeline.h"
#include "server/lifecycle/lifecycle_page.h"
#include "server/lifecycle/lifecycle_segment.h"

enum lifecycle_page_column {
    LIFECYCLE_COLUMN_SHAPE,
    LIFECYCLE_COLUMN_TIME,
    LIFECYCLE_COLUMN_AMOUNT,
    LIFECYCLE_COLUMN_QUANTITY,
    LIFECYCLE_COLUMN_SEQ,
    LIFECYCLE_COLUMN_SUBJECT,
    LIFECYCLE_COLUMN_PERSON,
    LIFECYCLE_COLUMNS
};
/* Where the page has that column. */
const struct event_column *lifecycle_page_column(const struct lifecycle_page *page,
                                                 enum lifecycle_page_column column);

struct lifecycle_page_parts {
    int64_t *rows[LIFECYCLE_COLUMNS];
    size_t count, room;
    struct lifecycle_held *held;
    size_t held_count, held_room;
    struct lifecycle_names names; /* subjects and persons; the first is empty */
};

/* Numbers of columns, longer. */
bool lifecycle_rows_grow(int64_t *rows[LIFECYCLE_COLUMNS], size_t *room, size_t wanted);
bool lifecycle_page_parts_held(struct lifecycle_page_parts *parts, size_t more);
void lifecycle_page_parts_fini(struct lifecycle_page_parts *parts);
/* Head, subscriptions, columns and texts in one piece. */
struct lifecycle_page *lifecycle_page_write(const struct lifecycle_page_parts *parts,
                                            const struct lifecycle_page *head);
/* Puts picks of one time into the order of a page. events[pick.at] has the time, sequence, source
 * and id of a pick. */
bool lifecycle_picks_order(struct event_pick *picks, size_t count, const struct event *events);

#endif
