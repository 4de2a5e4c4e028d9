/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/block.h"

#include <stdlib.h>

bool learn_block_init(struct learn_block *block, struct learn_sample *sample,
                      const struct learn_subset *subset, const uint16_t *field_ids,
                      size_t field_count, struct proto_fault *fault)
{
    *block = (struct learn_block){0};
    block->codebook = learn_sample_codebook(sample, subset, field_ids, field_count, fault);
    if (block->codebook != NULL) {
        block->codes = learn_sample_encode(sample, subset, block->codebook, fault);
    }
    if (block->codes != NULL) {
        block->grid = learn_sample_grid(sample, subset, block->codebook, block->codes, fault);
    }
    if (block->grid == NULL) {
        learn_block_fini(block);
        return false;
    }
    block->rows =
        (struct learn_split_rows){.rows = block->grid->rows, .labels = block->grid->labels};
    return true;
}

bool learn_block_group(struct learn_block *block, const struct learn_subset *subset,
                       const uint32_t *groups, size_t group_count, struct proto_fault *fault)
{
    if (groups == NULL) {
        return true;
    }
    block->groups = malloc((subset->count + 1) * sizeof *block->groups);
    if (block->groups == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu rows", subset->count);
        return false;
    }
    for (size_t i = 0; i < subset->count; i++) {
        block->groups[i] = groups[subset->rows[i]];
    }
    block->rows.groups = block->groups;
    block->rows.group_count = group_count;
    return true;
}

void learn_block_fini(struct learn_block *block)
{
    feature_codebook_destroy(block->codebook);
    learn_grid_destroy(block->grid);
    free(block->codes);
    free(block->groups);
    *block = (struct learn_block){0};
}
