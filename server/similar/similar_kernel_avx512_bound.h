/* SPDX-License-Identifier: Apache-2.0 */
/* The floating point end of the 16-query scan, shared by the AVX-512 and AMX kernels. */
#ifndef ICP_SIMILAR_KERNEL_AVX512_BOUND_H
#define ICP_SIMILAR_KERNEL_AVX512_BOUND_H

#include "server/similar/similar_kernel.h"

#include <immintrin.h>
#include <string.h>

/*
 * Asks for a tile. Rows are read in an order that the hardware does not foresee. Asking for memory
 * that is not there does no harm.
 */
static inline void fetch_tile(const uint8_t *tile, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 64) {
        _mm_prefetch((const char *)(uintptr_t)tile + at, _MM_HINT_T0);
    }
}

/* The tile to fetch while tile t of `count` is in hand. */
static inline const uint8_t *tile_ahead(const uint8_t *tiles, uint32_t count, const uint8_t *next,
                                        uint32_t t, size_t tile_bytes)
{
    uint32_t at = t + similar_tiles_ahead(tile_bytes);
    return at < count ? tiles + at * tile_bytes : next + (at - count) * tile_bytes;
}

/* What stays in registers over a whole chunk: one lane per query. */
struct bound16_lanes {
    __m512i correction;
    __m512 alpha;
    __m512 offset;
    __m512 width;
    __m512 threshold;
};

static inline struct bound16_lanes bound16_load(const struct similar_bound16 *bound)
{
    return (struct bound16_lanes){
        .correction = _mm512_loadu_si512(bound->correction),
        .alpha = _mm512_loadu_ps(bound->alpha),
        .offset = _mm512_loadu_ps(bound->offset),
        .width = _mm512_loadu_ps(bound->width),
        .threshold = _mm512_loadu_ps(bound->threshold),
    };
}

/* The mask of one place: `factors` are the tile's pairs and errors, `dots` its 16 dot products. */
static inline uint16_t bound16_mask(const struct bound16_lanes *lanes, const float *factors,
                                    uint32_t place, __m512i dots)
{
    __m512 dot = _mm512_cvtepi32_ps(_mm512_sub_epi32(dots, lanes->correction));
    dot = _mm512_mul_ps(dot, lanes->alpha);
    dot = _mm512_mul_ps(dot, _mm512_set1_ps(factors[2 * place]));
    __m512 width = _mm512_mul_ps(_mm512_set1_ps(factors[32 + place]), lanes->width);
    __m512 value = _mm512_add_ps(_mm512_set1_ps(factors[2 * place + 1]), lanes->offset);
    value = _mm512_add_ps(value, dot);
    value = _mm512_add_ps(value, width);
    return (uint16_t)_mm512_cmp_ps_mask(value, lanes->threshold, _CMP_GE_OQ);
}

#endif
