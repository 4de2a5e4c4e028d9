/* SPDX-License-Identifier: Apache-2.0 */
/* The way between the first touch and the outcome, read from the events of one account: which
 * touches came before which outcome, and the steps between. Every measure of journeys reads them
 * here, so that two of them never mean different journeys.
 *
 *   A journey is of an opportunity (a subject of stages, decisions and outcomes) or of an account.
 *   Its steps are stages, decisions and outcomes, in the order in which they happened; events of
 *   one moment in the order in which they became known. It is created at its first step, or at its
 *   first touch where there is none. It ends at its first outcome of the kind `won`; if there is
 *   none, at its last of the kind `lost`; else it is open as of as_of_ms. What happens after the
 *   end is not of it.
 *   Its touches are those without a subject, with its own, or with one that is no opportunity of
 *   the account, in the lookback before its end. An account with touches and no step is one open
 *   journey; decisions of something that is no opportunity are one only where nothing else is.
 *
 * An open journey is no null until it is mature: created mature_ms before as_of_ms. A touch that
 * was told after the outcome was told is `late`: somebody typed it in knowing how it ended.
 *
 * Shapes: times in ms. Ownership: a journey and what it points to live until each() returns.
 * Errors: NO_MEMORY, and what each() and the pace say. Threads: one reader a thread. Cost: n log n
 * of the account's events, and for each opportunity the touches of its lookback. Source:
 * docs/journeys.md. */
#ifndef MEASURE_JOURNEY_H
#define MEASURE_JOURNEY_H

#include "server/measure/event_fold.h"
#include "server/measure/journey_cut.h"

#define MEASURE_JOURNEY_TYPES                                                                      \
    (UINT32_C(1) << EVENT_TOUCH | UINT32_C(1) << EVENT_STAGE | UINT32_C(1) << EVENT_OUTCOME |      \
     UINT32_C(1) << EVENT_DECISION)

struct measure_journey {
    struct proto_span subject; /* empty: of the account */
    enum measure_journey_end end;
    bool mature;                 /* of an open one */
    const struct event *outcome; /* NULL: open */
    int64_t created_ms;
    int64_t end_ms; /* of an open one as_of_ms */
    const struct event *const *touches;
    size_t touch_count;
    const struct event *const *steps; /* the outcome is the last of one that has ended */
    size_t step_count;
};

/* The order of events in journeys: by time, by what became known first, by source and id. */
int measure_moment_compare(const struct event *a, const struct event *b);

typedef bool (*measure_journey_each)(void *context, const struct measure_journey *journey,
                                     struct proto_fault *fault);

struct measure_journey_reader {
    const struct event **touches;
    const struct event **chosen; /* touches of the journey under way */
    const struct event **steps;
    struct measure_instant *instants; /* touches, then steps */
    size_t room;
    struct measure_cutter cutter; /* its pace is the reader's */
};
void measure_journey_reader_fini(struct measure_journey_reader *reader);

/* The journeys of one account whose events stand (measure_events_stand); other types are passed
 * over. */
bool measure_journeys_read(struct measure_journey_reader *reader,
                           const struct measure_event *events, size_t count,
                           const struct measure_journey_options *options, measure_journey_each each,
                           void *context, struct proto_fault *fault);

/* Whether a touch was told after the outcome was. */
static inline bool measure_touch_late(const struct event *touch, const struct event *outcome)
{
    return outcome != NULL && touch->seq > outcome->seq;
}

#endif
