/* SPDX-License-Identifier: Apache-2.0 */
/* The events are read twice: once to see which there are and in which order, once to take those of
 * the page. Between the two nothing changes, for the view stands still. */
#include "server/engine/timeline.h"

#include <stdlib.h>

#include "server/engine/worker.h"
#include "server/store/store.h"

static bool pick_each(void *context, const struct event *event)
{
    event_timeline_add(context, event);
    return true;
}

/* Where an event of the page is in the order of reading, and on the page. */
struct wanted {
    uint32_t at;
    uint32_t place;
};

struct taking {
    struct engine_timeline *page;
    struct base_arena *arena;
    struct wanted *wanted; /* in the order of reading */
    size_t next;
    uint32_t read;
};

/* A copy whose texts live in the arena. */
static bool take_each(void *context, const struct event *event)
{
    struct taking *taking = context;
    const struct wanted *wanted = &taking->wanted[taking->next];
    if (taking->read++ != wanted->at) {
        return true;
    }
    struct proto_fault ignored;
    size_t bytes = event_bytes(event);
    uint8_t *copy = base_arena_take(taking->arena, bytes);
    if (copy == NULL) {
        return false;
    }
    struct event *told = &taking->page->events[wanted->place].event;
    event_encode(event, copy);
    (void)event_decode((struct proto_span){copy, bytes}, told, &ignored);
    told->known_ms = event->known_ms;
    told->seq = event->seq;
    return ++taking->next < taking->page->count;
}

static int compare_wanted(const void *a, const void *b)
{
    const struct wanted *left = a;
    const struct wanted *right = b;
    return (left->at > right->at) - (left->at < right->at);
}

static bool page_take(struct engine_worker *worker, uint32_t slot, const struct event_pick *picks,
                      struct base_arena *arena, struct engine_timeline *page,
                      struct proto_fault *fault)
{
    struct taking taking = {.page = page, .arena = arena};
    page->events = base_arena_array(arena, page->count + 1, sizeof *page->events);
    taking.wanted = base_arena_array(arena, page->count + 1, sizeof *taking.wanted);
    if (page->events != NULL && taking.wanted != NULL && page->count > 0) {
        for (size_t i = 0; i < page->count; i++) {
            page->events[i].retracted = picks[i].retracted;
            taking.wanted[i] = (struct wanted){picks[i].at, (uint32_t)i};
        }
        qsort(taking.wanted, page->count, sizeof *taking.wanted, compare_wanted);
        if (!store_timeline(worker->view, slot, take_each, &taking, fault)) {
            return false;
        }
    }
    return base_arena_ok(arena) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a page of %zu events",
                           page->count);
}

bool engine_timeline(struct engine_worker *worker, uint32_t slot, const struct event_choice *choice,
                     uint64_t skip, size_t limit, struct base_arena *arena,
                     struct engine_timeline *page, struct proto_fault *fault)
{
    struct event_timeline timeline;
    *page = (struct engine_timeline){.count = 0};
    event_timeline_begin(&timeline, choice);
    bool good = store_timeline(worker->view, slot, pick_each, &timeline, fault) &&
                event_timeline_end(&timeline, fault);
    if (good) {
        size_t first = skip < timeline.count ? (size_t)skip : timeline.count;
        size_t left = timeline.count - first;
        page->total = timeline.count;
        page->count = left < limit ? left : limit;
        const struct event_pick *picks = page->count > 0 ? &timeline.picks[first] : NULL;
        good = page_take(worker, slot, picks, arena, page, fault);
    }
    event_timeline_fini(&timeline);
    return good;
}
