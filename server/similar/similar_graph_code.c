/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link's code: the signs of neighbour less vertex, four dimensions a nibble, and the two factors
 * that make an estimate of it. All sums but the factors themselves are whole numbers, so the bytes
 * are the same on every machine. Two equal vertices have a residual of zero: then the factors are
 * zero, and the estimate is the distance of the vertex itself.
 */
#include "server/similar/similar_graph.h"

#include <math.h>
#include <string.h>

/* The place of a nibble in a tile: see similar_block.h. */
static void nibble_put(uint8_t *tile, uint32_t group, uint32_t slot, uint32_t nibble)
{
    uint32_t byte = slot < 8 ? 2 * slot : 2 * (slot - 8) + 1;
    uint8_t *at = tile + (size_t)(group / 8) * 64 + (size_t)(group % 8 / 2) * 16 + byte;
    *at = group % 2 == 0 ? (uint8_t)((*at & 0xf0) | nibble) : (uint8_t)((*at & 0x0f) | nibble << 4);
}

static void factors_put(const struct similar_graph *graph, uint32_t vertex, uint32_t place,
                        float add, float rescale)
{
    uint8_t *tile = similar_vertex_tiles(graph, vertex) +
                    place / SIMILAR_TILE * ((size_t)2 * graph->dim + 64) + (size_t)2 * graph->dim;
    uint16_t halves[2] = {similar_bfloat(add), similar_bfloat(rescale)};
    memcpy(tile + place % SIMILAR_TILE * 2, &halves[0], sizeof halves[0]);
    memcpy(tile + 32 + place % SIMILAR_TILE * 2, &halves[1], sizeof halves[1]);
}

/* Of the bytes that lifts of neighbours are kept as. */
static float lift_unit(const struct similar_graph *graph)
{
    return graph->longest > 0 ? sqrtf((float)graph->longest) / 255 : 1;
}

void similar_graph_link(const struct similar_graph *graph, uint32_t vertex, uint32_t place,
                        uint32_t to)
{
    const uint8_t *from_row = similar_vertex_row(graph, vertex);
    const uint8_t *to_row = similar_vertex_row(graph, to);
    uint8_t *tile =
        similar_vertex_tiles(graph, vertex) + place / SIMILAR_TILE * ((size_t)2 * graph->dim + 64);
    int32_t spread = 0;  /* sum |r| */
    int32_t square = 0;  /* |r|^2 */
    int32_t through = 0; /* S(c) */
    int32_t along = 0;   /* <c, r> */
    uint8_t signs[SIMILAR_DIM_MAX];
    for (uint32_t i = 0; i < graph->dim; i++) {
        int32_t r = to_row[i] - from_row[i];
        int32_t c = from_row[i] - 128;
        spread += r < 0 ? -r : r;
        square += r * r;
        through += r > 0 ? c : -c;
        along += r * c;
        signs[i] = r > 0;
    }
    for (uint32_t group = 0; group < graph->dim / 4; group++) {
        const uint8_t *four = signs + (size_t)group * 4;
        nibble_put(tile, group, place % SIMILAR_TILE,
                   (uint32_t)(four[0] | four[1] << 1 | four[2] << 2 | four[3] << 3));
    }
    float rho = spread > 0 ? (float)square / (float)spread : 0.0f;
    float own = graph->product ? 2 * (float)along : -(float)square;
    factors_put(graph, vertex, place, own - 2 * rho * (float)through, 2 * rho);
    similar_vertex_of(graph, vertex)->lifts[place] =
        (uint8_t)lrintf((float)similar_vertex_of(graph, to)->lift / lift_unit(graph));
    similar_vertex_links(graph, vertex)[place] = to;
}

float similar_link_rise(const struct similar_graph *graph, uint32_t vertex, uint32_t place)
{
    const struct similar_vertex *head = similar_vertex_of(graph, vertex);
    return (float)head->lifts[place] * lift_unit(graph) - (float)head->lift;
}

/*
 * A code of a product estimates 2 <q, r>. Of vertices among themselves |q - c|^2 - |q - w|^2 is
 * wanted, lifts included: all are about equally long, so 2 (lift of q) (rise of the link) is
 * missing.
 */
void similar_values_lift(const struct similar_graph *graph, const struct similar_aim *aim,
                         uint32_t vertex, float *values)
{
    for (uint32_t i = 0; graph->product && i < SIMILAR_GRAPH_LINKS; i++) {
        values[i] += 2 * (float)aim->lift * similar_link_rise(graph, vertex, i);
    }
}

void similar_graph_close(const struct similar_graph *graph, uint32_t vertex, uint32_t degree)
{
    for (uint32_t place = degree; place < SIMILAR_GRAPH_LINKS; place++) {
        similar_vertex_links(graph, vertex)[place] = vertex;
        factors_put(graph, vertex, place, -INFINITY, 0);
    }
}
