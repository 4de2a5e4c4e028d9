/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_set.h"

#include "server/similar/similar_graph.h"
#include "server/similar/similar_rotate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum similar_status options_check(const struct similar_options *options)
{
    bool metric = options->metric == SIMILAR_COSINE || options->metric == SIMILAR_DOT ||
                  options->metric == SIMILAR_L2;
    if (!metric || options->dim == 0 || options->dim > SIMILAR_DIM_MAX ||
        options->list_count > SIMILAR_LISTS_MAX || options->source.on_write == NULL) {
        return SIMILAR_ERROR_OPTION;
    }
    return SIMILAR_OK;
}

struct similar_set *similar_create(const struct similar_options *options,
                                   enum similar_status *status)
{
    enum similar_status ignored;
    status = status != NULL ? status : &ignored;
    *status = options_check(options);
    if (*status != SIMILAR_OK) {
        return NULL;
    }
    *status = SIMILAR_ERROR_MEMORY;
    struct similar_set *set = calloc(1, sizeof *set);
    if (set == NULL) {
        return NULL;
    }
    uint32_t padded = similar_dim_padded(options->dim);
    set->options = *options;
    set->balance_hint = SIMILAR_NONE;
    set->signs = calloc((size_t)SIMILAR_ROTATE_ROUNDS * padded, sizeof *set->signs);
    if (set->signs == NULL) {
        free(set);
        return NULL;
    }
    similar_rotate_signs(options->seed, padded, set->signs);
    set->space = (struct similar_space){
        .kernel = similar_kernel(),
        .metric = options->metric,
        .dim = options->dim,
        .dim_padded = padded,
        .dim_float = similar_dim_float(options->dim),
        .signs = set->signs,
    };
    *status = SIMILAR_OK;
    return set;
}

void similar_destroy(struct similar_set *set)
{
    if (set == NULL) {
        return;
    }
    for (uint32_t l = 0; l < set->list_count; l++) {
        free(set->lists[l].items);
    }
    similar_graph_free(set->graph);
    free(set->lists);
    free(set->coarse.centres);
    free(set->coarse.bytes);
    free(set->coarse.correction);
    free(set->coarse.step);
    free(set->coarse.square);
    free(set->coarse.square_exact);
    free(set->chunks);
    free(set->chunks_free);
    free(set->places);
    free(set->signs);
    free(set);
}

void similar_cancel_set(struct similar_set *set, bool (*on_cancel)(void *context), void *context)
{
    set->options.on_cancel = on_cancel;
    set->options.cancel_context = context;
}

/* The array with room for `to` items, new ones zero; NULL on failure, and then it is as it was. */
static void *grown(void *array, size_t from, size_t to, size_t size)
{
    uint8_t *bytes = realloc(array, to * size);
    if (bytes != NULL) {
        memset(bytes + from * size, 0, (to - from) * size);
    }
    return bytes;
}

static bool coarse_grow(struct similar_coarse *coarse, uint32_t room, uint32_t dim)
{
    size_t old = coarse->room;
    float *centres = grown(coarse->centres, old * dim, (size_t)room * dim, sizeof *centres);
    coarse->centres = centres != NULL ? centres : coarse->centres;
    int8_t *bytes = grown(coarse->bytes, old * dim, (size_t)room * dim, sizeof *bytes);
    coarse->bytes = bytes != NULL ? bytes : coarse->bytes;
    int32_t *correction = grown(coarse->correction, old, room, sizeof *correction);
    coarse->correction = correction != NULL ? correction : coarse->correction;
    float *step = grown(coarse->step, old, room, sizeof *step);
    coarse->step = step != NULL ? step : coarse->step;
    float *square = grown(coarse->square, old, room, sizeof *square);
    coarse->square = square != NULL ? square : coarse->square;
    double *exact = grown(coarse->square_exact, old, room, sizeof *exact);
    coarse->square_exact = exact != NULL ? exact : coarse->square_exact;
    if (centres == NULL || bytes == NULL || correction == NULL || step == NULL || square == NULL ||
        exact == NULL) {
        return false;
    }
    for (size_t l = old; l < room; l++) {
        square[l] = INFINITY;
    }
    coarse->room = room;
    return true;
}

enum similar_status similar_set_reserve_lists(struct similar_set *set, uint32_t count)
{
    if (count > SIMILAR_LISTS_MAX) {
        return SIMILAR_ERROR_OPTION;
    }
    if (count <= set->list_room) {
        return SIMILAR_OK;
    }
    uint32_t room = (count + count / 4 + 15) / 16 * 16;
    struct similar_list *lists = grown(set->lists, set->list_room, room, sizeof *lists);
    if (lists == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->lists = lists;
    if (!coarse_grow(&set->coarse, room, set->space.dim_padded)) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->list_room = room;
    return SIMILAR_OK;
}

enum similar_status similar_set_reserve_id(struct similar_set *set, uint32_t id)
{
    if (id < set->place_room) {
        return SIMILAR_OK;
    }
    uint64_t room = (uint64_t)id + 1 + id / 4;
    room = room < 1024 ? 1024 : room;
    uint64_t old = set->place_room;
    uint32_t *places = grown(set->places, old, room, sizeof *places);
    if (places == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->places = places;
    memset(places + old, 0xff, (room - old) * sizeof *places);
    set->place_room = room;
    return SIMILAR_OK;
}

enum similar_status similar_set_add_to_list(struct similar_set *set, uint32_t list, uint32_t chunk)
{
    struct similar_list *to = &set->lists[list];
    if (to->chunk_count == to->chunk_room) {
        uint32_t room = to->chunk_room + to->chunk_room / 2 + 4;
        struct similar_item *items = grown(to->items, to->chunk_room, room, sizeof *items);
        if (items == NULL) {
            return SIMILAR_ERROR_MEMORY;
        }
        to->items = items;
        to->chunk_room = room;
    }
    to->items[to->chunk_count++] = (struct similar_item){.chunk = chunk};
    return SIMILAR_OK;
}

enum similar_status similar_set_reserve_chunk(struct similar_set *set)
{
    if (set->chunk_count < set->chunk_room) {
        return SIMILAR_OK;
    }
    uint32_t room = set->chunk_room + set->chunk_room / 2 + 64;
    if (room > SIMILAR_CHUNKS_MAX) {
        return SIMILAR_ERROR_MEMORY;
    }
    struct similar_chunk *chunks = grown(set->chunks, set->chunk_room, room, sizeof *chunks);
    if (chunks == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->chunks = chunks;
    uint32_t *spare = grown(set->chunks_free, set->chunk_room, room, sizeof *spare);
    if (spare == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->chunks_free = spare;
    set->chunk_room = room;
    return SIMILAR_OK;
}

uint64_t similar_count(const struct similar_set *set)
{
    return set->count;
}

uint32_t similar_list_count(const struct similar_set *set)
{
    uint32_t alive = 0;
    for (uint32_t l = 0; l < set->list_count; l++) {
        alive += !set->lists[l].dead;
    }
    return alive;
}

void similar_run(const struct similar_set *set, uint32_t count,
                 void (*task)(void *argument, uint32_t index), void *argument)
{
    if (set->options.parallel.run != NULL) {
        set->options.parallel.run(set->options.parallel.context, count, task, argument);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        task(argument, i);
    }
}

enum { LEAST_SPLIT = 256 };

/* Four times the share that 2 sqrt(N) lists would have. */
uint32_t similar_list_most(const struct similar_set *set)
{
    double share = sqrt((double)set->count) / 2;
    return LEAST_SPLIT + (uint32_t)(4 * share);
}
