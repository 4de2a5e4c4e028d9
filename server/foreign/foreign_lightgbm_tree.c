/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of LightGBM's file: the lists of its block are read into numbers with their places, and
 * when the block ends they become nodes: splits first, then leaves, which children name as ~leaf. A
 * list of another length than the leaves ask for, a number that is not whole or out of bounds, and
 * nodes that are no tree are told at their place. */
#include "server/foreign/foreign_lightgbm.h"

#include <assert.h>
#include <stdlib.h>

#include "server/model/trees.h"

enum list {
    FEATURE,
    THRESHOLD,
    DECISION,
    LEFT,
    RIGHT,
    INTERNAL_COUNT,
    LEAF_VALUE,
    LEAF_COUNT,
    CAT_BOUNDARIES,
    CAT_THRESHOLD,
    LISTS
};

static const char *const list_names[LISTS] = {
    [FEATURE] = "split_feature",
    [THRESHOLD] = "threshold",
    [DECISION] = "decision_type",
    [LEFT] = "left_child",
    [RIGHT] = "right_child",
    [INTERNAL_COUNT] = "internal_count",
    [LEAF_VALUE] = "leaf_value",
    [LEAF_COUNT] = "leaf_count",
    [CAT_BOUNDARIES] = "cat_boundaries",
    [CAT_THRESHOLD] = "cat_threshold",
};

static_assert((int)LISTS == (int)FOREIGN_LIGHTGBM_LISTS, "a block has room for each list");

/* A category set of one split: the bits of its words. */
static bool set_take(struct foreign_lightgbm *block, size_t split, struct foreign_node *node)
{
    const struct foreign_numbers *boundaries = &block->lists[CAT_BOUNDARIES];
    const struct foreign_numbers *words = &block->lists[CAT_THRESHOLD];
    int64_t set = 0;
    int64_t first = 0;
    int64_t end = 0;
    if (boundaries->count == 0) {
        return foreign_fail(block->reader, block->tree_at,
                            "a split by category, and no cat_boundaries");
    }
    if (!foreign_numbers_whole(block->reader, &block->lists[THRESHOLD], "threshold", split, 0,
                               (int64_t)boundaries->count - 2, &set) ||
        !foreign_numbers_whole(block->reader, boundaries, "cat_boundaries", (size_t)set, 0,
                               (int64_t)words->count, &first) ||
        !foreign_numbers_whole(block->reader, boundaries, "cat_boundaries", (size_t)set + 1, first,
                               (int64_t)words->count, &end)) {
        return false;
    }
    node->set_first = (uint32_t)block->model->category_count;
    for (int64_t w = first; w < end; w++) {
        int64_t bits = 0;
        if (!foreign_numbers_whole(block->reader, words, "cat_threshold", (size_t)w, 0, UINT32_MAX,
                                   &bits)) {
            return false;
        }
        for (unsigned b = 0; b < 32; b++) {
            if (((uint64_t)bits >> b & 1) != 0 &&
                !foreign_category_add(block->model, block->reader, words->places[w],
                                      (uint32_t)(w - first) * 32 + b)) {
                return false;
            }
        }
    }
    node->set_count = (uint32_t)(block->model->category_count - node->set_first);
    return true;
}

/* Children of LightGBM: a split from 0, or ~leaf; leaves stand behind the splits here. */
static int64_t child_of(int64_t child, int64_t splits)
{
    return child >= 0 ? (child < splits ? child : -1) : splits + (-child - 1);
}

static bool split_take(struct foreign_lightgbm *block, size_t i, int64_t splits)
{
    enum { CATEGORICAL = 1, DEFAULT_LEFT = 2 };
    struct foreign_raw_node *raw = &block->nodes[i];
    int64_t feature = 0;
    int64_t decision = 0;
    int64_t left = 0;
    int64_t right = 0;
    if (!foreign_numbers_whole(block->reader, &block->lists[FEATURE], "split_feature", i, 0,
                               INT32_MAX, &feature) ||
        !foreign_numbers_whole(block->reader, &block->lists[DECISION], "decision_type", i, 0, 11,
                               &decision) ||
        !foreign_numbers_whole(block->reader, &block->lists[LEFT], "left_child", i,
                               -(int64_t)MODEL_TREES_NODES_MAX - 1, MODEL_TREES_NODES_MAX, &left) ||
        !foreign_numbers_whole(block->reader, &block->lists[RIGHT], "right_child", i,
                               -(int64_t)MODEL_TREES_NODES_MAX - 1, MODEL_TREES_NODES_MAX,
                               &right)) {
        return false;
    }
    static const enum foreign_missing missing[] = {FOREIGN_MISSING_NONE, FOREIGN_MISSING_ZERO,
                                                   FOREIGN_MISSING_NAN};
    *raw =
        (struct foreign_raw_node){.left = child_of(left, splits), .right = child_of(right, splits)};
    raw->node = (struct foreign_node){
        .threshold = block->lists[THRESHOLD].values[i],
        .cover = block->lists[INTERNAL_COUNT].values[i],
        .feature = (uint32_t)feature,
        .missing = missing[decision >> 2],
        .categorical = (decision & CATEGORICAL) != 0,
        .set_left = true,
        .missing_left = (decision & DEFAULT_LEFT) != 0,
    };
    if (!raw->node.categorical) {
        return true;
    }
    /* What is not there, or below zero, is in no set: it goes right. */
    raw->node.missing = FOREIGN_MISSING_NAN;
    raw->node.missing_left = false;
    return set_take(block, i, &raw->node);
}

static bool counts_check(const struct foreign_lightgbm *block)
{
    size_t leaves = (size_t)block->leaves;
    for (size_t l = FEATURE; l <= LEAF_COUNT; l++) {
        const struct foreign_numbers *numbers = &block->lists[l];
        size_t wanted = l >= LEAF_VALUE ? leaves : leaves - 1;
        bool optional = l == LEAF_COUNT && leaves == 1; /* a tree of one leaf has no count */
        if (numbers->count != wanted && !(optional && numbers->count == 0)) {
            return foreign_fail(block->reader, numbers->count > 0 ? numbers->place : block->tree_at,
                                "%s: %zu numbers, where a tree of %zu leaves has %zu",
                                list_names[l], numbers->count, leaves, wanted);
        }
    }
    return true;
}

/* Where what is wrong with a node stands. */
static size_t slip_place(const struct foreign_lightgbm *block, const struct foreign_slip *slip)
{
    static const enum list of_split[FOREIGN_SLIP_PARTS] = {
        [FOREIGN_SLIP_TREE] = THRESHOLD,      [FOREIGN_SLIP_COVER] = INTERNAL_COUNT,
        [FOREIGN_SLIP_VALUE] = THRESHOLD,     [FOREIGN_SLIP_FEATURE] = FEATURE,
        [FOREIGN_SLIP_THRESHOLD] = THRESHOLD, [FOREIGN_SLIP_LEFT] = LEFT,
        [FOREIGN_SLIP_RIGHT] = RIGHT,
    };
    size_t splits = (size_t)block->leaves - 1;
    if (slip->node < splits) {
        return block->lists[of_split[slip->part]].places[slip->node];
    }
    bool counted = slip->part == FOREIGN_SLIP_COVER && block->lists[LEAF_COUNT].count > 0;
    return block->lists[counted ? LEAF_COUNT : LEAF_VALUE].places[slip->node - splits];
}

bool foreign_lightgbm_end(struct foreign_lightgbm *block)
{
    size_t splits = (size_t)block->leaves - 1;
    size_t count = 2 * splits + 1;
    struct foreign_slip slip = {.what = NULL};
    if (block->leaves == 0) {
        return true;
    }
    if (!block->has_leaves) {
        return foreign_fail(block->reader, block->tree_at, "this tree has no num_leaves");
    }
    if (!counts_check(block)) {
        return false;
    }
    if (!foreign_raw_room(&block->nodes, &block->node_room, count)) {
        return false;
    }
    for (size_t i = 0; i < splits; i++) {
        if (!split_take(block, i, (int64_t)splits)) {
            return false;
        }
    }
    for (size_t i = 0; i <= splits; i++) {
        const struct foreign_numbers *counts = &block->lists[LEAF_COUNT];
        block->nodes[splits + i] =
            (struct foreign_raw_node){.node = {.leaf = true,
                                               .value = block->lists[LEAF_VALUE].values[i],
                                               .cover = i < counts->count ? counts->values[i] : 0}};
    }
    if (foreign_tree_add(block->model, block->nodes, count, &slip)) {
        return true;
    }
    return slip.what != NULL && foreign_fail(block->reader, slip_place(block, &slip),
                                             "tree %zu: %s", block->model->tree_count, slip.what);
}

bool foreign_lightgbm_begin(struct foreign_lightgbm *block, struct proto_span line,
                            struct proto_span value)
{
    int64_t number = 0;
    if (!foreign_lightgbm_end(block)) {
        return false;
    }
    for (size_t l = 0; l < LISTS; l++) {
        foreign_numbers_clear(&block->lists[l]);
        block->lists[l].place = foreign_place_of(block->reader, line);
    }
    block->tree_at = foreign_place_of(block->reader, line);
    block->leaves = 1;
    block->has_leaves = false;
    return foreign_whole_read(block->reader, "Tree", value, (int64_t)block->model->tree_count,
                              (int64_t)block->model->tree_count, &number);
}

bool foreign_lightgbm_line(struct foreign_lightgbm *block, struct proto_span name,
                           struct proto_span value)
{
    int64_t number = 0;
    if (proto_span_is(name, "num_leaves")) {
        block->has_leaves = true;
        return foreign_whole_read(block->reader, "num_leaves", value, 1, MODEL_TREES_NODES_MAX / 2,
                                  &block->leaves);
    }
    if (proto_span_is(name, "is_linear")) {
        return foreign_whole_read(block->reader, "is_linear", value, 0, 1, &number) &&
               (number == 0 || foreign_fail(block->reader, foreign_place_of(block->reader, value),
                                            "linear leaves (linear_tree) are not served"));
    }
    for (size_t l = 0; l < LISTS; l++) {
        if (proto_span_is(name, list_names[l])) {
            return foreign_numbers_split(block->reader, list_names[l], MODEL_TREES_NODES_MAX, value,
                                         &block->lists[l]);
        }
    }
    return true;
}

void foreign_lightgbm_fini(struct foreign_lightgbm *block)
{
    for (size_t l = 0; l < LISTS; l++) {
        foreign_numbers_fini(&block->lists[l]);
    }
    free(block->nodes);
}
