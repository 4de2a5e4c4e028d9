/* SPDX-License-Identifier: Apache-2.0 */
/* For each slot the sequence of the newest commit that told anything of it, or emptied its
 * timeline, since the store was opened: whoever keeps what he worked out of timelines knows by it
 * which of them are as they were. Set before the commit can be seen, so that a view that sees an
 * event finds its sequence; a commit that failed leaves one that says too much, never too little.
 *
 * Shapes: segments of STORE_TOLD_SEGMENT slots, made when the first of them is told of: 8 bytes a
 * slot, of memory that is touched where it is needed, and 8 for each group of neighbours, which has
 * the newest sequence of them all, for whoever keeps pages. Ownership: store_tolds_fini frees.
 * Errors: PROTO_NO_MEMORY. Threads: the writer sets, any reads. Cost: a load. */
#ifndef STORE_TOLD_H
#define STORE_TOLD_H

#include <stdatomic.h>

#include "proto/fault.h"
#include "proto/table.h"

#define STORE_TOLD_SEGMENT 262144u
#define STORE_TOLD_GROUP 256u
#define STORE_TOLD_SEGMENTS (PROTO_ACCOUNTS_MAX / STORE_TOLD_SEGMENT)

struct store_tolds {
    _Atomic(_Atomic uint64_t *) segments[STORE_TOLD_SEGMENTS];
};

void store_tolds_fini(struct store_tolds *tolds);
bool store_told_set(struct store_tolds *tolds, uint32_t slot, uint64_t seq,
                    struct proto_fault *fault);

/* Word `at` of the segment that the slot is in: slots, then groups. 0: nothing since the store was
 * opened. */
static inline uint64_t store_told_word(const struct store_tolds *tolds, uint32_t slot, uint32_t at)
{
    _Atomic uint64_t *segment =
        slot < PROTO_ACCOUNTS_MAX
            ? atomic_load_explicit(&tolds->segments[slot / STORE_TOLD_SEGMENT],
                                   memory_order_acquire)
            : NULL;
    return segment == NULL ? 0 : atomic_load_explicit(&segment[at], memory_order_acquire);
}
static inline uint64_t store_told(const struct store_tolds *tolds, uint32_t slot)
{
    return store_told_word(tolds, slot, slot % STORE_TOLD_SEGMENT);
}
/* Of the group that the slot is in: the newest of its slots. */
static inline uint32_t store_told_group_at(uint32_t slot)
{
    return STORE_TOLD_SEGMENT + slot % STORE_TOLD_SEGMENT / STORE_TOLD_GROUP;
}
static inline uint64_t store_told_group(const struct store_tolds *tolds, uint32_t slot)
{
    return store_told_word(tolds, slot, store_told_group_at(slot));
}

/* As store_view_told, of all slots of the group. Any thread. */
struct store_view;
uint64_t store_view_told_group(const struct store_view *view, uint32_t slot);

#endif
