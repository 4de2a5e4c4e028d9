/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The best k hits seen so far, as a heap with the worst on top. Hits are ordered by similarity,
 * highest first, then by id, lowest first; that order is total, so the outcome does not depend on
 * the order of arrival. Room for k hits is the caller's. O(log k) an accepted hit.
 */
#ifndef ICP_SIMILAR_TOP_H
#define ICP_SIMILAR_TOP_H

#include "server/similar/similar.h"

struct similar_top {
    struct similar_hit *hits; /* borrowed */
    uint32_t count;
    uint32_t room;
};

void similar_top_init(struct similar_top *top, struct similar_hit *hits, uint32_t room);
/* Whether a hit would enter. */
bool similar_top_admits(const struct similar_top *top, double similarity, uint32_t id);
void similar_top_push(struct similar_top *top, struct similar_hit hit);
/* Sorts the hits, best first; the heap is finished then. */
void similar_top_sort(struct similar_top *top);
/* The similarity of the worst hit when full; -infinity before. */
double similar_top_worst(const struct similar_top *top);

#endif
