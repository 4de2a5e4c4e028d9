/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512 with VNNI: 64 multiply-adds of bytes per instruction. */
#include "server/similar/similar_block.h"
#include "server/similar/similar_kernel.h"
#include "server/similar/similar_kernel_avx512_bound.h"
#include "server/similar/similar_nearest_body.h"
#include "server/similar/similar_rotate_body.h"

/* Adds neighbouring accumulators until one register holds the 16 sums of 16 registers, in order. */
static inline __m512i sums_of_16(__m512i *sum)
{
    for (uint32_t i = 0; i < 8; i++) {
        __m512i low = _mm512_unpacklo_epi32(sum[2 * i], sum[2 * i + 1]);
        __m512i high = _mm512_unpackhi_epi32(sum[2 * i], sum[2 * i + 1]);
        sum[i] = _mm512_add_epi32(low, high);
    }
    for (uint32_t i = 0; i < 4; i++) {
        __m512i low = _mm512_unpacklo_epi64(sum[2 * i], sum[2 * i + 1]);
        __m512i high = _mm512_unpackhi_epi64(sum[2 * i], sum[2 * i + 1]);
        sum[i] = _mm512_add_epi32(low, high);
    }
    /* Each sum[i] now has, in every 128-bit lane, a quarter of the sums of rows 4i .. 4i + 3. */
    __m512i a = _mm512_add_epi32(_mm512_shuffle_i64x2(sum[0], sum[1], 0x88),
                                 _mm512_shuffle_i64x2(sum[0], sum[1], 0xdd));
    __m512i b = _mm512_add_epi32(_mm512_shuffle_i64x2(sum[2], sum[3], 0x88),
                                 _mm512_shuffle_i64x2(sum[2], sum[3], 0xdd));
    return _mm512_add_epi32(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xdd));
}

static inline __m512i dot_tile_lanes(const uint8_t *rows, const int8_t *query, uint32_t dim)
{
    __m512i sum[16];
    __m512i first = _mm512_loadu_si512(query);
    for (uint32_t i = 0; i < 16; i++) {
        sum[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(),
                                     _mm512_loadu_si512(rows + (size_t)i * dim), first);
    }
    for (uint32_t k = 64; k < dim; k += 64) {
        __m512i part = _mm512_loadu_si512(query + k);
        for (uint32_t i = 0; i < 16; i++) {
            sum[i] =
                _mm512_dpbusd_epi32(sum[i], _mm512_loadu_si512(rows + (size_t)i * dim + k), part);
        }
    }
    return sums_of_16(sum);
}

static void avx512_dot_tile(const uint8_t *rows, const int8_t *query, uint32_t dim, int32_t *out)
{
    _mm512_storeu_si512(out, dot_tile_lanes(rows, query, dim));
}

static inline __m512i four_bytes(const uint8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return _mm512_set1_epi32(word);
}

/* One accumulator per row, one lane per query: rows are broadcast four bytes at a time. */
static inline void dot_tile16_lanes(const uint8_t *rows, const int8_t *queries, uint32_t dim,
                                    __m512i *sum)
{
    for (uint32_t i = 0; i < 16; i++) {
        sum[i] = _mm512_setzero_si512();
    }
    for (uint32_t k = 0; k < dim; k += 4) {
        __m512i part = _mm512_loadu_si512(queries + (size_t)k * 16);
        for (uint32_t i = 0; i < 16; i++) {
            sum[i] = _mm512_dpbusd_epi32(sum[i], four_bytes(rows + (size_t)i * dim + k), part);
        }
    }
}

static void avx512_dot_tile16(const uint8_t *rows, const int8_t *queries, uint32_t groups,
                              uint32_t dim, int32_t *out)
{
    for (uint32_t g = 0; g < groups; g++) {
        __m512i sum[16];
        dot_tile16_lanes(rows, queries + (size_t)g * 16 * dim, dim, sum);
        for (uint32_t i = 0; i < 16; i++) {
            _mm512_storeu_si512(out + 256 * g + 16 * i, sum[i]);
        }
    }
}

static void avx512_dot_groups(const uint8_t *row, const int8_t *queries, uint32_t groups,
                              uint32_t dim, int32_t *out)
{
    /* Four groups at once hide the latency of the multiply-add. */
    size_t step = (size_t)16 * dim;
    uint32_t g = 0;
    for (; g + 4 <= groups; g += 4) {
        const int8_t *at = queries + g * step;
        __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                          _mm512_setzero_si512()};
        for (uint32_t k = 0; k < dim; k += 4) {
            __m512i part = four_bytes(row + k);
            for (uint32_t i = 0; i < 4; i++) {
                sum[i] = _mm512_dpbusd_epi32(sum[i], part,
                                             _mm512_loadu_si512(at + i * step + (size_t)k * 16));
            }
        }
        for (uint32_t i = 0; i < 4; i++) {
            _mm512_storeu_si512(out + 16 * (g + i), sum[i]);
        }
    }
    for (; g < groups; g++) {
        __m512i sum = _mm512_setzero_si512();
        for (uint32_t k = 0; k < dim; k += 4) {
            sum = _mm512_dpbusd_epi32(sum, four_bytes(row + k),
                                      _mm512_loadu_si512(queries + g * step + (size_t)k * 16));
        }
        _mm512_storeu_si512(out + 16 * g, sum);
    }
}

static int32_t avx512_dot_row(const uint8_t *row, const int8_t *query, uint32_t dim)
{
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t k = 0; k < dim; k += 64) {
        sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(row + k), _mm512_loadu_si512(query + k));
    }
    return _mm512_reduce_add_epi32(sum);
}

/*
 * Looks up two lines (64 dimensions) and adds the four results as bytes, 4 * 63 < 256; then even
 * and odd bytes go to 16-bit sums.
 */
static inline void look_up_pair(const uint8_t *codes, const uint8_t *table, __m512i *even,
                                __m512i *odd)
{
    const __m512i low = _mm512_set1_epi8(15);
    __m512i a = _mm512_loadu_si512(codes);
    __m512i b = _mm512_loadu_si512(codes + 64);
    __m512i s = _mm512_shuffle_epi8(_mm512_loadu_si512(table), _mm512_and_si512(a, low));
    __m512i t = _mm512_shuffle_epi8(_mm512_loadu_si512(table + 64),
                                    _mm512_and_si512(_mm512_srli_epi16(a, 4), low));
    __m512i u = _mm512_shuffle_epi8(_mm512_loadu_si512(table + 128), _mm512_and_si512(b, low));
    __m512i v = _mm512_shuffle_epi8(_mm512_loadu_si512(table + 192),
                                    _mm512_and_si512(_mm512_srli_epi16(b, 4), low));
    __m512i sum = _mm512_add_epi8(_mm512_add_epi8(s, t), _mm512_add_epi8(u, v));
    *even = _mm512_add_epi16(*even, _mm512_and_si512(sum, _mm512_set1_epi16(255)));
    *odd = _mm512_add_epi16(*odd, _mm512_srli_epi16(sum, 8));
}

static inline __m512 bfloat_lanes(const uint8_t *halves)
{
    __m256i half = _mm256_loadu_si256((const __m256i *)(const void *)halves);
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}

/* The estimates of the 16 places of one tile. */
static inline __m512 estimate_lanes(const uint8_t *tile, const struct similar_estimate *estimate)
{
    uint32_t dim = estimate->dim;
    __m512i even = _mm512_setzero_si512();
    __m512i odd = _mm512_setzero_si512();
    for (uint32_t k = 0; k < dim; k += 64) {
        look_up_pair(tile + (size_t)2 * k, estimate->table + (size_t)4 * k, &even, &odd);
    }
    __m512i half = _mm512_add_epi16(_mm512_shuffle_i64x2(even, odd, 0x44),
                                    _mm512_shuffle_i64x2(even, odd, 0xee));
    __m512i swap = _mm512_shuffle_i64x2(half, half, 0xb1);
    half = _mm512_add_epi16(half, swap);
    __m256i sums = _mm512_castsi512_si256(_mm512_shuffle_i64x2(half, half, 0x08));
    __m512 value = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums));
    value = _mm512_mul_ps(value, _mm512_set1_ps(estimate->alpha));
    value = _mm512_add_ps(value, _mm512_set1_ps(estimate->beta));
    value = _mm512_mul_ps(value, bfloat_lanes(tile + (size_t)2 * dim + 32));
    return _mm512_add_ps(value, bfloat_lanes(tile + (size_t)2 * dim));
}

static void avx512_score_codes(const uint8_t *tile, const struct similar_estimate *estimate,
                               float *out)
{
    _mm512_storeu_ps(out, estimate_lanes(tile, estimate));
}

static uint32_t avx512_score_pair(const uint8_t *tiles, const struct similar_estimate *estimate,
                                  float threshold, float *out)
{
    struct similar_estimate local = *estimate;
    __m512 least = _mm512_set1_ps(threshold);
    __m512 low = estimate_lanes(tiles, &local);
    __m512 high = estimate_lanes(tiles + (size_t)2 * local.dim + 64, &local);
    _mm512_storeu_ps(out, low);
    _mm512_storeu_ps(out + 16, high);
    return (uint32_t)_mm512_cmp_ps_mask(low, least, _CMP_GE_OQ) |
           (uint32_t)_mm512_cmp_ps_mask(high, least, _CMP_GE_OQ) << 16;
}

static void avx512_near_tile16(const int32_t *dots, const int32_t *norms, uint32_t first,
                               uint32_t rows, struct similar_near *near, uint16_t *masks)
{
    __m512i limit = _mm512_loadu_si512(near->limit);
    __m512i best = _mm512_loadu_si512(near->best);
    __m512i best_at = _mm512_loadu_si512(near->best_at);
    for (uint32_t i = 0; i < rows; i++) {
        __m512i twice = _mm512_slli_epi32(_mm512_loadu_si512(dots + (size_t)16 * i), 1);
        __m512i distance = _mm512_sub_epi32(_mm512_set1_epi32(norms[i]), twice);
        masks[i] = (uint16_t)_mm512_cmplt_epi32_mask(distance, limit);
        __mmask16 nearer = _mm512_cmplt_epi32_mask(distance, best);
        best = _mm512_mask_mov_epi32(best, nearer, distance);
        best_at = _mm512_mask_mov_epi32(best_at, nearer, _mm512_set1_epi32((int32_t)(first + i)));
    }
    _mm512_storeu_si512(near->best, best);
    _mm512_storeu_si512(near->best_at, best_at);
}

static void avx512_scan_codes(const uint8_t *tiles, uint32_t tile_count,
                              const struct similar_estimate *estimate, float threshold,
                              uint16_t *masks)
{
    struct similar_estimate local = *estimate;
    size_t tile_bytes = (size_t)2 * local.dim + 64;
    __m512 least = _mm512_set1_ps(threshold);
    for (uint32_t t = 0; t < tile_count; t++) {
        __m512 value = estimate_lanes(tiles + t * tile_bytes, &local);
        masks[t] = (uint16_t)_mm512_cmp_ps_mask(value, least, _CMP_GE_OQ);
    }
}

static uint16_t avx512_scan_bytes(const uint8_t *tile, const uint8_t *ahead,
                                  const struct similar_bound *bound, float threshold)
{
    const __m512i even =
        _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    const __m512i odd = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    fetch_tile(ahead, (size_t)16 * bound->dim + 192);
    __m512 first = _mm512_loadu_ps(tile);
    __m512 second = _mm512_loadu_ps(tile + 64);
    __m512 scale = _mm512_permutex2var_ps(first, even, second);
    __m512 base = _mm512_permutex2var_ps(first, odd, second);
    __m512i dots = dot_tile_lanes(tile + 192, bound->query, bound->dim);
    dots = _mm512_sub_epi32(dots, _mm512_set1_epi32(bound->correction));
    __m512 dot = _mm512_mul_ps(_mm512_cvtepi32_ps(dots), _mm512_set1_ps(bound->alpha));
    dot = _mm512_mul_ps(dot, scale);
    __m512 width = _mm512_mul_ps(_mm512_loadu_ps(tile + 128), _mm512_set1_ps(bound->width));
    __m512 value = _mm512_add_ps(base, _mm512_set1_ps(bound->offset));
    value = _mm512_add_ps(value, dot);
    value = _mm512_add_ps(value, width);
    return (uint16_t)_mm512_cmp_ps_mask(value, _mm512_set1_ps(threshold), _CMP_GE_OQ);
}

static void avx512_scan_bytes16(const uint8_t *tiles, uint32_t tile_count, const uint8_t *next,
                                const struct similar_bound16 *bound, uint16_t *masks)
{
    struct bound16_lanes lanes = bound16_load(bound);
    size_t tile_bytes = (size_t)16 * bound->dim + 192;
    for (uint32_t t = 0; t < tile_count; t++) {
        const uint8_t *tile = tiles + t * tile_bytes;
        float factors[48];
        __m512i sum[16];
        fetch_tile(tile_ahead(tiles, tile_count, next, t, tile_bytes), tile_bytes);
        memcpy(factors, tile, sizeof factors);
        dot_tile16_lanes(tile + 192, bound->queries, bound->dim, sum);
        for (uint32_t i = 0; i < 16; i++) {
            masks[16 * t + i] = bound16_mask(&lanes, factors, i, sum[i]);
        }
    }
}

static inline double halve_lanes(__m512d low, __m512d high)
{
    __m512d eight = _mm512_add_pd(low, high);
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

static inline __m512d eight_doubles(const float *x)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(x));
}

static double avx512_dot_pair(const float *x, const float *y, uint32_t count)
{
    __m512d low = _mm512_setzero_pd();
    __m512d high = _mm512_setzero_pd();
    for (uint32_t i = 0; i < count; i += 16) {
        /* The product is exact in double: fusing it with the addition changes nothing. */
        low = _mm512_fmadd_pd(eight_doubles(x + i), eight_doubles(y + i), low);
        high = _mm512_fmadd_pd(eight_doubles(x + i + 8), eight_doubles(y + i + 8), high);
    }
    return halve_lanes(low, high);
}

static double avx512_distance_pair(const float *x, const float *y, uint32_t count)
{
    __m512d low = _mm512_setzero_pd();
    __m512d high = _mm512_setzero_pd();
    for (uint32_t i = 0; i < count; i += 16) {
        __m512d a = _mm512_sub_pd(eight_doubles(x + i), eight_doubles(y + i));
        __m512d b = _mm512_sub_pd(eight_doubles(x + i + 8), eight_doubles(y + i + 8));
        low = _mm512_add_pd(low, _mm512_mul_pd(a, a));
        high = _mm512_add_pd(high, _mm512_mul_pd(b, b));
    }
    return halve_lanes(low, high);
}

static void avx512_nearest_tile(const struct similar_nearest *centres, const uint8_t *rows,
                                const float *row_steps, uint32_t *nearest)
{
    nearest_body(avx512_dot_tile16, centres, rows, row_steps, nearest);
}

static void avx512_rotate(const float *signs, float *x, float *spare, uint32_t dim)
{
    rotate_body(signs, x, spare, dim);
}

const struct similar_kernel similar_kernel_avx512 = {
    .name = "avx512",
    .dot_tile = avx512_dot_tile,
    .dot_tile16 = avx512_dot_tile16,
    .nearest_tile = avx512_nearest_tile,
    .dot_groups = avx512_dot_groups,
    .dot_row = avx512_dot_row,
    .scan_codes = avx512_scan_codes,
    .score_codes = avx512_score_codes,
    .score_pair = avx512_score_pair,
    .near_tile16 = avx512_near_tile16,
    .scan_bytes = avx512_scan_bytes,
    .scan_bytes16 = avx512_scan_bytes16,
    .dot_pair = avx512_dot_pair,
    .distance_pair = avx512_distance_pair,
    .rotate = avx512_rotate,
};
