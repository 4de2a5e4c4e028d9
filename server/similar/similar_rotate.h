/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The random rotation that spreads a vector's energy evenly over its dimensions, which is what
 * the 1-bit estimate and the int8 scale rely on.
 *
 * Shape. ROUNDS times: flip signs at random; Hadamard-transform the first (even rounds) or last
 * (odd rounds) P dimensions, P the largest power of two <= dim; and where P < dim, turn the pairs
 * (i, i + dim / 2) by 45 degrees. Each step is orthonormal, so lengths and angles stay.
 *
 * Rounding. Each element passes at most 4 * (1 + 11 + 1 + 2) = 60 roundings, each of relative
 * size 2^-24 in norm, so |computed - true| <= SIMILAR_ROTATE_ERROR * |x| with room to spare.
 * Every step is one addition or multiplication per element in the same order everywhere, so the
 * result is the same to the bit on every instruction set.
 *
 * Source. Ailon and Chazelle 2009 (fast Johnson-Lindenstrauss); the two-ended transform for
 * dimensions that are not powers of two follows the RaBitQ authors' library (FhtKac). Deviation:
 * the transform runs in constant geometry (Pease 1968), which vectorises at every step.
 */
#ifndef ICP_SIMILAR_ROTATE_H
#define ICP_SIMILAR_ROTATE_H

#include <stdint.h>

enum { SIMILAR_ROTATE_ROUNDS = 4 };
#define SIMILAR_ROTATE_ERROR 4.0e-6

/* Fills SIMILAR_ROTATE_ROUNDS * dim signs (1 or -1) from a seed. `dim` is a multiple of 64. */
void similar_rotate_signs(uint64_t seed, uint32_t dim, float *signs);

#endif
