/* SPDX-License-Identifier: Apache-2.0 */
/* Events of accounts (server/event) as the subscriptions that measures read, so that the timeline
 * of the store and a file of billing give the same figures.
 *
 * Of events with one account, source and id the one known first counts; a retraction takes back the
 * event of its account and source that it names, whichever came first, unless it is taken back
 * itself, as in server/event/event_timeline.h; what became known after known_ms is left out, so
 * that an earlier figure can be had again. Of one account and subject each subscription event holds
 * from its time to its end or to the next of the subject, whichever is sooner. Kinds: trial, paused
 * and past-due become what rules ask for; 0 months is paid once.
 *
 * Ownership: borrows the events; the result is the caller's, free(). Errors: NO_MEMORY. What cannot
 * be measured (a term, a currency) is refused where spells are made. Threads: pure. Cost: n log n.
 * Source: docs/methods/mrr.md. */
#ifndef MEASURE_EVENT_FOLD_H
#define MEASURE_EVENT_FOLD_H

#include "server/event/event.h"
#include "server/measure/spell.h"

struct measure_event {
    uint32_t account;
    const struct event *event;
};

/* Leaves at the front of the events those that stand, of every type but retractions; returns how
 * many. known_ms: MEASURE_NEVER for all. SIZE_MAX with *fault. */
size_t measure_events_stand(struct measure_event *events, size_t event_count, int64_t known_ms,
                            struct proto_fault *fault);
/* Of events that stand: the i-th of *count subscriptions is that of standing[i], for those events
 * are put in front. NULL with *fault. */
struct measure_subscription *measure_events_subscriptions(struct measure_event *standing,
                                                          size_t event_count, size_t *count,
                                                          struct proto_fault *fault);
/* Both, the events left as they are. */
struct measure_subscription *measure_events_fold(const struct measure_event *events,
                                                 size_t event_count, int64_t known_ms,
                                                 size_t *count, struct proto_fault *fault);

#endif
