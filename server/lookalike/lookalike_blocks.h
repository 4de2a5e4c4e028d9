/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of a set in memory, which can be frozen: a copy as of one moment is then read at
 * leisure while the set goes on changing. What changes first leaves a copy behind (copy on write),
 * so freezing costs nothing but the blocks that change meanwhile.
 *
 * Ownership: owns all blocks. Errors: freezing and saving fail for want of memory; the set never
 * does because of them. Threads: all calls under the lock of the set: for writing, but
 * lookalike_blocks_take, for which reading will do, from one thread. Cost: a copy of 3 to 70 kB for
 * each block that changes while frozen. */
#ifndef LOOKALIKE_BLOCKS_H
#define LOOKALIKE_BLOCKS_H

#include "server/similar/similar_block.h"

struct lookalike_blocks {
    struct similar_memory *memory;
    struct similar_source inner;
    uint32_t dims;
    uint32_t counts[SIMILAR_KINDS]; /* numbers of blocks are below */
    bool frozen;
    bool torn; /* memory ran out while frozen: the copy is not whole */
    uint32_t frozen_counts[SIMILAR_KINDS];
    uint8_t *settled[SIMILAR_KINDS]; /* 1: the image tells; 0: the block itself, it is as it was */
    uint8_t **images[SIMILAR_KINDS]; /* NULL: there was no block */
};

/* NULL: no memory. */
struct lookalike_blocks *lookalike_blocks_create(uint32_t dims);
void lookalike_blocks_destroy(struct lookalike_blocks *blocks); /* NULL is fine */
struct similar_source lookalike_blocks_source(struct lookalike_blocks *blocks);

bool lookalike_blocks_freeze(struct lookalike_blocks *blocks);
void lookalike_blocks_thaw(struct lookalike_blocks *blocks);
/* Copies one block as it was when frozen, sealed, into `to` (similar_block_bytes of them). False if
 * there was none, or the copy is torn. Each can be taken once. */
bool lookalike_blocks_take(struct lookalike_blocks *blocks, enum similar_kind kind, uint32_t number,
                           void *to);

#endif
