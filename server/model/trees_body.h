/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of trees_plan.h's kernels, compiled once per instruction set by the files that include
 * this one, which define MODEL_BODY_BYTES before, the width of a register: the lines of a row's
 * columns are and-ed, then the leaf of each word is looked up.
 *
 * Shapes: rows stand `stride` bytes apart, a code a byte; sums, in billionths, are added to.
 * Ownership: borrows. Errors: none, since any byte may be looked up. Overflow: none within
 * MODEL_TREES_SUM_MAX, which the seal has checked. Threads: pure. Cost of a row: a line for each
 * column of the tile, and a look-up for each of its trees. */
#ifndef MODEL_TREES_BODY_H
#define MODEL_TREES_BODY_H

#include <string.h>

#include "server/model/trees_plan.h"

/* A line in as many registers as it takes: MODEL_BODY_BYTES is the width of one. */
typedef uint64_t body_part __attribute__((vector_size(MODEL_BODY_BYTES)));
enum { BODY_PARTS = MODEL_LINE_BYTES / MODEL_BODY_BYTES };

/* One bit is left of each word (trees_lines.c), so as a float the word is a power of two whose
 * exponent is the place of the bit: conversions are done for a line at once, where counting zeros
 * is done word by word. A row of codes that do not occur may leave none, and ends at some leaf all
 * the same. */
static inline int64_t body_small(const struct model_tile *tile, const uint32_t *words)
{
    uint32_t places[MODEL_TREES_SMALL];
    for (size_t t = 0; t < MODEL_TREES_SMALL; t++) {
        float power = (float)(int32_t)words[t];
        uint32_t bits;
        memcpy(&bits, &power, sizeof bits);
        places[t] = ((bits >> 23) - 127) & 31;
    }
    int64_t sum = 0;
    for (size_t t = 0; t < MODEL_TREES_SMALL; t++) {
        sum += tile->values[t * 32 + places[t]];
    }
    return sum;
}

static inline int64_t body_large(const struct model_tile *tile, const uint64_t *words)
{
    int64_t sum = 0;
    for (size_t t = 0; t < MODEL_TREES_LARGE; t++) {
        sum += tile->values[t * 64 + (size_t)__builtin_ctzll(words[t] | 0x8000000000000000U)];
    }
    return sum;
}

static inline void body_reach(const struct model_tile *tile, const uint8_t *row, void *words)
{
    body_part reach[BODY_PARTS];
    memset(reach, 0xff, sizeof reach);
    for (size_t c = 0; c < tile->column_count; c++) {
        const struct model_tile_column *column = &tile->columns[c];
        const body_part *line =
            (const void *)&tile->lines[column->line + row[column->column]]; /* aligned */
        for (size_t i = 0; i < BODY_PARTS; i++) {
            reach[i] &= line[i];
        }
    }
    memcpy(words, reach, sizeof reach);
}

static void body_add(const struct model_tile *tile, bool large, const uint8_t *rows, size_t stride,
                     size_t count, int64_t *sums)
{
    union {
        uint64_t large[MODEL_LINE_WORDS];
        uint32_t small[MODEL_TREES_SMALL];
    } words;
    for (size_t i = 0; i < count; i++) {
        body_reach(tile, rows + i * stride, &words);
        sums[i] += large ? body_large(tile, words.large) : body_small(tile, words.small);
    }
}

#endif
