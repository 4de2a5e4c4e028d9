/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Neighbours of all vertices, found with the partitions: a vertex is compared with all members of
 * the 16 lists whose centres are nearest to it. That is done list by list: of the vertices of one
 * list most look at the same lists, so 16 of them share each pass over the members.
 *
 * Of each list that a vertex looked at, its nearest member is noted as well: a bridge. On data in
 * clusters all near neighbours lie in the vertex's own, and bridges are the way out.
 *
 * A task that finds no memory says so in the plan and leaves its vertices without links.
 */
#include "server/similar/similar_graph.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOM = 208,     /* candidates before the farthest are dropped */
    SLACK = 6,      /* as many more than wanted may stay: finding the exact number takes longer */
    EQUAL_MAX = 64, /* of those at the limit; with those below fewer than ROOM */
    LOOSE = 115,    /* percent: the first choice of links is of what the second chooses from */
};

/* The nearest of what one vertex was compared with; never more than ROOM. */
struct nearest {
    uint32_t count;
    int32_t limit;
    int32_t distances[ROOM];
    uint32_t vertices[ROOM];
};

static uint32_t count_below(const struct nearest *near, int32_t limit)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < near->count; i++) {
        below += near->distances[i] < limit;
    }
    return below;
}

/* Keeps the `wanted` nearest, and a few more; of many equal ones any. */
static void nearest_shrink(struct nearest *near, uint32_t wanted)
{
    int64_t low = INT32_MAX; /* fewer than wanted are below */
    int64_t high = INT32_MIN;
    for (uint32_t i = 0; i < near->count; i++) {
        low = near->distances[i] < low ? near->distances[i] : low;
        high = near->distances[i] >= high ? (int64_t)near->distances[i] + 1 : high;
    }
    uint32_t below = near->count;
    while (high - low > 1 && below > wanted + SLACK) {
        int64_t middle = (low + high) / 2;
        uint32_t count = count_below(near, (int32_t)middle);
        if (count >= wanted) {
            high = middle;
            below = count;
        } else {
            low = middle;
        }
    }
    /* Those at the limit may be many equal ones: what fits of them stays, and keeps out the rest.
     */
    uint32_t left = 0;
    uint32_t equal = 0;
    for (uint32_t i = 0; i < near->count; i++) {
        bool at_limit = near->distances[i] == high - 1;
        if (near->distances[i] < high && (!at_limit || equal < EQUAL_MAX)) {
            near->distances[left] = near->distances[i];
            near->vertices[left++] = near->vertices[i];
            equal += at_limit;
        }
    }
    near->count = left;
    near->limit = (int32_t)(equal == EQUAL_MAX ? high - 1 : high);
}

/* 16 rows against which others are compared. */
struct sixteen {
    uint32_t count;
    struct nearest *near[16];
    int32_t bases[16]; /* what the row adds to every distance */
    int32_t lifts[16];
    int8_t *bytes; /* interleaved, 16 * dim */
};

static void sixteen_add(struct sixteen *batch, const struct similar_graph_plan *plan,
                        uint32_t vertex, struct nearest *near)
{
    uint32_t dim = plan->graph->dim;
    const uint8_t *row = plan->rows + (size_t)vertex * dim;
    uint32_t slot = batch->count++;
    int32_t sum = 0;
    for (uint32_t i = 0; i < dim; i += 4) {
        uint32_t word;
        memcpy(&word, row + i, sizeof word);
        word ^= 0x80808080U; /* 128 less, as signed bytes */
        memcpy(batch->bytes + (size_t)i * 16 + (size_t)slot * 4, &word, sizeof word);
    }
    for (uint32_t i = 0; i < dim; i++) {
        sum += row[i] - 128;
    }
    batch->near[slot] = near;
    batch->bases[slot] = plan->norms[vertex] + 256 * sum;
    batch->lifts[slot] = plan->lifts[vertex];
}

/* A limit on distances as one on what the kernel compares. */
static int32_t limit_of(const struct sixteen *batch, uint32_t slot)
{
    int64_t limit = (int64_t)batch->near[slot]->limit - batch->bases[slot];
    return limit < INT32_MAX ? (int32_t)limit : INT32_MAX;
}

/* Rows that follow each other, and what belongs to them. */
struct row_span {
    const uint8_t *rows;
    const int32_t *norms;
    const int32_t *lifts;
    uint32_t first;
    uint32_t count;
};

/* Adds the products of lifts to those of rows. */
static void dots_lift(const struct sixteen *batch, const int32_t *lifts, uint32_t count,
                      int32_t *dots)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < 16; j++) {
            dots[16 * i + j] += lifts[i] * batch->lifts[j];
        }
    }
}

/* Compares the batch with rows that follow each other; best[j] is the nearest to each. */
static void sixteen_compare(const struct sixteen *batch, const struct similar_graph_plan *plan,
                            const struct row_span *span, uint32_t wanted, struct similar_near *near)
{
    const int32_t *norms = span->norms;
    uint32_t first = span->first;
    uint32_t count = span->count;
    const struct similar_kernel *kernel = plan->set->space.kernel;
    uint32_t dim = plan->graph->dim;
    for (uint32_t j = 0; j < 16; j++) {
        near->limit[j] = j < batch->count ? limit_of(batch, j) : INT32_MIN;
        near->best[j] = INT32_MAX;
        near->best_at[j] = first;
    }
    for (uint32_t at = 0; at < count; at += SIMILAR_TILE) {
        int32_t dots[256];
        uint16_t masks[16];
        uint32_t tile = count - at < SIMILAR_TILE ? count - at : SIMILAR_TILE;
        kernel->dot_tile16(span->rows + (size_t)at * dim, batch->bytes, 1, dim, dots);
        if (plan->graph->product) {
            dots_lift(batch, span->lifts + at, tile, dots);
        }
        kernel->near_tile16(dots, norms + at, first + at, tile, near, masks);
        for (uint32_t i = 0; i < tile; i++) {
            for (uint32_t mask = masks[i]; mask != 0; mask &= mask - 1) {
                uint32_t j = (uint32_t)__builtin_ctz(mask);
                struct nearest *to = batch->near[j];
                to->distances[to->count] = norms[at + i] - 2 * dots[16 * i + j] + batch->bases[j];
                to->vertices[to->count++] = first + at + i;
                if (to->count == ROOM) {
                    nearest_shrink(to, wanted);
                    near->limit[j] = limit_of(batch, j);
                }
            }
        }
    }
}

/* A list's neighbourhood under way. */
struct nearing {
    struct similar_graph_plan *plan;
    uint32_t first, count; /* vertices of the list */
    struct nearest *near;
    uint32_t *probed;  /* SIMILAR_GRAPH_PROBED lists a vertex, nearest first */
    uint32_t *members; /* those that look at each list, list after list */
    uint32_t *begins;  /* by list, one more than there are */
    struct sixteen batch;
};

static void nearest_clear(struct nearing *work)
{
    for (uint32_t i = 0; i < work->count; i++) {
        work->near[i].count = 0;
        work->near[i].limit = INT32_MAX;
    }
}

static void batch_add(struct nearing *work, uint32_t member)
{
    const struct similar_graph_plan *plan = work->plan;
    sixteen_add(&work->batch, plan, work->first + member, &work->near[member]);
}

/* The ranked content, nearest first; returns how many. */
static uint32_t nearest_ranked(const struct nearest *near, uint32_t without, uint64_t *ranked)
{
    uint64_t spare[ROOM];
    uint32_t count = 0;
    for (uint32_t i = 0; i < near->count; i++) {
        if (near->vertices[i] != without) {
            ranked[count++] = similar_ranked(near->distances[i], near->vertices[i]);
        }
    }
    similar_ranked_sort(ranked, spare, count);
    return count;
}

/* Which lists each member looks at. */
static void lists_choose(struct nearing *work)
{
    const struct similar_graph_plan *plan = work->plan;
    struct similar_near ignored;
    const struct row_span centres = {.rows = plan->centre_rows,
                                     .norms = plan->centre_norms,
                                     .lifts = plan->centre_lifts,
                                     .count = plan->list_count};
    nearest_clear(work);
    for (uint32_t from = 0; from < work->count; from += 16) {
        uint32_t to = from + 16 < work->count ? from + 16 : work->count;
        work->batch.count = 0;
        for (uint32_t i = from; i < to; i++) {
            batch_add(work, i);
        }
        sixteen_compare(&work->batch, plan, &centres, SIMILAR_GRAPH_PROBED, &ignored);
    }
    for (uint32_t i = 0; i < work->count; i++) {
        uint64_t ranked[ROOM];
        uint32_t count = nearest_ranked(&work->near[i], SIMILAR_NONE, ranked);
        for (uint32_t p = 0; p < SIMILAR_GRAPH_PROBED; p++) {
            uint32_t list = p < count ? (uint32_t)ranked[p] : SIMILAR_NONE;
            work->probed[(size_t)i * SIMILAR_GRAPH_PROBED + p] = list;
            work->begins[list != SIMILAR_NONE ? list + 1 : 0]++;
        }
    }
}

/* Members by the lists that they look at. */
static void members_sort(struct nearing *work)
{
    uint32_t lists = work->plan->list_count;
    size_t all = (size_t)work->count * SIMILAR_GRAPH_PROBED;
    work->begins[0] = 0;
    for (uint32_t l = 0; l < lists; l++) {
        work->begins[l + 1] += work->begins[l];
    }
    /* The begin of a list moves to its end while it fills; one shift puts all of them back. */
    for (size_t i = 0; i < all; i++) {
        if (work->probed[i] != SIMILAR_NONE) {
            work->members[work->begins[work->probed[i]]++] = (uint32_t)i;
        }
    }
    memmove(work->begins + 1, work->begins, lists * sizeof *work->begins);
    work->begins[0] = 0;
}

/* Compares all that look at a list with its members. */
static void list_compare(struct nearing *work, uint32_t list)
{
    const struct similar_graph_plan *plan = work->plan;
    uint32_t first = plan->first[list];
    const struct row_span members = {.rows = plan->rows + (size_t)first * plan->graph->dim,
                                     .norms = plan->norms + first,
                                     .lifts = plan->lifts + first,
                                     .first = first,
                                     .count = plan->first[list + 1] - first};
    uint32_t end = work->begins[list + 1];
    for (uint32_t from = work->begins[list]; from < end; from += 16) {
        uint32_t to = from + 16 < end ? from + 16 : end;
        struct similar_near near;
        work->batch.count = 0;
        for (uint32_t i = from; i < to; i++) {
            batch_add(work, work->members[i] / SIMILAR_GRAPH_PROBED);
        }
        sixteen_compare(&work->batch, plan, &members, SIMILAR_GRAPH_NEAREST + 1, &near);
        for (uint32_t i = from; i < to; i++) {
            plan->bridges[(size_t)work->first * SIMILAR_GRAPH_PROBED + work->members[i]] =
                near.best_at[i - from];
        }
    }
}

/* The first links of each member: written to its vertex, places without stay empty. */
static void links_choose(struct nearing *work)
{
    const struct similar_graph_plan *plan = work->plan;
    const struct similar_graph_rows rows = {.graph = plan->graph,
                                            .kernel = plan->set->space.kernel,
                                            .flat = plan->rows,
                                            .norms = plan->norms,
                                            .lifts = plan->lifts};
    for (uint32_t i = 0; i < work->count; i++) {
        uint32_t vertex = work->first + i;
        struct similar_vertex *head = similar_vertex_of(plan->graph, vertex);
        uint64_t ranked[ROOM];
        uint32_t kept;
        uint32_t count = nearest_ranked(&work->near[i], vertex, ranked);
        count = count < SIMILAR_GRAPH_NEAREST ? count : SIMILAR_GRAPH_NEAREST;
        head->degree = (uint8_t)similar_graph_prune(
            &rows, ranked, count, LOOSE / 100.0f, similar_vertex_links(plan->graph, vertex), &kept);
        head->kept = (uint8_t)kept;
    }
}

static bool nearing_allocate(struct nearing *work)
{
    const struct similar_graph_plan *plan = work->plan;
    size_t all = (size_t)work->count * SIMILAR_GRAPH_PROBED;
    work->near = calloc(work->count, sizeof *work->near);
    work->probed = calloc(all, sizeof *work->probed);
    work->members = calloc(all, sizeof *work->members);
    work->begins = calloc((size_t)plan->list_count + 1, sizeof *work->begins);
    work->batch.bytes = calloc(16, plan->graph->dim);
    return work->near != NULL && work->probed != NULL && work->members != NULL &&
           work->begins != NULL && work->batch.bytes != NULL;
}

void similar_graph_near(void *argument, uint32_t index)
{
    struct similar_graph_plan *plan = argument;
    uint32_t list = plan->from + index;
    struct nearing work = {.plan = plan,
                           .first = plan->first[list],
                           .count = plan->first[list + 1] - plan->first[list]};
    if (nearing_allocate(&work)) {
        lists_choose(&work);
        members_sort(&work);
        nearest_clear(&work);
        /* The own list first: its members are nearest, and the limits of the rest tight. */
        list_compare(&work, list);
        for (uint32_t l = 0; l < plan->list_count; l++) {
            if (l != list && work.begins[l + 1] > work.begins[l]) {
                list_compare(&work, l);
            }
        }
        links_choose(&work);
    } else {
        __atomic_store_n(&plan->failed, true, __ATOMIC_RELAXED);
    }
    free(work.near);
    free(work.probed);
    free(work.members);
    free(work.begins);
    free(work.batch.bytes);
}
