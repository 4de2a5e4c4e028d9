/* SPDX-License-Identifier: Apache-2.0 */
/* The walk from the root marks each node that it meets: one met twice is a circle or has two
 * parents. */
#include "server/foreign/foreign_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/model/trees.h"

/* Room for one more; NULL: no memory, and *array is what it was. */
static bool grow(void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room) {
        return true;
    }
    size_t wanted = *room == 0 ? 64 : *room * 2;
    void *larger = realloc(*array, wanted * size);
    if (larger == NULL) {
        return false;
    }
    *array = larger;
    *room = wanted;
    return true;
}

bool foreign_raw_room(struct foreign_raw_node **nodes, size_t *room, size_t count)
{
    if (count <= *room) {
        return true;
    }
    struct foreign_raw_node *larger = realloc(*nodes, count * sizeof *larger);
    if (larger == NULL) {
        return false;
    }
    *nodes = larger;
    *room = count;
    return true;
}

bool foreign_category_add(struct foreign_model *model, struct foreign_reader *reader, size_t at,
                          uint32_t category)
{
    void *array = model->categories;
    if (model->category_count == FOREIGN_CATEGORIES_MAX) {
        return foreign_fail(reader, at, "more than %u categories in all sets",
                            FOREIGN_CATEGORIES_MAX);
    }
    bool ok = grow(&array, &model->category_room, model->category_count, sizeof *model->categories);
    model->categories = array;
    if (ok) {
        model->categories[model->category_count++] = category;
    }
    return ok;
}

bool foreign_feature_add(struct foreign_model *model, const char *name, size_t bytes)
{
    if (model->features == NULL) {
        model->features = calloc(FOREIGN_FEATURES_MAX, sizeof *model->features);
    }
    char *copy = model->features != NULL && model->feature_count < FOREIGN_FEATURES_MAX
                     ? strndup(name, bytes)
                     : NULL;
    if (copy == NULL) {
        return false;
    }
    model->features[model->feature_count++] = copy;
    return true;
}

struct named {
    const char *name;
    size_t place;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

bool foreign_features_differ(const struct foreign_model *model, struct foreign_reader *reader,
                             size_t at)
{
    struct named *sorted = calloc(model->feature_count + 1, sizeof *sorted);
    if (sorted == NULL) {
        return false;
    }
    for (size_t i = 0; i < model->feature_count; i++) {
        sorted[i] = (struct named){model->features[i], i};
    }
    qsort(sorted, model->feature_count, sizeof *sorted, by_name);
    size_t twice = model->feature_count;
    for (size_t i = 1; i < model->feature_count; i++) {
        if (strcmp(sorted[i - 1].name, sorted[i].name) == 0 && sorted[i].place < twice) {
            twice = sorted[i].place;
        }
    }
    free(sorted);
    char shown[FEATURE_SHOWN_BYTES];
    return twice == model->feature_count ||
           foreign_fail(
               reader, at, "two features have the name %s",
               feature_text_show(proto_span_text(model->features[twice]), shown, sizeof shown));
}

static bool slip_set(struct foreign_slip *slip, enum foreign_slip_part part, const char *what,
                     size_t node)
{
    *slip = (struct foreign_slip){what, node, part};
    return false;
}

static bool node_check(const struct foreign_model *model, const struct foreign_node *node,
                       size_t at, struct foreign_slip *slip)
{
    if (!isfinite(node->cover) || node->cover < 0) {
        return slip_set(slip, FOREIGN_SLIP_COVER, "how much it covers is not a number from 0 up",
                        at);
    }
    if (node->leaf) {
        return isfinite(node->value) ||
               slip_set(slip, FOREIGN_SLIP_VALUE, "the value of a leaf is not a finite number", at);
    }
    size_t features = model->feature_count > 0 ? model->feature_count : FOREIGN_FEATURES_MAX;
    if (node->feature >= features) { /* names may come later; the reader looks again */
        return slip_set(slip, FOREIGN_SLIP_FEATURE,
                        "it is split by a feature that the model does not have", at);
    }
    return node->categorical || isfinite(node->threshold) ||
           slip_set(slip, FOREIGN_SLIP_THRESHOLD, "its threshold is not a finite number", at);
}

/* A node still to be written, and the split whose right child it is. */
struct open {
    size_t node;
    size_t parent; /* among the model's nodes; SIZE_MAX: a left child, or the root */
    size_t above;  /* splits above it */
};

static bool child_open(size_t count, bool *met, size_t at, enum foreign_slip_part part,
                       int64_t child, struct open *open, struct foreign_slip *slip)
{
    if (child < 0 || (uint64_t)child >= count) {
        return slip_set(slip, part, "a child that is no node of the tree", at);
    }
    if (met[child]) {
        return slip_set(slip, part, "a child that another split has too, or that leads back", at);
    }
    met[child] = true;
    open->node = (size_t)child;
    return true;
}

/* Nodes behind each other from the root; open has room for every level. */
static bool nodes_write(struct foreign_model *model, const struct foreign_raw_node *nodes,
                        size_t count, bool *met, struct foreign_slip *slip)
{
    struct open open[MODEL_TREES_DEPTH_MAX + 2];
    size_t depth = 0;
    open[depth++] = (struct open){.parent = SIZE_MAX};
    met[0] = true;
    while (depth > 0) {
        struct open at = open[--depth];
        void *array = model->nodes;
        if (model->node_count == MODEL_TREES_NODES_MAX) {
            return slip_set(slip, FOREIGN_SLIP_TREE,
                            "the trees have more nodes together than are served", at.node);
        }
        bool room = grow(&array, &model->node_room, model->node_count, sizeof *model->nodes);
        model->nodes = array;
        if (!room) {
            return slip_set(slip, FOREIGN_SLIP_TREE, NULL, at.node);
        }
        size_t written = model->node_count++;
        const struct foreign_raw_node *raw = &nodes[at.node];
        model->nodes[written] = raw->node;
        model->nodes[written].right = 0;
        if (at.parent != SIZE_MAX) {
            model->nodes[at.parent].right = (uint32_t)written;
        }
        if (!node_check(model, &raw->node, at.node, slip)) {
            return false;
        }
        if (raw->node.leaf) {
            continue;
        }
        if (at.above == MODEL_TREES_DEPTH_MAX) {
            return slip_set(slip, FOREIGN_SLIP_TREE, "the tree is deeper than is served", at.node);
        }
        open[depth] = (struct open){.parent = written, .above = at.above + 1};
        open[depth + 1] = (struct open){.parent = SIZE_MAX, .above = at.above + 1};
        if (!child_open(count, met, at.node, FOREIGN_SLIP_RIGHT, raw->right, &open[depth], slip) ||
            !child_open(count, met, at.node, FOREIGN_SLIP_LEFT, raw->left, &open[depth + 1],
                        slip)) {
            return false;
        }
        depth += 2;
    }
    return true;
}

bool foreign_tree_add(struct foreign_model *model, const struct foreign_raw_node *nodes,
                      size_t count, struct foreign_slip *slip)
{
    void *array = model->firsts;
    if (count == 0) {
        return slip_set(slip, FOREIGN_SLIP_TREE, "a tree without a node", 0);
    }
    if (model->tree_count == MODEL_TREES_MAX) {
        return slip_set(slip, FOREIGN_SLIP_TREE, "more trees than are served", 0);
    }
    bool *met = calloc(count, sizeof *met);
    bool room = grow(&array, &model->tree_room, model->tree_count + 1, sizeof *model->firsts);
    model->firsts = array;
    if (met == NULL || !room) {
        free(met);
        return slip_set(slip, FOREIGN_SLIP_TREE, NULL, 0);
    }
    model->firsts[model->tree_count] = (uint32_t)model->node_count;
    bool ok = nodes_write(model, nodes, count, met, slip);
    free(met);
    if (ok) {
        model->firsts[++model->tree_count] = (uint32_t)model->node_count;
    }
    return ok;
}

bool foreign_objective_logistic(const char *objective, bool *known)
{
    static const struct {
        const char *name;
        bool logistic;
    } all[] = {{"binary:logistic", true},   {"binary:logitraw", true}, {"reg:logistic", true},
               {"reg:squarederror", false}, {"reg:linear", false},     {"binary", true},
               {"cross_entropy", true},     {"regression", false},     {"regression_l2", false}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(all[i].name, objective) == 0) {
            *known = true;
            return all[i].logistic;
        }
    }
    *known = false;
    return false;
}
