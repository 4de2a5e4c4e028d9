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

/* Eight signs as the bits of a byte; each of `signs` is 0 or 1. */
static uint8_t eight_bits(const uint8_t *signs)
{
    uint64_t bytes;
    memcpy(&bytes, signs, sizeof bytes);
    return (uint8_t)(bytes * 0x0102040810204080u >> 56);
}

/* Eight dimensions are two nibbles of one byte of a tile: see similar_block.h. */
static void signs_put(uint8_t *tile, uint32_t slot, const uint8_t *signs, uint32_t dim)
{
    uint32_t byte = slot < 8 ? 2 * slot : 2 * (slot - 8) + 1;
    for (uint32_t eight = 0; eight < dim / 8; eight++) {
        tile[(size_t)eight * 16 + byte] = eight_bits(signs + (size_t)eight * 8);
    }
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
        int16_t r = (int16_t)(to_row[i] - from_row[i]);
        int16_t c = (int16_t)(from_row[i] - 128);
        spread += r < 0 ? -r : r;
        square += r * r;
        through += r > 0 ? c : -c;
        along += r * c;
        signs[i] = r > 0;
    }
    signs_put(tile, place % SIMILAR_TILE, signs, graph->dim);
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
    if (!graph->product || aim->product) {
        return;
    }
    for (uint32_t i = 0; i < SIMILAR_GRAPH_LINKS; i++) {
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
