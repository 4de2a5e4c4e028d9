/* SPDX-License-Identifier: Apache-2.0 */
/* An account's events as a view sees them: what the overlay has beyond the tables is collected from
 * the newest back to the oldest, or to where the slot was emptied; unless it was, the blocks of the
 * tables come first, in their order; then what was collected, the other way round. A reader whose
 * sequence is older than a change passes it over. Of a fold the events of its source records are
 * copied, put in that order, and what several were told alike is given once. */
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

/* Of one record. */
static bool record_give(struct store_view *view, uint32_t slot,
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
        *fault = why;
    }
    return good;
}

/* An event of one of several records, as it was told. */
struct copied {
    uint64_t seq;
    int64_t known_ms;
    uint64_t hash;
    size_t at, bytes; /* of the text */
    size_t order;
};

struct copying {
    struct copied *list;
    size_t count, room;
    uint8_t *text;
    size_t bytes, text_room;
    bool failed;
};

static bool copy_each(void *context, const struct event *event)
{
    struct copying *copying = context;
    size_t need = copying->bytes + event_bytes(event);
    if (copying->count == copying->room) {
        size_t room = copying->room == 0 ? 256 : copying->room * 2;
        struct copied *list = realloc(copying->list, room * sizeof *list);
        copying->failed = list == NULL;
        copying->list = list == NULL ? copying->list : list;
        copying->room = list == NULL ? copying->room : room;
    }
    if (!copying->failed && need > copying->text_room) {
        size_t room = need * 2;
        uint8_t *text = realloc(copying->text, room);
        copying->failed = text == NULL;
        copying->text = text == NULL ? copying->text : text;
        copying->text_room = text == NULL ? copying->text_room : room;
    }
    if (copying->failed) {
        return false;
    }
    event_encode(event, copying->text + copying->bytes);
    copying->list[copying->count] = (struct copied){.seq = event->seq,
                                                    .known_ms = event->known_ms,
                                                    .hash = event_hash(event->source, event->id),
                                                    .at = copying->bytes,
                                                    .bytes = need - copying->bytes,
                                                    .order = copying->count};
    copying->bytes = need;
    copying->count++;
    return true;
}

static int compare_hashes(const void *a, const void *b)
{
    const struct copied *left = a;
    const struct copied *right = b;
    int order = (left->hash > right->hash) - (left->hash < right->hash);
    int later = (left->seq > right->seq) - (left->seq < right->seq);
    return order != 0 ? order : later != 0 ? later : left->order < right->order ? -1 : 1;
}

static int compare_known(const void *a, const void *b)
{
    const struct copied *left = a;
    const struct copied *right = b;
    int later = (left->seq > right->seq) - (left->seq < right->seq);
    return later != 0 ? later : left->order < right->order ? -1 : 1;
}

/* What several records were told, byte for byte, counts once: as it became known first. */
static void copies_drop(struct copying *copying)
{
    size_t kept = 0;
    if (copying->count == 0) {
        return;
    }
    qsort(copying->list, copying->count, sizeof *copying->list, compare_hashes);
    for (size_t i = 0; i < copying->count; i++) {
        const struct copied *now = &copying->list[i];
        bool again = false;
        for (size_t j = kept; j > 0 && copying->list[j - 1].hash == now->hash && !again; j--) {
            const struct copied *other = &copying->list[j - 1];
            again = other->bytes == now->bytes &&
                    memcmp(copying->text + other->at, copying->text + now->at, now->bytes) == 0;
        }
        if (!again) {
            copying->list[kept++] = *now;
        }
    }
    copying->count = kept;
    qsort(copying->list, copying->count, sizeof *copying->list, compare_known);
}

static bool copies_give(const struct copying *copying,
                        bool (*each)(void *context, const struct event *event), void *context,
                        struct proto_fault *fault)
{
    for (size_t i = 0; i < copying->count; i++) {
        const struct copied *copied = &copying->list[i];
        struct event event;
        if (!event_decode((struct proto_span){copying->text + copied->at, copied->bytes}, &event,
                          fault)) {
            return false;
        }
        event.known_ms = copied->known_ms;
        event.seq = copied->seq;
        if (!each(context, &event)) {
            break;
        }
    }
    return true;
}

/* Of a fold: those of its source records. */
static bool fold_give(struct store_view *view, struct proto_span members,
                      bool (*each)(void *context, const struct event *event), void *context,
                      struct proto_fault *fault)
{
    struct copying copying = {.count = 0};
    bool good = true;
    for (size_t i = 0; good && i < store_member_count(members); i++) {
        good = record_give(view, store_member(members, i), copy_each, &copying, fault) &&
               (!copying.failed || proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                                   "no memory for %zu events", copying.count));
    }
    if (good) {
        copies_drop(&copying);
        good = copies_give(&copying, each, context, fault);
    }
    free(copying.list);
    free(copying.text);
    return good;
}

bool store_timeline(struct store_view *view, uint32_t slot,
                    bool (*each)(void *context, const struct event *event), void *context,
                    struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    struct store_account account = {.deleted = true};
    bool good = slot >= view->state.slots || store_account_get(&view->sight, slot, &account, &why);
    /* The events of an account of which nothing else can be read are still its own. */
    bool fold = good && !account.deleted && account.members.bytes > 0;
    why.code = PROTO_OK;
    good = fold ? fold_give(view, account.members, each, context, &why)
                : record_give(view, slot, each, context, &why);
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

uint64_t store_view_told_group(const struct store_view *view, uint32_t slot)
{
    return store_told_group(&view->store->tolds, slot);
}
