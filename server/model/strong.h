/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns of a row speak loudest: the step of an explanation that looks at every column.
 *
 * spread: entries[c] = tables[offsets[c] + row[c]], and their sum; as dense.h, but kept.
 * mark: bit c % 16 of marks[c / 16] is set if entry c can be among the `most` largest that are
 * positive or the `most` smallest that are negative. Every one that is gets its mark; a few others
 * get one too, so whoever reads the marks sorts what is marked (model_strongest of scorecard.h). A
 * zero is never marked.
 *
 * How mark does it: one pass takes the largest and the smallest entry of each lane of a vector. The
 * k-th largest of the lanes' largest cannot be above the k-th largest of all, so it is a threshold;
 * a second pass compares with it. No branch depends on an entry. Beyond MODEL_STRONG_MOST all that
 * is not zero is marked.
 *
 * Shapes: columns is a multiple of 16; entries are within ±2^30. Every kernel marks a superset of
 * the strongest, but not the same superset. Threads: pure. Cost: 80 columns, AVX-512: 35 ns the
 * two, of which 26 are the gathers that the sum needs too. */
#ifndef MODEL_STRONG_H
#define MODEL_STRONG_H

#include <stddef.h>
#include <stdint.h>

#define MODEL_STRONG_STEP 16
#define MODEL_STRONG_MOST 8

struct model_strong_kernel {
    const char *name;
    int64_t (*spread)(const int32_t *tables, const uint32_t *offsets, size_t columns,
                      const uint8_t *row, int32_t *entries);
    void (*mark)(const int32_t *entries, size_t columns, unsigned most, uint16_t *marks);
};

extern const struct model_strong_kernel model_strong_plain;
#ifdef __x86_64__
extern const struct model_strong_kernel model_strong_avx2;
extern const struct model_strong_kernel model_strong_avx512;
#endif

/* All that this processor runs, slowest first; *count set. The last is the one to use. */
const struct model_strong_kernel *const *model_strong_kernels(size_t *count);

#endif
