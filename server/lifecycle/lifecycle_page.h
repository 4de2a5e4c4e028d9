/* SPDX-License-Identifier: Apache-2.0 */
/* The events that stand of neighbouring accounts as columns: for each account its events in the
 * order in which they happened (of one moment in that in which they became known, then by source
 * and id), by shape, time, amount, quantity and sequence, those of journeys by subject and person
 * too, and the subscriptions that its events come to. Worked out of the timelines of a view, and of
 * nothing else: whatever is here can be had of them again, and is, as soon as anything was told of
 * an account since.
 *
 * Shapes: LIFECYCLE_PAGE_SLOTS slots a page, from number · LIFECYCLE_PAGE_SLOTS; rows of slot i are
 * first[i] … first[i + 1] − 1; an account whose timeline could not be read has none, and a bit in
 * `unread`. Amount and quantity are 0 where the shape has none. Subjects and persons are numbers of
 * texts of the page, 0 for none and for events that are not of a journey: persons who use a product
 * are many, and no question of columns is of them. Ownership: counted references; one allocation.
 * Errors: NULL, with *fault for who asked to end it (CANCELLED, DEADLINE), without one
 * where there is no memory or no shape: then timelines are read. Threads: immutable once made.
 * Cost: some 200 ns an event that is read, 20 an event that is taken over from the page before; 10
 * to 20 bytes an event, 24 an account, a text once a page. */
#ifndef LIFECYCLE_LIFECYCLE_PAGE_H
#define LIFECYCLE_LIFECYCLE_PAGE_H

#include <stdatomic.h>

#include "server/engine/worker.h"
#include "server/event/event_column.h"
#include "server/lifecycle/lifecycle_shape.h"
#include "server/measure/journey.h"
#include "server/measure/spell.h"

#define LIFECYCLE_PAGE_SLOTS 256u
/* Bits of event types whose subject and person a page has. */
#define LIFECYCLE_PAGE_NAMED MEASURE_JOURNEY_TYPES

/* A subscription as events tell it: the members of struct measure_subscription that they have. */
struct lifecycle_held {
    int64_t start_ms, end_ms, amount;
    uint16_t term_months;
    bool trial, one_off, paused, past_due; /* the last two from its start on */
    char currency[MEASURE_CURRENCY_BYTES];
};

struct lifecycle_page {
    _Atomic int references;
    uint32_t number;
    uint64_t seq; /* of the view that it was read in */
    size_t bytes;
    size_t rows;
    uint32_t first[LIFECYCLE_PAGE_SLOTS + 1];
    uint32_t held_first[LIFECYCLE_PAGE_SLOTS + 1];
    uint32_t known[LIFECYCLE_PAGE_SLOTS];    /* events of every type, what was taken back too */
    int64_t newest_ms[LIFECYCLE_PAGE_SLOTS]; /* known time of the newest; INT64_MIN: none */
    uint64_t unread[LIFECYCLE_PAGE_SLOTS / 64];
    struct event_column shape, time, amount, quantity, told, subject, person;
    struct lifecycle_held *held;
    const uint32_t *text_ends; /* of text i, where the next begins; text 0 is empty */
    const uint8_t *texts;
    uint32_t text_count;
};

/* before: the page that was, to take over what is as it was; NULL: there is none. */
struct lifecycle_page *lifecycle_page_make(struct engine_worker *worker,
                                           const struct engine_job *job,
                                           struct lifecycle_shapes *shapes,
                                           const struct lifecycle_page *before, uint32_t number,
                                           struct proto_fault *fault);
struct lifecycle_page *lifecycle_page_retain(struct lifecycle_page *page);
void lifecycle_page_release(struct lifecycle_page *page); /* NULL is fine */

/* Whether the view sees the timeline of the slot, which is of the page, as the page has it. */
bool lifecycle_page_holds(const struct lifecycle_page *page, const struct store_view *view,
                          uint32_t slot);
/* The same of each of its slots, asked at once. */
bool lifecycle_page_holds_all(const struct lifecycle_page *page, const struct store_view *view);
static inline bool lifecycle_page_unread(const struct lifecycle_page *page, uint32_t slot)
{
    uint32_t at = slot % LIFECYCLE_PAGE_SLOTS;
    return (page->unread[at / 64] >> at % 64 & 1) != 0;
}
static inline struct proto_span lifecycle_page_text(const struct lifecycle_page *page,
                                                    int64_t number)
{
    uint32_t from = number > 0 ? page->text_ends[number - 1] : 0;
    return (struct proto_span){page->texts + from, page->text_ends[number] - from};
}
/* As measures read it. */
struct measure_subscription lifecycle_held_open(const struct lifecycle_held *held,
                                                uint32_t account);

#endif
