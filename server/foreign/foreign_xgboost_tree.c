/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of XGBoost's file: the lists of a tree are read into numbers with their places, and when
 * its object ends they become nodes. A list that is missing or of another length, a number that is
 * not whole or out of bounds, and nodes that are no tree are told at their place. */
#include <stdlib.h>
#include <string.h>

#include "server/foreign/foreign_line.h"
#include "server/foreign/foreign_tree.h"
#include "server/model/trees.h"

enum list {
    LEFT,
    RIGHT,
    CONDITION,
    INDEX,
    MISSING_LEFT,
    HESSIAN,
    SPLIT_TYPE,
    CATEGORIES,
    CATEGORY_NODES,
    CATEGORY_SEGMENTS,
    CATEGORY_SIZES,
    LISTS
};

static const char *const list_names[LISTS] = {
    [LEFT] = "left_children",
    [RIGHT] = "right_children",
    [CONDITION] = "split_conditions",
    [INDEX] = "split_indices",
    [MISSING_LEFT] = "default_left",
    [HESSIAN] = "sum_hessian",
    [SPLIT_TYPE] = "split_type",
    [CATEGORIES] = "categories",
    [CATEGORY_NODES] = "categories_nodes",
    [CATEGORY_SEGMENTS] = "categories_segments",
    [CATEGORY_SIZES] = "categories_sizes",
};

/* The tree in work. */
struct reading {
    struct foreign_model *model;
    struct foreign_numbers lists[LISTS];
    bool has[LISTS];
    struct foreign_raw_node *nodes;
    size_t node_room;
};

static bool tree_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    for (size_t l = 0; l < LISTS; l++) {
        if (foreign_text_is(reader, list_names[l])) {
            reading->has[l] = true;
            return foreign_numbers_read(reader, list_names[l], MODEL_TREES_NODES_MAX,
                                        &reading->lists[l]);
        }
    }
    return foreign_pass(reader);
}

/* Lists with a number for each node are all there and as long as each other. */
static bool lists_check(struct foreign_reader *reader, const struct reading *reading)
{
    for (size_t l = LEFT; l <= HESSIAN; l++) {
        const struct foreign_numbers *numbers = &reading->lists[l];
        if (!reading->has[l]) {
            return foreign_fail(reader, reader->start, "the tree that ends here has no %s",
                                list_names[l]);
        }
        if (numbers->count != reading->lists[LEFT].count) {
            return foreign_fail(reader, numbers->place,
                                "%s: %zu numbers, where left_children has %zu", list_names[l],
                                numbers->count, reading->lists[LEFT].count);
        }
    }
    return true;
}

/* The sets of categorical splits into the model; each node's by categories_nodes. */
static bool categories_take(struct foreign_reader *reader, struct reading *reading)
{
    const struct foreign_numbers *nodes = &reading->lists[CATEGORY_NODES];
    const struct foreign_numbers *all = &reading->lists[CATEGORIES];
    if (reading->lists[CATEGORY_SEGMENTS].count != nodes->count ||
        reading->lists[CATEGORY_SIZES].count != nodes->count) {
        return foreign_fail(reader, nodes->place,
                            "categories_nodes, _segments and _sizes are not of one length");
    }
    for (size_t i = 0; i < nodes->count; i++) {
        int64_t node;
        int64_t first;
        int64_t size;
        if (!foreign_numbers_whole(reader, nodes, "categories_nodes", i, 0,
                                   (int64_t)reading->lists[LEFT].count - 1, &node) ||
            !foreign_numbers_whole(reader, &reading->lists[CATEGORY_SEGMENTS],
                                   "categories_segments", i, 0, (int64_t)all->count, &first) ||
            !foreign_numbers_whole(reader, &reading->lists[CATEGORY_SIZES], "categories_sizes", i,
                                   0, (int64_t)all->count - first, &size)) {
            return false;
        }
        struct foreign_node *split = &reading->nodes[node].node;
        split->set_first = (uint32_t)reading->model->category_count;
        split->set_count = (uint32_t)size;
        for (int64_t c = first; c < first + size; c++) {
            int64_t category;
            if (!foreign_numbers_whole(reader, all, "categories", (size_t)c, 0, INT32_MAX,
                                       &category) ||
                !foreign_category_add(reading->model, reader, all->places[c], (uint32_t)category)) {
                return false;
            }
        }
    }
    return true;
}

static bool node_take(struct foreign_reader *reader, struct reading *reading, size_t i)
{
    const struct foreign_numbers *lists = reading->lists;
    struct foreign_raw_node *raw = &reading->nodes[i];
    int64_t index = 0;
    int64_t missing_left = 0;
    int64_t type = 0;
    *raw = (struct foreign_raw_node){0};
    if (!foreign_numbers_whole(reader, &lists[LEFT], "left_children", i, -1, INT32_MAX,
                               &raw->left) ||
        !foreign_numbers_whole(reader, &lists[RIGHT], "right_children", i, -1, INT32_MAX,
                               &raw->right) ||
        !foreign_numbers_whole(reader, &lists[INDEX], "split_indices", i, 0, INT32_MAX, &index) ||
        !foreign_numbers_whole(reader, &lists[MISSING_LEFT], "default_left", i, 0, 1,
                               &missing_left) ||
        (i < lists[SPLIT_TYPE].count &&
         !foreign_numbers_whole(reader, &lists[SPLIT_TYPE], "split_type", i, 0, 1, &type))) {
        return false;
    }
    double condition = lists[CONDITION].values[i];
    raw->node = (struct foreign_node){.threshold = (double)(float)condition,
                                      .value = (double)(float)condition,
                                      .cover = lists[HESSIAN].values[i],
                                      .feature = (uint32_t)index,
                                      .leaf = raw->left < 0,
                                      .categorical = type == 1,
                                      .missing_left = missing_left == 1};
    return true;
}

/* Where what is wrong with a node stands. */
static size_t slip_place(const struct reading *reading, const struct foreign_slip *slip)
{
    static const enum list lists[FOREIGN_SLIP_PARTS] = {
        [FOREIGN_SLIP_TREE] = CONDITION,      [FOREIGN_SLIP_COVER] = HESSIAN,
        [FOREIGN_SLIP_VALUE] = CONDITION,     [FOREIGN_SLIP_FEATURE] = INDEX,
        [FOREIGN_SLIP_THRESHOLD] = CONDITION, [FOREIGN_SLIP_LEFT] = LEFT,
        [FOREIGN_SLIP_RIGHT] = RIGHT,
    };
    const struct foreign_numbers *numbers = &reading->lists[lists[slip->part]];
    return slip->node < numbers->count ? numbers->places[slip->node] : numbers->place;
}

static bool tree_take(struct foreign_reader *reader, struct reading *reading)
{
    size_t count = reading->lists[LEFT].count;
    struct foreign_slip slip = {.what = NULL};
    if (!lists_check(reader, reading)) {
        return false;
    }
    if (!foreign_raw_room(&reading->nodes, &reading->node_room, count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!node_take(reader, reading, i)) {
            return false;
        }
    }
    if (!categories_take(reader, reading)) {
        return false;
    }
    if (foreign_tree_add(reading->model, reading->nodes, count, &slip)) {
        return true;
    }
    return slip.what != NULL &&
           foreign_fail(reader, slip_place(reading, &slip), "tree %zu, node %zu: %s",
                        reading->model->tree_count, slip.node, slip.what);
}

static bool trees_read(struct foreign_reader *reader, struct reading *reading)
{
    if (!foreign_want(reader, FOREIGN_ARRAY, "trees, an array,")) {
        return false;
    }
    for (;;) {
        enum foreign_token token = foreign_next(reader);
        if (token == FOREIGN_ARRAY_END) {
            return true;
        }
        if (token != FOREIGN_OBJECT) {
            return foreign_fail(reader, reader->start, "a tree is wanted here, an object");
        }
        memset(reading->has, 0, sizeof reading->has);
        for (size_t l = 0; l < LISTS; l++) {
            foreign_numbers_clear(&reading->lists[l]);
        }
        if (!foreign_members(reader, "a tree", tree_member, reading) ||
            !tree_take(reader, reading)) {
            return false;
        }
    }
}

bool foreign_xgboost_trees(struct foreign_model *model, struct foreign_reader *reader)
{
    struct reading reading = {.model = model};
    bool ok = trees_read(reader, &reading);
    for (size_t l = 0; l < LISTS; l++) {
        foreign_numbers_fini(&reading.lists[l]);
    }
    free(reading.nodes);
    return ok;
}
