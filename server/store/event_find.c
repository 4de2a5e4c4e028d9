/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an event is stored: every generation of the overlay that the tables have not is asked by
 * hash, until one says that the slot was emptied there; then the marks of each block in the tables.
 * Where a mark fits, the block is read and sources and ids are compared. */
#include "server/store/store_event.h"

/* Reads the block up to the event of that mark, again for each one that has it. */
static bool block_look(struct proto_span bytes, const struct event *event, uint64_t hash,
                       struct store_event_found *found, struct proto_fault *fault)
{
    struct event_block block;
    struct event stored = {.has = 0};
    struct proto_fault why = {.code = PROTO_OK};
    if (!event_block_open(&block, bytes, fault)) {
        return false;
    }
    found->count += block.events;
    for (unsigned at = event_block_find(&block, 0, hash); at < block.events;
         at = event_block_find(&block, at + 1, hash)) {
        while (block.given <= at) {
            if (!event_block_next(&block, &stored, &why)) {
                *fault = why;
                return false;
            }
        }
        if (proto_span_equal(stored.source, event->source) &&
            proto_span_equal(stored.id, event->id)) {
            found->there = true;
            found->same = event_same(&stored, event);
            return true;
        }
    }
    return true;
}

/* Whether tables can have events of the slot: one that is not folded yet has none there, nor need
 * the directory have a piece for it. */
static bool tables_reach(const struct disk_txn *txn, uint32_t slot)
{
    return slot < txn->state.slots && (txn->state.sums[DISK_TABLE_EVENT].count > 0 ||
                                       txn->state.sums[DISK_TABLE_ASIDE].count > 0);
}

static bool tables_look(const struct disk_txn *txn, uint32_t slot, const struct event *event,
                        uint64_t hash, struct store_event_found *found, struct proto_fault *fault)
{
    struct store_event_head head;
    if (!tables_reach(txn, slot)) {
        return true;
    }
    if (!store_event_head_get(txn, slot, &head, fault)) {
        return false;
    }
    if (!head.there) {
        return true;
    }
    found->any = true;
    if (!block_look(head.block, event, hash, found, fault)) {
        return false;
    }
    for (uint32_t number = head.closed; !found->there && number > 0; number--) {
        struct proto_span block;
        if (!store_event_block_get(txn, slot, number, &block, fault) ||
            !block_look(block, event, hash, found, fault)) {
            return false;
        }
    }
    return true;
}

bool store_event_find(const struct store_sight *sight, uint32_t slot, const struct event *event,
                      uint64_t hash, struct store_event_found *found, struct proto_fault *fault)
{
    *found = (struct store_event_found){.any = false};
    for (const struct store_generation *generation = sight->newest; generation != NULL;
         generation = store_generation_older(generation, sight->base->state.seq)) {
        bool cut;
        const struct store_happening *told =
            store_generation_told_find(generation, slot, event, hash, &found->count, &cut);
        if (told != NULL) {
            struct event stored;
            found->any = found->there = true;
            if (!event_decode(told->event, &stored, fault)) {
                return false;
            }
            found->same = event_same(&stored, event);
            return true;
        }
        if (cut) {
            return true;
        }
    }
    return tables_look(sight->base, slot, event, hash, found, fault);
}

bool store_event_any(const struct store_sight *sight, uint32_t slot, bool *any,
                     struct proto_fault *fault)
{
    struct store_event_head head;
    struct proto_fault why = {.code = PROTO_OK};
    for (const struct store_generation *generation = sight->newest; generation != NULL;
         generation = store_generation_older(generation, sight->base->state.seq)) {
        const struct store_happening *told = store_generation_told(generation, slot);
        if (told != NULL) {
            *any = !told->cut;
            return true;
        }
    }
    *any = false;
    if (!tables_reach(sight->base, slot)) {
        return true;
    }
    if (store_event_head_get(sight->base, slot, &head, &why)) {
        *any = head.there;
        return true;
    }
    /* What is damaged goes with the account as well. */
    *any = why.code == PROTO_CORRUPT;
    if (!*any) {
        *fault = why;
    }
    return *any;
}
