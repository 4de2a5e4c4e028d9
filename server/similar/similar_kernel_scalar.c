/* SPDX-License-Identifier: Apache-2.0 */
/* The oracle: what every other kernel file must equal to the bit. */
#include "server/similar/similar_block.h"
#include "server/similar/similar_kernel.h"
#include "server/similar/similar_nearest_body.h"
#include "server/similar/similar_rotate_body.h"

static int32_t scalar_dot_row(const uint8_t *row, const int8_t *query, uint32_t dim)
{
    int32_t sum = 0;
    for (uint32_t i = 0; i < dim; i++) {
        sum += row[i] * query[i];
    }
    return sum;
}

static void scalar_dot_tile(const uint8_t *rows, const int8_t *query, uint32_t dim, int32_t *out)
{
    for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
        out[i] = scalar_dot_row(rows + (size_t)i * dim, query, dim);
    }
}

static void scalar_dot_groups(const uint8_t *row, const int8_t *queries, uint32_t groups,
                              uint32_t dim, int32_t *out)
{
    for (uint32_t g = 0; g < groups; g++) {
        const int8_t *group = queries + (size_t)g * 16 * dim;
        for (uint32_t j = 0; j < 16; j++) {
            int32_t sum = 0;
            for (uint32_t i = 0; i < dim; i++) {
                sum += row[i] * group[(i / 4) * 64 + j * 4 + i % 4];
            }
            out[g * 16 + j] = sum;
        }
    }
}

static void scalar_dot_tile16(const uint8_t *rows, const int8_t *queries, uint32_t groups,
                              uint32_t dim, int32_t *out)
{
    for (uint32_t g = 0; g < groups; g++) {
        for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
            scalar_dot_groups(rows + (size_t)i * dim, queries + (size_t)g * 16 * dim, 1, dim,
                              out + 256 * g + 16 * i);
        }
    }
}

/* The nibbles of place `place`, looked up and added. */
static uint32_t scalar_look_up(const uint8_t *codes, const uint8_t *table, uint32_t dim,
                               uint32_t place)
{
    uint32_t byte = place < 8 ? 2 * place : 2 * (place - 8) + 1;
    uint32_t sum = 0;
    for (uint32_t line = 0; line < dim / 32; line++) {
        const uint8_t *low = table + (size_t)line * 128;
        const uint8_t *high = low + 64;
        for (uint32_t lane = 0; lane < 64; lane += 16) {
            uint8_t code = codes[(size_t)line * 64 + lane + byte];
            sum += low[lane + (code & 15)];
            sum += high[lane + (code >> 4)];
        }
    }
    return sum;
}

static float scalar_bfloat(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void scalar_score_codes(const uint8_t *tile, const struct similar_estimate *estimate,
                               float *out)
{
    uint16_t factors[32];
    memcpy(factors, tile + (size_t)2 * estimate->dim, sizeof factors);
    for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
        float sum = (float)scalar_look_up(tile, estimate->table, estimate->dim, i);
        float value = sum * estimate->alpha;
        value = value + estimate->beta;
        value = value * scalar_bfloat(factors[16 + i]);
        out[i] = value + scalar_bfloat(factors[i]);
    }
}

static void scalar_scan_codes(const uint8_t *tiles, uint32_t tile_count,
                              const struct similar_estimate *estimate, float threshold,
                              uint16_t *masks)
{
    size_t tile_bytes = (size_t)2 * estimate->dim + 64;
    for (uint32_t t = 0; t < tile_count; t++) {
        float value[SIMILAR_TILE];
        uint32_t mask = 0;
        scalar_score_codes(tiles + t * tile_bytes, estimate, value);
        for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
            mask |= (uint32_t)(value[i] >= threshold) << i;
        }
        masks[t] = (uint16_t)mask;
    }
}

static uint32_t scalar_score_pair(const uint8_t *tiles, const struct similar_estimate *estimate,
                                  float threshold, float *out)
{
    uint32_t mask = 0;
    scalar_score_codes(tiles, estimate, out);
    scalar_score_codes(tiles + (size_t)2 * estimate->dim + 64, estimate, out + SIMILAR_TILE);
    for (uint32_t i = 0; i < 2 * SIMILAR_TILE; i++) {
        mask |= (uint32_t)(out[i] >= threshold) << i;
    }
    return mask;
}

static void scalar_near_tile16(const int32_t *dots, const int32_t *norms, uint32_t first,
                               uint32_t rows, struct similar_near *near, uint16_t *masks)
{
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t mask = 0;
        for (uint32_t j = 0; j < 16; j++) {
            int32_t distance = norms[i] - 2 * dots[16 * i + j];
            mask |= (uint32_t)(distance < near->limit[j]) << j;
            if (distance < near->best[j]) {
                near->best[j] = distance;
                near->best_at[j] = first + i;
            }
        }
        masks[i] = (uint16_t)mask;
    }
}

static uint16_t scalar_scan_bytes(const uint8_t *tile, const uint8_t *ahead,
                                  const struct similar_bound *bound, float threshold)
{
    (void)ahead;
    float factors[48];
    int32_t dots[SIMILAR_TILE];
    uint32_t mask = 0;
    memcpy(factors, tile, sizeof factors);
    scalar_dot_tile(tile + sizeof factors, bound->query, bound->dim, dots);
    for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
        float dot = (float)(dots[i] - bound->correction) * bound->alpha;
        dot = dot * factors[2 * i];
        float width = factors[32 + i] * bound->width;
        float value = factors[2 * i + 1] + bound->offset;
        value = value + dot;
        value = value + width;
        mask |= (uint32_t)(value >= threshold) << i;
    }
    return (uint16_t)mask;
}

static void scalar_scan_bytes16(const uint8_t *tiles, uint32_t tile_count, const uint8_t *next,
                                const struct similar_bound16 *bound, uint16_t *masks)
{
    (void)next;
    size_t tile_bytes = (size_t)16 * bound->dim + 192;
    for (uint32_t i = 0; i < tile_count * SIMILAR_TILE; i++) {
        const uint8_t *tile = tiles + i / SIMILAR_TILE * tile_bytes;
        uint32_t place = i % SIMILAR_TILE;
        float factors[48];
        int32_t dots[16];
        uint32_t mask = 0;
        memcpy(factors, tile, sizeof factors);
        scalar_dot_groups(tile + sizeof factors + (size_t)place * bound->dim, bound->queries, 1,
                          bound->dim, dots);
        for (uint32_t j = 0; j < 16; j++) {
            float dot = (float)(dots[j] - bound->correction[j]) * bound->alpha[j];
            dot = dot * factors[2 * place];
            float width = factors[32 + place] * bound->width[j];
            float value = factors[2 * place + 1] + bound->offset[j];
            value = value + dot;
            value = value + width;
            mask |= (uint32_t)(value >= bound->threshold[j]) << j;
        }
        masks[i] = (uint16_t)mask;
    }
}

static double scalar_halve(double *lanes)
{
    for (uint32_t width = 8; width > 0; width /= 2) {
        for (uint32_t i = 0; i < width; i++) {
            lanes[i] += lanes[i + width];
        }
    }
    return lanes[0];
}

static double scalar_dot_pair(const float *x, const float *y, uint32_t count)
{
    double lanes[16] = {0};
    for (uint32_t i = 0; i < count; i++) {
        /* The product of two floats is exact in double, so a fused kernel rounds the same. */
        lanes[i % 16] += (double)x[i] * (double)y[i];
    }
    return scalar_halve(lanes);
}

static double scalar_distance_pair(const float *x, const float *y, uint32_t count)
{
    double lanes[16] = {0};
    for (uint32_t i = 0; i < count; i++) {
        double gap = (double)x[i] - (double)y[i];
        lanes[i % 16] += gap * gap;
    }
    return scalar_halve(lanes);
}

static void scalar_nearest_tile(const struct similar_nearest *centres, const uint8_t *rows,
                                const float *row_steps, uint32_t *nearest)
{
    nearest_body(scalar_dot_tile16, centres, rows, row_steps, nearest);
}

static void scalar_rotate(const float *signs, float *x, float *spare, uint32_t dim)
{
    rotate_body(signs, x, spare, dim);
}

const struct similar_kernel similar_kernel_scalar = {
    .name = "scalar",
    .dot_tile = scalar_dot_tile,
    .dot_tile16 = scalar_dot_tile16,
    .nearest_tile = scalar_nearest_tile,
    .dot_groups = scalar_dot_groups,
    .dot_row = scalar_dot_row,
    .scan_codes = scalar_scan_codes,
    .score_codes = scalar_score_codes,
    .score_pair = scalar_score_pair,
    .near_tile16 = scalar_near_tile16,
    .scan_bytes = scalar_scan_bytes,
    .scan_bytes16 = scalar_scan_bytes16,
    .dot_pair = scalar_dot_pair,
    .distance_pair = scalar_distance_pair,
    .rotate = scalar_rotate,
};
