/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of kernel.h, compiled once per instruction set by the files that include this one. */
#ifndef LEARN_KERNEL_BODY_H
#define LEARN_KERNEL_BODY_H

#include <string.h>

#include "server/learn/kernel.h"
#include "server/math/portable.h"

static void body_derivatives(const double *scores, const uint8_t *labels, size_t rows,
                             struct learn_sums *out)
{
    for (size_t i = 0; i < rows; i++) {
        double p = math_logistic(scores[i]);
        out[i].gradient = p - (double)labels[i];
        out[i].hessian = p * (1.0 - p);
    }
}

/* Four partial sums a bin, for rows 0, 4, 8 …, 1, 5, 9 … and so on: a row's addition then need not
 * wait for that of the row before, which is often of the same bin. The order is part of the result.
 */
static void body_sums(const uint8_t *codes, const struct learn_sums *derivatives, size_t rows,
                      size_t bins, struct learn_sums *sums)
{
    struct learn_sums parts[4][256];
    for (size_t k = 0; k < 4; k++) {
        memset(parts[k], 0, bins * sizeof parts[k][0]);
    }
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            struct learn_sums *sum = &parts[k][codes[i + k]];
            sum->gradient += derivatives[i + k].gradient;
            sum->hessian += derivatives[i + k].hessian;
        }
    }
    for (size_t k = 0; i < rows; i++, k++) {
        parts[k][codes[i]].gradient += derivatives[i].gradient;
        parts[k][codes[i]].hessian += derivatives[i].hessian;
    }
    for (size_t b = 0; b < bins; b++) {
        sums[b].gradient = (parts[0][b].gradient + parts[1][b].gradient) +
                           (parts[2][b].gradient + parts[3][b].gradient);
        sums[b].hessian = (parts[0][b].hessian + parts[1][b].hessian) +
                          (parts[2][b].hessian + parts[3][b].hessian);
    }
}

#endif
