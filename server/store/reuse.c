/* SPDX-License-Identifier: Apache-2.0 */
/* A queue of deleted slots, oldest first, in which each slot stands once. The front is taken while
 * its deletion is seen by everybody; a slot that turns out to be listed, living or damaged is
 * passed over. A group that fails puts the queue back as it was. */
#include "server/store/reuse.h"

#include <stdlib.h>
#include <string.h>

enum {
    RESERVE = 1 << 18, /* slots that wait at most */
    LIST_LEAST = 256,
    SLICE_SLOTS = 512,     /* of a walk, between two commits: below a millisecond */
    WORTH_PART = 128,      /* a walk is worth while where one slot in so many is to be found */
    SMALL_SLOTS = 1 << 16, /* or where it is over at once */
};

static bool set_has(const struct store_slot_set *set, uint32_t slot)
{
    return slot < set->slots && (set->bits[slot / 64] >> (slot % 64) & 1) != 0;
}

static bool set_add(struct store_slot_set *set, uint32_t slot)
{
    if (slot >= set->slots) {
        uint32_t slots = (slot + slot / 4 + 4096) / 64 * 64;
        uint64_t *bits = realloc(set->bits, slots / 8);
        if (bits == NULL) {
            return false;
        }
        memset(bits + set->slots / 64, 0, (slots - set->slots) / 8);
        set->bits = bits;
        set->slots = slots;
    }
    set->bits[slot / 64] |= UINT64_C(1) << (slot % 64);
    return true;
}

static void set_drop(struct store_slot_set *set, uint32_t slot)
{
    if (slot < set->slots) {
        set->bits[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
    }
}

void store_reuse_fini(struct store_reuse *reuse)
{
    free(reuse->list);
    free(reuse->waiting.bits);
    free(reuse->listed.bits);
}

void store_reuse_begin(struct store_reuse *reuse, uint64_t seen)
{
    if (reuse->first == reuse->end) {
        reuse->first = reuse->end = 0;
    } else if (reuse->first > reuse->end / 2) {
        memmove(reuse->list, reuse->list + reuse->first,
                (reuse->end - reuse->first) * sizeof *reuse->list);
        reuse->end -= reuse->first;
        reuse->first = 0;
    }
    reuse->was_first = reuse->first;
    reuse->was_end = reuse->end;
    reuse->taken = 0;
    reuse->seen = seen;
}

void store_reuse_plan(struct store_reuse *reuse)
{
    reuse->taken = 0;
}

static bool is_free(const struct store_sight *sight, uint32_t slot)
{
    struct store_account account;
    struct proto_fault ignored;
    return slot < sight->state->slots && store_account_get(sight, slot, &account, &ignored) &&
           account.deleted;
}

uint32_t store_reuse_take(struct store_reuse *reuse, const struct store_sight *sight,
                          int64_t now_ms)
{
    bool apart = !reuse->off && now_ms / 1000 > reuse->lists_s;
    while (apart && reuse->first + reuse->taken < reuse->end) {
        const struct store_freed *freed = &reuse->list[reuse->first + reuse->taken];
        if (freed->seq > reuse->seen) {
            break;
        }
        reuse->taken++;
        if (!set_has(&reuse->listed, freed->slot) && is_free(sight, freed->slot)) {
            return freed->slot;
        }
    }
    return STORE_NO_SLOT;
}

void store_reuse_accept(struct store_reuse *reuse, size_t given)
{
    reuse->given += given;
    for (; reuse->taken > 0; reuse->taken--) {
        set_drop(&reuse->waiting, reuse->list[reuse->first++].slot);
    }
}

void store_reuse_free(struct store_reuse *reuse, uint32_t slot, uint64_t seq)
{
    if (reuse->off || reuse->end - reuse->was_first >= RESERVE || set_has(&reuse->waiting, slot)) {
        return;
    }
    if (reuse->end == reuse->room) {
        size_t room = reuse->room == 0 ? LIST_LEAST : reuse->room * 2;
        struct store_freed *list = realloc(reuse->list, room * sizeof *list);
        if (list == NULL) {
            return; /* the walk will find it */
        }
        reuse->list = list;
        reuse->room = room;
    }
    if (set_add(&reuse->waiting, slot)) {
        reuse->list[reuse->end++] = (struct store_freed){.seq = seq, .slot = slot};
    }
}

void store_reuse_undo(struct store_reuse *reuse)
{
    for (size_t i = reuse->was_end; i < reuse->end; i++) {
        set_drop(&reuse->waiting, reuse->list[i].slot);
    }
    reuse->end = reuse->was_end;
    reuse->first = reuse->was_first;
    reuse->taken = 0;
    for (size_t i = reuse->first; i < reuse->end; i++) {
        /* There was room for it before. */
        (void)set_add(&reuse->waiting, reuse->list[i].slot);
    }
}

bool store_reuse_listed(const struct store_reuse *reuse, uint32_t slot)
{
    return reuse->off || set_has(&reuse->listed, slot);
}

void store_reuse_list(struct store_reuse *reuse, const struct store_change *list)
{
    if (list->kind != STORE_DOCUMENT_TAL) {
        return;
    }
    if (list->time_ms / 1000 > reuse->lists_s) {
        reuse->lists_s = list->time_ms / 1000;
    }
    for (size_t at = 0; at + sizeof(uint32_t) <= list->slots.bytes; at += sizeof(uint32_t)) {
        uint32_t slot = disk_get_u32(list->slots.data + at);
        if (slot < PROTO_ACCOUNTS_MAX && !set_add(&reuse->listed, slot)) {
            reuse->off = true;
        }
    }
}

/* Deleted slots that do not wait, listed ones among them. */
static uint64_t lost_of(const struct store_reuse *reuse, const struct disk_state *state)
{
    uint64_t deleted = state->slots - state->accounts;
    uint64_t waiting = reuse->end - reuse->first;
    return deleted > waiting ? deleted - waiting : 0;
}

static bool walk_begin(struct store_reuse *reuse, const struct disk_state *state)
{
    uint64_t worth = state->slots <= SMALL_SLOTS ? 1 : state->slots / WORTH_PART;
    if (!reuse->wanted || reuse->off || reuse->end - reuse->first >= RESERVE / 2 ||
        lost_of(reuse, state) < reuse->missed + worth) {
        reuse->wanted = false;
        return false;
    }
    reuse->walk = 0;
    reuse->walk_end = state->slots;
    return true;
}

bool store_reuse_walk(struct store_reuse *reuse, const struct store_sight *sight)
{
    if (reuse->walk_end == 0 && !walk_begin(reuse, sight->state)) {
        return false;
    }
    for (int i = 0; i < SLICE_SLOTS && reuse->walk < reuse->walk_end; i++, reuse->walk++) {
        /* When it was deleted is not known: it is taken for now. */
        if (!set_has(&reuse->waiting, reuse->walk) && !set_has(&reuse->listed, reuse->walk) &&
            is_free(sight, reuse->walk)) {
            store_reuse_free(reuse, reuse->walk, sight->state->seq);
        }
    }
    if (reuse->walk < reuse->walk_end && reuse->end - reuse->first < RESERVE) {
        return true;
    }
    /* Where the queue is full, the next walk finds the rest. */
    reuse->missed = reuse->walk < reuse->walk_end ? 0 : lost_of(reuse, sight->state);
    reuse->walk_end = 0;
    reuse->wanted = false;
    return false;
}
