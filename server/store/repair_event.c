/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of an account's events, those that can be read, numbered anew without a gap. Where
 * block 0 cannot be read, how many there were is not known: the others are looked for until one is
 * not there. What is lost is told once an account. */
#include <stdlib.h>

#include "server/store/repair_parts.h"
#include "server/store/store_event.h"

static bool block_sound(struct proto_span bytes, unsigned *events)
{
    struct event_block block;
    struct event event;
    struct proto_fault why = {.code = PROTO_OK};
    bool good = event_block_open(&block, bytes, &why);
    while (good && event_block_next(&block, &event, &why)) {
        continue;
    }
    *events = block.events;
    return why.code == PROTO_OK;
}

static bool block_get(const struct repair *repair, uint32_t slot, uint32_t number,
                      struct proto_span *block, unsigned *events)
{
    struct proto_fault why;
    return store_event_block_get(&repair->salvage.txn, slot, number, block, &why) &&
           block_sound(*block, events);
}

/* Whether anything is stored under the key, readable or not. */
static bool block_there(const struct repair *repair, uint32_t slot, uint32_t number)
{
    struct proto_span value;
    struct proto_fault why;
    return disk_txn_get(&repair->salvage.txn, DISK_TABLE_EVENT, store_event_key(slot, number),
                        &value, &why) == DISK_GOT_ONE;
}

static bool value_make(struct repair *repair, struct event_block_writer *writer, uint64_t key,
                       const struct store_event_head *head, struct proto_span block,
                       struct proto_fault *fault)
{
    uint8_t value[STORE_EVENT_VALUE_BYTES_MAX];
    if (!event_block_resume(writer, block, fault)) {
        return false;
    }
    size_t bytes = store_event_encode(writer, (uint32_t)(key >> 32), (uint32_t)key, head, value);
    return store_repair_value(repair, DISK_TABLE_EVENT, key, (struct proto_span){value, bytes},
                              fault);
}

/* The blocks that stay: block 0, which must be put first, knows how many come behind it. */
static bool blocks_copy(struct repair *repair, uint32_t slot, struct store_event_head *head,
                        uint32_t last, struct proto_fault *fault)
{
    struct event_block_writer writer;
    struct proto_span block;
    unsigned events;
    uint32_t number = 0;
    if (!value_make(repair, &writer, store_event_key(slot, 0), head, head->block, fault)) {
        return false;
    }
    for (uint32_t from = 1; from <= last; from++) {
        if (block_get(repair, slot, from, &block, &events) &&
            !value_make(repair, &writer, store_event_key(slot, ++number), head, block, fault)) {
            return false;
        }
    }
    return true;
}

bool store_repair_events(struct repair *repair, uint32_t slot, struct proto_span id,
                         struct proto_fault *fault)
{
    struct store_event_head head;
    struct proto_fault why = {.code = PROTO_OK};
    unsigned events;
    bool known = store_event_head_get(&repair->salvage.txn, slot, &head, &why) &&
                 block_sound(head.block, &events);
    bool expected;
    struct proto_fault ignored;
    if ((known && !head.there) ||
        (!known && !block_there(repair, slot, 0) && !block_there(repair, slot, 1) &&
         !store_event_expected(&repair->salvage.txn, slot, &expected, &ignored))) {
        return true; /* as far as can be said, where the directory is damaged too */
    }
    bool lost = !known || head.lost;
    uint32_t last = known ? head.closed : 0;
    while (!known && block_there(repair, slot, last + 1)) {
        last++;
    }
    struct store_event_head kept = {.there = true};
    kept.block = known ? head.block : (struct proto_span){NULL, 0};
    for (uint32_t number = 1; number <= last; number++) {
        struct proto_span block;
        bool good = block_get(repair, slot, number, &block, &events);
        kept.closed += good;
        kept.events_closed += good ? events : 0;
        lost |= !good;
    }
    if (lost) {
        repair->damaged = true;
        repair->repaired->timelines_lost++;
        store_repair_reject(repair, "events of account", slot, id,
                            "some of them, or all, cannot be read; those that can are kept");
    }
    if (repair->told != NULL) {
        repair->told[slot / 8] |= (uint8_t)(1U << slot % 8);
    }
    return !repair->writing || blocks_copy(repair, slot, &kept, last, fault);
}

bool store_repair_directory_begin(struct repair *repair, struct proto_fault *fault)
{
    const struct disk_state *from = &repair->salvage.txn.state;
    size_t pieces = (size_t)from->slots / STORE_EVENT_DIRECTORY_SLOTS + 1;
    if (from->sums[DISK_TABLE_EVENT].count == 0) {
        return true;
    }
    repair->told = calloc(pieces, STORE_EVENT_DIRECTORY_SLOTS / 8);
    return repair->told != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a directory of %u slots",
                           from->slots);
}

bool store_repair_directory_end(struct repair *repair, struct proto_fault *fault)
{
    uint32_t slots = repair->salvage.txn.state.slots;
    bool good = true;
    for (uint32_t number = 0;
         good && repair->told != NULL && number * STORE_EVENT_DIRECTORY_SLOTS < slots; number++) {
        uint8_t value[STORE_EVENT_DIRECTORY_BYTES];
        memcpy(value + STORE_EVENT_HEADER_BYTES,
               repair->told + (size_t)number * (STORE_EVENT_DIRECTORY_SLOTS / 8),
               STORE_EVENT_DIRECTORY_SLOTS / 8);
        store_event_directory_seal(value, number);
        good = store_repair_value(repair, DISK_TABLE_EVENT, STORE_EVENT_DIRECTORY_KEY + number,
                                  (struct proto_span){value, sizeof value}, fault);
    }
    free(repair->told);
    repair->told = NULL;
    return good;
}
