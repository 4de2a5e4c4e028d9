/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists follow the data. One that outgrew its share is split in two around two new centres (two
 * means, a few rounds); one that shrank is dissolved into its neighbours. Both write the vectors
 * to their new places before the old ones are given up, so a refusal of memory loses nothing.
 */
#include "server/similar/similar_graph.h"
#include "server/similar/similar_measure.h"
#include "server/similar/similar_random.h"
#include "server/similar/similar_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SPLIT_ROUNDS = 6 };

uint32_t similar_list_least(const struct similar_set *set)
{
    return set->list_count > 1 ? (uint32_t)(sqrt((double)set->count) / 32) : 0;
}

bool similar_balance_due(const struct similar_set *set)
{
    return set->balance_hint != SIMILAR_NONE || similar_graph_mend_due(set);
}

/* The live vectors of a list, rotated. */
struct members {
    uint32_t count;
    uint32_t *places;
    float *rotated;
    uint8_t *side;
};

static void members_free(struct members *members)
{
    free(members->places);
    free(members->rotated);
    free(members->side);
}

static bool members_load(const struct similar_set *set, uint32_t list, struct members *members)
{
    const struct similar_list *from = &set->lists[list];
    uint32_t dim = set->space.dim_padded;
    uint32_t room = from->live > 0 ? from->live : 1;
    *members = (struct members){
        .places = calloc(room, sizeof *members->places),
        .rotated = calloc((size_t)room * dim, sizeof *members->rotated),
        .side = calloc(room, 1),
    };
    if (members->places == NULL || members->rotated == NULL || members->side == NULL) {
        members_free(members);
        return false;
    }
    for (uint32_t i = 0; i < from->chunk_count; i++) {
        uint32_t used = similar_header_of(from->items[i].code)->used;
        for (uint32_t position = 0; position < used; position++) {
            uint32_t place = from->items[i].chunk * SIMILAR_CHUNK + position;
            if (similar_place_id(set, place) == SIMILAR_ID_NONE) {
                continue;
            }
            uint32_t at = members->count++;
            members->places[at] = place;
            (void)similar_space_rotate(&set->space, similar_place_floats(set, place),
                                       similar_place_norm(set, place),
                                       members->rotated + (size_t)at * dim);
        }
    }
    assert(members->count == from->live);
    return true;
}

/* Moves both centres to the means of their sides; an empty side keeps its centre. */
static void centres_move(const struct members *members, uint32_t dim, float *centres)
{
    double sums[2][SIMILAR_DIM_MAX] = {0};
    uint32_t counts[2] = {0};
    for (uint32_t i = 0; i < members->count; i++) {
        uint32_t side = members->side[i];
        counts[side]++;
        for (uint32_t k = 0; k < dim; k++) {
            sums[side][k] += (double)members->rotated[(size_t)i * dim + k];
        }
    }
    for (uint32_t side = 0; side < 2; side++) {
        for (uint32_t k = 0; k < dim && counts[side] > 0; k++) {
            centres[side * dim + k] = (float)(sums[side][k] / counts[side]);
        }
    }
}

/* Sides the members; returns how many are on side 1. */
static uint32_t sides_choose(const struct similar_set *set, struct members *members,
                             const float *centres)
{
    uint32_t dim = set->space.dim_padded;
    uint32_t ones = 0;
    for (uint32_t i = 0; i < members->count; i++) {
        const float *row = members->rotated + (size_t)i * dim;
        double near = set->space.kernel->distance_pair(row, centres, dim);
        double far = set->space.kernel->distance_pair(row, centres + dim, dim);
        members->side[i] = far < near;
        ones += members->side[i];
    }
    return ones;
}

static void two_means(const struct similar_set *set, struct members *members, float *centres)
{
    uint32_t dim = set->space.dim_padded;
    uint64_t random = set->options.seed ^ members->count;
    for (uint32_t side = 0; side < 2; side++) {
        uint64_t pick = similar_random_below(&random, members->count);
        memcpy(centres + side * dim, members->rotated + pick * dim, dim * sizeof *centres);
    }
    uint32_t ones = 0;
    for (uint32_t round = 0; round < SPLIT_ROUNDS; round++) {
        ones = sides_choose(set, members, centres);
        centres_move(members, dim, centres);
    }
    /* Equal vectors all take one side; halves of them are as good as any other parting. */
    if (ones == 0 || ones == members->count) {
        for (uint32_t i = 0; i < members->count; i++) {
            members->side[i] = i >= members->count / 2;
        }
        centres_move(members, dim, centres);
    }
}

/* Copies a member to a list that is not its own; false when memory is refused. */
static bool member_copy(struct similar_set *set, const struct members *members, uint32_t index,
                        uint32_t list)
{
    struct similar_list *to = &set->lists[list];
    uint32_t from = members->places[index];
    uint32_t position = to->live % SIMILAR_CHUNK;
    if (position == 0 && similar_chunk_create(set, list) == SIMILAR_NONE) {
        return false;
    }
    double norm = similar_place_norm(set, from);
    double length = set->space.metric == SIMILAR_COSINE ? (norm > 0 ? 1 : 0) : norm;
    struct similar_code code;
    similar_encode(&set->space, members->rotated + (size_t)index * set->space.dim_padded, length,
                   similar_centre(set, list), &code);
    uint32_t place = to->items[to->chunk_count - 1].chunk * SIMILAR_CHUNK + position;
    similar_chunk_put(set, place, similar_place_id(set, from), &code,
                      similar_place_floats(set, from), norm);
    to->live++;
    return true;
}

/* A list number that is free: a dead list's, or a new one. */
static uint32_t list_take(struct similar_set *set)
{
    for (uint32_t l = 0; l < set->list_count; l++) {
        if (set->lists[l].dead) {
            set->lists[l].dead = false;
            return l;
        }
    }
    if (similar_set_reserve_lists(set, set->list_count + 1) != SIMILAR_OK) {
        return SIMILAR_NONE;
    }
    return set->list_count++;
}

static void list_kill(struct similar_set *set, uint32_t list)
{
    similar_chunk_free_list(set, list);
    set->lists[list].dead = true;
    similar_coarse_kill(set, list);
}

/* Puts both halves into new lists; on failure everything is where it was. */
static bool split_into(struct similar_set *set, const struct members *members, const float *centres,
                       const uint32_t *numbers)
{
    bool copied = true;
    for (uint32_t side = 0; side < 2; side++) {
        similar_coarse_put(set, numbers[side], centres + side * set->space.dim_padded);
    }
    for (uint32_t i = 0; i < members->count && copied; i++) {
        copied = member_copy(set, members, i, numbers[members->side[i]]);
    }
    if (copied && similar_coarse_save(set, numbers[0]) && similar_coarse_save(set, numbers[1])) {
        return true;
    }
    for (uint32_t i = 0; i < members->count; i++) {
        set->places[similar_place_id(set, members->places[i])] = members->places[i];
    }
    return false;
}

static enum similar_status list_split(struct similar_set *set, uint32_t list)
{
    float centres[2 * SIMILAR_DIM_MAX];
    struct members members;
    if (!members_load(set, list, &members)) {
        return SIMILAR_ERROR_MEMORY;
    }
    two_means(set, &members, centres);
    uint32_t numbers[2] = {list_take(set), SIMILAR_NONE};
    numbers[1] = numbers[0] != SIMILAR_NONE ? list_take(set) : SIMILAR_NONE;
    bool split = numbers[1] != SIMILAR_NONE && split_into(set, &members, centres, numbers);
    members_free(&members);
    if (split) {
        list_kill(set, list);
        return SIMILAR_OK;
    }
    for (uint32_t i = 0; i < 2; i++) {
        if (numbers[i] != SIMILAR_NONE) {
            list_kill(set, numbers[i]);
        }
    }
    return SIMILAR_ERROR_MEMORY;
}

/* Inserts the members of a list elsewhere, one by one, each by the way of any insert. */
static enum similar_status list_dissolve(struct similar_set *set, uint32_t list)
{
    uint32_t dim = set->space.dim;
    struct members members;
    float *vector = malloc(dim * sizeof *vector);
    enum similar_status status = SIMILAR_OK;
    if (vector == NULL || !members_load(set, list, &members)) {
        free(vector);
        return SIMILAR_ERROR_MEMORY;
    }
    float square = set->coarse.square[list];
    similar_coarse_kill(set, list);
    for (uint32_t i = 0; i < members.count && status == SIMILAR_OK; i++) {
        uint32_t old = members.places[i];
        uint32_t id = similar_place_id(set, old);
        memcpy(vector, similar_place_floats(set, old), dim * sizeof *vector);
        set->places[id] = SIMILAR_NONE;
        status = similar_insert(set, id, vector);
        if (status != SIMILAR_OK) {
            set->places[id] = old;
            break;
        }
        set->count--;
        /* The directory already points to the new place: clear the old one behind its back. */
        uint32_t new = set->places[id];
        if (similar_chunk_write(set, old / SIMILAR_CHUNK)) {
            similar_chunk_clear(set, old);
        }
        set->places[id] = new;
        set->lists[list].live--;
    }
    members_free(&members);
    free(vector);
    if (status == SIMILAR_OK) {
        list_kill(set, list);
    } else {
        set->coarse.square[list] = square;
    }
    return status;
}

/* A list outside its bounds, or SIMILAR_NONE. */
static uint32_t list_unbalanced(const struct similar_set *set)
{
    uint32_t most = similar_list_most(set);
    uint32_t least = similar_list_least(set);
    for (uint32_t l = 0; l < set->list_count; l++) {
        const struct similar_list *list = &set->lists[l];
        if (!list->dead && (list->live > most || list->live < least)) {
            return l;
        }
    }
    return SIMILAR_NONE;
}

enum similar_status similar_balance(struct similar_set *set, uint32_t lists_max,
                                    uint32_t *lists_done)
{
    uint32_t done = 0;
    enum similar_status status = SIMILAR_OK;
    while (done < lists_max && status == SIMILAR_OK) {
        uint32_t list = list_unbalanced(set);
        set->balance_hint = list;
        if (list == SIMILAR_NONE) {
            while (done < lists_max && similar_graph_mend(set)) {
                done++;
            }
            break;
        }
        bool split = set->lists[list].live > similar_list_most(set);
        if (!split && similar_list_count(set) < 2) {
            set->balance_hint = SIMILAR_NONE;
            done += similar_graph_mend(set);
            break;
        }
        status = split ? list_split(set, list) : list_dissolve(set, list);
        set->epoch++;
        done += status == SIMILAR_OK;
    }
    if (lists_done != NULL) {
        *lists_done = done;
    }
    return status;
}
