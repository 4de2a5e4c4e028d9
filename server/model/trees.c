/* SPDX-License-Identifier: Apache-2.0 */
/* Rows to sums: tile by tile, so that the lines of one tile stay in the cache while many rows pass;
 * or node by node. */
#include "server/model/trees.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/model/trees_plan.h"

struct model_trees *model_trees_create(size_t node_count, size_t tree_count, size_t set_count)
{
    if (node_count > MODEL_TREES_NODES_MAX || tree_count > MODEL_TREES_MAX ||
        set_count > MODEL_TREES_SETS_MAX) {
        return NULL;
    }
    struct model_trees *trees = calloc(1, sizeof *trees);
    if (trees == NULL) {
        return NULL;
    }
    trees->node_count = node_count;
    trees->tree_count = tree_count;
    trees->set_count = set_count;
    trees->nodes = calloc(node_count + 1, sizeof *trees->nodes);
    trees->firsts = calloc(tree_count + 1, sizeof *trees->firsts);
    trees->sets = calloc(set_count + 1, sizeof *trees->sets);
    if (trees->nodes == NULL || trees->firsts == NULL || trees->sets == NULL) {
        model_trees_destroy(trees);
        return NULL;
    }
    return trees;
}

static void plan_free(struct model_trees_plan *plan)
{
    if (plan != NULL) {
        model_lines_free(plan);
        free(plan->paths);
        free(plan->groups);
        free(plan->steps);
        free(plan->sets);
        free(plan->points);
        free(plan->weights);
        free(plan);
    }
}

void model_trees_destroy(struct model_trees *trees)
{
    if (trees != NULL) {
        plan_free(trees->plan);
        free(trees->columns);
        free(trees->sets);
        free(trees->firsts);
        free(trees->nodes);
        free(trees);
    }
}

bool model_trees_has_lines(const struct model_trees *trees)
{
    return trees->plan->tiles != NULL;
}

static int64_t walk_sum(const struct model_trees *trees, const uint8_t *row)
{
    int64_t sum = 0;
    for (size_t t = 0; t < trees->tree_count; t++) {
        const struct model_tree_node *node = &trees->nodes[trees->firsts[t]];
        while (node->column != MODEL_TREES_LEAF) {
            node = model_node_left(trees, node, row[node->column]) ? node + 1
                                                                   : &trees->nodes[node->right];
        }
        sum += node->value;
    }
    return sum;
}

int64_t model_trees_walk(const struct model_trees *trees, const uint8_t *row)
{
    return model_trees_millionths(trees->base + walk_sum(trees, row));
}

int64_t model_trees_raw(const struct model_trees *trees, const uint8_t *row)
{
    int64_t raw;
    model_trees_raw_many(trees, row, 0, 1, &raw);
    return raw;
}

void model_trees_raw_many(const struct model_trees *trees, const uint8_t *rows, size_t stride,
                          size_t count, int64_t *raw)
{
    const struct model_trees_plan *plan = trees->plan;
    assert(plan != NULL); /* sealed */
    if (plan->tiles == NULL) {
        for (size_t i = 0; i < count; i++) {
            raw[i] = model_trees_walk(trees, rows + i * stride);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        raw[i] = trees->base;
    }
    for (size_t t = 0; t < plan->tile_count; t++) {
        plan->kernel->add(&plan->tiles[t], plan->large, rows, stride, count, raw);
    }
    for (size_t i = 0; i < count; i++) {
        raw[i] = model_trees_millionths(raw[i]);
    }
}

struct model_code_set model_node_codes(const struct model_trees *trees,
                                       const struct model_tree_node *node)
{
    if (node->set != 0) {
        return trees->sets[node->set - 1];
    }
    struct model_code_set left = {{node->missing_left ? 1 : 0}};
    for (size_t w = 0; w < 4; w++) {
        size_t first = w * 64;
        size_t end = (size_t)node->upto + 1;
        uint64_t below = end >= first + 64 ? UINT64_MAX
                         : end <= first    ? 0
                                           : (UINT64_C(1) << (end - first)) - 1;
        left.bits[w] |= w == 0 ? below & ~UINT64_C(1) : below;
    }
    return left;
}
