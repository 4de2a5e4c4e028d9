/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AVX2. Bytes are widened to 16 bits before they are multiplied: the byte instruction saturates
 * at 255 * 127 * 2, and a saturated sum would not equal the oracle's.
 */
#include "server/similar/similar_block.h"
#include "server/similar/similar_kernel.h"
#include "server/similar/similar_nearest_body.h"
#include "server/similar/similar_rotate_body.h"

#include <immintrin.h>

static inline __m256i load(const void *bytes)
{
    return _mm256_loadu_si256((const __m256i *)bytes);
}

static inline __m256i load_half(const void *bytes)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)bytes));
}

static inline __m256i load_half_unsigned(const void *bytes)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)bytes));
}

static inline int32_t sum_of_8(__m256i sum)
{
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
    four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
    return _mm_cvtsi128_si32(four);
}

static int32_t avx2_dot_row(const uint8_t *row, const int8_t *query, uint32_t dim)
{
    __m256i a = _mm256_setzero_si256();
    __m256i b = _mm256_setzero_si256();
    for (uint32_t k = 0; k < dim; k += 32) {
        a = _mm256_add_epi32(a,
                             _mm256_madd_epi16(load_half_unsigned(row + k), load_half(query + k)));
        b = _mm256_add_epi32(
            b, _mm256_madd_epi16(load_half_unsigned(row + k + 16), load_half(query + k + 16)));
    }
    return sum_of_8(_mm256_add_epi32(a, b));
}

static void avx2_dot_tile(const uint8_t *rows, const int8_t *query, uint32_t dim, int32_t *out)
{
    for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
        out[i] = avx2_dot_row(rows + (size_t)i * dim, query, dim);
    }
}

/*
 * Four interleaved queries' four bytes become sixteen 16-bit numbers; a multiply-add leaves two
 * partial sums a query, which the caller joins at the end.
 */
static inline __m256i four_wide(const uint8_t *bytes)
{
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return _mm256_cvtepu8_epi16(_mm_set1_epi32(word));
}

static inline void dot_group(const uint8_t *row, const int8_t *group, uint32_t dim, int32_t *out)
{
    __m256i sum[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                      _mm256_setzero_si256()};
    for (uint32_t k = 0; k < dim; k += 4) {
        __m256i part = four_wide(row + k);
        for (uint32_t i = 0; i < 4; i++) {
            __m256i queries = load_half(group + (size_t)k * 16 + 16 * i);
            sum[i] = _mm256_add_epi32(sum[i], _mm256_madd_epi16(part, queries));
        }
    }
    for (uint32_t i = 0; i < 4; i += 2) {
        __m256i joined = _mm256_hadd_epi32(sum[i], sum[i + 1]);
        joined = _mm256_permute4x64_epi64(joined, 0xd8);
        _mm256_storeu_si256((__m256i *)(void *)(out + 4 * i), joined);
    }
}

static void avx2_dot_groups(const uint8_t *row, const int8_t *queries, uint32_t groups,
                            uint32_t dim, int32_t *out)
{
    for (uint32_t g = 0; g < groups; g++) {
        dot_group(row, queries + (size_t)g * 16 * dim, dim, out + 16 * g);
    }
}

static void avx2_dot_tile16(const uint8_t *rows, const int8_t *queries, uint32_t groups,
                            uint32_t dim, int32_t *out)
{
    for (uint32_t g = 0; g < groups; g++) {
        for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
            dot_group(rows + (size_t)i * dim, queries + (size_t)g * 16 * dim, dim,
                      out + 256 * g + 16 * i);
        }
    }
}

/* Half a line: two lanes of 16 places, low and high nibbles. */
static inline __m256i look_up(const uint8_t *codes, const uint8_t *table)
{
    const __m256i low = _mm256_set1_epi8(15);
    __m256i code = load(codes);
    __m256i a = _mm256_shuffle_epi8(load(table), _mm256_and_si256(code, low));
    __m256i b =
        _mm256_shuffle_epi8(load(table + 64), _mm256_and_si256(_mm256_srli_epi16(code, 4), low));
    return _mm256_add_epi8(a, b);
}

static inline __m256 bfloat_lanes(const uint8_t *halves)
{
    __m128i half = _mm_loadu_si128((const __m128i *)(const void *)halves);
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}

static inline __m256 estimate_half(__m128i sums, const uint8_t *factors,
                                   const struct similar_estimate *estimate)
{
    __m256 value = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums));
    value = _mm256_mul_ps(value, _mm256_set1_ps(estimate->alpha));
    value = _mm256_add_ps(value, _mm256_set1_ps(estimate->beta));
    value = _mm256_mul_ps(value, bfloat_lanes(factors + 32));
    return _mm256_add_ps(value, bfloat_lanes(factors));
}

static inline void estimate_tile(const uint8_t *tile, const struct similar_estimate *estimate,
                                 __m256 *first, __m256 *second)
{
    uint32_t dim = estimate->dim;
    __m256i even = _mm256_setzero_si256();
    __m256i odd = _mm256_setzero_si256();
    for (uint32_t line = 0; line < dim / 32; line++) {
        const uint8_t *codes = tile + (size_t)64 * line;
        const uint8_t *table = estimate->table + (size_t)128 * line;
        __m256i sum = _mm256_add_epi8(look_up(codes, table), look_up(codes + 32, table + 32));
        even = _mm256_add_epi16(even, _mm256_and_si256(sum, _mm256_set1_epi16(255)));
        odd = _mm256_add_epi16(odd, _mm256_srli_epi16(sum, 8));
    }
    const uint8_t *factors = tile + (size_t)2 * dim;
    *first = estimate_half(
        _mm_add_epi16(_mm256_castsi256_si128(even), _mm256_extracti128_si256(even, 1)), factors,
        estimate);
    *second =
        estimate_half(_mm_add_epi16(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1)),
                      factors + 16, estimate);
}

static void avx2_score_codes(const uint8_t *tile, const struct similar_estimate *estimate,
                             float *out)
{
    __m256 first;
    __m256 second;
    estimate_tile(tile, estimate, &first, &second);
    _mm256_storeu_ps(out, first);
    _mm256_storeu_ps(out + 8, second);
}

static inline uint32_t at_least(__m256 value, __m256 least)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(value, least, _CMP_GE_OQ));
}

static uint32_t avx2_score_pair(const uint8_t *tiles, const struct similar_estimate *estimate,
                                float threshold, float *out)
{
    __m256 least = _mm256_set1_ps(threshold);
    uint32_t mask = 0;
    for (uint32_t t = 0; t < 2; t++) {
        __m256 first;
        __m256 second;
        estimate_tile(tiles + t * ((size_t)2 * estimate->dim + 64), estimate, &first, &second);
        _mm256_storeu_ps(out + (size_t)16 * t, first);
        _mm256_storeu_ps(out + (size_t)16 * t + 8, second);
        mask |= (at_least(first, least) | at_least(second, least) << 8) << 16 * t;
    }
    return mask;
}

/* Eight of the 16 queries, from `half` on: see near_tile16. */
static inline uint32_t near_half(__m256i distance, uint32_t at, struct similar_near *near,
                                 uint32_t half)
{
    __m256i best = load(near->best + half);
    __m256i nearer = _mm256_cmpgt_epi32(best, distance);
    __m256i within = _mm256_cmpgt_epi32(load(near->limit + half), distance);
    __m256i where =
        _mm256_blendv_epi8(load(near->best_at + half), _mm256_set1_epi32((int32_t)at), nearer);
    _mm256_storeu_si256((__m256i *)(void *)(near->best + half),
                        _mm256_blendv_epi8(best, distance, nearer));
    _mm256_storeu_si256((__m256i *)(void *)(near->best_at + half), where);
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(within)) << half;
}

static void avx2_near_tile16(const int32_t *dots, const int32_t *norms, uint32_t first,
                             uint32_t rows, struct similar_near *near, uint16_t *masks)
{
    for (uint32_t i = 0; i < rows; i++) {
        __m256i norm = _mm256_set1_epi32(norms[i]);
        const int32_t *row = dots + (size_t)16 * i;
        __m256i low = _mm256_sub_epi32(norm, _mm256_slli_epi32(load(row), 1));
        __m256i high = _mm256_sub_epi32(norm, _mm256_slli_epi32(load(row + 8), 1));
        masks[i] =
            (uint16_t)(near_half(low, first + i, near, 0) | near_half(high, first + i, near, 8));
    }
}

static void avx2_scan_codes(const uint8_t *tiles, uint32_t tile_count,
                            const struct similar_estimate *estimate, float threshold,
                            uint16_t *masks)
{
    size_t tile_bytes = (size_t)2 * estimate->dim + 64;
    __m256 least = _mm256_set1_ps(threshold);
    for (uint32_t t = 0; t < tile_count; t++) {
        __m256 first;
        __m256 second;
        estimate_tile(tiles + t * tile_bytes, estimate, &first, &second);
        masks[t] = (uint16_t)(at_least(first, least) | at_least(second, least) << 8);
    }
}

static uint16_t avx2_scan_bytes(const uint8_t *tile, const uint8_t *ahead,
                                const struct similar_bound *bound, float threshold)
{
    (void)ahead; /* Arithmetic bounds this kernel, not memory. */
    float factors[48];
    int32_t dots[SIMILAR_TILE];
    uint32_t mask = 0;
    memcpy(factors, tile, sizeof factors);
    avx2_dot_tile(tile + sizeof factors, bound->query, bound->dim, dots);
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

/* Bit j: the bound of one place for query 8 h + j, h = `half`, reaches its threshold. */
static inline uint32_t bound_half(const struct similar_bound16 *bound, const int32_t *dots,
                                  const float *factors, uint32_t place, uint32_t half)
{
    uint32_t at = 8 * half;
    __m256i sum = _mm256_sub_epi32(load(dots + at), load(bound->correction + at));
    __m256 dot = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), _mm256_loadu_ps(bound->alpha + at));
    dot = _mm256_mul_ps(dot, _mm256_set1_ps(factors[2 * place]));
    __m256 width =
        _mm256_mul_ps(_mm256_set1_ps(factors[32 + place]), _mm256_loadu_ps(bound->width + at));
    __m256 value =
        _mm256_add_ps(_mm256_set1_ps(factors[2 * place + 1]), _mm256_loadu_ps(bound->offset + at));
    value = _mm256_add_ps(value, dot);
    value = _mm256_add_ps(value, width);
    return at_least(value, _mm256_loadu_ps(bound->threshold + at)) << at;
}

static void avx2_scan_bytes16(const uint8_t *tiles, uint32_t tile_count, const uint8_t *next,
                              const struct similar_bound16 *bound, uint16_t *masks)
{
    (void)next;
    size_t tile_bytes = (size_t)16 * bound->dim + 192;
    for (uint32_t t = 0; t < tile_count; t++) {
        const uint8_t *tile = tiles + t * tile_bytes;
        float factors[48];
        memcpy(factors, tile, sizeof factors);
        for (uint32_t i = 0; i < SIMILAR_TILE; i++) {
            int32_t dots[16];
            dot_group(tile + 192 + (size_t)i * bound->dim, bound->queries, bound->dim, dots);
            masks[16 * t + i] = (uint16_t)(bound_half(bound, dots, factors, i, 0) |
                                           bound_half(bound, dots, factors, i, 1));
        }
    }
}

static inline double halve_lanes(const __m256d *sum)
{
    __m256d four = _mm256_add_pd(_mm256_add_pd(sum[0], sum[2]), _mm256_add_pd(sum[1], sum[3]));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

static inline __m256d four_doubles(const float *x)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(x));
}

static double avx2_dot_pair(const float *x, const float *y, uint32_t count)
{
    __m256d sum[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(),
                      _mm256_setzero_pd()};
    for (uint32_t i = 0; i < count; i += 16) {
        for (uint32_t j = 0; j < 4; j++) {
            sum[j] =
                _mm256_fmadd_pd(four_doubles(x + i + 4 * j), four_doubles(y + i + 4 * j), sum[j]);
        }
    }
    return halve_lanes(sum);
}

static double avx2_distance_pair(const float *x, const float *y, uint32_t count)
{
    __m256d sum[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(),
                      _mm256_setzero_pd()};
    for (uint32_t i = 0; i < count; i += 16) {
        for (uint32_t j = 0; j < 4; j++) {
            __m256d gap = _mm256_sub_pd(four_doubles(x + i + 4 * j), four_doubles(y + i + 4 * j));
            sum[j] = _mm256_add_pd(sum[j], _mm256_mul_pd(gap, gap));
        }
    }
    return halve_lanes(sum);
}

static void avx2_nearest_tile(const struct similar_nearest *centres, const uint8_t *rows,
                              const float *row_steps, uint32_t *nearest)
{
    nearest_body(avx2_dot_tile16, centres, rows, row_steps, nearest);
}

static void avx2_rotate(const float *signs, float *x, float *spare, uint32_t dim)
{
    rotate_body(signs, x, spare, dim);
}

const struct similar_kernel similar_kernel_avx2 = {
    .name = "avx2",
    .dot_tile = avx2_dot_tile,
    .dot_tile16 = avx2_dot_tile16,
    .nearest_tile = avx2_nearest_tile,
    .dot_groups = avx2_dot_groups,
    .dot_row = avx2_dot_row,
    .scan_codes = avx2_scan_codes,
    .score_codes = avx2_score_codes,
    .score_pair = avx2_score_pair,
    .near_tile16 = avx2_near_tile16,
    .scan_bytes = avx2_scan_bytes,
    .scan_bytes16 = avx2_scan_bytes16,
    .dot_pair = avx2_dot_pair,
    .distance_pair = avx2_distance_pair,
    .rotate = avx2_rotate,
};
