/* SPDX-License-Identifier: Apache-2.0 */
#include "server/model/strong.h"

static int64_t spread_plain(const int32_t *tables, const uint32_t *offsets, size_t columns,
                            const uint8_t *row, int32_t *entries)
{
    int64_t sum = 0;
    for (size_t c = 0; c < columns; c++) {
        entries[c] = tables[offsets[c] + row[c]];
        sum += entries[c];
    }
    return sum;
}

/* The k-th largest of `count` numbers from 0 on, equal ones counted once: never above the k-th
 * largest. 0 if there are fewer. */
static int32_t threshold(const int32_t *numbers, size_t count, unsigned k)
{
    int32_t below = INT32_MAX;
    for (unsigned round = 0; round < k; round++) {
        int32_t largest = 0;
        for (size_t i = 0; i < count; i++) {
            if (numbers[i] < below && numbers[i] > largest) {
                largest = numbers[i];
            }
        }
        below = largest;
    }
    return below;
}

static void mark_plain(const int32_t *entries, size_t columns, unsigned most, uint16_t *marks)
{
    int32_t high = 1;
    int32_t low = -1;
    if (most <= MODEL_STRONG_MOST) {
        int32_t largest[MODEL_STRONG_STEP] = {0};
        int32_t smallest[MODEL_STRONG_STEP] = {0}; /* negated: within ±2^30 that is exact */
        for (size_t c = 0; c < columns; c++) {
            size_t lane = c % MODEL_STRONG_STEP;
            largest[lane] = entries[c] > largest[lane] ? entries[c] : largest[lane];
            smallest[lane] = -entries[c] > smallest[lane] ? -entries[c] : smallest[lane];
        }
        int32_t at_least = threshold(largest, MODEL_STRONG_STEP, most);
        int32_t at_most = -threshold(smallest, MODEL_STRONG_STEP, most);
        high = at_least > 1 ? at_least : 1;
        low = at_most < -1 ? at_most : -1;
    }
    for (size_t step = 0; step < columns / MODEL_STRONG_STEP; step++) {
        unsigned bits = 0;
        for (unsigned lane = 0; lane < MODEL_STRONG_STEP; lane++) {
            int32_t entry = entries[step * MODEL_STRONG_STEP + lane];
            bits |= (unsigned)(entry >= high || entry <= low) << lane;
        }
        marks[step] = (uint16_t)bits;
    }
}

const struct model_strong_kernel model_strong_plain = {"plain", spread_plain, mark_plain};

const struct model_strong_kernel *const *model_strong_kernels(size_t *count)
{
    static const struct model_strong_kernel *const all[] = {
        &model_strong_plain,
#ifdef __x86_64__
        &model_strong_avx2,
        &model_strong_avx512,
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
