/* SPDX-License-Identifier: Apache-2.0 */
/* Trees as JSON and back; the form is that of trees.h. Counts are known before anything is
 * allocated, and the check of what the numbers mean is model_trees_seal's. */
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/model/trees_plan.h"

#define LISTS 6

static const char *const lists[LISTS] = {"column", "upto", "missing", "right", "share", "value"};

static json_int_t node_number(const struct model_trees *trees, size_t tree,
                              const struct model_tree_node *node, size_t list)
{
    bool leaf = node->column == MODEL_TREES_LEAF;
    const json_int_t numbers[LISTS] = {leaf ? -1 : (json_int_t)node->column,
                                       node->set != 0 ? -(json_int_t)node->set
                                                      : (json_int_t)node->upto,
                                       node->missing_left,
                                       leaf ? 0 : (json_int_t)node->right - trees->firsts[tree],
                                       node->share,
                                       node->value};
    return numbers[list];
}

static json_t *tree_to_json(const struct model_trees *trees, size_t tree)
{
    json_t *object = json_object();
    for (size_t l = 0; l < LISTS && object != NULL; l++) {
        json_t *array = json_array();
        for (size_t i = trees->firsts[tree]; i < trees->firsts[tree + 1]; i++) {
            feature_json_append(&array,
                                json_integer(node_number(trees, tree, &trees->nodes[i], l)));
        }
        if (json_object_set_new(object, lists[l], array) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *set_to_json(const struct model_code_set *set)
{
    json_t *array = json_array();
    for (unsigned code = 0; code < 256; code++) {
        if (model_code_in(set, (uint8_t)code)) {
            feature_json_append(&array, json_integer(code));
        }
    }
    return array;
}

json_t *model_trees_to_json(const struct model_trees *trees)
{
    json_t *sets = json_array();
    json_t *list = json_array();
    for (size_t s = 0; s < trees->set_count; s++) {
        feature_json_append(&sets, set_to_json(&trees->sets[s]));
    }
    for (size_t t = 0; t < trees->tree_count; t++) {
        feature_json_append(&list, tree_to_json(trees, t));
    }
    return json_pack("{s:I, s:s, s:o, s:o}", "base", (json_int_t)trees->base, "link",
                     trees->logistic ? "logistic" : "none", "sets", sets, "trees", list);
}

static bool bad(struct proto_fault *fault, const char *field, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", text);
}

/* An integer of an array, within bounds. */
static bool integer_at(const json_t *array, const char *name, size_t i, int64_t low, int64_t high,
                       int64_t *value, struct proto_fault *fault)
{
    const json_t *item = json_array_get(array, i);
    *value = json_integer_value(item);
    if (json_is_integer(item) && *value >= low && *value <= high) {
        return true;
    }
    proto_fault_set(fault, PROTO_BAD_DOCUMENT, "", "an integer from %lld to %lld is wanted",
                    (long long)low, (long long)high);
    return proto_fault_within(fault, "%s[%zu]", name, i);
}

static bool node_read(const json_t *tree, size_t i, size_t count, size_t set_count, uint32_t first,
                      struct model_tree_node *node, struct proto_fault *fault)
{
    const int64_t lows[LISTS] = {-1, -(int64_t)set_count, 0, 0, 0, -MODEL_TREES_SUM_MAX};
    const int64_t highs[LISTS] = {PROTO_COLUMNS_MAX - 1, PROTO_BINS_MAX,     1, (int64_t)count,
                                  MODEL_TREES_SHARE_ONE, MODEL_TREES_SUM_MAX};
    int64_t numbers[LISTS];
    for (size_t l = 0; l < LISTS; l++) {
        if (!integer_at(json_object_get(tree, lists[l]), lists[l], i, lows[l], highs[l],
                        &numbers[l], fault)) {
            return false;
        }
    }
    bool leaf = numbers[0] < 0;
    *node = (struct model_tree_node){
        .column = leaf ? MODEL_TREES_LEAF : (uint16_t)numbers[0],
        .set = numbers[1] < 0 ? (uint16_t)-numbers[1] : 0,
        .upto = numbers[1] < 0 ? 0 : (uint8_t)numbers[1],
        .missing_left = numbers[2] != 0,
        .right = leaf ? 0 : first + (uint32_t)numbers[3],
        .share = (uint32_t)numbers[4],
        .value = numbers[5],
    };
    return true;
}

static bool tree_read(const json_t *tree, struct model_trees *trees, size_t t,
                      struct proto_fault *fault)
{
    size_t count = json_array_size(json_object_get(tree, lists[0]));
    if (!feature_json_members_exact(tree, lists, LISTS, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    for (size_t l = 0; l < LISTS; l++) {
        const json_t *array = json_object_get(tree, lists[l]);
        if (!json_is_array(array) || json_array_size(array) != count) {
            return bad(fault, lists[l], "an array with one integer for each node is wanted");
        }
    }
    trees->firsts[t + 1] = trees->firsts[t] + (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        if (!node_read(tree, i, count, trees->set_count, trees->firsts[t],
                       &trees->nodes[trees->firsts[t] + i], fault)) {
            return false;
        }
    }
    return true;
}

static bool set_read(const json_t *array, struct model_code_set *set, struct proto_fault *fault)
{
    if (!json_is_array(array) || json_array_size(array) > PROTO_BINS_MAX) {
        return bad(fault, "", "an array of codes is wanted");
    }
    for (size_t i = 0; i < json_array_size(array); i++) {
        int64_t code;
        if (!integer_at(array, "", i, 0, PROTO_BINS_MAX - 1, &code, fault)) {
            return false;
        }
        set->bits[code / 64] |= UINT64_C(1) << (code % 64);
    }
    return true;
}

static bool lists_read(const json_t *json, struct model_trees *trees, struct proto_fault *fault)
{
    const json_t *sets = json_object_get(json, "sets");
    const json_t *list = json_object_get(json, "trees");
    for (size_t s = 0; s < trees->set_count; s++) {
        if (!set_read(json_array_get(sets, s), &trees->sets[s], fault)) {
            return proto_fault_within(fault, "sets[%zu]", s);
        }
    }
    for (size_t t = 0; t < trees->tree_count; t++) {
        if (!tree_read(json_array_get(list, t), trees, t, fault)) {
            return proto_fault_within(fault, "trees[%zu]", t);
        }
    }
    return true;
}

/* Room for what the JSON holds, within the limits; head members read. */
static struct model_trees *head_read(const json_t *json, struct proto_fault *fault)
{
    static const char *const names[] = {"base", "link", "sets", "trees"};
    if (!feature_json_members_exact(json, names, 4, PROTO_BAD_DOCUMENT, fault)) {
        return NULL;
    }
    const json_t *base = json_object_get(json, "base");
    const json_t *sets = json_object_get(json, "sets");
    const json_t *list = json_object_get(json, "trees");
    const char *link = json_string_value(json_object_get(json, "link"));
    bool logistic = link != NULL && strcmp(link, "logistic") == 0;
    size_t nodes = 0;
    for (size_t t = 0; json_is_array(list) && t < json_array_size(list); t++) {
        nodes += json_array_size(json_object_get(json_array_get(list, t), lists[0]));
    }
    if (!json_is_integer(base)) {
        bad(fault, "base", "an integer is wanted");
    } else if (!logistic && (link == NULL || strcmp(link, "none") != 0)) {
        bad(fault, "link", "logistic or none is wanted");
    } else if (!json_is_array(sets) || json_array_size(sets) > MODEL_TREES_SETS_MAX) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "sets", "an array of at most %d is wanted",
                        MODEL_TREES_SETS_MAX);
    } else if (!json_is_array(list) || json_array_size(list) > MODEL_TREES_MAX ||
               nodes > MODEL_TREES_NODES_MAX) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "trees",
                        "an array of at most %d trees with %u nodes together is wanted",
                        MODEL_TREES_MAX, MODEL_TREES_NODES_MAX);
    } else {
        struct model_trees *trees =
            model_trees_create(nodes, json_array_size(list), json_array_size(sets));
        if (trees == NULL) {
            proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the trees");
            return NULL;
        }
        trees->base = json_integer_value(base);
        trees->logistic = logistic;
        return trees;
    }
    return NULL;
}

struct model_trees *model_trees_from_json(const json_t *json,
                                          const struct feature_codebook *codebook,
                                          struct proto_fault *fault)
{
    struct model_trees *trees = head_read(json, fault);
    if (trees != NULL &&
        (!lists_read(json, trees, fault) || !model_trees_seal(trees, codebook, fault))) {
        model_trees_destroy(trees);
        return NULL;
    }
    return trees;
}
