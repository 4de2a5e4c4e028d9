/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From near neighbours to a graph that can be walked. Every link is offered to the vertex that it
 * leads to as one back, and each vertex chooses anew among all. Vertices that few link to are put
 * into free places of their own neighbours. Then bridges fill places, and after them whatever is
 * nearest; last come the codes.
 *
 * All but the counting runs as tasks over ranges of vertices, each writing its own vertices alone,
 * and the outcome does not depend on their number.
 */
#include "server/similar/similar_graph.h"

#include <stdlib.h>
#include <string.h>

enum {
    TASK_VERTICES = 4096,
    OFFERED_MAX = 1024, /* of the links back to one vertex */
    TIGHT = 110,        /* percent */
    KNOWN_LEAST = 6,    /* links to a vertex below which it is put into free places */
    BRIDGES_MAX = 8,    /* places that bridges may take */
};

/* Who links to whom by choice, turned round. */
static bool sources_gather(struct similar_graph_plan *plan)
{
    uint32_t count = plan->count;
    plan->starts = calloc((size_t)count + 1, sizeof *plan->starts);
    if (plan->starts == NULL) {
        return false;
    }
    uint64_t all = 0;
    for (uint32_t v = 0; v < count; v++) {
        const uint32_t *links = similar_vertex_links(plan->graph, v);
        uint32_t kept = similar_vertex_of(plan->graph, v)->kept;
        all += kept;
        for (uint32_t i = 0; i < kept; i++) {
            plan->starts[links[i] + 1]++;
        }
    }
    for (uint32_t v = 0; v < count; v++) {
        plan->starts[v + 1] += plan->starts[v];
    }
    plan->sources = malloc((all + 1) * sizeof *plan->sources);
    if (plan->sources == NULL) {
        return false;
    }
    /* The start of a vertex moves to its end while it fills; one shift puts all of them back. */
    for (uint32_t v = 0; v < count; v++) {
        const uint32_t *links = similar_vertex_links(plan->graph, v);
        uint32_t kept = similar_vertex_of(plan->graph, v)->kept;
        for (uint32_t i = 0; i < kept; i++) {
            plan->sources[plan->starts[links[i]]++] = v;
        }
    }
    memmove(plan->starts + 1, plan->starts, count * sizeof *plan->starts);
    plan->starts[0] = 0;
    return true;
}

static struct similar_graph_rows rows_of(const struct similar_graph_plan *plan)
{
    return (struct similar_graph_rows){.graph = plan->graph,
                                       .kernel = plan->set->space.kernel,
                                       .flat = plan->rows,
                                       .norms = plan->norms,
                                       .lifts = plan->lifts};
}

/* What a vertex chooses from: its own links and those who link to it, each once. */
static uint32_t offers_rank(const struct similar_graph_plan *plan, uint32_t vertex,
                            uint64_t *ranked, uint64_t *spare)
{
    const struct similar_kernel *kernel = plan->set->space.kernel;
    uint32_t dim = plan->graph->dim;
    const uint32_t *links = similar_vertex_links(plan->graph, vertex);
    uint32_t own = similar_vertex_of(plan->graph, vertex)->degree;
    uint32_t back = plan->starts[vertex + 1] - plan->starts[vertex];
    const uint32_t *sources = plan->sources + plan->starts[vertex];
    back = back < OFFERED_MAX ? back : OFFERED_MAX;
    int8_t bytes[SIMILAR_DIM_MAX];
    const uint8_t *row = plan->rows + (size_t)vertex * dim;
    int32_t sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        bytes[i] = (int8_t)(row[i] - 128);
        sum += bytes[i];
    }
    for (uint32_t i = 0; i < own + back; i++) {
        uint32_t other = i < own ? links[i] : sources[i - own];
        uint32_t next = i + 4 < own ? links[i + 4] : sources[i + 4 < own + back ? i + 4 - own : 0];
        __builtin_prefetch(plan->rows + (size_t)(own + back > 4 ? next : other) * dim);
        int32_t dot = kernel->dot_row(plan->rows + (size_t)other * dim, bytes, dim) - 128 * sum;
        dot += plan->lifts[vertex] * plan->lifts[other];
        ranked[i] = similar_ranked(plan->norms[vertex] + plan->norms[other] - 2 * dot, other);
    }
    similar_ranked_sort(ranked, spare, own + back);
    uint32_t count = 0;
    for (uint32_t i = 0; i < own + back; i++) {
        if (count == 0 || ranked[i] != ranked[count - 1]) {
            ranked[count++] = ranked[i];
        }
    }
    return count;
}

static void choose_task(void *argument, uint32_t index)
{
    struct similar_graph_plan *plan = argument;
    uint64_t ranked[OFFERED_MAX + SIMILAR_GRAPH_LINKS];
    uint64_t spare[OFFERED_MAX + SIMILAR_GRAPH_LINKS];
    struct similar_graph_rows rows = rows_of(plan);
    uint32_t from = index * TASK_VERTICES;
    uint32_t to = plan->count - from < TASK_VERTICES ? plan->count : from + TASK_VERTICES;
    for (uint32_t v = from; v < to; v++) {
        struct similar_vertex *head = similar_vertex_of(plan->graph, v);
        uint32_t kept;
        uint32_t count = offers_rank(plan, v, ranked, spare);
        head->degree = (uint8_t)similar_graph_prune(&rows, ranked, count, TIGHT / 100.0f,
                                                    similar_vertex_links(plan->graph, v), &kept);
        head->kept = (uint8_t)kept;
    }
}

static bool holds(const uint32_t *links, uint32_t count, uint32_t vertex)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found |= links[i] == vertex;
    }
    return found;
}

/* Puts vertices that few know into free places of their neighbours, nearest first. */
static void unknown_link(const struct similar_graph_plan *plan)
{
    const struct similar_graph *graph = plan->graph;
    for (uint32_t v = 0; v < plan->count; v++) {
        const uint32_t *links = similar_vertex_links(graph, v);
        uint32_t degree = similar_vertex_of(graph, v)->degree;
        for (uint32_t i = 0; i < degree && graph->known[v] < KNOWN_LEAST; i++) {
            struct similar_vertex *to = similar_vertex_of(graph, links[i]);
            uint32_t *places = similar_vertex_links(graph, links[i]);
            if (to->kept < SIMILAR_GRAPH_LINKS && !holds(places, to->kept, v)) {
                places[to->kept++] = v;
                to->degree = to->degree < to->kept ? to->kept : to->degree;
                similar_known_more(graph, v);
            }
        }
    }
}

static uint32_t list_of(const struct similar_graph_plan *plan, uint32_t vertex)
{
    uint32_t low = 0;
    uint32_t high = plan->list_count;
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (plan->first[middle] <= vertex) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Whether any of the links leads into a list. */
static bool reaches(const struct similar_graph_plan *plan, const uint32_t *links, uint32_t count,
                    uint32_t list)
{
    bool found = false;
    for (uint32_t i = 0; i < count; i++) {
        found |= links[i] >= plan->first[list] && links[i] < plan->first[list + 1];
    }
    return found;
}

/* All places of a vertex: kept links, bridges, what else is near. */
static void places_fill(const struct similar_graph_plan *plan, uint32_t vertex)
{
    struct similar_vertex *head = similar_vertex_of(plan->graph, vertex);
    uint32_t *links = similar_vertex_links(plan->graph, vertex);
    const uint32_t *bridges = plan->bridges + (size_t)vertex * SIMILAR_GRAPH_PROBED;
    uint32_t own = list_of(plan, vertex);
    uint32_t rest[SIMILAR_GRAPH_LINKS];
    uint32_t rest_count = head->degree - head->kept;
    uint32_t degree = head->kept;
    memcpy(rest, links + head->kept, rest_count * sizeof *rest);
    for (uint32_t p = 0; p < SIMILAR_GRAPH_PROBED && degree < SIMILAR_GRAPH_LINKS &&
                         degree < (uint32_t)head->kept + BRIDGES_MAX;
         p++) {
        uint32_t list = bridges[p] != SIMILAR_NONE ? list_of(plan, bridges[p]) : own;
        if (list != own && !reaches(plan, links, head->kept, list)) {
            links[degree++] = bridges[p];
        }
    }
    for (uint32_t i = 0; i < rest_count && degree < SIMILAR_GRAPH_LINKS; i++) {
        if (!holds(links, degree, rest[i])) {
            links[degree++] = rest[i];
        }
    }
    head->degree = (uint8_t)degree;
}

static void code_task(void *argument, uint32_t index)
{
    const struct similar_graph_plan *plan = argument;
    uint32_t from = index * TASK_VERTICES;
    uint32_t to = plan->count - from < TASK_VERTICES ? plan->count : from + TASK_VERTICES;
    for (uint32_t v = from; v < to; v++) {
        places_fill(plan, v);
        const struct similar_vertex *head = similar_vertex_of(plan->graph, v);
        const uint32_t *links = similar_vertex_links(plan->graph, v);
        for (uint32_t place = 0; place < head->degree; place++) {
            if (place + 2 < head->degree) {
                __builtin_prefetch(similar_vertex_row(plan->graph, links[place + 2]));
            }
            similar_graph_link(plan->graph, v, place, links[place]);
        }
        similar_graph_close(plan->graph, v, head->degree);
    }
}

enum similar_status similar_graph_weave(struct similar_graph_plan *plan)
{
    uint32_t tasks = (plan->count + TASK_VERTICES - 1) / TASK_VERTICES;
    if (!sources_gather(plan)) {
        return SIMILAR_ERROR_MEMORY;
    }
    similar_run(plan->set, tasks, choose_task, plan);
    similar_graph_known(plan->graph, false);
    unknown_link(plan);
    similar_run(plan->set, tasks, code_task, plan);
    similar_graph_known(plan->graph, true);
    return SIMILAR_OK;
}
