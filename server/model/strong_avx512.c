/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx512f (CMakeLists.txt); runs only where model_strong_kernels has seen it
 * supported. */
#include "server/model/strong.h"

#ifdef __x86_64__
#include <immintrin.h>

static int64_t spread_avx512(const int32_t *tables, const uint32_t *offsets, size_t columns,
                             const uint8_t *row, int32_t *entries)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t c = 0; c < columns; c += 16) {
        __m512i codes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(row + c)));
        __m512i index = _mm512_add_epi32(codes, _mm512_loadu_si512(offsets + c));
        __m512i found = _mm512_i32gather_epi32(index, tables, 4);
        __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(found));
        __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(found, 1));
        _mm512_storeu_si512(entries + c, found);
        sum = _mm512_add_epi64(sum, _mm512_add_epi64(low, high));
    }
    return _mm512_reduce_add_epi64(sum);
}

/* As threshold of strong.c, at least 1. */
static __m512i threshold(__m512i lanes, unsigned k)
{
    int32_t largest = _mm512_reduce_max_epi32(lanes);
    for (unsigned round = 1; round < k; round++) {
        __mmask16 below = _mm512_cmplt_epi32_mask(lanes, _mm512_set1_epi32(largest));
        lanes = _mm512_maskz_mov_epi32(below, lanes);
        largest = _mm512_reduce_max_epi32(lanes);
    }
    return _mm512_set1_epi32(largest > 1 ? largest : 1);
}

static void mark_avx512(const int32_t *entries, size_t columns, unsigned most, uint16_t *marks)
{
    const __m512i zero = _mm512_setzero_si512();
    __m512i high = _mm512_set1_epi32(1);
    __m512i low = high;
    if (most <= MODEL_STRONG_MOST) {
        __m512i largest = zero; /* of each lane; what is not positive does not matter */
        __m512i smallest = zero;
        for (size_t c = 0; c < columns; c += 16) {
            __m512i found = _mm512_loadu_si512(entries + c);
            largest = _mm512_max_epi32(largest, found);
            smallest = _mm512_min_epi32(smallest, found);
        }
        high = threshold(largest, most);
        low = threshold(_mm512_sub_epi32(zero, smallest), most);
    }
    low = _mm512_sub_epi32(zero, low);
    for (size_t step = 0; step < columns / MODEL_STRONG_STEP; step++) {
        __m512i found = _mm512_loadu_si512(entries + step * MODEL_STRONG_STEP);
        marks[step] =
            (uint16_t)(_mm512_cmpge_epi32_mask(found, high) | _mm512_cmple_epi32_mask(found, low));
    }
}

const struct model_strong_kernel model_strong_avx512 = {"avx512", spread_avx512, mark_avx512};
#endif
