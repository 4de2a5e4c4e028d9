/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts by score, best first: raw score descending, then primary id ascending, bytewise. The one
 * order that ranks have, whatever order they were found in.
 *
 * Accounts are collected with their raw scores, 16 bytes each, and given out in order one by one
 * without sorting what nobody takes: a heap by raw; ids are read for accounts of equal score only
 * when their turn comes. Who knows how many will be taken says so (`wanted`): what cannot be among
 * them is then passed over as it comes. Ownership: ids borrow from the worker's view, which must
 * not be refreshed. Errors: PROTO_NO_MEMORY, those of reading records. Threads: one. Cost: 10 ns an
 * account collected, 1 ns one passed over, 1 µs one given out. */
#ifndef LISTING_RANK_H
#define LISTING_RANK_H

#include "server/engine/worker.h"

struct listing_found {
    int64_t raw;
    uint32_t slot;
};

struct listing_ranked {
    int64_t raw;
    uint32_t slot;
    struct proto_span id;
};

struct listing_ranking {
    struct listing_found *heap;
    size_t count;
    size_t room;
    bool heaped;
    size_t wanted;  /* as many of the best at least are given out; 0: all. Set before the first */
    int64_t floor;  /* with `wanted`: as many are known at this score or above */
    size_t trim_at; /* with `wanted`: count at which the floor is raised */
    struct listing_ranked *ties; /* of the score under way */
    size_t tie_count;
    size_t tie_room;
    size_t tie_next;
};

/* Zero is an empty ranking. */
void listing_ranking_fini(struct listing_ranking *ranking);
bool listing_ranking_collect(struct listing_ranking *ranking, uint32_t slot, int64_t raw,
                             struct proto_fault *fault);
static inline bool listing_ranking_add(struct listing_ranking *ranking, uint32_t slot, int64_t raw,
                                       struct proto_fault *fault)
{
    return (ranking->trim_at > 0 && raw < ranking->floor) ||
           listing_ranking_collect(ranking, slot, raw, fault);
}
/* The next one; false at the end, or with fault->code set (callers set it to PROTO_OK before). */
bool listing_ranking_next(struct listing_ranking *ranking, struct engine_worker *worker,
                          struct listing_ranked *next, struct proto_fault *fault);

#endif
