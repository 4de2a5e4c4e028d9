/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a subset with their own codebook, codes and grid: what a fit needs.
 * Ownership: learn_block_fini frees all. Errors: as sample.h. Threads: as sample. */
#ifndef LEARN_BLOCK_H
#define LEARN_BLOCK_H

#include "server/learn/sample.h"
#include "server/learn/split.h"

struct learn_block {
    struct feature_codebook *codebook;
    uint8_t *codes; /* row after row, codebook->row_bytes apart */
    struct learn_grid *grid;
    uint32_t *groups;             /* NULL if every row is its own */
    struct learn_split_rows rows; /* of the grid */
};

/* groups: one per row of the sample, below group_count, or NULL. On failure the block is empty. */
bool learn_block_init(struct learn_block *block, struct learn_sample *sample,
                      const struct learn_subset *subset, const uint16_t *field_ids,
                      size_t field_count, struct proto_fault *fault);
bool learn_block_group(struct learn_block *block, const struct learn_subset *subset,
                       const uint32_t *groups, size_t group_count, struct proto_fault *fault);
void learn_block_fini(struct learn_block *block);

#endif
