/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph from its blocks, and the block that says what belongs to it. Reading takes one look at
 * each vertex: its account, and whom it links to. A graph whose blocks contradict each other or the
 * set is an error of the whole set, as a damaged chunk is; none at all, or one that was lost when
 * the set was stored, is not.
 */
#include "server/similar/similar_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where block 0 has the settings for filters: behind all entries that there may be. */
static size_t filtered_at(const struct similar_set *set)
{
    return similar_block_bytes(SIMILAR_KIND_GRAPH, set->space.dim) - sizeof set->graph->filtered;
}

enum similar_status similar_graph_flush(const struct similar_set *set)
{
    const struct similar_source *source = &set->options.source;
    const struct similar_graph *graph = set->graph;
    if (graph == NULL) {
        return SIMILAR_OK;
    }
    uint8_t *block = source->on_write(source->context, SIMILAR_KIND_GRAPH, 0,
                                      similar_block_bytes(SIMILAR_KIND_GRAPH, set->space.dim));
    if (block == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    struct similar_graph_meta *meta = (struct similar_graph_meta *)(void *)block;
    *meta = (struct similar_graph_meta){
        .header = {.magic = SIMILAR_BLOCK_MAGIC,
                   .version = SIMILAR_BLOCK_VERSION,
                   .kind = SIMILAR_KIND_GRAPH,
                   .dim = (uint16_t)set->space.dim},
        .built_count = graph->built_count,
        .inserted_count = graph->inserted_count,
        .removed_count = graph->removed_count,
        .vertex_count = graph->lost ? 0 : graph->count,
        .entry_count = graph->entry_count,
        .step = graph->step,
        .longest = graph->longest,
    };
    memcpy(meta->settings, graph->settings, sizeof meta->settings);
    memcpy(block + filtered_at(set), graph->filtered, sizeof graph->filtered);
    uint8_t *at = block + sizeof *meta;
    memcpy(at, graph->centre, graph->dim * sizeof *graph->centre);
    memcpy(at + graph->dim * sizeof *graph->centre, graph->entries,
           graph->entry_count * sizeof *graph->entries);
    return SIMILAR_OK;
}

/* Room for what is there, and the blocks themselves. */
static enum similar_status blocks_open(const struct similar_set *set, uint32_t vertex_count,
                                       bool verify)
{
    struct similar_graph *graph = set->graph;
    const struct similar_source *source = &set->options.source;
    uint32_t count = (vertex_count + SIMILAR_GRAPH_GROUP - 1) / SIMILAR_GRAPH_GROUP;
    graph->blocks = calloc(count, sizeof *graph->blocks);
    graph->known = calloc(vertex_count, 1);
    graph->vertex_of = malloc(set->place_room * sizeof *graph->vertex_of);
    if (graph->blocks == NULL || graph->known == NULL || graph->vertex_of == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    memset(graph->vertex_of, 0xff, set->place_room * sizeof *graph->vertex_of);
    graph->id_room = set->place_room;
    graph->known_room = vertex_count;
    graph->block_room = count;
    for (uint32_t n = 0; n < count; n++) {
        const void *block = source->on_read(source->context, SIMILAR_KIND_GRAPH, n + 1);
        enum similar_status status =
            block == NULL
                ? SIMILAR_ERROR_CORRUPT
                : similar_block_check(block, SIMILAR_KIND_GRAPH, n + 1, set->space.dim, verify);
        if (status != SIMILAR_OK) {
            return status;
        }
        /* Never changed before on_write has given it as writable. */
        graph->blocks[n] = (uint8_t *)(uintptr_t)block;
    }
    graph->count = vertex_count;
    return SIMILAR_OK;
}

/* Whether a vertex is what it should be; notes its account. */
static bool vertex_open(const struct similar_set *set, uint32_t vertex)
{
    const struct similar_graph *graph = set->graph;
    const struct similar_vertex *head = similar_vertex_of(graph, vertex);
    const uint32_t *links = similar_vertex_links(graph, vertex);
    if (head->degree > SIMILAR_GRAPH_LINKS || head->kept > head->degree || head->lift < 0 ||
        head->lift > SIMILAR_GRAPH_LIFT_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < SIMILAR_GRAPH_LINKS; i++) {
        if (links[i] >= graph->count) {
            return false;
        }
    }
    if (head->id == SIMILAR_ID_NONE) {
        return true;
    }
    bool fits = similar_place_of(set, head->id) != SIMILAR_NONE &&
                graph->vertex_of[head->id] == SIMILAR_NONE;
    if (fits) {
        graph->vertex_of[head->id] = vertex;
    }
    return fits;
}

static enum similar_status vertices_open(const struct similar_set *set)
{
    struct similar_graph *graph = set->graph;
    uint64_t live = 0;
    for (uint32_t v = 0; v < graph->count; v++) {
        if (!vertex_open(set, v)) {
            return SIMILAR_ERROR_CORRUPT;
        }
        live += similar_vertex_of(graph, v)->id != SIMILAR_ID_NONE;
    }
    similar_graph_known(graph, true);
    for (uint32_t v = graph->count; v-- > 0;) {
        const struct similar_vertex *head = similar_vertex_of(graph, v);
        bool nowhere = head->id == SIMILAR_ID_NONE && head->degree == 0 && graph->known[v] == 0;
        if (nowhere && !similar_graph_release(graph, v)) {
            return SIMILAR_ERROR_MEMORY;
        }
    }
    graph->removed_count = graph->count - live - graph->free_count;
    return live == set->count ? SIMILAR_OK : SIMILAR_ERROR_CORRUPT;
}

static enum similar_status entries_open(struct similar_graph *graph,
                                        const struct similar_graph_meta *meta)
{
    const uint8_t *at = (const uint8_t *)meta + sizeof *meta;
    memcpy(graph->centre, at, graph->dim * sizeof *graph->centre);
    graph->entries = calloc(meta->entry_count, sizeof *graph->entries);
    if (graph->entries == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    graph->entry_count = meta->entry_count;
    memcpy(graph->entries, at + graph->dim * sizeof *graph->centre,
           graph->entry_count * sizeof *graph->entries);
    for (uint32_t e = 0; e < graph->entry_count; e++) {
        if (graph->entries[e] >= graph->count) {
            return SIMILAR_ERROR_CORRUPT;
        }
    }
    return similar_graph_enter(graph) ? SIMILAR_OK : SIMILAR_ERROR_MEMORY;
}

enum similar_status similar_graph_open(struct similar_set *set, bool verify)
{
    const struct similar_source *source = &set->options.source;
    const struct similar_graph_meta *meta = source->on_read(source->context, SIMILAR_KIND_GRAPH, 0);
    if (meta == NULL || set->options.graph_bytes_max == 0) {
        return SIMILAR_OK;
    }
    enum similar_status status =
        similar_block_check(meta, SIMILAR_KIND_GRAPH, 0, set->space.dim, verify);
    if (status != SIMILAR_OK || meta->vertex_count == 0) {
        return status;
    }
    if (meta->entry_count == 0 || meta->entry_count > SIMILAR_GRAPH_ENTRIES_MAX ||
        meta->vertex_count > SIMILAR_GRAPH_VERTICES_MAX || !(meta->step >= 0) ||
        meta->longest < 0 ||
        meta->longest > (set->space.metric == SIMILAR_DOT ? INT32_MAX / 8 : 0)) {
        return SIMILAR_ERROR_CORRUPT;
    }
    set->graph = similar_graph_create(set->space.dim_padded, set->options.graph_bytes_max);
    if (set->graph == NULL) {
        return SIMILAR_ERROR_MEMORY;
    }
    set->graph->product = set->space.metric == SIMILAR_DOT;
    set->graph->longest = meta->longest;
    set->graph->step = meta->step;
    set->graph->built_count = meta->built_count;
    set->graph->inserted_count = meta->inserted_count;
    memcpy(set->graph->settings, meta->settings, sizeof meta->settings);
    memcpy(set->graph->filtered, (const uint8_t *)meta + filtered_at(set),
           sizeof set->graph->filtered);
    status = blocks_open(set, meta->vertex_count, verify);
    if (status == SIMILAR_OK) {
        status = vertices_open(set);
    }
    return status == SIMILAR_OK ? entries_open(set->graph, meta) : status;
}
