/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AMX: 16 rows times 16 queries times 64 dimensions in one instruction. Rows are used where they
 * lie: a tile register loads 16 rows of 64 bytes with a stride. It makes a pass with 16 queries as
 * cheap as the memory allows; AVX-512 is bound by its multiply-adds there.
 */
#include "server/similar/similar_block.h"
#include "server/similar/similar_kernel.h"
#include "server/similar/similar_kernel_avx512_bound.h"
#include "server/similar/similar_nearest_body.h"

/* The operand of LDTILECFG, palette 1. */
struct tile_config {
    uint8_t palette;
    uint8_t start_row;
    uint8_t reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
};
static_assert(sizeof(struct tile_config) == 64, "tile configuration is 64 bytes");

/* Eight registers of 16 rows of 64 bytes, which is every register at its full size. */
static void tiles_configure(void)
{
    struct tile_config config = {.palette = 1};
    for (uint32_t i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

/* out[16 * i + j] = <rows[i], queries[j]>. */
static inline void tile_product(const uint8_t *rows, const int8_t *queries, uint32_t dim,
                                int32_t *out)
{
    _tile_zero(0);
    for (uint32_t k = 0; k < dim; k += 64) {
        _tile_loadd(1, rows + k, dim);
        _tile_loadd(2, queries + (size_t)k * 16, 64);
        _tile_dpbusd(0, 1, 2);
    }
    _tile_stored(0, out, 64);
}

void similar_amx_dot_tile16(const uint8_t *rows, const int8_t *queries, uint32_t groups,
                            uint32_t dim, int32_t *out)
{
    tiles_configure();
    for (uint32_t g = 0; g < groups; g++) {
        tile_product(rows, queries + (size_t)g * 16 * dim, dim, out + (size_t)256 * g);
    }
    _tile_release();
}

void similar_amx_scan_bytes16(const uint8_t *tiles, uint32_t tile_count, const uint8_t *next,
                              const struct similar_bound16 *bound, uint16_t *masks)
{
    struct bound16_lanes lanes = bound16_load(bound);
    size_t tile_bytes = (size_t)16 * bound->dim + 192;
    tiles_configure();
    for (uint32_t t = 0; t < tile_count; t++) {
        const uint8_t *tile = tiles + t * tile_bytes;
        float factors[48];
        int32_t dots[256];
        fetch_tile(tile_ahead(tiles, tile_count, next, t, tile_bytes), tile_bytes);
        memcpy(factors, tile, sizeof factors);
        tile_product(tile + 192, bound->queries, bound->dim, dots);
        for (uint32_t i = 0; i < 16; i++) {
            masks[16 * t + i] = bound16_mask(&lanes, factors, i, _mm512_loadu_si512(dots + 16 * i));
        }
    }
    _tile_release();
}

void similar_amx_nearest_tile(const struct similar_nearest *centres, const uint8_t *rows,
                              const float *row_steps, uint32_t *nearest)
{
    nearest_body(similar_amx_dot_tile16, centres, rows, row_steps, nearest);
}
