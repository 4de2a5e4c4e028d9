/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled with -mavx512f (CMakeLists.txt); runs only where model_kernels has seen it supported. */
#include "server/model/dense.h"

#ifdef __x86_64__
#include <immintrin.h>

static int64_t sum_avx512(const int32_t *tables, const uint32_t *offsets, size_t columns,
                          const uint8_t *row)
{
    __m512i sum = _mm512_setzero_si512();
    for (size_t c = 0; c < columns; c += 16) {
        __m512i codes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)(row + c)));
        __m512i index = _mm512_add_epi32(codes, _mm512_loadu_si512(offsets + c));
        __m512i entries = _mm512_i32gather_epi32(index, tables, 4);
        __m512i low = _mm512_cvtepi32_epi64(_mm512_castsi512_si256(entries));
        __m512i high = _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(entries, 1));
        sum = _mm512_add_epi64(sum, _mm512_add_epi64(low, high));
    }
    return _mm512_reduce_add_epi64(sum);
}

const struct model_kernel model_kernel_avx512 = {"avx512", sum_avx512};
#endif
