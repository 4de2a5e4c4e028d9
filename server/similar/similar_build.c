/* SPDX-License-Identifier: Apache-2.0 */
#include "server/similar/similar_graph.h"
#include "server/similar/similar_kmeans.h"
#include "server/similar/similar_measure.h"
#include "server/similar/similar_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Back to an empty set, whatever was in it. */
static void set_wipe(struct similar_set *set)
{
    similar_graph_drop(set);
    for (uint32_t l = 0; l < set->list_count; l++) {
        similar_chunk_free_list(set, l);
        free(set->lists[l].items);
        set->lists[l] = (struct similar_list){0};
        similar_coarse_kill(set, l);
    }
    if (set->place_room > 0) {
        memset(set->places, 0xff, set->place_room * sizeof *set->places);
    }
    set->list_count = 0;
    set->count = 0;
    set->epoch++;
    set->balance_hint = SIMILAR_NONE;
}

static uint32_t lists_wanted(const struct similar_set *set, uint64_t count)
{
    uint64_t wanted = set->options.list_count;
    if (wanted == 0) {
        wanted = (uint64_t)(2.0 * sqrt((double)count));
        /* Below 64 vectors a list there is nothing to gain. */
        wanted = wanted > count / 64 ? count / 64 : wanted;
    }
    wanted = wanted > SIMILAR_LISTS_MAX ? SIMILAR_LISTS_MAX : wanted;
    wanted = wanted > count ? count : wanted;
    return wanted < 1 ? 1 : (uint32_t)wanted;
}

static bool cancelled(const struct similar_set *set)
{
    return set->options.on_cancel != NULL && set->options.on_cancel(set->options.cancel_context);
}

/* Rows in the order of their lists: list l has order[first[l]] .. order[first[l + 1] - 1]. */
struct sorted {
    uint32_t *nearest;
    uint32_t *order;
    uint32_t *first;
};

static void rows_sort(struct sorted *sorted, uint64_t count, uint32_t list_count)
{
    for (uint64_t i = 0; i < count; i++) {
        sorted->first[sorted->nearest[i] + 1]++;
    }
    for (uint32_t l = 0; l < list_count; l++) {
        sorted->first[l + 1] += sorted->first[l];
    }
    /* The start of a list moves to its end while it fills; one shift puts all of them back. */
    for (uint64_t i = 0; i < count; i++) {
        sorted->order[sorted->first[sorted->nearest[i]]++] = (uint32_t)i;
    }
    memmove(sorted->first + 1, sorted->first, list_count * sizeof *sorted->first);
    sorted->first[0] = 0;
}

/* Checks every row, makes room in the id directory, finds ids that are reserved or come twice. */
static enum similar_status ids_reserve(struct similar_set *set, const struct similar_input *input)
{
    for (uint64_t i = 0; i < input->count; i++) {
        uint32_t id;
        const float *row = input->on_row(input->context, i, &id);
        enum similar_status status = similar_check(row, set->space.dim);
        if (status != SIMILAR_OK) {
            return status;
        }
        if (id == SIMILAR_ID_NONE) {
            return SIMILAR_ERROR_ID;
        }
        status = similar_set_reserve_id(set, id);
        if (status != SIMILAR_OK) {
            return status;
        }
        if (set->places[id] != SIMILAR_NONE) {
            return SIMILAR_ERROR_EXISTS;
        }
        set->places[id] = 0;
    }
    return SIMILAR_OK;
}

struct encode_job {
    struct similar_set *set;
    const struct similar_input *input;
    const struct sorted *sorted;
};

/* Encodes one list. */
static void encode_task(void *argument, uint32_t list)
{
    const struct encode_job *job = argument;
    struct similar_set *set = job->set;
    const struct similar_space *space = &set->space;
    const struct similar_list *to = &set->lists[list];
    float padded[SIMILAR_DIM_MAX] = {0};
    float rotated[SIMILAR_DIM_MAX];
    struct similar_code code;
    uint32_t from = job->sorted->first[list];
    uint32_t count = job->sorted->first[list + 1] - from;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t id;
        const float *row =
            job->input->on_row(job->input->context, job->sorted->order[from + i], &id);
        memcpy(padded, row, space->dim * sizeof *padded);
        double norm = similar_norm(space->kernel, padded, space->dim_float);
        double length = similar_space_rotate(space, padded, norm, rotated);
        uint32_t place = to->items[i / SIMILAR_CHUNK].chunk * SIMILAR_CHUNK + i % SIMILAR_CHUNK;
        similar_encode(space, rotated, length, similar_centre(set, list), &code);
        similar_chunk_put(set, place, id, &code, row, norm);
    }
}

static enum similar_status lists_fill(struct similar_set *set, const struct similar_input *input,
                                      const struct sorted *sorted, uint32_t list_count)
{
    set->list_count = list_count;
    for (uint32_t l = 0; l < list_count; l++) {
        uint32_t count = sorted->first[l + 1] - sorted->first[l];
        set->lists[l].live = count;
        for (uint32_t i = 0; i < count; i += SIMILAR_CHUNK) {
            if (similar_chunk_create(set, l) == SIMILAR_NONE) {
                return SIMILAR_ERROR_MEMORY;
            }
        }
        if (l % 16 == 0 && !similar_coarse_save(set, l)) {
            return SIMILAR_ERROR_MEMORY;
        }
    }
    struct encode_job job = {.set = set, .input = input, .sorted = sorted};
    similar_run(set, list_count, encode_task, &job);
    set->count = input->count;
    set->built_count = input->count;
    return SIMILAR_OK;
}

static enum similar_status build(struct similar_set *set, const struct similar_input *input,
                                 struct sorted *sorted, uint32_t list_count)
{
    enum similar_status status = similar_set_reserve_lists(set, list_count);
    if (status == SIMILAR_OK) {
        status = ids_reserve(set, input);
    }
    if (status == SIMILAR_OK) {
        status = similar_kmeans(set, input, list_count);
    }
    if (status == SIMILAR_OK && cancelled(set)) {
        status = SIMILAR_ERROR_OPTION;
    }
    if (status == SIMILAR_OK) {
        similar_assign(set, input, list_count, sorted->nearest);
        status = cancelled(set) ? SIMILAR_ERROR_OPTION : SIMILAR_OK;
    }
    if (status == SIMILAR_OK) {
        rows_sort(sorted, input->count, list_count);
        status = lists_fill(set, input, sorted, list_count);
    }
    if (status == SIMILAR_OK) {
        set->epoch++;
        status = similar_calibrate(set);
    }
    return status;
}

enum similar_status similar_build(struct similar_set *set, const struct similar_input *input)
{
    if (set->count > 0) {
        return SIMILAR_ERROR_NOT_EMPTY;
    }
    if (input->count >= SIMILAR_ID_NONE) {
        return SIMILAR_ERROR_OPTION;
    }
    set_wipe(set);
    if (input->count == 0) {
        return SIMILAR_OK;
    }
    uint32_t list_count = lists_wanted(set, input->count);
    struct sorted sorted = {
        .nearest = calloc(input->count, sizeof *sorted.nearest),
        .order = calloc(input->count, sizeof *sorted.order),
        .first = calloc((size_t)list_count + 1, sizeof *sorted.first),
    };
    enum similar_status status = SIMILAR_ERROR_MEMORY;
    if (sorted.nearest != NULL && sorted.order != NULL && sorted.first != NULL) {
        status = build(set, input, &sorted, list_count);
    }
    if (status != SIMILAR_OK) {
        set_wipe(set);
    }
    free(sorted.nearest);
    free(sorted.order);
    free(sorted.first);
    return status;
}

struct set_rows {
    const struct similar_set *set;
    uint32_t ids[];
};

static const float *row_of_set(void *context, uint64_t index, uint32_t *id)
{
    const struct set_rows *rows = context;
    *id = rows->ids[index];
    return similar_get(rows->set, *id);
}

enum similar_status similar_input_create(const struct similar_set *set, struct similar_input *input)
{
    struct set_rows *rows = malloc(sizeof *rows + set->count * sizeof rows->ids[0]);
    if (rows == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    uint64_t count = 0;
    rows->set = set;
    for (uint64_t id = 0; id < set->place_room; id++) {
        if (set->places[id] != SIMILAR_NONE) {
            rows->ids[count++] = (uint32_t)id;
        }
    }
    assert(count == set->count);
    *input = (struct similar_input){.context = rows, .count = count, .on_row = row_of_set};
    return SIMILAR_OK;
}

void similar_input_destroy(struct similar_input *input)
{
    free(input->context);
    *input = (struct similar_input){0};
}
