/* SPDX-License-Identifier: Apache-2.0 */
/* SplitMix64 (Steele, Lea, Flood 2014): one word of state, any seed, the same everywhere. */
#ifndef ICP_SIMILAR_RANDOM_H
#define ICP_SIMILAR_RANDOM_H

#include <stdint.h>

static inline uint64_t similar_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
    return z ^ z >> 31;
}

/* Uniform below `bound` (> 0); the bias of at most bound / 2^64 does not matter here. */
static inline uint64_t similar_random_below(uint64_t *state, uint64_t bound)
{
    __extension__ unsigned __int128 wide = similar_random(state);
    return (uint64_t)(wide * bound >> 64);
}

#endif
