/* SPDX-License-Identifier: Apache-2.0 */
/* Events of a generation into the table, slot by slot: those since the slot's last deletion are put
 * behind what block 0 holds; where that is full it becomes a block of its own. What was there
 * before a deletion goes. Block 0 that is damaged does not stop a fold: it begins anew behind the
 * blocks that there are, and says that events were lost. */
#include <stdlib.h>

#include "server/store/store_event.h"
#include "server/store/store_parts.h"

struct events {
    struct store *store;
    struct disk_txn *txn;
    const struct store_happening **list; /* of one slot, oldest first */
    size_t room;
    struct event_block_writer writer;
    struct store_event_directory directory;
    uint8_t value[STORE_EVENT_VALUE_BYTES_MAX];
};

static const struct store_happening *newest(const struct store_slot_cell *cell)
{
    return atomic_load_explicit(&cell->told, memory_order_acquire);
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t left = (*(struct store_slot_cell *const *)a)->slot;
    uint32_t right = (*(struct store_slot_cell *const *)b)->slot;
    return (left > right) - (left < right);
}

/* The events since the last cut, oldest first; *cut: there is one. */
static bool list_fill(struct events *events, const struct store_slot_cell *cell, size_t *count,
                      bool *cut, struct proto_fault *fault)
{
    const struct store_happening *told = newest(cell);
    *count = 0;
    for (; told != NULL && !told->cut; told = told->older) {
        ++*count;
    }
    *cut = told != NULL;
    if (*count > events->room) {
        const struct store_happening **list = realloc(events->list, 2 * *count * sizeof *list);
        if (list == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold %zu events",
                                   *count);
        }
        events->list = list;
        events->room = 2 * *count;
    }
    told = newest(cell);
    for (size_t at = *count; at > 0; told = told->older) {
        events->list[--at] = told;
    }
    return true;
}

static bool block_put(struct events *events, uint32_t slot, uint32_t number,
                      const struct store_event_head *head, struct proto_fault *fault)
{
    size_t bytes = store_event_encode(&events->writer, slot, number, head, events->value);
    return store_event_put(events->txn, store_event_key(slot, number),
                           (struct proto_span){events->value, bytes}, fault);
}

/* What the table has, into the writer. */
static bool head_begin(struct events *events, uint32_t slot, struct store_event_head *head,
                       struct proto_fault *fault)
{
    struct proto_fault why = {.code = PROTO_OK};
    bool expected = store_event_directory_has(&events->directory, slot);
    if (store_event_head_look(events->txn, slot, expected, head, &why) &&
        event_block_resume(&events->writer, head->block, &why)) {
        return true;
    }
    if (why.code != PROTO_CORRUPT) {
        *fault = why;
        return false;
    }
    store_damage(events->store, &why);
    event_block_begin(&events->writer);
    *head = (struct store_event_head){.there = true, .lost = true};
    struct proto_span block;
    while (head->closed < STORE_EVENT_BLOCKS_MAX &&
           store_event_block_get(events->txn, slot, head->closed + 1, &block, &why)) {
        struct event_block opened;
        head->closed++;
        head->events_closed += event_block_open(&opened, block, &why) ? opened.events : 0;
    }
    return true;
}

static bool event_add(struct events *events, uint32_t slot, struct store_event_head *head,
                      const struct store_happening *told, struct proto_fault *fault)
{
    struct event event;
    if (!event_decode(told->event, &event, fault)) {
        return false;
    }
    event.known_ms = told->known_ms;
    event.seq = told->seq;
    if (event_block_add(&events->writer, &event)) {
        return true;
    }
    if (!block_put(events, slot, head->closed + 1, head, fault)) {
        return false;
    }
    head->closed++;
    head->events_closed += events->writer.events;
    event_block_begin(&events->writer);
    return event_block_add(&events->writer, &event) ||
           proto_fault_set(fault, PROTO_INTERNAL, "event", "an event that fits no block");
}

static bool slot_fold(struct events *events, const struct store_slot_cell *cell,
                      struct proto_fault *fault)
{
    struct store_event_head head;
    size_t count;
    bool cut;
    bool damaged = false;
    if (!list_fill(events, cell, &count, &cut, fault) ||
        !store_event_directory_load(events->txn, &events->directory, cell->slot, &damaged, fault) ||
        (cut && !store_event_clear(events->txn, &events->directory, cell->slot, fault))) {
        return false;
    }
    if (damaged) {
        struct proto_fault why;
        proto_fault_set(&why, PROTO_CORRUPT, "event",
                        "a piece of the directory of events is damaged");
        store_damage(events->store, &why);
    }
    if (count == 0) {
        return true;
    }
    if (!head_begin(events, cell->slot, &head, fault)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!event_add(events, cell->slot, &head, events->list[i], fault)) {
            return false;
        }
    }
    store_event_directory_mark(&events->directory, cell->slot, true);
    return block_put(events, cell->slot, 0, &head, fault);
}

/* The directory has every slot, once anything was told. */
static bool directory_grow(struct disk_txn *txn, uint32_t slots_before, struct proto_fault *fault)
{
    bool any = txn->state.sums[DISK_TABLE_EVENT].count > 0;
    uint32_t first =
        any && slots_before > 0 ? (slots_before - 1) / STORE_EVENT_DIRECTORY_SLOTS + 1 : 0;
    return store_event_directory_grow(txn, first, txn->state.slots, fault);
}

bool store_fold_events(struct store *store, struct disk_txn *txn,
                       const struct store_generation *generation, uint32_t slots_before,
                       struct proto_fault *fault)
{
    bool told = atomic_load_explicit(&generation->tolds, memory_order_acquire) != NULL;
    if (!told && txn->state.sums[DISK_TABLE_EVENT].count == 0) {
        return true;
    }
    if (!directory_grow(txn, slots_before, fault)) {
        return false;
    }
    if (!told) {
        return true;
    }
    struct store_slot_cell **cells = malloc((generation->slot_count + 1) * sizeof *cells);
    struct events *events = calloc(1, sizeof *events);
    bool good = cells != NULL && events != NULL;
    if (!good) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fold events");
    } else {
        size_t count = store_generation_tolds(generation, cells);
        events->store = store;
        events->txn = txn;
        qsort(cells, count, sizeof *cells, compare_slots);
        for (size_t i = 0; good && i < count; i++) {
            good = slot_fold(events, cells[i], fault);
        }
        good = good && store_event_directory_flush(txn, &events->directory, fault);
        free(events->list);
    }
    free(events);
    free(cells);
    return good;
}
