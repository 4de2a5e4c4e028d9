/* SPDX-License-Identifier: Apache-2.0 */
#include "server/model/dense.h"

static int64_t sum_plain(const int32_t *tables, const uint32_t *offsets, size_t columns,
                         const uint8_t *row)
{
    /* Two sums, so that one addition need not wait for the other. */
    int64_t even = 0;
    int64_t odd = 0;
    for (size_t c = 0; c < columns; c += 2) {
        even += tables[offsets[c] + row[c]];
        odd += tables[offsets[c + 1] + row[c + 1]];
    }
    return even + odd;
}

const struct model_kernel model_kernel_plain = {"plain", sum_plain};

const struct model_kernel *const *model_kernels(size_t *count)
{
    static const struct model_kernel *const all[] = {
        &model_kernel_plain,
#ifdef __x86_64__
        &model_kernel_avx2,
        &model_kernel_avx512,
#endif
    };
    *count = 1;
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        *count = 2;
        *count += __builtin_cpu_supports("avx512f") != 0;
    }
#endif
    return all;
}
