/* SPDX-License-Identifier: Apache-2.0 */
/* What is known by then is kept while it is added, retractions aside. At the end retractions are
 * sorted by what they name, each event is looked for among them, and what is not chosen is left
 * out. */
#include "server/event/event_timeline.h"

#include <stdlib.h>

struct event_retract {
    uint64_t names; /* hash of what is taken back */
    uint64_t own;   /* and of the retraction */
    bool dead;      /* it was taken back itself */
};

struct event_choice event_choice_all(void)
{
    return (struct event_choice){
        .from_ms = INT64_MIN, .until_ms = INT64_MAX, .seq = UINT64_MAX, .known_ms = INT64_MAX};
}

void event_timeline_begin(struct event_timeline *timeline, const struct event_choice *choice)
{
    *timeline = (struct event_timeline){.choice = *choice};
}

void event_timeline_fini(struct event_timeline *timeline)
{
    free(timeline->picks);
    free(timeline->retracts);
}

/* Room for one more; the list, larger or as it was. */
static void *grow(struct event_timeline *timeline, void *list, size_t count, size_t *room,
                  size_t bytes)
{
    if (count < *room) {
        return list;
    }
    size_t more = *room == 0 ? 64 : *room * 2;
    void *grown = realloc(list, more * bytes);
    timeline->failed |= grown == NULL;
    if (grown != NULL) {
        *room = more;
        return grown;
    }
    return list;
}

void event_timeline_add(struct event_timeline *timeline, const struct event *event)
{
    const struct event_choice *choice = &timeline->choice;
    uint32_t at = timeline->added++;
    if (timeline->failed || event->seq > choice->seq || event->known_ms > choice->known_ms) {
        return;
    }
    uint64_t own = event_hash(event->source, event->id);
    timeline->picks =
        grow(timeline, timeline->picks, timeline->count, &timeline->room, sizeof *timeline->picks);
    if (event->type == EVENT_RETRACTION) {
        timeline->retracts = grow(timeline, timeline->retracts, timeline->retract_count,
                                  &timeline->retract_room, sizeof *timeline->retracts);
    }
    if (timeline->failed) {
        return;
    }
    timeline->picks[timeline->count++] = (struct event_pick){
        .time_ms = event->time_ms, .hash = own, .at = at, .type = (uint8_t)event->type};
    if (event->type == EVENT_RETRACTION) {
        timeline->retracts[timeline->retract_count++] =
            (struct event_retract){.names = event_hash(event->source, event->retracts), .own = own};
    }
}

static int compare_retracts(const void *a, const void *b)
{
    const struct event_retract *left = a;
    const struct event_retract *right = b;
    return (left->names > right->names) - (left->names < right->names);
}

/* The first retraction that names the event, dead or not; retract_count: none. */
static size_t naming(const struct event_timeline *timeline, uint64_t hash)
{
    size_t low = 0;
    size_t high = timeline->retract_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (timeline->retracts[middle].names < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool retracted(const struct event_timeline *timeline, uint64_t hash)
{
    for (size_t i = naming(timeline, hash);
         i < timeline->retract_count && timeline->retracts[i].names == hash; i++) {
        if (!timeline->retracts[i].dead) {
            return true;
        }
    }
    return false;
}

/* A retraction that another one takes back is dead, unless that one is, and so on: the state of
 * each follows from those that name it. Chains are walked until nothing changes; a ring of
 * retractions, which nobody means, ends after as many rounds as there are. */
static void retracts_settle(struct event_timeline *timeline)
{
    bool changed = true;
    for (size_t round = 0; changed && round <= timeline->retract_count; round++) {
        changed = false;
        for (size_t i = 0; i < timeline->retract_count; i++) {
            struct event_retract *retract = &timeline->retracts[i];
            bool dead = retracted(timeline, retract->own);
            changed |= dead != retract->dead;
            retract->dead = dead;
        }
    }
}

static int compare_oldest(const void *a, const void *b)
{
    const struct event_pick *left = a;
    const struct event_pick *right = b;
    if (left->time_ms != right->time_ms) {
        return left->time_ms < right->time_ms ? -1 : 1;
    }
    return (left->at > right->at) - (left->at < right->at);
}

static int compare_newest(const void *a, const void *b)
{
    return compare_oldest(b, a);
}

bool event_timeline_end(struct event_timeline *timeline, struct proto_fault *fault)
{
    const struct event_choice *choice = &timeline->choice;
    size_t kept = 0;
    if (timeline->failed) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a timeline of %u events",
                               timeline->added);
    }
    if (timeline->retract_count > 0) {
        qsort(timeline->retracts, timeline->retract_count, sizeof *timeline->retracts,
              compare_retracts);
        retracts_settle(timeline);
    }
    for (size_t i = 0; i < timeline->count; i++) {
        struct event_pick pick = timeline->picks[i];
        pick.retracted = timeline->retract_count > 0 && retracted(timeline, pick.hash);
        bool type = choice->types == 0 || (choice->types >> pick.type & 1) != 0;
        bool stands = choice->all || (!pick.retracted && pick.type != EVENT_RETRACTION);
        if (type && stands && pick.time_ms >= choice->from_ms && pick.time_ms < choice->until_ms) {
            timeline->picks[kept++] = pick;
        }
    }
    timeline->count = kept;
    if (kept > 0) {
        qsort(timeline->picks, kept, sizeof *timeline->picks,
              choice->newest ? compare_newest : compare_oldest);
    }
    return true;
}
