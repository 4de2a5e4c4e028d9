/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk: from the nearest entries, always on to the vertex that is believed to be nearest, until
 * every place of the pool was visited. A visit measures the vertex on its bytes and ranks its 32
 * neighbours by their codes; a neighbour enters the pool if it is believed nearer than the last of
 * it. A vertex may be in the pool several times, by several estimates, and is visited once: the
 * best of several estimates errs less than one. While one vertex is visited the memory of the next
 * two is on its way.
 *
 * The pool has `effort` places, so a walk ends: each visit takes one, and none is taken twice.
 */
#include "server/similar/similar_graph.h"

#include <assert.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 8 };
#define DONE 0x80000000U

/* One walk under way. */
struct walking {
    const struct similar_graph *graph;
    const struct similar_kernel *kernel;
    const struct similar_aim *aim;
    const struct similar_query *query;
    struct similar_walk *walk;
    struct similar_estimate estimate;
    uint32_t effort;
    uint32_t next; /* no place before this one waits for a visit */
};

static uint64_t pool_entry(float distance, uint32_t vertex)
{
    uint32_t bits;
    distance = distance > 0 ? distance : 0;
    memcpy(&bits, &distance, sizeof bits);
    return (uint64_t)bits << 32 | vertex;
}

static float pool_distance(uint64_t entry)
{
    uint32_t bits = (uint32_t)(entry >> 32);
    float distance;
    memcpy(&distance, &bits, sizeof distance);
    return distance;
}

static void pool_add(struct walking *walking, float distance, uint32_t vertex)
{
    struct similar_walk *walk = walking->walk;
    uint64_t entry = pool_entry(distance, vertex);
    uint32_t low = 0;
    uint32_t length = walk->pool_count;
    while (length > 0) {
        uint32_t half = length / 2;
        bool right = walk->pool[low + half] >> 32 < entry >> 32;
        low = right ? low + half + 1 : low;
        length = right ? length - half - 1 : half;
    }
    if (low >= walking->effort) {
        return;
    }
    uint32_t end = walk->pool_count < walking->effort ? walk->pool_count++ : walking->effort - 1;
    memmove(walk->pool + low + 1, walk->pool + low, (end - low) * sizeof *walk->pool);
    walk->pool[low] = entry;
    walking->next = low < walking->next ? low : walking->next;
}

static void vertex_prefetch(const struct similar_graph *graph, uint32_t vertex)
{
    const uint8_t *at = similar_vertex_at(graph, vertex);
    size_t bytes = similar_vertex_bytes(graph->dim);
    for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(at + line);
    }
}

/* The nearest entries into the pool. */
static void entries_add(struct walking *walking)
{
    const struct similar_graph *graph = walking->graph;
    const struct similar_aim *aim = walking->aim;
    uint64_t best[ENTRIES];
    uint32_t count = 0;
    enum { BATCH = 16 };
    int32_t dots[16 * BATCH];
    uint32_t groups = (graph->entry_count + 15) / 16;
    for (uint32_t from = 0; from < groups; from += BATCH) {
        uint32_t batch = groups - from < BATCH ? groups - from : BATCH;
        walking->kernel->dot_groups(aim->row, graph->entry_bytes + (size_t)from * 16 * graph->dim,
                                    batch, graph->dim, dots);
        uint32_t end = graph->entry_count - 16 * from < 16 * batch ? graph->entry_count - 16 * from
                                                                   : 16 * batch;
        for (uint32_t i = 0; i < end; i++) {
            uint32_t entry = 16 * from + i;
            const struct similar_entry *terms = &graph->entry_terms[entry];
            int32_t distance = similar_graph_apart(graph, aim, terms->norm, terms->lift) +
                               terms->correction - 2 * dots[i];
            if (count == ENTRIES && (uint32_t)distance >= best[ENTRIES - 1] >> 32) {
                continue;
            }
            similar_ranked_put(best, &count, ENTRIES,
                               similar_ranked(distance, graph->entries[entry]));
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        pool_add(walking, (float)(best[i] >> 32), (uint32_t)best[i]);
    }
    for (uint32_t i = 0; i < count && i < 2; i++) {
        vertex_prefetch(graph, (uint32_t)best[i]);
    }
}

/* Marks a vertex as visited; false if it was, or no memory is left to remember it. */
static bool visit_begin(struct similar_walk *walk, uint32_t vertex)
{
    uint64_t bit = (uint64_t)1 << vertex % 64;
    if ((walk->seen[vertex / 64] & bit) != 0) {
        return false;
    }
    if (walk->visited_count == walk->visited_room) {
        uint32_t room = 2 * walk->visited_room;
        assert(room > 0); /* similar_walk_create begins with some */
        uint32_t *grown = realloc(walk->visited, room * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        walk->visited = grown;
        walk->visited_room = room;
    }
    walk->seen[vertex / 64] |= bit;
    walk->visited[walk->visited_count++] = vertex;
    return true;
}

static void visit(struct walking *walking, uint32_t vertex)
{
    const struct similar_graph *graph = walking->graph;
    struct similar_walk *walk = walking->walk;
    const struct similar_vertex *head = similar_vertex_of(graph, vertex);
    int32_t own = similar_graph_distance(graph, walking->kernel, walking->aim, vertex);
    float distance = (float)own;
    float values[SIMILAR_GRAPH_LINKS];
    bool full = walk->pool_count == walking->effort;
    bool lifted = graph->product && !walking->aim->product; /* all values are looked at */
    float worst = full ? pool_distance(walk->pool[walk->pool_count - 1]) : FLT_MAX;
    if (head->id != SIMILAR_ID_NONE &&
        (walking->query == NULL || similar_query_admits(walking->query, head->id))) {
        walk->admitted++;
        similar_ranked_put(walk->found, &walk->found_count, walk->found_room,
                           similar_ranked(own, vertex));
    }
    /* A value is how much nearer than this vertex, as squares: see similar_graph.h. */
    uint32_t mask =
        walking->kernel->score_pair(similar_vertex_tiles(graph, vertex), &walking->estimate,
                                    full && !lifted ? distance - worst : -FLT_MAX, values);
    if (lifted) {
        similar_values_lift(graph, walking->aim, vertex, values);
    }
    const uint32_t *links = similar_vertex_links(graph, vertex);
    for (; mask != 0; mask &= mask - 1) {
        uint32_t place = (uint32_t)__builtin_ctz(mask);
        uint32_t to = links[place];
        float estimate = distance - values[place];
        if ((walk->seen[to / 64] >> to % 64 & 1) == 0 &&
            (walk->pool_count < walking->effort ||
             estimate < pool_distance(walk->pool[walk->pool_count - 1]))) {
            pool_add(walking, estimate, to);
        }
    }
}

/*
 * While a vertex is hidden: had it never been there, its neighbours would have other links in the
 * places of those to it. The nearest of those that stood behind it takes that place.
 */
static void hidden_replace(struct walking *walking, uint32_t vertex)
{
    const struct similar_graph *graph = walking->graph;
    uint32_t hidden = walking->walk->skip;
    const uint32_t *links = similar_vertex_links(graph, vertex);
    const uint32_t *behind = similar_vertex_links(graph, hidden);
    uint64_t best = UINT64_MAX;
    bool linked = false;
    int8_t bytes[SIMILAR_DIM_MAX];
    for (uint32_t i = 0; i < SIMILAR_GRAPH_LINKS; i++) {
        linked |= links[i] == hidden;
    }
    if (!linked) {
        return;
    }
    int32_t sum = 0;
    for (uint32_t i = 0; i < graph->dim; i++) {
        bytes[i] = (int8_t)(similar_vertex_row(graph, vertex)[i] - 128);
        sum += bytes[i];
    }
    for (uint32_t i = 0; i < SIMILAR_GRAPH_LINKS; i++) {
        bool known = behind[i] == vertex || behind[i] == hidden;
        for (uint32_t j = 0; j < SIMILAR_GRAPH_LINKS; j++) {
            known |= links[j] == behind[i];
        }
        const uint8_t *row = similar_vertex_row(graph, behind[i]);
        int32_t dot = walking->kernel->dot_row(row, bytes, graph->dim) - 128 * sum;
        const struct similar_vertex *head = similar_vertex_of(graph, vertex);
        const struct similar_vertex *other = similar_vertex_of(graph, behind[i]);
        uint64_t ranked = similar_ranked(
            head->norm + other->norm - 2 * (dot + head->lift * other->lift), behind[i]);
        best = !known && ranked < best ? ranked : best;
    }
    if (best != UINT64_MAX) {
        uint32_t to = (uint32_t)best;
        pool_add(walking, (float)similar_graph_distance(graph, walking->kernel, walking->aim, to),
                 to);
    }
}

/* The next place that waits for a visit, from `at` on; pool_count when there is none. */
static uint32_t waiting_from(const struct similar_walk *walk, uint32_t at)
{
    while (at < walk->pool_count && (walk->pool[at] & DONE) != 0) {
        at++;
    }
    return at;
}

void similar_graph_walk(const struct similar_set *set, struct similar_walk *walk, uint32_t effort,
                        uint32_t found_room, const struct similar_query *query)
{
    const struct similar_graph *graph = set->graph;
    const struct similar_aim *aim = &walk->aim;
    struct walking walking = {
        .graph = graph,
        .kernel = set->space.kernel,
        .aim = aim,
        .query =
            query != NULL && (query->exclude_count > 0 || query->filter != NULL) ? query : NULL,
        .walk = walk,
        .estimate = {.table = aim->table,
                     .dim = graph->dim,
                     .alpha = (float)aim->table_step,
                     .beta = (float)-aim->table_sum},
        .effort = effort < SIMILAR_GRAPH_EFFORT_MAX ? effort : (uint32_t)SIMILAR_GRAPH_EFFORT_MAX,
    };
    walk->pool_count = 0;
    walk->visited_count = 0;
    walk->admitted = 0;
    walk->found_count = 0;
    walk->found_room = found_room;
    if (walk->skip != SIMILAR_NONE) {
        (void)visit_begin(walk, walk->skip);
    }
    entries_add(&walking);
    while (walking.next < walk->pool_count) {
        uint32_t vertex = (uint32_t)walk->pool[walking.next] & ~DONE;
        walk->pool[walking.next] |= DONE;
        walking.next = waiting_from(walk, walking.next + 1);
        if (walking.next < walk->pool_count) {
            uint32_t later = waiting_from(walk, walking.next + 1);
            vertex_prefetch(graph, (uint32_t)walk->pool[walking.next] & ~DONE);
            if (later < walk->pool_count) {
                vertex_prefetch(graph, (uint32_t)walk->pool[later] & ~DONE);
            }
        }
        if (visit_begin(walk, vertex)) {
            visit(&walking, vertex);
            if (walk->skip != SIMILAR_NONE) {
                hidden_replace(&walking, vertex);
            }
        }
    }
    for (uint32_t i = 0; i < walk->visited_count; i++) {
        walk->seen[walk->visited[i] / 64] = 0;
    }
}
