/* SPDX-License-Identifier: Apache-2.0 */
/* The one check of an ensemble, whoever made it: that nodes are a forest in preorder, that splits
 * ask columns and codes that exist, that no sum can overflow. Then what is derived: columns, paths,
 * lines. */
#include <stdlib.h>

#include "server/model/trees_plan.h"

static bool bad(struct proto_fault *fault, const char *member, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, member, "%s", text);
}

static bool node_check(const struct model_trees *trees, const struct model_tree_node *node,
                       const struct feature_codebook *codebook, struct proto_fault *fault)
{
    if (node->column == MODEL_TREES_LEAF) {
        return true;
    }
    if (node->column >= codebook->column_count) {
        return bad(fault, "column", "a column that the codebook does not have");
    }
    if (node->set > trees->set_count) {
        return bad(fault, "upto", "a set that is not listed");
    }
    if (node->set == 0 && node->upto >= codebook->columns[node->column].bin_count) {
        return bad(fault, "upto", "a code that the column does not have");
    }
    return node->share <= MODEL_TREES_SHARE_ONE ||
           bad(fault, "share", "a share from 0 to 1000000000 is wanted");
}

/* A split above the node in work. */
struct above {
    uint32_t right; /* where its right child must stand */
    bool done;      /* its left subtree is */
};

/* Behind a leaf at `at`: the splits that it ends, and whether the next node is the right child of
 * the one that remains. *depth: 0 if none does. */
static bool leaf_close(struct above *above, size_t *depth, size_t at, struct proto_fault *fault)
{
    while (*depth > 0 && above[*depth - 1].done) {
        --*depth;
    }
    if (*depth > 0) {
        above[*depth - 1].done = true;
    }
    return *depth == 0 || above[*depth - 1].right == at + 1 ||
           bad(fault, "right", "a right child stands behind all that is left of it");
}

/* One tree from its root: each left child stands behind its node, each right one where the left
 * subtree ends, and the last subtree ends where the tree does. *largest: of |value|. */
static bool tree_check(const struct model_trees *trees, size_t first, size_t end,
                       const struct feature_codebook *codebook, int64_t *largest,
                       struct proto_fault *fault)
{
    struct above above[MODEL_TREES_DEPTH_MAX];
    size_t depth = 0;
    *largest = 0;
    for (size_t i = first; i < end; i++) {
        const struct model_tree_node *node = &trees->nodes[i];
        if (!node_check(trees, node, codebook, fault)) {
            return proto_fault_within(fault, "nodes[%zu]", i - first);
        }
        if (node->column != MODEL_TREES_LEAF) {
            if (depth == MODEL_TREES_DEPTH_MAX) {
                return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "", "deeper than %d splits",
                                       MODEL_TREES_DEPTH_MAX);
            }
            above[depth++] = (struct above){.right = node->right};
            continue;
        }
        if (node->value > MODEL_TREES_SUM_MAX || node->value < -MODEL_TREES_SUM_MAX) {
            return bad(fault, "value", "a leaf beyond 500 logits");
        }
        int64_t size = node->value < 0 ? -node->value : node->value;
        *largest = size > *largest ? size : *largest;
        if (!leaf_close(above, &depth, i, fault)) {
            return false;
        }
        if (depth == 0) {
            return i + 1 == end || bad(fault, "right", "nodes that no split leads to");
        }
    }
    return bad(fault, "column", "a split without two children");
}

static bool forest_check(const struct model_trees *trees, const struct feature_codebook *codebook,
                         struct proto_fault *fault)
{
    int64_t sum = trees->base < 0 ? -(trees->base + 1) : trees->base;
    if (sum > MODEL_TREES_SUM_MAX) {
        return bad(fault, "base", "it is beyond 500 logits");
    }
    for (size_t t = 0; t < trees->tree_count; t++) {
        int64_t largest;
        if (trees->firsts[t] >= trees->firsts[t + 1] || trees->firsts[t + 1] > trees->node_count) {
            bad(fault, "column", "a tree has one node or more");
            return proto_fault_within(fault, "trees[%zu]", t);
        }
        if (!tree_check(trees, trees->firsts[t], trees->firsts[t + 1], codebook, &largest, fault)) {
            return proto_fault_within(fault, "trees[%zu]", t);
        }
        sum += largest;
        if (sum > MODEL_TREES_SUM_MAX) {
            bad(fault, "", "all trees together reach beyond 500 logits");
            return proto_fault_within(fault, "trees[%zu]", t);
        }
    }
    return true;
}

static bool columns_list(struct model_trees *trees, const struct feature_codebook *codebook,
                         struct proto_fault *fault)
{
    bool *asked = calloc(codebook->column_count + 1, sizeof *asked);
    trees->columns = calloc(codebook->column_count + 1, sizeof *trees->columns);
    if (asked == NULL || trees->columns == NULL) {
        free(asked);
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the trees");
    }
    for (size_t i = 0; i < trees->node_count; i++) {
        if (trees->nodes[i].column != MODEL_TREES_LEAF) {
            asked[trees->nodes[i].column] = true;
        }
    }
    for (size_t c = 0; c < codebook->column_count; c++) {
        if (asked[c]) {
            trees->columns[trees->column_count++] = (uint16_t)c;
        }
    }
    free(asked);
    return true;
}

bool model_trees_seal(struct model_trees *trees, const struct feature_codebook *codebook,
                      struct proto_fault *fault)
{
    if (!forest_check(trees, codebook, fault) || !columns_list(trees, codebook, fault)) {
        return false;
    }
    trees->plan = calloc(1, sizeof *trees->plan);
    if (trees->plan == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the trees");
    }
    size_t kernels;
    const struct model_trees_kernel *const *all = model_trees_kernels(&kernels);
    trees->plan->kernel = all[kernels - 1];
    if (!model_paths_make(trees, codebook, fault) || !model_lines_make(trees, codebook, fault)) {
        return false;
    }
    double expectation = (double)trees->base + trees->plan->expectation;
    trees->expectation = (int64_t)__builtin_round(expectation / 1000.0);
    return true;
}
