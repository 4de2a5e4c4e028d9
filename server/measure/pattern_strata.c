/* SPDX-License-Identifier: Apache-2.0 */
/* Each case gets its stratum: fit and length, earlier or later. Cases are then ordered by it, by
 * counting. Memory can run out. */
#include <stdlib.h>

#include "server/measure/pattern_parts.h"
#include "server/measure/tenth.h"

/* The first moment of the later two fifths; those of one moment are on one side. */
static bool cut_find(struct measure_search *search, struct proto_fault *fault)
{
    const struct measure_patterns *all = search->patterns;
    int64_t *moments = malloc((all->count + 1) * sizeof *moments);
    if (moments == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu journeys",
                               all->count);
    }
    for (size_t i = 0; i < all->count; i++) {
        moments[i] = all->cases[i].created_ms;
    }
    int64_t *sorted = measure_ascending(moments, all->count, all->pace, fault);
    if (sorted != NULL) {
        search->cut_ms = all->count > 0 ? sorted[all->count * 3 / 5] : 0;
    }
    free(moments);
    free(sorted);
    return sorted != NULL;
}

static void order_make(struct measure_search *search, uint32_t *firsts)
{
    size_t count = search->patterns->count;
    for (size_t i = 0; i < count; i++) {
        firsts[search->strata[i] + 1]++;
    }
    for (uint32_t s = 0; s < search->stratum_count; s++) {
        firsts[s + 1] += firsts[s];
    }
    for (size_t i = 0; i < count; i++) {
        search->order[firsts[search->strata[i]]++] = (uint32_t)i;
    }
}

bool measure_strata_make(struct measure_search *search, struct proto_fault *fault)
{
    const struct measure_patterns *all = search->patterns;
    uint32_t fits = 1;
    search->strata = calloc(all->count + 1, sizeof *search->strata);
    search->order = calloc(all->count + 1, sizeof *search->order);
    if (search->strata == NULL || search->order == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu journeys",
                               all->count);
    }
    if (!cut_find(search, fault) ||
        (all->options.tenths &&
         !measure_tenths(all->fits, all->count, search->strata, all->pace, fault))) {
        return false;
    }
    for (size_t i = 0; i < all->count; i++) {
        bool later = all->cases[i].created_ms >= search->cut_ms;
        uint32_t fit = all->options.tenths ? search->strata[i] : (uint32_t)all->fits[i];
        uint32_t stratum = fit * (MEASURE_WINDOW_MAX + 1) + all->cases[i].count;
        fits = fit >= fits ? fit + 1 : fits;
        search->strata[i] = 2 * stratum + later;
        search->cases[later]++;
        search->won[later] += all->cases[i].won;
    }
    search->stratum_count = 2 * fits * (MEASURE_WINDOW_MAX + 1);
    uint32_t *firsts = calloc((size_t)search->stratum_count + 1, sizeof *firsts);
    if (firsts == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u strata",
                               search->stratum_count);
    }
    order_make(search, firsts);
    free(firsts);
    return true;
}
