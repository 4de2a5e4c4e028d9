/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx2 (CMakeLists.txt); runs only where model_strong_kernels has seen it
 * supported. */
#include "server/model/strong.h"

#ifdef __x86_64__
#include <immintrin.h>

static int64_t spread_avx2(const int32_t *tables, const uint32_t *offsets, size_t columns,
                           const uint8_t *row, int32_t *entries)
{
    __m256i sum = _mm256_setzero_si256();
    for (size_t c = 0; c < columns; c += 8) {
        __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(row + c)));
        __m256i index = _mm256_add_epi32(codes, _mm256_loadu_si256((const void *)(offsets + c)));
        __m256i found = _mm256_i32gather_epi32(tables, index, 4);
        __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(found));
        __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(found, 1));
        _mm256_storeu_si256((void *)(entries + c), found);
        sum = _mm256_add_epi64(sum, _mm256_add_epi64(low, high));
    }
    int64_t parts[4];
    _mm256_storeu_si256((void *)parts, sum);
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

/* The largest of the lanes, in all lanes. */
static __m256i largest_of(__m256i lanes)
{
    lanes = _mm256_max_epi32(lanes, _mm256_permute2x128_si256(lanes, lanes, 1));
    lanes = _mm256_max_epi32(lanes, _mm256_shuffle_epi32(lanes, _MM_SHUFFLE(1, 0, 3, 2)));
    return _mm256_max_epi32(lanes, _mm256_shuffle_epi32(lanes, _MM_SHUFFLE(2, 3, 0, 1)));
}

/* As threshold of strong.c, at least 1. */
static __m256i threshold(__m256i lanes, unsigned k)
{
    __m256i largest = largest_of(lanes);
    for (unsigned round = 1; round < k; round++) {
        lanes = _mm256_andnot_si256(_mm256_cmpeq_epi32(lanes, largest), lanes);
        largest = largest_of(lanes);
    }
    return _mm256_max_epi32(largest, _mm256_set1_epi32(1));
}

static void mark_avx2(const int32_t *entries, size_t columns, unsigned most, uint16_t *marks)
{
    const __m256i one = _mm256_set1_epi32(1);
    const __m256i zero = _mm256_setzero_si256();
    __m256i high = one; /* an entry at or above it is marked */
    __m256i low = one;  /* one whose negative is at or above it */
    if (most <= MODEL_STRONG_MOST) {
        __m256i largest = zero; /* of each lane; what is not positive does not matter */
        __m256i smallest = zero;
        for (size_t c = 0; c < columns; c += 8) {
            __m256i found = _mm256_loadu_si256((const void *)(entries + c));
            largest = _mm256_max_epi32(largest, found);
            smallest = _mm256_min_epi32(smallest, found);
        }
        high = threshold(largest, most);
        low = threshold(_mm256_sub_epi32(zero, smallest), most);
    }
    high = _mm256_sub_epi32(high, one);
    low = _mm256_sub_epi32(one, low);
    for (size_t step = 0; step < columns / MODEL_STRONG_STEP; step++) {
        unsigned bits = 0;
        for (unsigned half = 0; half < 2; half++) {
            const int32_t *at = entries + step * MODEL_STRONG_STEP + half * (size_t)8;
            __m256i found = _mm256_loadu_si256((const void *)at);
            __m256i strong =
                _mm256_or_si256(_mm256_cmpgt_epi32(found, high), _mm256_cmpgt_epi32(low, found));
            bits |= (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(strong)) << 8 * half;
        }
        marks[step] = (uint16_t)bits;
    }
}

const struct model_strong_kernel model_strong_avx2 = {"avx2", spread_avx2, mark_avx2};
#endif
