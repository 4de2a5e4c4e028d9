/* SPDX-License-Identifier: Apache-2.0 */
/* An account's events as a view sees them: what the overlay has beyond the tables is collected from
 * the newest back to the oldest, or to where the slot was emptied; unless it was, the blocks of the
 * tables come first, in their order; then what was collected, the other way round. A reader whose
 * sequence is older than a change passes it over. */
#include <assert.h>
#include <stdlib.h>

#include "server/store/store_event.h"
#include "server/store/store_parts.h"

struct timeline {
    struct store_view *view;
    uint32_t slot;
    bool (*each)(void *context, const struct event *event);
    void *context;
    const struct store_happening **list; /* newest first */
    size_t count, room;
    bool cut;
    bool ended; /* each() has had enough */
};

static bool told_collect(struct timeline *timeline, const struct store_happening *told,
                         struct proto_fault *fault)
{
    if (timeline->count == timeline->room) {
        size_t room = timeline->room == 0 ? 64 : timeline->room * 2;
        const struct store_happening **list = realloc(timeline->list, room * sizeof *list);
        if (list == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu events", room);
        }
        timeline->list = list;
        timeline->room = room;
    }
    timeline->list[timeline->count++] = told;
    return true;
}

static bool overlay_collect(struct timeline *timeline, struct proto_fault *fault)
{
    const struct store_sight *sight = &timeline->view->sight;
    uint64_t folded = sight->base->state.seq;
    const struct store_generation *generation = sight->newest;
    while (generation != NULL && !timeline->cut) {
        const struct store_happening *told = store_generation_told(generation, timeline->slot);
        for (; told != NULL && told->seq > folded && !timeline->cut; told = told->older) {
            if (told->seq > sight->seq) {
                continue;
            }
            timeline->cut = told->cut;
            if (!told->cut && !told_collect(timeline, told, fault)) {
                return false;
            }
        }
        generation = store_generation_older(generation, folded);
    }
    return true;
}

static bool block_give(struct timeline *timeline, struct proto_span bytes,
                       struct proto_fault *fault)
{
    struct event_block block;
    struct event event;
    struct proto_fault why = {.code = PROTO_OK};
    bool good = event_block_open(&block, bytes, &why);
    while (good && !timeline->ended && event_block_next(&block, &event, &why)) {
        timeline->ended = !timeline->each(timeline->context, &event);
    }
    if (why.code != PROTO_OK) {
        *fault = why;
        return false;
    }
    return true;
}

static bool tables_give(struct timeline *timeline, struct proto_fault *fault)
{
    const struct disk_txn *txn = timeline->view->sight.base;
    uint32_t slot = timeline->slot;
    struct store_event_head head;
    if (timeline->cut || slot >= txn->state.slots) {
        return true;
    }
    if (!store_event_head_get(txn, slot, &head, fault)) {
        return false;
    }
    if (head.lost) {
        return proto_fault_set(fault, PROTO_CORRUPT, "event",
                               "some events of the account were lost to damage; icpd --repair says "
                               "which and goes on with the others");
    }
    for (uint32_t number = 1; number <= head.closed && !timeline->ended; number++) {
        struct proto_span block;
        if (!store_event_block_get(txn, slot, number, &block, fault) ||
            !block_give(timeline, block, fault)) {
            return false;
        }
    }
    return timeline->ended || block_give(timeline, head.block, fault);
}

static bool overlay_give(struct timeline *timeline, struct proto_fault *fault)
{
    for (size_t i = timeline->count; i > 0 && !timeline->ended; i--) {
        const struct store_happening *told = timeline->list[i - 1];
        struct event event;
        if (!event_decode(told->event, &event, fault)) {
            return false;
        }
        event.known_ms = told->known_ms;
        event.seq = told->seq;
        timeline->ended = !timeline->each(timeline->context, &event);
    }
    return true;
}

bool store_timeline(struct store_view *view, uint32_t slot,
                    bool (*each)(void *context, const struct event *event), void *context,
                    struct proto_fault *fault)
{
    struct timeline timeline = {.view = view, .slot = slot, .each = each, .context = context};
    struct proto_fault why = {.code = PROTO_OK};
    assert(view->active);
    bool good = overlay_collect(&timeline, &why) && tables_give(&timeline, &why) &&
                overlay_give(&timeline, &why);
    free(timeline.list);
    if (!good) {
        if (why.code == PROTO_CORRUPT) {
            store_damage(view->store, &why);
        }
        *fault = why;
    }
    return good;
}

uint64_t store_view_told(const struct store_view *view, uint32_t slot)
{
    return store_told(&view->store->tolds, slot);
}
