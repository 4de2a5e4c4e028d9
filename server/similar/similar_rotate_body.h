/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rotation of similar_rotate.h in portable C. Each kernel file includes it once, so that the
 * compiler vectorises it for that instruction set; elementwise steps make the results equal.
 */
#ifndef ICP_SIMILAR_ROTATE_BODY_H
#define ICP_SIMILAR_ROTATE_BODY_H

#include "server/similar/similar_rotate.h"

#include <string.h>

static inline void hadamard_step(const float *restrict from, float *restrict to, uint32_t half)
{
    for (uint32_t i = 0; i < half; i++) {
        float a = from[i];
        float b = from[i + half];
        to[2 * i] = a + b;
        to[2 * i + 1] = a - b;
    }
}

/* Transforms `size` floats (a power of two >= 64) and scales them back to their length. */
static inline void hadamard_run(float *x, float *spare, uint32_t size)
{
    float *from = x;
    float *to = spare;
    for (uint32_t done = 1; done < size; done *= 2) {
        hadamard_step(from, to, size / 2);
        float *swap = from;
        from = to;
        to = swap;
    }
    /* sqrt(1 / size): a power of two, and for odd powers the square root of a half. */
    uint32_t power = (uint32_t)__builtin_ctz(size);
    float scale = 1.0f / (float)(1u << (power / 2));
    if ((power & 1) != 0) {
        scale *= 0.70710678118654752f;
    }
    for (uint32_t i = 0; i < size; i++) {
        x[i] = from[i] * scale;
    }
}

static inline void rotate_body(const float *signs, float *x, float *spare, uint32_t dim)
{
    uint32_t size = 1u << (31 - __builtin_clz(dim));
    for (uint32_t round = 0; round < SIMILAR_ROTATE_ROUNDS; round++) {
        for (uint32_t i = 0; i < dim; i++) {
            x[i] *= signs[round * dim + i];
        }
        hadamard_run((round & 1) != 0 ? x + (dim - size) : x, spare, size);
        if (size == dim) {
            continue;
        }
        for (uint32_t i = 0; i < dim / 2; i++) {
            float a = x[i];
            float b = x[i + dim / 2];
            x[i] = (a + b) * 0.70710678118654752f;
            x[i + dim / 2] = (a - b) * 0.70710678118654752f;
        }
    }
}

#endif
