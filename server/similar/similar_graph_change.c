/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The graph follows its set. A new account is searched for, linked to what a walk finds, and linked
 * back from there: in a free place of the neighbour or in that of a worse link, told by the codes
 * that the neighbour has of its own neighbours. A removed one leaves its vertex as a way through.
 *
 * Where many accounts went, a walk sees little else than such vertices. A newcomer there is linked
 * to entries too, which lie elsewhere, and from the removed vertices nearest to it, for whoever
 * looks for it comes through these.
 *
 * When there is no room or no memory, or too much has changed, the graph is lost: it follows no
 * more and answers no more, until it is built again. The set itself has changed already, and the
 * partitions know.
 */
#include "server/similar/similar_graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum {
    EFFORT = 64,
    FOUND = 96,
    LINKS_BACK_LEAST = 8, /* so many neighbours link back even where it gains little */
    FOUND_LEAST = 8,      /* fewer are little to link to */
    KNOWN_SPARED = 5,     /* a vertex that few know keeps its links */
};
#define ALPHA 1.1f

/* How good a place is for a link to a newcomer. */
enum place_class { PLACE_SPARED, PLACE_NEARER, PLACE_FARTHER, PLACE_BEHIND, PLACE_FREE };

struct place {
    uint32_t number;
    enum place_class class;
    float value; /* within the class, the higher the better */
    bool behind; /* the newcomer lies behind some neighbour */
};

static float bfloat_value(const uint8_t *at)
{
    uint16_t half;
    memcpy(&half, at, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The squared length of a link, from its factor: sum |r| is about |r| sqrt(2 D / pi). */
static float link_square(const struct similar_graph *graph, uint32_t vertex, uint32_t number)
{
    size_t tile_bytes = (size_t)2 * graph->dim + 64;
    const uint8_t *rescale = similar_vertex_tiles(graph, vertex) +
                             number / SIMILAR_TILE * tile_bytes + (size_t)2 * graph->dim + 32 +
                             (size_t)(number % SIMILAR_TILE) * 2;
    float half = bfloat_value(rescale) / 2;
    float rise = graph->product ? similar_link_rise(graph, vertex, number) : 0.0f;
    return half * half * (float)graph->dim * 0.6366198f + rise * rise;
}

/* The place of `vertex` that a link to the aim, `distance` away, may have. */
static struct place place_choose(const struct similar_set *set, const struct similar_aim *aim,
                                 uint32_t vertex, float distance)
{
    const struct similar_graph *graph = set->graph;
    const struct similar_vertex *head = similar_vertex_of(graph, vertex);
    const struct similar_estimate estimate = {.table = aim->table,
                                              .dim = graph->dim,
                                              .alpha = (float)aim->table_step,
                                              .beta = (float)-aim->table_sum};
    float values[SIMILAR_GRAPH_LINKS];
    struct place best = {.class = PLACE_SPARED};
    bool behind = false;
    set->space.kernel->score_pair(similar_vertex_tiles(graph, vertex), &estimate, -FLT_MAX, values);
    similar_values_lift(graph, aim, vertex, values);
    if (head->degree < SIMILAR_GRAPH_LINKS) {
        best = (struct place){.number = head->degree, .class = PLACE_FREE, .value = FLT_MAX};
    }
    for (uint32_t i = 0; i < head->degree; i++) {
        float length = link_square(graph, vertex, i);
        float apart = distance - values[i] > 0 ? (distance - values[i]) * ALPHA : 0;
        struct place place = {.number = i, .class = PLACE_NEARER, .value = length};
        if (i >= head->kept) {
            place.class = PLACE_FREE;
        } else if (length > distance && apart < length) {
            place.class = PLACE_BEHIND;
            place.value = length / (apart > 1 ? apart : 1);
        } else if (length > distance) {
            place.class = PLACE_FARTHER;
        } else {
            behind = behind || apart < distance;
        }
        /* Who knows a link lies far off in memory: it is asked of those alone that would win. */
        if ((place.class > best.class || (place.class == best.class && place.value > best.value)) &&
            graph->known[similar_vertex_links(graph, vertex)[i]] > KNOWN_SPARED) {
            best = place;
        }
    }
    best.behind = behind;
    return best;
}

/* Puts the newcomer into a place. */
static void place_take(const struct similar_graph *graph, uint32_t vertex,
                       const struct place *place, uint32_t newcomer)
{
    struct similar_vertex *head = similar_vertex_of(graph, vertex);
    uint32_t *links = similar_vertex_links(graph, vertex);
    uint32_t number = place->number;
    if (number < head->degree) {
        similar_known_less(graph, links[number]);
    } else {
        head->degree++;
    }
    if (number >= head->kept) {
        /* Kept links come first: what filled the first free place moves to this one. */
        if (number != head->kept) {
            similar_graph_link(graph, vertex, number, links[head->kept]);
            number = head->kept;
        }
        head->kept++;
    }
    similar_graph_link(graph, vertex, number, newcomer);
    similar_known_more(graph, newcomer);
}

/* Links from those that the newcomer was linked to. False: a block may not be changed. */
static bool links_back(const struct similar_set *set, const struct similar_aim *aim,
                       uint32_t newcomer, const uint32_t *links, uint32_t count)
{
    const struct similar_graph *graph = set->graph;
    uint32_t linked = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t distance = similar_graph_distance(graph, set->space.kernel, aim, links[i]);
        struct place place = place_choose(set, aim, links[i], (float)distance);
        bool enough = linked >= LINKS_BACK_LEAST;
        bool little = (place.behind && place.class < PLACE_FREE) || place.class <= PLACE_FARTHER;
        if (place.class == PLACE_SPARED || (enough && little)) {
            continue;
        }
        if (!similar_graph_write(set, links[i])) {
            return false;
        }
        place_take(graph, links[i], &place, newcomer);
        linked++;
    }
    return true;
}

/* Entries that have an account are offered beside what the walk found. */
static void entries_offer(const struct similar_set *set, struct similar_walk *walk)
{
    const struct similar_graph *graph = set->graph;
    for (uint32_t e = 0; e < graph->entry_count; e++) {
        uint32_t entry = graph->entries[e];
        uint64_t ranked = similar_ranked(
            similar_graph_distance(graph, set->space.kernel, &walk->aim, entry), entry);
        bool offered = similar_vertex_of(graph, entry)->id == SIMILAR_ID_NONE;
        for (uint32_t i = 0; i < walk->found_count; i++) {
            offered |= walk->found[i] == ranked;
        }
        if (!offered) {
            similar_ranked_put(walk->found, &walk->found_count, walk->found_room, ranked);
        }
    }
}

/* The removed vertices nearest to the aim of those that the walk came by; returns how many. */
static uint32_t ways_list(const struct similar_set *set, const struct similar_walk *walk,
                          uint32_t *ways)
{
    const struct similar_graph *graph = set->graph;
    uint64_t nearest[LINKS_BACK_LEAST];
    uint32_t count = 0;
    for (uint32_t i = 0; i < walk->visited_count; i++) {
        uint32_t vertex = walk->visited[i];
        if (similar_vertex_of(graph, vertex)->id == SIMILAR_ID_NONE) {
            int32_t distance = similar_graph_distance(graph, set->space.kernel, &walk->aim, vertex);
            similar_ranked_put(nearest, &count, LINKS_BACK_LEAST, similar_ranked(distance, vertex));
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        ways[i] = (uint32_t)nearest[i];
    }
    return count;
}

/* The vertex of the aim, linked to what the walk found; *kept links were chosen. */
static void vertex_make(const struct similar_set *set, uint32_t id, uint32_t vertex,
                        const struct similar_aim *aim, uint32_t *kept)
{
    struct similar_graph *graph = set->graph;
    const struct similar_walk *walk = graph->walk;
    const struct similar_graph_rows rows = {.graph = graph, .kernel = set->space.kernel};
    struct similar_vertex *head = similar_vertex_of(graph, vertex);
    uint32_t *links = similar_vertex_links(graph, vertex);
    uint32_t degree =
        similar_graph_prune(&rows, walk->found, walk->found_count, ALPHA, links, kept);
    memcpy(similar_vertex_row(graph, vertex), aim->row, graph->dim);
    head->id = id;
    head->norm = aim->norm;
    head->lift = aim->lift;
    head->degree = (uint8_t)degree;
    head->kept = (uint8_t)*kept;
    graph->known[vertex] = 0;
    graph->vertex_of[id] = vertex;
    for (uint32_t i = 0; i < degree; i++) {
        similar_graph_link(graph, vertex, i, links[i]);
        similar_known_more(graph, links[i]);
    }
    similar_graph_close(graph, vertex, degree);
}

void similar_graph_insert(struct similar_set *set, uint32_t id, const float *rotated)
{
    struct similar_graph *graph = set->graph;
    uint32_t kept;
    if (graph == NULL || graph->lost) {
        return;
    }
    if (id < graph->id_room && graph->vertex_of[id] != SIMILAR_NONE) {
        return; /* it moves from list to list, and stays where it is */
    }
    if (!similar_walk_reserve(graph->walk, graph->count)) {
        graph->lost = true;
        return;
    }
    const struct similar_aim *aim = &graph->walk->aim;
    similar_aim_init(graph, rotated, true, &graph->walk->aim);
    similar_graph_walk(set, graph->walk, EFFORT, FOUND, NULL);
    uint32_t ways[LINKS_BACK_LEAST];
    uint32_t way_count = 0;
    if (graph->walk->found_count < FOUND_LEAST) {
        way_count = ways_list(set, graph->walk, ways);
        entries_offer(set, graph->walk);
    }
    uint32_t vertex =
        graph->walk->found_count > 0 ? similar_graph_take(set, id) : (uint32_t)SIMILAR_NONE;
    if (vertex == SIMILAR_NONE) {
        graph->lost = true;
        return;
    }
    vertex_make(set, id, vertex, aim, &kept);
    uint32_t links[SIMILAR_GRAPH_LINKS];
    memcpy(links, similar_vertex_links(graph, vertex), sizeof links);
    graph->inserted_count++;
    graph->lost = !links_back(set, aim, vertex, links, kept) ||
                  !links_back(set, aim, vertex, ways, way_count);
}

void similar_graph_remove(struct similar_set *set, uint32_t id)
{
    struct similar_graph *graph = set->graph;
    if (graph == NULL || graph->lost) {
        return;
    }
    uint32_t vertex = id < graph->id_room ? graph->vertex_of[id] : SIMILAR_NONE;
    if (vertex == SIMILAR_NONE || !similar_graph_write(set, vertex)) {
        graph->lost = true;
        return;
    }
    similar_vertex_of(graph, vertex)->id = SIMILAR_ID_NONE;
    graph->vertex_of[id] = SIMILAR_NONE;
    graph->removed_count++;
}
