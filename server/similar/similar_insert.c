/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_graph.h"
#include "server/similar/similar_measure.h"
#include "server/similar/similar_set.h"

#include <string.h>

/* The first list of a set that grows from nothing: centre at the origin. */
static enum similar_status first_list(struct similar_set *set)
{
    float origin[SIMILAR_DIM_MAX] = {0};
    enum similar_status status = similar_set_reserve_lists(set, 1);
    if (status != SIMILAR_OK) {
        return status;
    }
    similar_coarse_put(set, 0, origin);
    if (!similar_coarse_save(set, 0)) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->list_count = 1;
    return SIMILAR_OK;
}

/* When every list was dissolved: the first starts again around a vector. */
static uint32_t list_revive(struct similar_set *set, const float *centre)
{
    similar_coarse_put(set, 0, centre);
    if (!similar_coarse_save(set, 0)) {
        similar_coarse_kill(set, 0);
        return SIMILAR_NONE;
    }
    set->lists[0].dead = false;
    return 0;
}

/* An empty place of a chunk that has one. */
static uint32_t hole_of(const struct similar_set *set, uint32_t chunk)
{
    const struct similar_header *header = similar_header_of(set->chunks[chunk].code);
    if (header->live == header->used && header->used < SIMILAR_CHUNK) {
        return chunk * SIMILAR_CHUNK + header->used;
    }
    for (uint32_t position = 0; position < header->used; position++) {
        uint32_t place = chunk * SIMILAR_CHUNK + position;
        if (similar_place_id(set, place) == SIMILAR_ID_NONE) {
            return place;
        }
    }
    return SIMILAR_NONE;
}

/* A free place in a list, in a chunk that is writable; the newest chunk is the likeliest. */
static uint32_t place_take(struct similar_set *set, uint32_t list)
{
    const struct similar_list *in = &set->lists[list];
    for (uint32_t i = in->chunk_count; i-- > 0;) {
        uint32_t chunk = in->items[i].chunk;
        if (similar_header_of(set->chunks[chunk].code)->live < SIMILAR_CHUNK) {
            return similar_chunk_write(set, chunk) ? hole_of(set, chunk) : SIMILAR_NONE;
        }
    }
    uint32_t chunk = similar_chunk_create(set, list);
    return chunk == SIMILAR_NONE ? SIMILAR_NONE : chunk * SIMILAR_CHUNK;
}

enum similar_status similar_insert(struct similar_set *set, uint32_t id, const float *vector)
{
    enum similar_status status = similar_check(vector, set->space.dim);
    if (status != SIMILAR_OK) {
        return status;
    }
    if (id == SIMILAR_ID_NONE) {
        return SIMILAR_ERROR_ID;
    }
    if (similar_place_of(set, id) != SIMILAR_NONE) {
        return SIMILAR_ERROR_EXISTS;
    }
    status = similar_set_reserve_id(set, id);
    if (status == SIMILAR_OK && set->list_count == 0) {
        status = first_list(set);
    }
    if (status != SIMILAR_OK) {
        return status;
    }
    const struct similar_space *space = &set->space;
    float padded[SIMILAR_DIM_MAX];
    float rotated[SIMILAR_DIM_MAX];
    struct similar_code code;
    memcpy(padded, vector, space->dim * sizeof *padded);
    memset(padded + space->dim, 0, (space->dim_float - space->dim) * sizeof *padded);
    double norm = similar_norm(space->kernel, padded, space->dim_float);
    double length = similar_space_rotate(space, padded, norm, rotated);
    uint32_t list = similar_coarse_nearest(set, rotated);
    if (list == SIMILAR_NONE) {
        list = list_revive(set, rotated);
    }
    uint32_t place = list == SIMILAR_NONE ? SIMILAR_NONE : place_take(set, list);
    if (place == SIMILAR_NONE) {
        return SIMILAR_ERROR_MEMORY;
    }
    similar_encode(space, rotated, length, similar_centre(set, list), &code);
    similar_chunk_put(set, place, id, &code, padded, norm);
    set->count++;
    set->epoch++;
    if (++set->lists[list].live > similar_list_most(set)) {
        set->balance_hint = list;
    }
    similar_graph_insert(set, id, rotated);
    return SIMILAR_OK;
}

enum similar_status similar_remove(struct similar_set *set, uint32_t id)
{
    uint32_t place = similar_place_of(set, id);
    if (place == SIMILAR_NONE) {
        return SIMILAR_ERROR_ABSENT;
    }
    const struct similar_source *source = &set->options.source;
    uint32_t chunk = place / SIMILAR_CHUNK;
    const uint8_t *code = source->on_write(source->context, SIMILAR_KIND_CODE, chunk,
                                           similar_block_bytes(SIMILAR_KIND_CODE, set->space.dim));
    if (code == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->chunks[chunk].code = code;
    uint32_t list = similar_header_of(code)->list;
    similar_chunk_clear(set, place);
    set->count--;
    set->epoch++;
    if (--set->lists[list].live < similar_list_least(set)) {
        set->balance_hint = list;
    }
    similar_graph_remove(set, id);
    return SIMILAR_OK;
}

const float *similar_get(const struct similar_set *set, uint32_t id)
{
    uint32_t place = similar_place_of(set, id);
    return place == SIMILAR_NONE ? NULL : similar_place_floats(set, place);
}

void similar_block_moved(struct similar_set *set, enum similar_kind kind, uint32_t number,
                         const void *block)
{
    if (kind == SIMILAR_KIND_GRAPH) {
        similar_graph_moved(set, number, block);
        return;
    }
    bool chunk = kind >= SIMILAR_KIND_CODE && number < set->chunk_count;
    if (!chunk || set->chunks[number].code == NULL) {
        return; /* meta and centres are copied into the directory; free chunks have no block */
    }
    if (kind == SIMILAR_KIND_CODE) {
        set->chunks[number].code = block;
        similar_chunk_refresh(set, number);
    } else if (kind == SIMILAR_KIND_BYTE) {
        set->chunks[number].bytes = block;
    } else if (kind == SIMILAR_KIND_FLOAT) {
        set->chunks[number].floats = block;
    }
}
