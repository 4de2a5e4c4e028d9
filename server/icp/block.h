/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of a subset with their own codebook, codes and grid: what a fit needs.
 * Ownership: icp_block_fini frees all. Errors: as sample.h. Threads: as sample. */
#ifndef ICP_BLOCK_H
#define ICP_BLOCK_H

#include "server/icp/sample.h"
#include "server/icp/split.h"

struct icp_block {
    struct feature_codebook *codebook;
    uint8_t *codes; /* row after row, codebook->row_bytes apart */
    struct icp_grid *grid;
    uint32_t *groups;           /* NULL if every row is its own */
    struct icp_split_rows rows; /* of the grid */
};

/* groups: one per row of the sample, below group_count, or NULL. On failure the block is empty. */
bool icp_block_init(struct icp_block *block, struct icp_sample *sample,
                    const struct icp_subset *subset, const uint16_t *field_ids, size_t field_count,
                    struct proto_fault *fault);
bool icp_block_group(struct icp_block *block, const struct icp_subset *subset,
                     const uint32_t *groups, size_t group_count, struct proto_fault *fault);
void icp_block_fini(struct icp_block *block);

#endif
