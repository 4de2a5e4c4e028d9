/* SPDX-License-Identifier: Apache-2.0 */
/* Which events of an account make its timeline: as it was known at a sequence or a time, without
 * what was taken back, of some types and times, in the order in which they happened.
 *
 *   begin ─▶ add, for each event in the order in which they became known ─▶ end ─▶ picks
 *
 * A retraction takes back the event of its source with the id that it names, whichever of the two
 * became known first; one that is itself taken back takes nothing back. What is compared are 64
 * bits of the hash of source and id. Shapes: times in ms; 32 bytes of memory an event. Ownership:
 * the timeline owns its picks. Errors: PROTO_NO_MEMORY, from end. Threads: pure. Cost: some 20 ns
 * an event, and a sort. */
#ifndef EVENT_EVENT_TIMELINE_H
#define EVENT_EVENT_TIMELINE_H

#include "server/event/event.h"

struct event_choice {
    uint32_t types;            /* bits 1 << event_type; 0: all */
    int64_t from_ms, until_ms; /* true time, the latter exclusive */
    uint64_t seq;              /* known by then; UINT64_MAX: ever */
    int64_t known_ms;          /* the same by the clock; INT64_MAX: ever */
    bool all;                  /* what was taken back, and retractions, too */
    bool newest;               /* the newest first */
};

struct event_pick {
    int64_t time_ms;
    uint64_t hash;
    uint32_t at; /* in the order of adding, from 0 */
    uint8_t type;
    bool retracted;
};

struct event_timeline {
    struct event_choice choice;
    struct event_pick *picks;
    size_t count, room;
    struct event_retract *retracts; /* event_timeline.c */
    size_t retract_count, retract_room;
    uint32_t added;
    bool failed;
};

/* Everything: no bounds, the oldest first. */
struct event_choice event_choice_all(void);

void event_timeline_begin(struct event_timeline *timeline, const struct event_choice *choice);
void event_timeline_add(struct event_timeline *timeline, const struct event *event);
/* Leaves the picks that were chosen, in their order. */
bool event_timeline_end(struct event_timeline *timeline, struct proto_fault *fault);
void event_timeline_fini(struct event_timeline *timeline);

#endif
