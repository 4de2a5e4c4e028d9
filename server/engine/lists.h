/* SPDX-License-Identifier: Apache-2.0 */
/* Target account lists as the engine holds them: what a score must know at once, who is on one.
 * Part of engine_state: immutable, replaced whole when a list is stored or another ICP version
 * becomes active, so that a score never sees the lists of one version with the numbers of another.
 *
 * Shapes: slots ascend. `bits` has one bit a slot for all lists of the active version together; an
 * account that was deleted keeps its bit, but nothing finds its slot. Memory: 4 bytes an entry, and
 * one bit a slot up to the highest on a list. Threads: immutable; reference counted with atomics.
 * Cost: asking for a slot is one load. */
#ifndef ENGINE_LISTS_H
#define ENGINE_LISTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "proto/fault.h"
#include "proto/span.h"

struct engine_list {
    int references;
    uint32_t number;  /* in the store, from 1 */
    uint32_t icp;     /* version that built it */
    const char *name; /* into head; "" of one that was given up, which nobody finds */
    json_t *head;     /* of its document (tal_document.h); only read; NULL: it was given up */
    uint32_t *slots;  /* ascending */
    size_t count;
};

struct engine_lists {
    int references;
    struct engine_list **items; /* by number - 1; NULL where one is damaged */
    size_t count;
    size_t damaged; /* of them: what they held, and under which name, nobody can say */
    uint32_t *any;  /* slots on any list of the active version, each once */
    size_t any_count;
    uint64_t *bits;
    uint32_t bit_slots; /* of bits; none beyond */
};

static inline bool engine_lists_has(const struct engine_lists *lists, uint32_t slot)
{
    return lists && slot < lists->bit_slots && (lists->bits[slot / 64] >> (slot % 64) & 1) != 0;
}

/* A list is damaged, so an account or a name that is on none may be on that one. */
static inline bool engine_lists_unsure(const struct engine_lists *lists)
{
    return lists && lists->damaged > 0;
}

/* For who asks for many: the load of the answer for the slot begins. */
static inline void engine_lists_prefetch(const struct engine_lists *lists, uint32_t slot)
{
    if (lists && slot < lists->bit_slots) {
        __builtin_prefetch(&lists->bits[slot / 64]);
    }
}

/* The list of that name; NULL with PROTO_NOT_FOUND if there is none, and with PROTO_CORRUPT if it
 * may be one that is damaged: its name stays taken, and so does every other that nobody has. */
const struct engine_list *engine_lists_find(const struct engine_lists *lists,
                                            struct proto_span name, struct proto_fault *fault);

struct engine_lists *engine_lists_retain(struct engine_lists *lists); /* NULL is fine */
void engine_lists_release(struct engine_lists *lists);

/* A list from the head of its document, taken also on failure, and its slots in any order, u32
 * each, which are copied. NULL: no memory, or no such head. */
struct engine_list *engine_list_create(uint32_t number, json_t *head, struct proto_span slots);
/* One that was damaged and given up: a number without name and members. NULL: no memory. */
struct engine_list *engine_list_create_given_up(uint32_t number);
void engine_list_release(struct engine_list *list); /* NULL is fine */
static inline bool engine_list_given_up(const struct engine_list *list)
{
    return list && !list->head;
}

/* `from` (or NULL: none) with `list` (taken, also on failure; or NULL: none) at its number. room:
 * numbers in all. members: with those of the lists that version `active` built; false while a store
 * is opened and there is more to come. NULL: no memory. */
struct engine_lists *engine_lists_make(const struct engine_lists *from, struct engine_list *list,
                                       size_t room, bool members, uint32_t active);

#endif
