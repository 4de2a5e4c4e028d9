/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries for what cannot be come to. A list has one entry, the member nearest to its centre. Where
 * two clusters share a list, the entry lies in one of them, near neighbours do not lead to the
 * other, and bridges lead to other lists only: it is an island. So a few members of every list,
 * spread over it, are looked for with little effort. One that a walk comes nowhere near becomes an
 * entry too.
 *
 * Nowhere near: not within twice the squared distance of the nearest vertex that is known. In
 * clusters what lies elsewhere is much farther than that; in a set without, hardly anything is, and
 * nothing is added. An island that is a small part of a list may escape the sample.
 *
 * Cost: MEMBERS short walks a list, a fiftieth of the build.
 */
#include "server/similar/similar_graph.h"

#include <stdlib.h>

enum {
    MEMBERS = 8, /* of a list that are looked for */
    EFFORT = 32,
    FAR = 2,
};

/* The squared distance of the nearest other vertex that a vertex is linked to. */
static uint32_t nearest_link(const struct similar_set *set, uint32_t vertex)
{
    const struct similar_graph *graph = set->graph;
    const uint32_t *links = similar_vertex_links(graph, vertex);
    uint32_t degree = similar_vertex_of(graph, vertex)->degree;
    uint32_t best = UINT32_MAX;
    for (uint32_t i = 0; i < degree; i++) {
        int32_t distance =
            similar_graph_distance(graph, set->space.kernel, &graph->walk->aim, links[i]);
        best = (uint32_t)distance < best ? (uint32_t)distance : best;
    }
    return best;
}

/* Whether a walk comes near to a vertex that it does not see. */
static bool comes_near(const struct similar_graph_plan *plan, uint32_t vertex)
{
    const struct similar_set *set = plan->set;
    struct similar_walk *walk = plan->graph->walk;
    uint32_t place = plan->places[vertex];
    float rotated[SIMILAR_DIM_MAX];
    (void)similar_space_rotate(&set->space, similar_place_floats(set, place),
                               similar_place_norm(set, place), rotated);
    similar_aim_init(plan->graph, rotated, true, &walk->aim);
    walk->skip = vertex;
    similar_graph_walk(set, walk, EFFORT, 1, NULL);
    walk->skip = SIMILAR_NONE;
    uint32_t nearest = nearest_link(set, vertex);
    return walk->found_count > 0 && walk->found[0] >> 32 <= (uint64_t)FAR * nearest;
}

/* One entry more. False: no memory. */
static bool entry_add(struct similar_graph *graph, uint32_t vertex)
{
    size_t count = (size_t)graph->entry_count + 1;
    uint32_t *grown = realloc(graph->entries, count * sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    graph->entries = grown;
    graph->entries[graph->entry_count++] = vertex;
    return similar_graph_enter(graph);
}

bool similar_graph_anchor(const struct similar_graph_plan *plan)
{
    struct similar_graph *graph = plan->graph;
    if (!similar_walk_reserve(graph->walk, graph->count)) {
        return false;
    }
    for (uint32_t l = 0; l < plan->list_count; l++) {
        uint32_t count = plan->first[l + 1] - plan->first[l];
        uint32_t members = count < MEMBERS ? count : (uint32_t)MEMBERS;
        for (uint32_t m = 0; m < members; m++) {
            uint32_t vertex = plan->first[l] + (uint32_t)((uint64_t)m * count / members);
            bool room = graph->entry_count < SIMILAR_GRAPH_ENTRIES_MAX;
            if (room && !comes_near(plan, vertex) && !entry_add(graph, vertex)) {
                return false;
            }
        }
    }
    return true;
}
