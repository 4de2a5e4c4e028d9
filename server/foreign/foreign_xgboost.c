/* SPDX-License-Identifier: Apache-2.0 */
/* XGBoost's model, learner/gradient_booster/model/trees above all. Lists of a tree are read into
 * numbers with their places; when the tree's object ends they become nodes. Members that say
 * nothing of the score are passed over. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
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

/* What is known while the file is read. */
struct reading {
    struct foreign_model *model;
    struct foreign_numbers lists[LISTS];
    bool has[LISTS];
    struct foreign_raw_node *nodes;
    size_t node_room;
    char booster[32];
    char base_score[64];
    size_t base_score_at;
    size_t objective_at;
    double features; /* by learner_model_param; names may be left out */
    bool has_model;
};

static bool text_is(const struct foreign_reader *reader, const char *text)
{
    return strcmp(reader->text, text) == 0;
}

static bool value_skip(struct foreign_reader *reader)
{
    return foreign_skip(reader, foreign_next(reader));
}

/* The next value, a short text, kept with a zero end. */
static bool text_keep(struct foreign_reader *reader, const char *what, char *out, size_t bytes)
{
    if (!foreign_want(reader, FOREIGN_TEXT, what)) {
        return false;
    }
    if (reader->text_cut || reader->text_bytes >= bytes) {
        return foreign_fail(reader, reader->start, "%s: a text of at most %zu bytes is wanted",
                            what, bytes - 1);
    }
    memcpy(out, reader->text, reader->text_bytes + 1);
    return true;
}

/* The next value, a number as a text, as this format has them. */
static bool text_number(struct foreign_reader *reader, const char *what, double *number)
{
    char text[64];
    return text_keep(reader, what, text, sizeof text) &&
           (feature_number_read(proto_span_text(text), number) ||
            foreign_fail(reader, reader->start, "%s: a number is wanted, in quotes", what));
}

static bool version_read(struct foreign_reader *reader, struct reading *reading)
{
    struct foreign_numbers numbers = {0};
    bool ok = foreign_numbers_read(reader, "version", 8, &numbers);
    size_t used = 0;
    for (size_t i = 0; ok && i < numbers.count; i++) {
        int64_t part;
        ok = foreign_numbers_whole(reader, &numbers, "version", i, 0, 99999, &part);
        if (ok) {
            used += (size_t)snprintf(reading->model->version + used,
                                     sizeof reading->model->version - used, "%s%d",
                                     i == 0 ? "" : ".", (int)part);
            used = used < 24 ? used : 24;
        }
    }
    foreign_numbers_fini(&numbers);
    return ok;
}

static bool names_read(struct foreign_reader *reader, struct reading *reading)
{
    if (!foreign_want(reader, FOREIGN_ARRAY, "feature_names, an array,")) {
        return false;
    }
    for (;;) {
        enum foreign_token token = foreign_next(reader);
        if (token == FOREIGN_ARRAY_END) {
            return true;
        }
        if (token != FOREIGN_TEXT || reader->text_cut || reader->text_bytes == 0 ||
            reader->text_bytes > FOREIGN_NAME_BYTES_MAX ||
            strlen(reader->text) != reader->text_bytes) {
            return foreign_fail(reader, reader->start, "a name of 1 to %d bytes is wanted here",
                                FOREIGN_NAME_BYTES_MAX);
        }
        if (reading->model->feature_count == FOREIGN_FEATURES_MAX) {
            return foreign_fail(reader, reader->start, "more than %d features",
                                FOREIGN_FEATURES_MAX);
        }
        if (!foreign_feature_add(reading->model, reader->text, reader->text_bytes)) {
            return false;
        }
    }
}

static bool tree_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    for (size_t l = 0; l < LISTS; l++) {
        if (text_is(reader, list_names[l])) {
            reading->has[l] = true;
            return foreign_numbers_read(reader, list_names[l], MODEL_TREES_NODES_MAX,
                                        &reading->lists[l]);
        }
    }
    return value_skip(reader);
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
                !foreign_category_add(reading->model, (uint32_t)category)) {
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

/* Where a node's slip stands: of a leaf its value, of a split the child or threshold. */
static size_t slip_place(const struct reading *reading, const struct foreign_slip *slip)
{
    enum list list = strstr(slip->what, "child") != NULL     ? LEFT
                     : strstr(slip->what, "covers") != NULL  ? HESSIAN
                     : strstr(slip->what, "feature") != NULL ? INDEX
                                                             : CONDITION;
    const struct foreign_numbers *numbers = &reading->lists[list];
    return slip->node < numbers->count ? numbers->places[slip->node] : numbers->place;
}

static bool tree_take(struct foreign_reader *reader, struct reading *reading)
{
    size_t count = reading->lists[LEFT].count;
    struct foreign_slip slip = {NULL, 0};
    if (!lists_check(reader, reading)) {
        return false;
    }
    if (count > reading->node_room) {
        struct foreign_raw_node *nodes = realloc(reading->nodes, count * sizeof *nodes);
        if (nodes == NULL) {
            return false;
        }
        reading->nodes = nodes;
        reading->node_room = count;
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

static bool model_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (text_is(reader, "trees")) {
        reading->has_model = true;
        return trees_read(reader, reading);
    }
    return value_skip(reader);
}

static bool booster_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (text_is(reader, "model")) {
        return foreign_object(reader, "model", model_member, context);
    }
    if (text_is(reader, "name")) {
        size_t at = reader->start;
        return text_keep(reader, "name", reading->booster, sizeof reading->booster) &&
               (strcmp(reading->booster, "gbtree") == 0 ||
                foreign_fail(reader, at, "the booster %s is not served: gbtree is",
                             reading->booster));
    }
    return value_skip(reader);
}

static bool param_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    size_t at = reader->start;
    double number = 0;
    if (text_is(reader, "base_score")) {
        return text_keep(reader, "base_score", reading->base_score, sizeof reading->base_score) &&
               ((reading->base_score_at = reader->start), true);
    }
    if (text_is(reader, "num_class")) {
        return text_number(reader, "num_class", &number) &&
               (number <= 1 ||
                foreign_fail(reader, at, "%.0f classes: a model of one outcome is served", number));
    }
    if (text_is(reader, "num_target")) {
        return text_number(reader, "num_target", &number) &&
               (number <= 1 ||
                foreign_fail(reader, at, "%.0f targets: a model of one outcome is served", number));
    }
    if (text_is(reader, "num_feature")) {
        return text_number(reader, "num_feature", &reading->features) &&
               ((reading->features >= 0 && reading->features <= FOREIGN_FEATURES_MAX) ||
                foreign_fail(reader, at, "at most %d features are served", FOREIGN_FEATURES_MAX));
    }
    return value_skip(reader);
}

static bool objective_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (!text_is(reader, "name")) {
        return value_skip(reader);
    }
    reading->objective_at = reader->start;
    return text_keep(reader, "objective", reading->model->objective,
                     sizeof reading->model->objective);
}

static bool learner_member(void *context, struct foreign_reader *reader)
{
    struct reading *reading = context;
    if (text_is(reader, "feature_names")) {
        return names_read(reader, reading);
    }
    if (text_is(reader, "gradient_booster")) {
        return foreign_object(reader, "gradient_booster", booster_member, context);
    }
    if (text_is(reader, "learner_model_param")) {
        return foreign_object(reader, "learner_model_param", param_member, context);
    }
    if (text_is(reader, "objective")) {
        return foreign_object(reader, "objective", objective_member, context);
    }
    return value_skip(reader);
}

static bool top_member(void *context, struct foreign_reader *reader)
{
    if (text_is(reader, "learner")) {
        return foreign_object(reader, "learner", learner_member, context);
    }
    if (text_is(reader, "version")) {
        return version_read(reader, context);
    }
    return value_skip(reader);
}

/* The margin of a row before any tree: what the objective makes of base_score, which newer versions
 * write as a list of one. */
static bool base_take(struct foreign_reader *reader, struct reading *reading)
{
    struct proto_span text = proto_span_text(reading->base_score);
    double base = 0;
    if (text.bytes > 2 && text.data[0] == '[' && text.data[text.bytes - 1] == ']') {
        text = (struct proto_span){text.data + 1, text.bytes - 2};
    }
    if (!feature_number_read(text, &base)) {
        return foreign_fail(reader, reading->base_score_at,
                            reading->base_score[0] == '\0' ? "learner_model_param has no base_score"
                                                           : "base_score: a number is wanted");
    }
    base = (double)(float)base;
    /* binary:logitraw takes it for a margin as it is. */
    bool chance =
        reading->model->logistic && strcmp(reading->model->objective, "binary:logitraw") != 0;
    if (chance && !(base > 0 && base < 1)) {
        return foreign_fail(reader, reading->base_score_at,
                            "base_score: a number between 0 and 1 is wanted for %s",
                            reading->model->objective);
    }
    reading->model->base = chance ? log(base / (1 - base)) : base;
    return true;
}

/* Names where the file has none, as XGBoost shows them; and that no split asks for more. */
static bool features_end(struct foreign_reader *reader, struct reading *reading)
{
    struct foreign_model *model = reading->model;
    for (size_t i = model->feature_count; model->feature_count < (size_t)reading->features; i++) {
        char name[32];
        int bytes = snprintf(name, sizeof name, "f%zu", i);
        if (!foreign_feature_add(model, name, (size_t)bytes)) {
            return false;
        }
    }
    for (size_t i = 0; i < model->node_count; i++) {
        if (!model->nodes[i].leaf && model->nodes[i].feature >= model->feature_count) {
            return foreign_fail(reader, 0, "a tree is split by feature %u, the model has %zu",
                                model->nodes[i].feature, model->feature_count);
        }
    }
    size_t twice = foreign_feature_twice(model);
    return twice == model->feature_count ||
           foreign_fail(reader, 0, "two features have the name %s", model->features[twice]);
}

static bool end_check(struct foreign_reader *reader, struct reading *reading)
{
    bool known;
    struct foreign_model *model = reading->model;
    if (foreign_next(reader) != FOREIGN_END) {
        return foreign_fail(reader, reader->start, "something stands behind the model");
    }
    if (!reading->has_model || reading->booster[0] == '\0') {
        return foreign_fail(reader, 0,
                            "no learner.gradient_booster with a name and model.trees: "
                            "this is not a model that XGBoost saved");
    }
    model->logistic = foreign_objective_logistic(model->objective, &known);
    if (!known) {
        return foreign_fail(reader, reading->objective_at,
                            "the objective '%s' is not served: " FOREIGN_OBJECTIVES " are",
                            model->objective);
    }
    return base_take(reader, reading) && features_end(reader, reading);
}

bool foreign_xgboost_read(struct foreign_model *model, struct foreign_reader *reader)
{
    struct reading reading = {.model = model};
    bool ok =
        foreign_object(reader, "the model", top_member, &reading) && end_check(reader, &reading);
    for (size_t l = 0; l < LISTS; l++) {
        foreign_numbers_fini(&reading.lists[l]);
    }
    free(reading.nodes);
    return ok;
}
