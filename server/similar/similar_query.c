/* SPDX-License-Identifier: Apache-2.0 */
/* What every kind of search needs: working memory, terms of a list, the finish on the floats. */
#include "server/similar/similar_graph.h"
#include "server/similar/similar_measure.h"
#include "server/similar/similar_search.h"

#include <math.h>
#include <stdlib.h>

struct similar_scratch *similar_scratch_create(const struct similar_set *set)
{
    struct similar_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch != NULL && similar_scratch_reserve(set, scratch, 64) != SIMILAR_OK) {
        similar_scratch_destroy(scratch);
        return NULL;
    }
    return scratch;
}

void similar_scratch_destroy(struct similar_scratch *scratch)
{
    if (scratch != NULL) {
        free(scratch->dots);
        free(scratch->scores);
        free(scratch->groups);
        free(scratch->heap);
        free(scratch->hits);
        similar_walk_destroy(scratch->walk);
        free(scratch);
    }
}

static bool lists_reserve(struct similar_scratch *scratch, uint32_t room)
{
    free(scratch->dots);
    free(scratch->scores);
    free(scratch->groups);
    free(scratch->heap);
    scratch->dots = calloc(room, sizeof *scratch->dots);
    scratch->scores = calloc(room, sizeof *scratch->scores);
    scratch->groups = calloc(room / 16, sizeof *scratch->groups);
    scratch->heap = calloc(room / 16, sizeof *scratch->heap);
    bool all = scratch->dots != NULL && scratch->scores != NULL && scratch->groups != NULL &&
               scratch->heap != NULL;
    scratch->list_room = all ? room : 0;
    return all;
}

enum similar_status similar_scratch_reserve(const struct similar_set *set,
                                            struct similar_scratch *scratch, uint64_t hits)
{
    uint32_t lists = (set->list_count + 15) / 16 * 16;
    if (lists > scratch->list_room && !lists_reserve(scratch, lists)) {
        return SIMILAR_ERROR_MEMORY;
    }
    if (hits > scratch->hit_room) {
        struct similar_hit *grown = realloc(scratch->hits, hits * sizeof *grown);
        if (grown == NULL) {
            return SIMILAR_ERROR_MEMORY;
        }
        scratch->hits = grown;
        scratch->hit_room = hits;
    }
    return SIMILAR_OK;
}

enum similar_status similar_query_check(const struct similar_set *set,
                                        const struct similar_query *query)
{
    bool recall = query->recall >= 0 && query->recall <= 1; /* false for NaN */
    if (query->k == 0 || query->k > SIMILAR_K_MAX || !recall ||
        (query->filter != NULL && query->filter->set != set)) {
        return SIMILAR_ERROR_OPTION;
    }
    return similar_check(query->vector, set->space.dim);
}

struct similar_list_terms similar_terms_of(const struct similar_set *set,
                                           const struct similar_probe *probe, uint32_t list)
{
    double product = set->space.kernel->dot_pair(similar_centre(set, list), probe->rotated,
                                                 set->space.dim_padded);
    double own = probe->length * probe->length;
    double square = own - 2 * product + set->coarse.square_exact[list];
    struct similar_list_terms terms = {
        .product = product,
        .distance = sqrt(square > 0 ? square : 0),
        .code = product,
        .byte = product,
    };
    if (set->space.metric == SIMILAR_L2) {
        terms.code = -terms.distance * terms.distance;
        terms.byte = 2 * product - own;
    }
    return terms;
}

void similar_finish(const struct similar_set *set, const struct similar_probe *probe,
                    const struct similar_query *query, const uint32_t *places, uint32_t count,
                    struct similar_top *top, struct similar_report *report)
{
    const struct similar_space *space = &set->space;
    for (uint32_t i = 0; i < count; i++) {
        const float *row = similar_place_floats(set, places[i]);
        uint32_t position = places[i] % SIMILAR_CHUNK;
        const struct similar_chunk *chunk = &set->chunks[places[i] / SIMILAR_CHUNK];
        __builtin_prefetch(chunk->floats + sizeof(struct similar_header) + position * 8);
        __builtin_prefetch(similar_chunk_ids(set, places[i] / SIMILAR_CHUNK) + position);
        for (uint32_t k = 0; k < space->dim_float; k += 16) {
            __builtin_prefetch(row + k);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id = similar_place_id(set, places[i]);
        if (!similar_query_admits(query, id)) {
            continue;
        }
        struct similar_hit hit = {
            .id = id,
            .similarity = similar_measure(space->kernel, space->metric, probe->floats, probe->norm,
                                          similar_place_floats(set, places[i]),
                                          similar_place_norm(set, places[i]), space->dim_float),
        };
        similar_top_push(top, hit);
        report->floats_finished++;
    }
}
