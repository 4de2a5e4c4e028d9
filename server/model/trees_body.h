/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of trees_plan.h's kernels, compiled once per instruction set by the files that include
 * this one: and the lines of a row's columns, then look up the leaf of each word. */
#ifndef MODEL_TREES_BODY_H
#define MODEL_TREES_BODY_H

#include <string.h>

#include "server/model/trees_plan.h"

typedef uint64_t body_line __attribute__((vector_size(MODEL_LINE_BYTES)));

/* One bit is left of each word (trees_lines.c); the highest is set beside it, so that a row of
 * codes that do not occur ends at some leaf all the same. */
static inline int64_t body_small(const struct model_tile *tile, const uint32_t *words)
{
    int64_t sum = 0;
    for (size_t t = 0; t < MODEL_TREES_SMALL; t++) {
        sum += tile->values[t * 32 + (size_t)__builtin_ctz(words[t] | 0x80000000U)];
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

static void body_add(const struct model_tile *tile, bool large, const uint8_t *rows, size_t stride,
                     size_t count, int64_t *sums)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = rows + i * stride;
        body_line reach = ~(body_line){0};
        for (size_t c = 0; c < tile->column_count; c++) {
            const struct model_tile_column *column = &tile->columns[c];
            body_line line;
            memcpy(&line, &tile->lines[column->line + row[column->column]], sizeof line);
            reach &= line;
        }
        union {
            uint64_t large[MODEL_LINE_WORDS];
            uint32_t small[MODEL_TREES_SMALL];
        } words;
        memcpy(&words, &reach, sizeof words);
        sums[i] += large ? body_large(tile, words.large) : body_small(tile, words.small);
    }
}

#endif
