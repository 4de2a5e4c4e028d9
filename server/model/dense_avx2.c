/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx2 (CMakeLists.txt); runs only where model_kernels has seen it supported. */
#include "server/model/dense.h"

#ifdef __x86_64__
#include <immintrin.h>

static int64_t sum_avx2(const int32_t *tables, const uint32_t *offsets, size_t columns,
                        const uint8_t *row)
{
    __m256i sum = _mm256_setzero_si256();
    for (size_t c = 0; c < columns; c += 8) {
        __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)(row + c)));
        __m256i index = _mm256_add_epi32(codes, _mm256_loadu_si256((const void *)(offsets + c)));
        __m256i entries = _mm256_i32gather_epi32(tables, index, 4);
        __m256i low = _mm256_cvtepi32_epi64(_mm256_castsi256_si128(entries));
        __m256i high = _mm256_cvtepi32_epi64(_mm256_extracti128_si256(entries, 1));
        sum = _mm256_add_epi64(sum, _mm256_add_epi64(low, high));
    }
    int64_t parts[4];
    _mm256_storeu_si256((void *)parts, sum);
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
}

const struct model_kernel model_kernel_avx2 = {"avx2", sum_avx2};
#endif
