/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph's directory: blocks, ids, entries, and the grid. Vertices lie in blocks of the source,
 * as chunks do, and are asked for before they change. Without memory, or beyond the bound, nothing
 * is added, and the caller lets the graph be.
 */
#include "server/similar/similar_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t similar_graph_bytes(uint32_t dim)
{
    /* The vertex, who links to it, and where its id finds it. */
    return similar_vertex_bytes(similar_dim_padded(dim)) + 1 + sizeof(uint32_t);
}

struct similar_graph *similar_graph_create(uint32_t dim, uint64_t bytes_max)
{
    struct similar_graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) {
        return NULL;
    }
    uint64_t room = bytes_max / similar_graph_bytes(dim);
    graph->dim = dim;
    graph->room =
        room < SIMILAR_GRAPH_VERTICES_MAX ? (uint32_t)room : (uint32_t)SIMILAR_GRAPH_VERTICES_MAX;
    graph->centre = calloc(dim, sizeof *graph->centre);
    graph->walk = similar_walk_create();
    if (graph->centre == NULL || graph->walk == NULL) {
        similar_graph_free(graph);
        return NULL;
    }
    return graph;
}

void similar_graph_free(struct similar_graph *graph)
{
    if (graph != NULL) {
        free(graph->blocks);
        free(graph->known);
        free(graph->vertex_of);
        free(graph->centre);
        free(graph->entries);
        free(graph->entry_bytes);
        free(graph->entry_terms);
        free(graph->free);
        free(graph->leaving);
        similar_walk_destroy(graph->walk);
        free(graph);
    }
}

bool similar_graph_write(const struct similar_set *set, uint32_t vertex)
{
    struct similar_graph *graph = set->graph;
    const struct similar_source *source = &set->options.source;
    uint32_t number = vertex / SIMILAR_GRAPH_GROUP;
    uint8_t *block = source->on_write(source->context, SIMILAR_KIND_GRAPH, number + 1,
                                      similar_block_bytes(SIMILAR_KIND_GRAPH, set->space.dim));
    if (block == NULL) {
        return false;
    }
    graph->blocks[number] = block;
    return true;
}

void similar_graph_moved(const struct similar_set *set, uint32_t number, const void *block)
{
    struct similar_graph *graph = set->graph;
    if (graph != NULL && number > 0 && number <= graph->block_room &&
        graph->blocks[number - 1] != NULL) {
        /* Never changed before on_write has given it as writable. */
        graph->blocks[number - 1] = (uint8_t *)(uintptr_t)block;
    }
}

static bool ids_grow(struct similar_graph *graph, uint32_t id)
{
    if (id < graph->id_room) {
        return true;
    }
    uint64_t room = (uint64_t)id + 1 + id / 4;
    uint32_t *grown = realloc(graph->vertex_of, room * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown + graph->id_room, 0xff, (room - graph->id_room) * sizeof *grown);
    graph->vertex_of = grown;
    graph->id_room = room;
    return true;
}

static bool blocks_grow(struct similar_graph *graph, uint32_t number)
{
    if (number < graph->block_room) {
        return true;
    }
    uint32_t room = number + number / 2 + 16;
    uint8_t **grown = realloc(graph->blocks, room * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    memset(grown + graph->block_room, 0, (room - graph->block_room) * sizeof *grown);
    graph->blocks = grown;
    graph->block_room = room;
    return true;
}

static bool known_grow(struct similar_graph *graph)
{
    if (graph->count < graph->known_room) {
        return true;
    }
    uint32_t room = graph->count + graph->count / 2 + 1024;
    uint8_t *grown = realloc(graph->known, room);
    if (grown == NULL) {
        return false;
    }
    memset(grown + graph->known_room, 0, room - graph->known_room);
    graph->known = grown;
    graph->known_room = room;
    return true;
}

/* A block that nobody has used: places without accounts. */
static void block_begin(const struct similar_set *set, uint32_t number)
{
    const struct similar_graph *graph = set->graph;
    *(struct similar_header *)(void *)graph->blocks[number] = (struct similar_header){
        .magic = SIMILAR_BLOCK_MAGIC,
        .version = SIMILAR_BLOCK_VERSION,
        .kind = SIMILAR_KIND_GRAPH,
        .dim = (uint16_t)set->space.dim,
        .number = number + 1,
    };
    for (uint32_t i = 0; i < SIMILAR_GRAPH_GROUP; i++) {
        similar_vertex_of(graph, number * SIMILAR_GRAPH_GROUP + i)->id = SIMILAR_ID_NONE;
    }
}

bool similar_graph_grow(const struct similar_set *set, uint32_t id)
{
    struct similar_graph *graph = set->graph;
    uint32_t number = graph->count / SIMILAR_GRAPH_GROUP;
    if (graph->count >= graph->room || !ids_grow(graph, id) || !known_grow(graph) ||
        !blocks_grow(graph, number) || !similar_graph_write(set, graph->count)) {
        return false;
    }
    if (graph->count % SIMILAR_GRAPH_GROUP == 0) {
        block_begin(set, number);
    }
    graph->count++;
    return true;
}

uint32_t similar_graph_take(const struct similar_set *set, uint32_t id)
{
    struct similar_graph *graph = set->graph;
    if (graph->free_count == 0) {
        return similar_graph_grow(set, id) ? graph->count - 1 : SIMILAR_NONE;
    }
    uint32_t vertex = graph->free[graph->free_count - 1];
    if (!ids_grow(graph, id) || !similar_graph_write(set, vertex)) {
        return SIMILAR_NONE;
    }
    graph->free_count--;
    return vertex;
}

bool similar_graph_release(struct similar_graph *graph, uint32_t vertex)
{
    if (graph->free_count == graph->free_room) {
        uint32_t room = graph->free_room + graph->free_room / 2 + 64;
        uint32_t *grown = realloc(graph->free, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        graph->free = grown;
        graph->free_room = room;
    }
    graph->free[graph->free_count++] = vertex;
    return true;
}

int32_t similar_graph_lift(const struct similar_graph *graph, int32_t norm)
{
    return norm < graph->longest ? (int32_t)lrint(sqrt((double)(graph->longest - norm))) : 0;
}

/* The bytes of a point of the grid, and what follows from them. */
static void aim_round(const struct similar_graph *graph, struct similar_aim *aim)
{
    int32_t sum = 0;
    int32_t norm = 0;
    for (uint32_t i = 0; i < graph->dim; i++) {
        float level = fminf(fmaxf(aim->grid[i] + 128.5f, 1.0f), 255.0f);
        int32_t byte = (int32_t)level - 128;
        aim->bytes[i] = (int8_t)byte;
        aim->row[i] = (uint8_t)(byte + 128);
        sum += byte;
        norm += byte * byte;
    }
    aim->norm = norm;
    aim->correction = 128 * sum;
}

void similar_aim_init(const struct similar_graph *graph, const float *rotated, bool table,
                      struct similar_aim *aim)
{
    float inverse = graph->step > 0 ? 1.0f / graph->step : 0.0f;
    for (uint32_t i = 0; i < graph->dim; i++) {
        float value = (rotated[i] - graph->centre[i]) * inverse;
        /* Far outside of the grid only the direction counts; and sums stay numbers. */
        aim->grid[i] = fminf(fmaxf(value, -32767.0f), 32767.0f);
    }
    aim_round(graph, aim);
    aim->product = false;
    aim->lift = similar_graph_lift(graph, aim->norm);
    aim->norm += aim->lift * aim->lift;
    if (table) {
        similar_table_init(aim->grid, graph->dim, aim->table, &aim->table_step, &aim->table_sum);
    }
}

/*
 * Of a query of products only the direction counts, and the centre adds the same to all. It is made
 * as long as the longest vertex, where estimates err least, or as far as bytes reach.
 */
void similar_aim_query(const struct similar_graph *graph, const float *rotated,
                       struct similar_aim *aim)
{
    if (!graph->product) {
        similar_aim_init(graph, rotated, true, aim);
        return;
    }
    double square = 0;
    double most = 0;
    for (uint32_t i = 0; i < graph->dim; i++) {
        square += (double)rotated[i] * (double)rotated[i];
        most = fmax(most, fabs((double)rotated[i]));
    }
    double scale = square > 0 ? sqrt((double)graph->longest / square) : 0;
    scale = most * scale > 127 ? 127 / most : scale;
    for (uint32_t i = 0; i < graph->dim; i++) {
        aim->grid[i] = (float)((double)rotated[i] * scale);
    }
    aim_round(graph, aim);
    aim->product = true;
    aim->lift = 0;
    similar_table_init(aim->grid, graph->dim, aim->table, &aim->table_step, &aim->table_sum);
}

void similar_graph_known(const struct similar_graph *graph, bool all)
{
    memset(graph->known, 0, graph->count);
    for (uint32_t v = 0; v < graph->count; v++) {
        const struct similar_vertex *head = similar_vertex_of(graph, v);
        uint32_t count = all ? head->degree : head->kept;
        const uint32_t *links = similar_vertex_links(graph, v);
        for (uint32_t i = 0; i < count; i++) {
            similar_known_more(graph, links[i]);
        }
    }
}

bool similar_graph_enter(struct similar_graph *graph)
{
    uint32_t groups = (graph->entry_count + 15) / 16;
    uint32_t dim = graph->dim;
    free(graph->entry_bytes);
    free(graph->entry_terms);
    graph->entry_bytes = calloc((size_t)groups * 16, dim);
    graph->entry_terms = calloc((size_t)groups * 16, sizeof *graph->entry_terms);
    if (graph->entry_bytes == NULL || graph->entry_terms == NULL) {
        return false;
    }
    for (uint32_t e = 0; e < graph->entry_count; e++) {
        const uint8_t *row = similar_vertex_row(graph, graph->entries[e]);
        int8_t *group = graph->entry_bytes + (size_t)(e / 16) * 16 * dim;
        int32_t sum = 0;
        for (uint32_t i = 0; i < dim; i++) {
            int8_t value = (int8_t)(row[i] - 128);
            group[(size_t)(i / 4) * 64 + (size_t)(e % 16) * 4 + i % 4] = value;
            sum += value;
        }
        /* The query comes as a row, 128 above its bytes: that much of every product is too much. */
        const struct similar_vertex *head = similar_vertex_of(graph, graph->entries[e]);
        graph->entry_terms[e] =
            (struct similar_entry){.correction = 256 * sum, .norm = head->norm, .lift = head->lift};
    }
    return true;
}

int32_t similar_graph_distance(const struct similar_graph *graph,
                               const struct similar_kernel *kernel, const struct similar_aim *aim,
                               uint32_t vertex)
{
    const struct similar_vertex *head = similar_vertex_of(graph, vertex);
    int32_t dot = kernel->dot_row(similar_vertex_row(graph, vertex), aim->bytes, graph->dim);
    return similar_graph_apart(graph, aim, head->norm, head->lift) - 2 * (dot - aim->correction);
}

/* One of so many vertices that were built may be new or gone. */
enum { CHANGED_PART = 3 };

bool similar_graph_current(const struct similar_graph *graph)
{
    return !graph->lost && graph->inserted_count * CHANGED_PART <= graph->built_count &&
           graph->removed_count * CHANGED_PART <= graph->built_count;
}

void similar_graph_figures(const struct similar_set *set, struct similar_graph_figures *figures)
{
    const struct similar_graph *graph = set->graph;
    *figures = (struct similar_graph_figures){0};
    if (graph != NULL) {
        *figures = (struct similar_graph_figures){
            .built = true,
            .answers = similar_graph_current(graph),
            .vertices = graph->count - graph->free_count,
            .removed = graph->removed_count,
            .bytes = graph->count * similar_graph_bytes(set->space.dim),
        };
    }
}
