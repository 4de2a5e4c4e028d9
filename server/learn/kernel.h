/* SPDX-License-Identifier: Apache-2.0 */
/* The two inner loops of boosting, in one version per instruction set. All give the same bits: they
 * are the same additions and multiplications in the same order (kernel_body.h), without fused ones.
 * Shapes: rows entries each; codes[row] < bins ≤ 256. Threads: pure.
 * Cost a row: derivatives 1.1 ns with AVX2, 3 ns without; sums about 1 ns. */
#ifndef LEARN_KERNEL_H
#define LEARN_KERNEL_H

#include <stdint.h>

#include "server/learn/leaf.h"

struct learn_kernel {
    /* out = (p − label, p (1 − p)) with p the logistic function of the score. */
    void (*derivatives)(const double *scores, const uint8_t *labels, size_t rows,
                        struct learn_sums *out);
    /* sums[bin] = sum of the derivatives of the bin's rows. */
    void (*sums)(const uint8_t *codes, const struct learn_sums *derivatives, size_t rows,
                 size_t bins, struct learn_sums *sums);
};

extern const struct learn_kernel learn_kernel_plain;
#ifdef __x86_64__
extern const struct learn_kernel learn_kernel_avx2;
extern const struct learn_kernel learn_kernel_avx512;
#endif

/* The fastest one that this processor runs. */
const struct learn_kernel *learn_kernel_choose(void);

#endif
