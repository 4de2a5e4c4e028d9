/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which neighbours a vertex links to. Many near ones lie in one direction, and a walk that comes to
 * the nearest of them finds the others from there; a link behind another is of little use. So
 * candidates are taken in order of distance, and one that lies much nearer to a link than to the
 * vertex is passed over (the rule of relative neighbourhoods, loosened by alpha). Equal vectors are
 * no exception: of those at distance zero one is kept, and places stay for other directions.
 */
#include "server/similar/similar_graph.h"

#include <string.h>

enum { RUN = 8 };

static void run_sort(uint64_t *ranked, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint64_t moving = ranked[i];
        uint32_t at = i;
        for (; at > 0 && moving < ranked[at - 1]; at--) {
            ranked[at] = ranked[at - 1];
        }
        ranked[at] = moving;
    }
}

static void runs_merge(const uint64_t *from, uint32_t left, uint32_t right, uint64_t *to)
{
    uint32_t a = 0;
    uint32_t b = left;
    for (uint32_t at = 0; at < left + right; at++) {
        bool first = b == left + right || (a < left && from[a] <= from[b]);
        to[at] = first ? from[a] : from[b];
        a += first;
        b += !first;
    }
}

/* Short runs in place, then merged pairwise to and fro. */
void similar_ranked_sort(uint64_t *ranked, uint64_t *spare, uint32_t count)
{
    uint64_t *from = ranked;
    uint64_t *to = spare;
    for (uint32_t at = 0; at < count; at += RUN) {
        run_sort(ranked + at, count - at < RUN ? count - at : RUN);
    }
    for (uint32_t width = RUN; width < count; width *= 2) {
        for (uint32_t at = 0; at < count; at += 2 * width) {
            uint32_t left = count - at < width ? count - at : width;
            uint32_t rest = count - at - left;
            runs_merge(from + at, left, rest < width ? rest : width, to + at);
        }
        uint64_t *swap = from;
        from = to;
        to = swap;
    }
    if (from != ranked) {
        memcpy(ranked, from, count * sizeof *ranked);
    }
}

/* Links that were kept, as 16 interleaved queries a group. */
struct links_kept {
    uint32_t count;
    int32_t norms[SIMILAR_GRAPH_LINKS]; /* with the correction of rows that are 128 above */
    int32_t lifts[SIMILAR_GRAPH_LINKS];
    int8_t bytes[SIMILAR_GRAPH_LINKS * SIMILAR_DIM_MAX];
};

/* One of the vertices that are chosen from. */
struct offer {
    const uint8_t *row;
    int32_t norm;
    int32_t lift;
};

static struct offer offer_of(const struct similar_graph_rows *rows, uint32_t vertex)
{
    if (rows->flat != NULL) {
        return (struct offer){.row = rows->flat + (size_t)vertex * rows->graph->dim,
                              .norm = rows->norms[vertex],
                              .lift = rows->lifts[vertex]};
    }
    const struct similar_vertex *head = similar_vertex_of(rows->graph, vertex);
    return (struct offer){
        .row = similar_vertex_row(rows->graph, vertex), .norm = head->norm, .lift = head->lift};
}

static void kept_add(struct links_kept *kept, const struct offer *offer, uint32_t dim)
{
    const uint8_t *row = offer->row;
    uint32_t slot = kept->count % 16;
    int8_t *group = kept->bytes + (size_t)(kept->count / 16) * 16 * dim;
    int32_t sum = 0;
    for (uint32_t i = 0; i < dim; i += 4) {
        uint32_t word;
        memcpy(&word, row + i, sizeof word);
        word ^= 0x80808080U; /* 128 less, as signed bytes */
        memcpy(group + (size_t)i * 16 + (size_t)slot * 4, &word, sizeof word);
    }
    for (uint32_t i = 0; i < dim; i++) {
        sum += row[i] - 128;
    }
    kept->lifts[kept->count] = offer->lift;
    kept->norms[kept->count++] = offer->norm + 256 * sum;
}

/* Whether a row lies behind one that was kept: within `reach` of it. */
static bool lies_behind(const struct links_kept *kept, const struct similar_graph_rows *rows,
                        const struct offer *offer, int32_t reach)
{
    int32_t dots[SIMILAR_GRAPH_LINKS];
    uint32_t dim = rows->graph->dim;
    bool behind = false;
    for (uint32_t from = 0; from < kept->count && !behind; from += 16) {
        uint32_t to = from + 16 < kept->count ? from + 16 : kept->count;
        rows->kernel->dot_groups(offer->row, kept->bytes + (size_t)from * dim, 1, dim, dots);
        for (uint32_t i = from; i < to; i++) {
            int32_t dot = dots[i - from] + offer->lift * kept->lifts[i];
            behind |= offer->norm + kept->norms[i] - 2 * dot <= reach;
        }
    }
    return behind;
}

uint32_t similar_graph_prune(const struct similar_graph_rows *rows, const uint64_t *ranked,
                             uint32_t count, float alpha, uint32_t *links, uint32_t *kept_count)
{
    struct links_kept kept;
    uint32_t rest[SIMILAR_GRAPH_LINKS];
    uint32_t rest_count = 0;
    kept.count = 0;
    for (uint32_t i = 0; i < count && kept.count < SIMILAR_GRAPH_LINKS; i++) {
        struct offer offer = offer_of(rows, (uint32_t)ranked[i]);
        if (i + 4 < count) {
            uint32_t later = (uint32_t)ranked[i + 4];
            __builtin_prefetch(rows->flat != NULL ? rows->flat + (size_t)later * rows->graph->dim
                                                  : similar_vertex_row(rows->graph, later));
        }
        int32_t reach = (int32_t)((float)(ranked[i] >> 32) / alpha);
        if (!lies_behind(&kept, rows, &offer, reach)) {
            links[kept.count] = (uint32_t)ranked[i];
            kept_add(&kept, &offer, rows->graph->dim);
        } else if (rest_count < SIMILAR_GRAPH_LINKS) {
            rest[rest_count++] = (uint32_t)ranked[i];
        }
    }
    uint32_t degree = kept.count;
    for (uint32_t i = 0; i < rest_count && degree < SIMILAR_GRAPH_LINKS; i++) {
        links[degree++] = rest[i];
    }
    *kept_count = kept.count;
    return degree;
}
