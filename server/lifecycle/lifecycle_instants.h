/* SPDX-License-Identifier: Apache-2.0 */
/* Moments of journeys (server/measure/journey_cut.h) straight out of columns, without an event
 * being made of each: time, subject, what its shape is to a journey. A page's numbers are read in
 * one run when its first account comes.
 *
 * Shapes: an instant's `at` is the row of the page; instants are in the order of journeys.
 * Ownership: borrows columns, worker, job and options; instants live until the next account, what a
 * page has until the next page, or _fini. Errors: NO_MEMORY, CANCELLED, DEADLINE. Threads: one.
 * Cost: some 5 ns an event. */
#ifndef LIFECYCLE_LIFECYCLE_INSTANTS_H
#define LIFECYCLE_LIFECYCLE_INSTANTS_H

#include "server/lifecycle/lifecycle_bookmark.h"
#include "server/lifecycle/lifecycle_page_parts.h"
#include "server/measure/journey_cut.h"

struct lifecycle_instants {
    struct lifecycle_bookmark mark;
    const struct measure_journey_options *options;
    struct measure_instants all;        /* of the account */
    struct measure_instant *room_of[2]; /* of touches, of steps */
    size_t room[2];
    int64_t *numbers; /* of the page, column by column */
    size_t number_room;
    const int64_t *columns[LIFECYCLE_COLUMNS]; /* into numbers; NULL: not read */
    size_t numbered; /* which of the mark's pages they are of, from 1; 0: none */
    uint8_t *kinds;  /* what each shape is to a journey; 0: not looked at yet */
    size_t kind_room, kind_count;
    uint32_t *opportunities; /* by number of a subject: the account that has it, from 1 */
    size_t opportunity_room;
    uint32_t owner;   /* number of the owner's text in the page; 0: it is not there */
    uint32_t account; /* from 1 */
};

/* Leaves the instants of the slot's account in `all`; *done: there was a page to have them of. */
bool lifecycle_instants_account(struct lifecycle_instants *instants, uint32_t slot, bool *done,
                                struct proto_fault *fault);
void lifecycle_instants_fini(struct lifecycle_instants *instants);

/* The shape of a row of the page, and its number; the row as an event, as lifecycle_recall.h makes
 * one. */
static inline uint32_t lifecycle_instants_shape(const struct lifecycle_instants *instants,
                                                uint32_t at)
{
    return (uint32_t)instants->columns[LIFECYCLE_COLUMN_SHAPE][at];
}
struct event lifecycle_instants_event(const struct lifecycle_instants *instants, uint32_t at);

#endif
