/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_search.h"

#include <stdlib.h>

struct similar_filter *similar_filter_create(const struct similar_set *set, const uint64_t *words,
                                             size_t word_count, enum similar_status *status)
{
    enum similar_status ignored;
    status = status != NULL ? status : &ignored;
    *status = SIMILAR_ERROR_MEMORY;
    struct similar_filter *filter = calloc(1, sizeof *filter);
    size_t masks = (size_t)set->chunk_count * SIMILAR_CHUNK_TILES;
    uint16_t *room = calloc(masks > 0 ? masks : 1, sizeof *room);
    if (filter == NULL || room == NULL) {
        free(filter);
        free(room);
        return NULL;
    }
    *filter = (struct similar_filter){
        .set = set,
        .words = words,
        .word_count = word_count,
        .epoch = set->epoch,
        .masks = room,
    };
    for (size_t w = 0; w < word_count && w * 64 < set->place_room; w++) {
        for (uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
            uint32_t id = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(bits);
            uint32_t place = similar_place_of(set, id);
            if (place != SIMILAR_NONE) {
                uint16_t *mask = &room[place / SIMILAR_TILE];
                *mask = (uint16_t)(*mask | 1u << place % SIMILAR_TILE);
                filter->count++;
            }
        }
    }
    *status = SIMILAR_OK;
    return filter;
}

void similar_filter_destroy(struct similar_filter *filter)
{
    if (filter != NULL) {
        free(filter->masks);
        free(filter);
    }
}

uint64_t similar_filter_count(const struct similar_filter *filter)
{
    return filter->count;
}

bool similar_filter_has(const struct similar_filter *filter, uint32_t id)
{
    return id / 64 < filter->word_count && (filter->words[id / 64] >> id % 64 & 1) != 0;
}

uint16_t similar_filter_mask(const struct similar_set *set, const struct similar_filter *filter,
                             uint32_t chunk, uint32_t tile)
{
    if (filter == NULL || filter->epoch != set->epoch) {
        return UINT16_MAX;
    }
    return filter->masks[(size_t)chunk * SIMILAR_CHUNK_TILES + tile];
}

static bool excluded(const struct similar_query *query, uint32_t id)
{
    uint32_t low = 0;
    uint32_t high = query->exclude_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (query->exclude[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < query->exclude_count && query->exclude[low] == id;
}

bool similar_query_admits(const struct similar_query *query, uint32_t id)
{
    if (id == SIMILAR_ID_NONE) {
        return false;
    }
    if (query->filter != NULL && !similar_filter_has(query->filter, id)) {
        return false;
    }
    return query->exclude_count == 0 || !excluded(query, id);
}
