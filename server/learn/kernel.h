/* SPDX-License-Identifier: Apache-2.0 */
/* The inner loops of boosting, in one version per instruction set. All give the same bits: they
 * are the same additions and multiplications in the same order (kernel_body.h), without fused ones.
 * Shapes: rows entries each; codes[row] < bins ≤ 256. Threads: pure.
 * Cost a row: derivatives 1.1 ns with AVX2, 3 ns without; sums and update about 1 ns each. */
#ifndef LEARN_KERNEL_H
#define LEARN_KERNEL_H

#include <stdint.h>

#include "server/learn/leaf.h"

/* What one pass over rows does: scores move by the value of each row's code in one column, and the
 * derivatives at the new scores are summed over the bins of the next column, without being kept. */
struct learn_pass {
    const uint8_t *labels;
    const double *weights; /* of rows, by which derivatives are multiplied; NULL: 1 */
    size_t rows;
    const uint8_t *codes; /* NULL: scores stay */
    const double *values; /* by code */
    const uint8_t *next;
    size_t bins; /* of next */
};

struct learn_kernel {
    /* The same bits as update, derivatives and sums one after another. */
    void (*pass)(const struct learn_pass *pass, double *scores, struct learn_sums *sums);
    /* scores += values[code] */
    void (*update)(const uint8_t *codes, const double *values, size_t rows, double *scores);
    /* out = (p − label, p (1 − p)) with p the logistic function of the score, times weight where
     * weights are not NULL. */
    void (*derivatives)(const double *scores, const uint8_t *labels, const double *weights,
                        size_t rows, struct learn_sums *out);
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
