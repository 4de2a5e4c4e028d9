/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removed accounts leave vertices that walks pass through for nothing. Once one in eight is such a
 * vertex, a pass frees them: every other vertex gives up its links to them, each for the nearest of
 * those that stood behind it; then nothing leads there any more, entries move to what lies beside
 * them, and their places are free for accounts to come.
 *
 * A pass goes over the vertices twice, in slices, between which accounts come and go and queries
 * are answered. It frees what was removed when it began: what is removed meanwhile waits for the
 * next. Nothing links anew to a removed vertex, so what was passed needs no second look, and
 * whatever can still be come to keeps its place.
 *
 * Stored, a free vertex is one without an account and without links that nobody links to. A pass
 * that a stop cut short leaves vertices that are merely removed.
 *
 * Cost: about 3 microseconds a link that is given up, and a look at each vertex.
 */
#include "server/similar/similar_graph.h"

#include <stdlib.h>
#include <string.h>

enum {
    DUE_PART = 8,      /* one of so many places is of a removed account */
    DUE_LEAST = 32,    /* fewer are not worth a pass */
    SLICE_LINKS = 128, /* given up: below half a millisecond */
    SLICE_LOOKS = 4096,
};

static bool bit_of(const uint64_t *bits, uint32_t vertex)
{
    return (bits[vertex / 64] >> vertex % 64 & 1) != 0;
}

bool similar_graph_mend_due(const struct similar_set *set)
{
    const struct similar_graph *graph = set->graph;
    return graph != NULL && !graph->lost &&
           (graph->leaving != NULL ||
            (graph->removed_count >= DUE_LEAST && graph->removed_count * DUE_PART >= graph->count));
}

/* Notes who is to leave. False: no memory. */
static bool pass_begin(struct similar_graph *graph)
{
    uint64_t *free_now = calloc(graph->count / 64 + 1, sizeof *free_now);
    uint64_t *leaving = calloc(graph->count / 64 + 1, sizeof *leaving);
    if (free_now == NULL || leaving == NULL) {
        free(free_now);
        free(leaving);
        return false;
    }
    for (uint32_t i = 0; i < graph->free_count; i++) {
        free_now[graph->free[i] / 64] |= (uint64_t)1 << graph->free[i] % 64;
    }
    for (uint32_t v = 0; v < graph->count; v++) {
        bool gone = similar_vertex_of(graph, v)->id == SIMILAR_ID_NONE && !bit_of(free_now, v);
        leaving[v / 64] |= (uint64_t)gone << v % 64;
    }
    free(free_now);
    graph->leaving = leaving;
    graph->mend_count = graph->count;
    graph->mend_at = 0;
    graph->freeing = false;
    return true;
}

static void pass_end(struct similar_graph *graph)
{
    free(graph->leaving);
    graph->leaving = NULL;
}

static bool leaves(const struct similar_graph *graph, uint32_t vertex)
{
    return vertex < graph->mend_count && bit_of(graph->leaving, vertex);
}

/* The row of a vertex as a query of rows. */
struct asker {
    uint32_t vertex;
    int32_t sum;
    int8_t bytes[SIMILAR_DIM_MAX];
};

static void asker_init(const struct similar_graph *graph, uint32_t vertex, struct asker *asker)
{
    const uint8_t *row = similar_vertex_row(graph, vertex);
    asker->vertex = vertex;
    asker->sum = 0;
    for (uint32_t i = 0; i < graph->dim; i++) {
        asker->bytes[i] = (int8_t)(row[i] - 128);
        asker->sum += asker->bytes[i];
    }
}

/* The nearest to a vertex of those that one of its links links to; SIMILAR_NONE: all are known. */
static uint32_t behind(const struct similar_set *set, const struct asker *asker, uint32_t gone)
{
    const struct similar_graph *graph = set->graph;
    const struct similar_vertex *own = similar_vertex_of(graph, asker->vertex);
    const uint32_t *links = similar_vertex_links(graph, asker->vertex);
    const uint32_t *others = similar_vertex_links(graph, gone);
    uint64_t best = UINT64_MAX;
    for (uint32_t i = 0; i < similar_vertex_of(graph, gone)->degree; i++) {
        __builtin_prefetch(similar_vertex_row(graph, others[i]));
        __builtin_prefetch(similar_vertex_of(graph, others[i]));
    }
    for (uint32_t i = 0; i < similar_vertex_of(graph, gone)->degree; i++) {
        const struct similar_vertex *other = similar_vertex_of(graph, others[i]);
        bool known = others[i] == asker->vertex || other->id == SIMILAR_ID_NONE;
        for (uint32_t j = 0; j < own->degree; j++) {
            known |= links[j] == others[i];
        }
        if (!known) {
            int32_t dot = set->space.kernel->dot_row(similar_vertex_row(graph, others[i]),
                                                     asker->bytes, graph->dim) -
                          128 * asker->sum + own->lift * other->lift;
            uint64_t ranked = similar_ranked(own->norm + other->norm - 2 * dot, others[i]);
            best = ranked < best ? ranked : best;
        }
    }
    return best != UINT64_MAX ? (uint32_t)best : SIMILAR_NONE;
}

/* Takes a link away: the last of the kept ones, or of all, takes its place. */
static void link_drop(const struct similar_graph *graph, uint32_t vertex, uint32_t place)
{
    struct similar_vertex *head = similar_vertex_of(graph, vertex);
    const uint32_t *links = similar_vertex_links(graph, vertex);
    if (place < head->kept) {
        uint32_t last = --head->kept;
        similar_graph_link(graph, vertex, place, links[last]);
        place = last;
    }
    uint32_t last = --head->degree;
    similar_graph_link(graph, vertex, place, links[last]);
    similar_graph_close(graph, vertex, head->degree);
}

/* Gives up the links of a vertex to those that leave. False: its block may not be changed. */
static bool vertex_mend(const struct similar_set *set, uint32_t vertex, uint32_t *given_up)
{
    const struct similar_graph *graph = set->graph;
    bool writable = false;
    struct asker asker;
    for (uint32_t place = 0; place < similar_vertex_of(graph, vertex)->degree;) {
        uint32_t gone = similar_vertex_links(graph, vertex)[place];
        if (!leaves(graph, gone)) {
            place++;
            continue;
        }
        if (!writable) {
            writable = similar_graph_write(set, vertex);
            if (!writable) {
                return false;
            }
            asker_init(graph, vertex, &asker);
        }
        uint32_t to = behind(set, &asker, gone);
        similar_known_less(graph, gone);
        if (to != SIMILAR_NONE) {
            similar_graph_link(graph, vertex, place, to);
            similar_known_more(graph, to);
        } else {
            link_drop(graph, vertex, place);
        }
        ++*given_up;
    }
    return true;
}

/* Any vertex that has an account, for want of better; SIMILAR_NONE: there is none. */
static uint32_t any_living(const struct similar_graph *graph)
{
    for (uint32_t v = 0; v < graph->count; v++) {
        if (similar_vertex_of(graph, v)->id != SIMILAR_ID_NONE) {
            return v;
        }
    }
    return SIMILAR_NONE;
}

/* Entries that leave make way for the nearest that they link to. False: no memory, or nobody. */
static bool entries_mend(struct similar_graph *graph)
{
    uint32_t left = 0;
    for (uint32_t e = 0; e < graph->entry_count; e++) {
        uint32_t entry = graph->entries[e];
        if (leaves(graph, entry)) {
            const uint32_t *links = similar_vertex_links(graph, entry);
            uint32_t degree = similar_vertex_of(graph, entry)->degree;
            uint32_t place = 0;
            while (place < degree &&
                   similar_vertex_of(graph, links[place])->id == SIMILAR_ID_NONE) {
                place++;
            }
            entry = place < degree ? links[place] : SIMILAR_NONE;
        }
        if (entry != SIMILAR_NONE) {
            graph->entries[left++] = entry;
        }
    }
    if (left == 0) {
        graph->entries[left++] = any_living(graph);
    }
    graph->entry_count = left;
    return graph->entries[0] != SIMILAR_NONE && similar_graph_enter(graph);
}

/* A place that nothing leads to. False: no memory, or its block may not be changed. */
static bool vertex_free(const struct similar_set *set, uint32_t vertex)
{
    struct similar_graph *graph = set->graph;
    if (!similar_graph_write(set, vertex) || !similar_graph_release(graph, vertex)) {
        return false;
    }
    struct similar_vertex *head = similar_vertex_of(graph, vertex);
    const uint32_t *links = similar_vertex_links(graph, vertex);
    for (uint32_t i = 0; i < head->degree; i++) {
        similar_known_less(graph, links[i]);
    }
    head->degree = 0;
    head->kept = 0;
    similar_graph_close(graph, vertex, 0);
    graph->removed_count--;
    return true;
}

/* One slice of the pass under way. */
static bool slice_mend(const struct similar_set *set)
{
    struct similar_graph *graph = set->graph;
    uint32_t work = 0;
    uint32_t end = graph->mend_count - graph->mend_at < SLICE_LOOKS ? graph->mend_count
                                                                    : graph->mend_at + SLICE_LOOKS;
    for (; graph->mend_at < end && work < SLICE_LINKS; graph->mend_at++) {
        bool gone = leaves(graph, graph->mend_at);
        bool good = true;
        if (graph->freeing && gone) {
            good = vertex_free(set, graph->mend_at);
            work++;
        } else if (!graph->freeing && !gone) {
            good = vertex_mend(set, graph->mend_at, &work);
        }
        if (!good) {
            return false;
        }
    }
    if (graph->mend_at < graph->mend_count) {
        return true;
    }
    if (graph->freeing) {
        pass_end(graph);
        return true;
    }
    graph->freeing = true;
    graph->mend_at = 0;
    return entries_mend(graph);
}

bool similar_graph_mend(const struct similar_set *set)
{
    struct similar_graph *graph = set->graph;
    if (!similar_graph_mend_due(set)) {
        return false;
    }
    if (!(graph->leaving != NULL ? slice_mend(set) : pass_begin(graph))) {
        /* As any change that finds no memory. */
        pass_end(graph);
        graph->lost = true;
    }
    return true;
}
