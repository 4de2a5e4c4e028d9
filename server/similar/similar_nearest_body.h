/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many centres is nearest to each of 16 rows: the inner loop of k-means and of a build.
 * Included once by each kernel file, as in similar_rotate_body.h; lane j of 16 sees the centres
 * j, j + 16, ... and the earliest best wins, so the outcome is the same everywhere.
 */
#ifndef ICP_SIMILAR_NEAREST_BODY_H
#define ICP_SIMILAR_NEAREST_BODY_H

#include "server/similar/similar_kernel.h"

#include <math.h>
#include <stdbool.h>

enum { NEAREST_GROUPS = 8 }; /* dots of 8 groups are 8 KiB: they stay in the first cache */

struct nearest_lanes {
    float score[16];
    uint32_t group[16];
};

static inline void nearest_group(const int32_t *restrict dots, float step,
                                 const int32_t *restrict correction, const float *restrict steps,
                                 const float *restrict squares, uint32_t group,
                                 struct nearest_lanes *restrict best)
{
    for (uint32_t j = 0; j < 16; j++) {
        float dot = (float)(dots[j] - correction[j]) * step;
        float score = dot * steps[j] - squares[j];
        /* A mask in place of a branch, which the compilers turn into lanes. */
        uint32_t better = 0u - (uint32_t)(score > best->score[j]);
        best->group[j] = (group & better) | (best->group[j] & ~better);
        best->score[j] = score > best->score[j] ? score : best->score[j];
    }
}

static inline void nearest_body(similar_dot_tile16 *dot_tile16,
                                const struct similar_nearest *centres, const uint8_t *rows,
                                const float *row_steps, uint32_t *nearest)
{
    int32_t dots[NEAREST_GROUPS * 256];
    struct nearest_lanes best[16];
    for (uint32_t i = 0; i < 16 * 16; i++) {
        best[i / 16].score[i % 16] = -INFINITY;
        best[i / 16].group[i % 16] = 0;
    }
    for (uint32_t g = 0; g < centres->groups; g += NEAREST_GROUPS) {
        uint32_t left = centres->groups - g;
        uint32_t count = left < NEAREST_GROUPS ? left : NEAREST_GROUPS;
        dot_tile16(rows, centres->bytes + (size_t)g * 16 * centres->dim, count, centres->dim, dots);
        for (uint32_t i = 0; i < 16; i++) {
            for (uint32_t n = 0; n < count; n++) {
                uint32_t at = (g + n) * 16;
                nearest_group(dots + 256 * n + 16 * i, 2 * row_steps[i], centres->correction + at,
                              centres->step + at, centres->square + at, g + n, &best[i]);
            }
        }
    }
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t winner = 0;
        for (uint32_t j = 1; j < 16; j++) {
            winner = best[i].score[j] > best[i].score[winner] ? j : winner;
        }
        nearest[i] = best[i].group[winner] * 16 + winner;
    }
}

#endif
