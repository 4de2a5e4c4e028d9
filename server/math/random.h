/* SPDX-License-Identifier: Apache-2.0 */
/* Seeded random numbers: the same seed gives the same sequence on every machine.
 * Shapes: 256 bits of state; period 2^256 − 1; not for secrets.
 * Ownership: a plain value. Errors: none. Threads: one generator per thread. Cost: about 1 ns a
 * number. Source: xoshiro256** (Blackman and Vigna 2021), seeded by splitmix64 (Steele, Lea and
 * Flood 2014). */
#ifndef MATH_RANDOM_H
#define MATH_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct math_random {
    uint64_t state[4];
};

void math_random_init(struct math_random *random, uint64_t seed);
/* A generator of its own for part `index` of a job, so that parts can run in any order. */
void math_random_init_part(struct math_random *random, uint64_t seed, uint64_t index);

uint64_t math_random_next(struct math_random *random);
/* Uniform on 0 … bound−1, without bias (Lemire 2019); bound > 0. */
uint64_t math_random_below(struct math_random *random, uint64_t bound);
/* Uniform on [0, 1), a multiple of 2^−53. */
double math_random_unit(struct math_random *random);
/* Standard normal, by the polar method (Marsaglia 1964). */
double math_random_normal(struct math_random *random);
/* A Poisson count: by products of uniforms (Knuth 1969) up to a mean of 50; above by the normal
 * law, whose error there is below that of a percentile of some thousand draws. */
double math_random_poisson(struct math_random *random, double mean);
/* Every order equally likely (Fisher and Yates). */
void math_random_shuffle(struct math_random *random, uint32_t *items, size_t count);

#endif
