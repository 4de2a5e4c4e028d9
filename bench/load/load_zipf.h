/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks by Zipf's law: rank k of n with a chance proportional to 1 / (k + 1)^s.
 * Ownership: a plain value. Threads: pure but for the random source. Cost: about 60 ns a draw, no
 * table. Source: rejection-inversion, W. Hörmann and G. Derflinger, ACM TOMACS 6 (1996). */
#ifndef BENCH_LOAD_ZIPF_H
#define BENCH_LOAD_ZIPF_H

#include "server/math/random.h"

struct load_zipf {
    double exponent;
    uint64_t count;
    double low, high; /* of the integral, for the first and the last rank */
    double shortcut;
};

/* exponent > 0, count > 0 */
void load_zipf_init(struct load_zipf *zipf, double exponent, uint64_t count);
uint64_t load_zipf_draw(const struct load_zipf *zipf, struct math_random *random);

#endif
