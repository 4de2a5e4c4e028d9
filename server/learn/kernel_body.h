/* SPDX-License-Identifier: Apache-2.0 */
/* The loops of kernel.h, compiled once per instruction set by the files that include this one. */
#ifndef LEARN_KERNEL_BODY_H
#define LEARN_KERNEL_BODY_H

#include <string.h>

#include "server/learn/kernel.h"
#include "server/math/portable.h"

static void body_derivatives(const double *scores, const uint8_t *labels, const double *weights,
                             size_t rows, struct learn_sums *out)
{
    for (size_t i = 0; i < rows; i++) {
        double p = math_logistic(scores[i]);
        out[i].gradient = p - (double)labels[i];
        out[i].hessian = p * (1.0 - p);
    }
    for (size_t i = 0; weights != NULL && i < rows; i++) {
        out[i].gradient *= weights[i];
        out[i].hessian *= weights[i];
    }
}

static void body_update(const uint8_t *codes, const double *values, size_t rows, double *scores)
{
    for (size_t i = 0; i < rows; i++) {
        scores[i] += values[codes[i]];
    }
}

/* Four partial sums a bin, for rows 0, 4, 8 …, 1, 5, 9 … and so on: a row's addition then need not
 * wait for that of the row before, which is often of the same bin. The order is part of the result.
 */
struct body_parts {
    struct learn_sums parts[4][256];
};

static void parts_clear(struct body_parts *parts, size_t bins)
{
    for (size_t k = 0; k < 4; k++) {
        memset(parts->parts[k], 0, bins * sizeof parts->parts[k][0]);
    }
}

/* Rows from a multiple of four on. */
static void parts_add(struct body_parts *parts, const uint8_t *codes,
                      const struct learn_sums *derivatives, size_t rows)
{
    size_t i = 0;
    for (; i + 4 <= rows; i += 4) {
        for (size_t k = 0; k < 4; k++) {
            struct learn_sums *sum = &parts->parts[k][codes[i + k]];
            sum->gradient += derivatives[i + k].gradient;
            sum->hessian += derivatives[i + k].hessian;
        }
    }
    for (size_t k = 0; i < rows; i++, k++) {
        parts->parts[k][codes[i]].gradient += derivatives[i].gradient;
        parts->parts[k][codes[i]].hessian += derivatives[i].hessian;
    }
}

static void parts_join(const struct body_parts *parts, size_t bins, struct learn_sums *sums)
{
    for (size_t b = 0; b < bins; b++) {
        sums[b].gradient = (parts->parts[0][b].gradient + parts->parts[1][b].gradient) +
                           (parts->parts[2][b].gradient + parts->parts[3][b].gradient);
        sums[b].hessian = (parts->parts[0][b].hessian + parts->parts[1][b].hessian) +
                          (parts->parts[2][b].hessian + parts->parts[3][b].hessian);
    }
}

static void body_sums(const uint8_t *codes, const struct learn_sums *derivatives, size_t rows,
                      size_t bins, struct learn_sums *sums)
{
    struct body_parts parts;
    parts_clear(&parts, bins);
    parts_add(&parts, codes, derivatives, rows);
    parts_join(&parts, bins, sums);
}

/* Block by block, so that derivatives stay in the nearest cache; a multiple of four. */
#define BODY_BLOCK 512

static void body_pass(const struct learn_pass *pass, double *scores, struct learn_sums *sums)
{
    struct body_parts parts;
    struct learn_sums derivatives[BODY_BLOCK];
    parts_clear(&parts, pass->bins);
    for (size_t from = 0; from < pass->rows; from += BODY_BLOCK) {
        size_t rows = pass->rows - from < BODY_BLOCK ? pass->rows - from : BODY_BLOCK;
        if (pass->codes != NULL) {
            body_update(pass->codes + from, pass->values, rows, scores + from);
        }
        body_derivatives(scores + from, pass->labels + from,
                         pass->weights == NULL ? NULL : pass->weights + from, rows, derivatives);
        parts_add(&parts, pass->next + from, derivatives, rows);
    }
    parts_join(&parts, pass->bins, sums);
}

#endif
