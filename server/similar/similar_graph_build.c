/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the graph of a set that was built: a vertex for each vector in the order of the lists, a
 * grid that fits a sample of them, near neighbours list by list, links, entries, calibration.
 * Between slices of the work it asks whether to go on. A build that was stopped or found no memory
 * leaves the set without a graph, as it was.
 */
#include "server/similar/similar_graph.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SLICES = 32,             /* in which neighbours are looked for */
    SAMPLE_VALUES = 1 << 19, /* that the grid is fitted to */
};

static bool cancelled(const struct similar_set *set)
{
    return set->options.on_cancel != NULL && set->options.on_cancel(set->options.cancel_context);
}

/* Lists that hold vectors, and the places of these in order. */
static bool vertices_list(struct similar_graph_plan *plan)
{
    const struct similar_set *set = plan->set;
    plan->lists = calloc((size_t)set->list_count + 1, sizeof *plan->lists);
    plan->first = calloc((size_t)set->list_count + 2, sizeof *plan->first);
    plan->places = malloc(set->count * sizeof *plan->places);
    if (plan->lists == NULL || plan->first == NULL || plan->places == NULL) {
        return false;
    }
    for (uint32_t l = 0; l < set->list_count; l++) {
        uint32_t before = plan->count;
        for (uint32_t c = 0; c < set->lists[l].chunk_count; c++) {
            uint32_t chunk = set->lists[l].items[c].chunk;
            uint32_t used = similar_header_of(set->chunks[chunk].code)->used;
            for (uint32_t i = 0; i < used; i++) {
                uint32_t place = chunk * SIMILAR_CHUNK + i;
                if (similar_place_id(set, place) != SIMILAR_ID_NONE) {
                    plan->places[plan->count++] = place;
                }
            }
        }
        if (plan->count > before) {
            plan->lists[plan->list_count++] = l;
            plan->first[plan->list_count] = plan->count;
        }
    }
    return true;
}

static void place_rotate(const struct similar_set *set, uint32_t place, float *rotated)
{
    (void)similar_space_rotate(&set->space, similar_place_floats(set, place),
                               similar_place_norm(set, place), rotated);
}

/* The size that one in 10,000 of the values exceeds. */
static float size_most(const float *sizes, size_t count)
{
    float low = 0;
    float high = 0;
    for (size_t i = 0; i < count; i++) {
        high = sizes[i] > high ? sizes[i] : high;
    }
    for (uint32_t step = 0; step < 24; step++) {
        float middle = (low + high) / 2;
        size_t above = 0;
        for (size_t i = 0; i < count; i++) {
            above += sizes[i] > middle;
        }
        if (above > count / 10000) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return high;
}

/* The greatest size that any value has. */
static float size_greatest(const struct similar_graph_plan *plan)
{
    const struct similar_graph *graph = plan->graph;
    float rotated[SIMILAR_DIM_MAX];
    float most = 0;
    for (uint32_t v = 0; v < plan->count; v++) {
        place_rotate(plan->set, plan->places[v], rotated);
        for (uint32_t i = 0; i < graph->dim; i++) {
            most = fmaxf(most, fabsf(rotated[i] - graph->centre[i]));
        }
    }
    return most;
}

/* The grid: the mean of a sample is its centre, and its step covers all values but the farthest. */
static bool grid_fit(const struct similar_graph_plan *plan)
{
    struct similar_graph *graph = plan->graph;
    uint32_t dim = graph->dim;
    uint32_t sample = SAMPLE_VALUES / dim < plan->count ? SAMPLE_VALUES / dim : plan->count;
    assert(dim > 0 && sample > 0); /* at least SIMILAR_GRAPH_LEAST vectors */
    float *values = malloc((size_t)sample * dim * sizeof *values);
    double *sums = calloc(dim, sizeof *sums);
    if (values != NULL && sums != NULL) {
        for (uint32_t s = 0; s < sample; s++) {
            float *row = values + (size_t)s * dim;
            place_rotate(plan->set, plan->places[(uint64_t)s * plan->count / sample], row);
            for (uint32_t i = 0; i < dim; i++) {
                sums[i] += (double)row[i];
            }
        }
        for (uint32_t i = 0; i < dim; i++) {
            graph->centre[i] = (float)(sums[i] / sample);
        }
        for (size_t i = 0; i < (size_t)sample * dim; i++) {
            values[i] = fabsf(values[i] - graph->centre[i % dim]);
        }
        /* Of a product the longest are the answers: nothing of them may be cut off. */
        float most = graph->product ? size_greatest(plan) : size_most(values, (size_t)sample * dim);
        float step = most / 127.0f;
        /* Vectors that are all equal lie at the centre, whatever the step. */
        graph->step = step > 1e-30f ? step : 0.0f;
    }
    bool good = values != NULL && sums != NULL;
    free(values);
    free(sums);
    return good;
}

/* Vertices with their accounts, and without links. */
static bool vertices_make(const struct similar_graph_plan *plan)
{
    struct similar_graph *graph = plan->graph;
    for (uint32_t v = 0; v < plan->count; v++) {
        uint32_t id = similar_place_id(plan->set, plan->places[v]);
        if (!similar_graph_grow(plan->set, id)) {
            return false;
        }
        similar_vertex_of(graph, v)->id = id;
        graph->vertex_of[id] = v;
    }
    return true;
}

/*
 * The vertices' lifts, once the longest is known, and those of the lists' centres, which are as
 * high as their members are on average.
 */
static void lifts_set(struct similar_graph_plan *plan)
{
    struct similar_graph *graph = plan->graph;
    for (uint32_t v = 0; graph->product && v < plan->count; v++) {
        graph->longest = plan->norms[v] > graph->longest ? plan->norms[v] : graph->longest;
    }
    for (uint32_t l = 0; l < plan->list_count; l++) {
        int64_t sum = 0;
        for (uint32_t v = plan->first[l]; v < plan->first[l + 1]; v++) {
            int32_t lift = similar_graph_lift(graph, plan->norms[v]);
            plan->lifts[v] = lift;
            plan->norms[v] += lift * lift;
            similar_vertex_of(graph, v)->lift = lift;
            similar_vertex_of(graph, v)->norm = plan->norms[v];
            sum += lift;
        }
        int32_t mean = (int32_t)(sum / (int64_t)(plan->first[l + 1] - plan->first[l]));
        plan->centre_lifts[l] = mean;
        plan->centre_norms[l] += mean * mean;
    }
}

/* Rows of one list, and of its centre. */
static void rows_task(void *argument, uint32_t list)
{
    const struct similar_graph_plan *plan = argument;
    const struct similar_graph *graph = plan->graph;
    uint32_t dim = graph->dim;
    float rotated[SIMILAR_DIM_MAX];
    struct similar_aim aim;
    similar_aim_init(graph, similar_centre(plan->set, plan->lists[list]), false, &aim);
    memcpy(plan->centre_rows + (size_t)list * dim, aim.row, dim);
    plan->centre_norms[list] = aim.norm;
    uint32_t nearest = plan->first[list];
    int32_t least = INT32_MAX;
    struct similar_aim centre = aim;
    for (uint32_t v = plan->first[list]; v < plan->first[list + 1]; v++) {
        place_rotate(plan->set, plan->places[v], rotated);
        similar_aim_init(graph, rotated, false, &aim);
        memcpy(plan->rows + (size_t)v * dim, aim.row, dim);
        memcpy(similar_vertex_row(graph, v), aim.row, dim);
        plan->norms[v] = aim.norm;
        int32_t distance =
            aim.norm + centre.norm -
            2 * (plan->set->space.kernel->dot_row(aim.row, centre.bytes, dim) - centre.correction);
        nearest = distance < least ? v : nearest;
        least = distance < least ? distance : least;
    }
    graph->entries[list] = nearest;
}

static bool rows_allocate(struct similar_graph_plan *plan)
{
    size_t dim = plan->graph->dim;
    size_t count = plan->count;
    size_t lists = plan->list_count;
    assert(dim > 0 && count > 0 && lists > 0);
    plan->rows = malloc((count + SIMILAR_TILE) * dim);
    plan->norms = malloc(count * sizeof *plan->norms);
    plan->lifts = malloc(count * sizeof *plan->lifts);
    plan->centre_rows = malloc((lists + SIMILAR_TILE) * dim);
    plan->centre_norms = malloc(lists * sizeof *plan->centre_norms);
    plan->centre_lifts = malloc(lists * sizeof *plan->centre_lifts);
    plan->bridges = malloc(count * SIMILAR_GRAPH_PROBED * sizeof *plan->bridges);
    plan->graph->entries = calloc(lists, sizeof *plan->graph->entries);
    if (plan->rows == NULL || plan->norms == NULL || plan->lifts == NULL ||
        plan->centre_rows == NULL || plan->centre_norms == NULL || plan->centre_lifts == NULL ||
        plan->bridges == NULL || plan->graph->entries == NULL) {
        return false;
    }
    memset(plan->rows + count * dim, 128, SIMILAR_TILE * dim);
    memset(plan->centre_rows + lists * dim, 128, SIMILAR_TILE * dim);
    memset(plan->bridges, 0xff, count * SIMILAR_GRAPH_PROBED * sizeof *plan->bridges);
    return true;
}

static enum similar_status neighbours_find(struct similar_graph_plan *plan)
{
    uint32_t slice = (plan->list_count + SLICES - 1) / SLICES;
    for (plan->from = 0; plan->from < plan->list_count; plan->from += slice) {
        uint32_t left = plan->list_count - plan->from;
        if (cancelled(plan->set)) {
            return SIMILAR_ERROR_OPTION;
        }
        similar_run(plan->set, left < slice ? left : slice, similar_graph_near, plan);
        if (plan->failed) {
            return SIMILAR_ERROR_MEMORY;
        }
    }
    return cancelled(plan->set) ? SIMILAR_ERROR_OPTION : SIMILAR_OK;
}

static void plan_free(struct similar_graph_plan *plan)
{
    free(plan->lists);
    free(plan->first);
    free(plan->places);
    free(plan->rows);
    free(plan->norms);
    free(plan->lifts);
    free(plan->centre_rows);
    free(plan->centre_norms);
    free(plan->centre_lifts);
    free(plan->bridges);
    free(plan->starts);
    free(plan->sources);
}

static enum similar_status graph_make(struct similar_graph_plan *plan)
{
    struct similar_graph *graph = plan->graph;
    if (!vertices_list(plan) || !grid_fit(plan) || !vertices_make(plan) || !rows_allocate(plan)) {
        return SIMILAR_ERROR_MEMORY;
    }
    similar_run(plan->set, plan->list_count, rows_task, plan);
    lifts_set(plan);
    enum similar_status status = neighbours_find(plan);
    if (status == SIMILAR_OK) {
        status = similar_graph_weave(plan);
    }
    /* Lists come in no order of importance: where there are too many, the first will do. */
    graph->entry_count = plan->list_count < SIMILAR_GRAPH_ENTRIES_MAX
                             ? plan->list_count
                             : (uint32_t)SIMILAR_GRAPH_ENTRIES_MAX;
    graph->built_count = plan->count;
    if (status == SIMILAR_OK && !(similar_graph_enter(graph) && similar_graph_anchor(plan))) {
        status = SIMILAR_ERROR_MEMORY;
    }
    return status == SIMILAR_OK && cancelled(plan->set) ? SIMILAR_ERROR_OPTION : status;
}

enum similar_status similar_graph_make(struct similar_set *set)
{
    uint64_t bytes_max = set->options.graph_bytes_max;
    similar_graph_drop(set);
    bool wanted = set->count >= SIMILAR_GRAPH_LEAST && set->count < SIMILAR_GRAPH_VERTICES_MAX &&
                  set->list_count > 1 &&
                  bytes_max / similar_graph_bytes(set->space.dim) >= set->count;
    if (!wanted) {
        return SIMILAR_OK;
    }
    set->graph = similar_graph_create(set->space.dim_padded, bytes_max);
    if (set->graph == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->graph->product = set->space.metric == SIMILAR_DOT;
    struct similar_graph_plan plan = {.set = set, .graph = set->graph};
    enum similar_status status = graph_make(&plan);
    plan_free(&plan);
    if (status != SIMILAR_OK) {
        similar_graph_drop(set);
    }
    return status;
}

enum similar_status similar_graph_build(struct similar_set *set)
{
    enum similar_status status = similar_graph_make(set);
    if (status == SIMILAR_OK && set->graph != NULL) {
        status = similar_graph_calibrate(set);
    }
    if (status != SIMILAR_OK) {
        similar_graph_drop(set);
    }
    return status;
}

void similar_graph_drop(struct similar_set *set)
{
    const struct similar_source *source = &set->options.source;
    if (set->graph == NULL) {
        return;
    }
    for (uint32_t n = 0; source->on_free != NULL && n < set->graph->block_room; n++) {
        if (set->graph->blocks[n] != NULL) {
            source->on_free(source->context, SIMILAR_KIND_GRAPH, n + 1);
        }
    }
    if (source->on_free != NULL) {
        source->on_free(source->context, SIMILAR_KIND_GRAPH, 0);
    }
    similar_graph_free(set->graph);
    set->graph = NULL;
}
