/* SPDX-License-Identifier: Apache-2.0 */
/* What a row could come to: walks that go both ways where a code is not given. */
#include <string.h>

#include "server/model/trees_plan.h"

/* The least and the most of the leaves of one tree that are in reach. */
static void tree_range(const struct model_trees *trees, size_t tree, const uint8_t *row,
                       int64_t *low, int64_t *high)
{
    const struct model_tree_node *open[MODEL_TREES_DEPTH_MAX + 1];
    size_t count = 0;
    int64_t least = INT64_MAX;
    int64_t most = INT64_MIN;
    open[count++] = &trees->nodes[trees->firsts[tree]];
    while (count > 0) {
        const struct model_tree_node *node = open[--count];
        if (node->column == MODEL_TREES_LEAF) {
            least = node->value < least ? node->value : least;
            most = node->value > most ? node->value : most;
            continue;
        }
        bool left = model_node_left(trees, node, row[node->column]);
        bool open_end = row[node->column] == 0;
        if (!left || open_end) {
            open[count++] = &trees->nodes[node->right];
        }
        if (left || open_end) {
            open[count++] = node + 1;
        }
    }
    *low += least;
    *high += most;
}

void model_trees_interval(const struct model_trees *trees, const uint8_t *row, int64_t *low,
                          int64_t *high)
{
    int64_t least = trees->base;
    int64_t most = trees->base;
    for (size_t t = 0; t < trees->tree_count; t++) {
        tree_range(trees, t, row, &least, &most);
    }
    *low = model_trees_millionths(least);
    *high = model_trees_millionths(most);
}

/* A node, and the codes of the column in question with which a row comes to it. */
struct reached {
    const struct model_tree_node *node;
    struct model_code_set codes;
};

static void leaf_add(const struct reached *leaf, int64_t *sums)
{
    for (size_t w = 0; w < 4; w++) {
        for (uint64_t bits = leaf->codes.bits[w]; bits != 0; bits &= bits - 1) {
            sums[w * 64 + (size_t)__builtin_ctzll(bits)] += leaf->node->value;
        }
    }
}

/* Adds to sums[code] the leaf that each code leads to. */
static void tree_moved(const struct model_trees *trees, size_t tree, const uint8_t *row,
                       uint16_t column, const struct model_code_set *all, int64_t *sums)
{
    struct reached open[MODEL_TREES_DEPTH_MAX + 1];
    size_t count = 0;
    open[count++] = (struct reached){&trees->nodes[trees->firsts[tree]], *all};
    while (count > 0) {
        struct reached at = open[--count];
        if (at.node->column == MODEL_TREES_LEAF) {
            leaf_add(&at, sums);
        } else if (at.node->column != column) {
            bool left = model_node_left(trees, at.node, row[at.node->column]);
            open[count++] =
                (struct reached){left ? at.node + 1 : &trees->nodes[at.node->right], at.codes};
        } else {
            struct model_code_set codes = model_node_codes(trees, at.node);
            struct reached right = {&trees->nodes[at.node->right], at.codes};
            struct reached left = {at.node + 1, at.codes};
            uint64_t any[2] = {0, 0};
            for (size_t w = 0; w < 4; w++) {
                right.codes.bits[w] &= ~codes.bits[w];
                left.codes.bits[w] &= codes.bits[w];
                any[0] |= right.codes.bits[w];
                any[1] |= left.codes.bits[w];
            }
            if (any[0] != 0) {
                open[count++] = right;
            }
            if (any[1] != 0) {
                open[count++] = left;
            }
        }
    }
}

void model_trees_moved(const struct model_trees *trees, const uint8_t *row, uint16_t column,
                       size_t bins, int64_t *raws)
{
    int64_t sums[256];
    struct model_code_set all = {{0}};
    for (size_t code = 0; code < bins; code++) {
        sums[code] = trees->base;
        all.bits[code / 64] |= UINT64_C(1) << (code % 64);
    }
    for (size_t t = 0; t < trees->tree_count; t++) {
        tree_moved(trees, t, row, column, &all, sums);
    }
    for (size_t code = 0; code < bins; code++) {
        raws[code] = model_trees_millionths(sums[code]);
    }
}
