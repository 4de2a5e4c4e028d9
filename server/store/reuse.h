/* SPDX-License-Identifier: Apache-2.0 */
/* Slots of deleted accounts, to be given again. A slot may be given again once
 *   - nobody can see the account that was there: every view, and whoever remembers slots beyond one
 *     (store_view_keep_slots), has seen the deletion;
 *   - it stood on no target account list since the store was opened: lists are kept by slot;
 *   - the second of the new account lies behind that of every list, so that a list which is worked
 *     out again at a start never takes it for one of its members (document_tal.c).
 * Which slots a batch took is written into its entry of the log: the tables, a start after a crash
 * and a restored copy give every account the slot that it had.
 *
 * What was deleted waits in a queue; what does not fit there, or was deleted before the store was
 * opened, is found again by a walk over the slots, between commits and only while accounts are
 * added. Giving is tentative until the group of its batch is in the log.
 *
 * Ownership: the writer's, with all threads to itself. Errors: without memory slots are not given
 * again, which costs space alone. Cost: 16 bytes a slot that waits, RESERVE at most; 2 bits a slot.
 */
#ifndef STORE_REUSE_H
#define STORE_REUSE_H

#include "server/store/store_document.h"

struct store_freed {
    uint64_t seq; /* of the deletion */
    uint32_t slot;
};

/* A set of slots. */
struct store_slot_set {
    uint64_t *bits;
    uint32_t slots; /* that there is room for; none beyond is in it */
};

struct store_reuse {
    struct store_freed *list;  /* in order of deletion */
    size_t first, end, room;   /* what waits */
    size_t taken;              /* of it, by the batch that is planned */
    size_t was_first, was_end; /* when the group began */
    struct store_slot_set waiting;
    struct store_slot_set listed;
    bool off;          /* what is listed is not known: nothing is given again */
    uint64_t seen;     /* deletions up to it are seen by everybody */
    int64_t lists_s;   /* second of the newest list */
    uint64_t given;    /* slots given again so far */
    bool wanted;       /* an account got a new slot for want of a free one */
    uint32_t walk;     /* next slot of the walk */
    uint32_t walk_end; /* 0: none is under way */
    uint64_t missed;   /* deleted slots that the last walk left behind */
};

void store_reuse_fini(struct store_reuse *reuse);
/* A group of batches begins; everybody has seen the deletions up to `seen`. */
void store_reuse_begin(struct store_reuse *reuse, uint64_t seen);
/* A batch is planned. */
void store_reuse_plan(struct store_reuse *reuse);
/* How many slots wait at most. */
static inline size_t store_reuse_waiting(const struct store_reuse *reuse)
{
    return reuse->end - reuse->first;
}
/* A slot for an account of this second; STORE_NO_SLOT: none is free. The sight is the planner's. */
uint32_t store_reuse_take(struct store_reuse *reuse, const struct store_sight *sight,
                          int64_t now_ms);
/* What the batch took is gone from the queue, `given` of it to accounts. */
void store_reuse_accept(struct store_reuse *reuse, size_t given);
/* The account of the slot was deleted by the batch of this sequence. */
void store_reuse_free(struct store_reuse *reuse, uint32_t slot, uint64_t seq);
/* The group came to nothing. */
void store_reuse_undo(struct store_reuse *reuse);
/* Whether the slot is on a list. */
bool store_reuse_listed(const struct store_reuse *reuse, uint32_t slot);
/* A list as it is told. */
void store_reuse_list(struct store_reuse *reuse, const struct store_change *list);
/* A slice of the walk for deleted slots that do not wait; true if there is more to do. */
bool store_reuse_walk(struct store_reuse *reuse, const struct store_sight *sight);

#endif
