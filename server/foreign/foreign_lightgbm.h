/* SPDX-License-Identifier: Apache-2.0 */
/* The blocks of LightGBM's file: one for each tree, from its line Tree=i to the next block or the
 * line "end of trees". Shared by the two files that read it.
 *
 * Shapes: leaves is 0 while no block is open. Ownership: a block is the reader's, zero but for
 * model and reader at first; foreign_lightgbm_fini frees. Errors: those of foreign_tree.h. Threads:
 * one. Cost: that of its numbers. */
#ifndef FOREIGN_LIGHTGBM_H
#define FOREIGN_LIGHTGBM_H

#include "server/foreign/foreign_line.h"
#include "server/foreign/foreign_tree.h"

#define FOREIGN_LIGHTGBM_LISTS 10

struct foreign_lightgbm {
    struct foreign_model *model;
    struct foreign_reader *reader;
    struct foreign_numbers lists[FOREIGN_LIGHTGBM_LISTS]; /* of the block that is open */
    struct foreign_raw_node *nodes;
    size_t node_room;
    size_t tree_at; /* where the block begins */
    int64_t leaves;
    bool has_leaves;
};

/* Begins a block, by its line and the number behind "Tree="; the one before ends. */
bool foreign_lightgbm_begin(struct foreign_lightgbm *block, struct proto_span line,
                            struct proto_span number);
/* A line of the block that is open. */
bool foreign_lightgbm_line(struct foreign_lightgbm *block, struct proto_span name,
                           struct proto_span value);
/* Makes a tree of the block, if one is open. */
bool foreign_lightgbm_end(struct foreign_lightgbm *block);
void foreign_lightgbm_fini(struct foreign_lightgbm *block);

#endif
