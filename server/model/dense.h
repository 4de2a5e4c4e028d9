/* SPDX-License-Identifier: Apache-2.0 */
/* The sum of all one-column terms as a walk over the columns of a row in order:
 *   Σ over c < columns of tables[offsets[c] + row[c]]
 * A column without a term points at entries that are zero. The walk reads the row and the offsets
 * in order, so sixteen columns are one load of each and one gather of the tables. Shapes: columns
 * is a multiple of 16, row has as many bytes, any offset + 255 lies within tables; entries are
 * within ±2^30, the sum in 64 bits. Same result on every instruction set (integers). Threads: pure.
 * Cost, 32 columns: 6 ns with AVX-512, 10 ns with AVX2, 18 ns without (bench:
 * docs/methods/scorecard.md). */
#ifndef MODEL_DENSE_H
#define MODEL_DENSE_H

#include <stddef.h>
#include <stdint.h>

#define MODEL_DENSE_STEP 16

struct model_kernel {
    const char *name;
    int64_t (*sum)(const int32_t *tables, const uint32_t *offsets, size_t columns,
                   const uint8_t *row);
};

extern const struct model_kernel model_kernel_plain;
#ifdef __x86_64__
extern const struct model_kernel model_kernel_avx2;
extern const struct model_kernel model_kernel_avx512;
#endif

/* All that this processor runs, slowest first; *count set. The last is the one to use. */
const struct model_kernel *const *model_kernels(size_t *count);

#endif
