/* SPDX-License-Identifier: Apache-2.0 */
#include "server/math/random.h"

#include <assert.h>
#include <math.h>

#include "server/math/portable.h"

static uint64_t splitmix_next(uint64_t *state)
{
    *state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void math_random_init(struct math_random *random, uint64_t seed)
{
    /* Four outputs of splitmix64 are never all zero, which is the one state that xoshiro forbids.
     */
    for (size_t i = 0; i < 4; i++) {
        random->state[i] = splitmix_next(&seed);
    }
}

void math_random_init_part(struct math_random *random, uint64_t seed, uint64_t index)
{
    uint64_t mixed = seed;
    uint64_t first = splitmix_next(&mixed);
    uint64_t part = index ^ UINT64_C(0xD1B54A32D192ED03);
    math_random_init(random, first ^ splitmix_next(&part));
}

static uint64_t rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

uint64_t math_random_next(struct math_random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t math_random_below(struct math_random *random, uint64_t bound)
{
    assert(bound > 0);
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)math_random_next(random) * bound;
    uint64_t low = (uint64_t)product;
    if (low < bound) {
        /* The first 2^64 mod bound values of the low half would be drawn once too often. */
        uint64_t threshold = (0 - bound) % bound;
        while (low < threshold) {
            product = (wide)math_random_next(random) * bound;
            low = (uint64_t)product;
        }
    }
    return (uint64_t)(product >> 64);
}

double math_random_unit(struct math_random *random)
{
    return (double)(math_random_next(random) >> 11) * 0x1p-53;
}

double math_random_normal(struct math_random *random)
{
    for (;;) {
        double u = 2.0 * math_random_unit(random) - 1.0;
        double v = 2.0 * math_random_unit(random) - 1.0;
        double s = u * u + v * v;
        if (s > 0.0 && s < 1.0) {
            return u * sqrt(-2.0 * math_log(s) / s);
        }
    }
}

double math_random_poisson(struct math_random *random, double mean)
{
    if (mean > 50) {
        return fmax(0, floor(mean + sqrt(mean) * math_random_normal(random) + 0.5));
    }
    double limit = math_exp(-mean);
    double product = math_random_unit(random);
    double count = 0;
    while (product > limit) {
        product *= math_random_unit(random);
        count++;
    }
    return count;
}

void math_random_shuffle(struct math_random *random, uint32_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)math_random_below(random, i);
        uint32_t kept = items[i - 1];
        items[i - 1] = items[j];
        items[j] = kept;
    }
}
