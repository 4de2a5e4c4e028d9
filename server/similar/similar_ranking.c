/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a query, best first. */
#include "server/similar/similar_search.h"

#include <math.h>

static float group_best(const float *scores)
{
    float best = scores[0];
    for (uint32_t i = 1; i < 16; i++) {
        best = scores[i] > best ? scores[i] : best;
    }
    return best;
}

static void ranking_sink(struct similar_ranking *ranking, uint32_t at)
{
    uint32_t moving = ranking->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= ranking->count) {
            break;
        }
        if (child + 1 < ranking->count &&
            ranking->groups[ranking->heap[child + 1]] > ranking->groups[ranking->heap[child]]) {
            child++;
        }
        if (!(ranking->groups[ranking->heap[child]] > ranking->groups[moving])) {
            break;
        }
        ranking->heap[at] = ranking->heap[child];
        at = child;
    }
    ranking->heap[at] = moving;
}

void similar_ranking_begin(const struct similar_set *set, struct similar_scratch *scratch,
                           const struct similar_probe *probe, struct similar_ranking *ranking)
{
    similar_coarse_score(set, probe->row, probe->byte_step, set->space.metric == SIMILAR_DOT,
                         scratch->dots, scratch->scores);
    *ranking = (struct similar_ranking){
        .scores = scratch->scores,
        .groups = scratch->groups,
        .heap = scratch->heap,
        .count = (set->list_count + 15) / 16,
    };
    for (uint32_t g = 0; g < ranking->count; g++) {
        ranking->groups[g] = group_best(ranking->scores + (size_t)g * 16);
        ranking->heap[g] = g;
    }
    for (uint32_t at = ranking->count / 2; at-- > 0;) {
        ranking_sink(ranking, at);
    }
}

/* The next list and its score; SIMILAR_NONE when no live list is left. */
uint32_t similar_ranking_next(struct similar_ranking *ranking, float *score)
{
    uint32_t group = ranking->heap[0];
    float *scores = ranking->scores + (size_t)group * 16;
    *score = ranking->groups[group];
    if (!(*score > -INFINITY)) {
        return SIMILAR_NONE;
    }
    uint32_t at = 0;
    while (scores[at] < *score) {
        at++;
    }
    scores[at] = -INFINITY;
    ranking->groups[group] = group_best(scores);
    ranking_sink(ranking, 0);
    return group * 16 + at;
}
