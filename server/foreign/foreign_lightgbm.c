/* SPDX-License-Identifier: Apache-2.0 */
/* LightGBM's model: lines of name=value, lists with blanks between, a block for each tree that
 * begins with Tree=i, and "end of trees" behind the last. Lists of a block are read into numbers
 * with their places; when the block ends they become nodes: splits first, then leaves, which
 * children name as ~leaf. What stands behind "end of trees" says nothing of the score and is not
 * looked at. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/span_text.h"
#include "server/foreign/foreign_line.h"
#include "server/foreign/foreign_tree.h"
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

struct reading {
    struct foreign_model *model;
    struct foreign_reader *reader;
    struct foreign_numbers lists[LISTS];
    struct foreign_raw_node *nodes;
    size_t node_room;
    size_t tree_at; /* where the block in work begins */
    int64_t leaves; /* of it; 0: no block is open */
    bool has_leaves;
    bool ended; /* "end of trees" was there */
    bool has_objective;
};

static size_t place_of(const struct reading *reading, struct proto_span text)
{
    return (size_t)(text.data - reading->reader->data);
}

/* The next word of a line; false: there is none. */
static bool word_next(struct proto_span *line, struct proto_span *word)
{
    while (line->bytes > 0 && line->data[0] == ' ') {
        line->data++;
        line->bytes--;
    }
    *word = (struct proto_span){line->data, 0};
    while (word->bytes < line->bytes && line->data[word->bytes] != ' ') {
        word->bytes++;
    }
    line->data += word->bytes;
    line->bytes -= word->bytes;
    return word->bytes > 0;
}

static bool numbers_take(struct reading *reading, enum list list, struct proto_span value)
{
    struct foreign_numbers *numbers = &reading->lists[list];
    struct proto_span word;
    foreign_numbers_clear(numbers);
    numbers->place = place_of(reading, value);
    while (word_next(&value, &word)) {
        double number = 0;
        if (!feature_number_read(word, &number)) {
            return foreign_fail(reading->reader, place_of(reading, word),
                                "%s: a number is wanted here", list_names[list]);
        }
        if (!foreign_numbers_add(numbers, MODEL_TREES_NODES_MAX, reading->reader,
                                 place_of(reading, word), number)) {
            return false;
        }
    }
    return true;
}

static bool whole_take(struct reading *reading, const char *what, struct proto_span value,
                       int64_t low, int64_t high, int64_t *number)
{
    double read = 0;
    if (!feature_number_read(value, &read) || read != trunc(read) || read < (double)low ||
        read > (double)high) {
        return foreign_fail(reading->reader, place_of(reading, value),
                            "%s: a whole number from %lld to %lld is wanted", what, (long long)low,
                            (long long)high);
    }
    *number = (int64_t)read;
    return true;
}

static bool names_take(struct reading *reading, struct proto_span value)
{
    struct proto_span word;
    if (reading->model->feature_count > 0) {
        return foreign_fail(reading->reader, place_of(reading, value), "feature_names twice");
    }
    while (word_next(&value, &word)) {
        size_t at = place_of(reading, word);
        if (word.bytes > FOREIGN_NAME_BYTES_MAX || memchr(word.data, 0, word.bytes) != NULL ||
            reading->model->feature_count == FOREIGN_FEATURES_MAX) {
            return foreign_fail(reading->reader, at,
                                "at most %d names of at most %d bytes are served",
                                FOREIGN_FEATURES_MAX, FOREIGN_NAME_BYTES_MAX);
        }
        if (!foreign_feature_add(reading->model, (const char *)word.data, word.bytes)) {
            return false;
        }
    }
    size_t twice = foreign_feature_twice(reading->model);
    return twice == reading->model->feature_count ||
           foreign_fail(reading->reader, place_of(reading, value), "two features have the name %s",
                        reading->model->features[twice]);
}

/* "binary sigmoid:1": the sigmoid's slope makes logits of the margin. */
static bool objective_take(struct reading *reading, struct proto_span value)
{
    struct foreign_model *model = reading->model;
    size_t at = place_of(reading, value);
    struct proto_span word = {0};
    bool known = false;
    (void)word_next(&value, &word);
    if (word.bytes < sizeof model->objective) {
        memcpy(model->objective, word.data, word.bytes);
        model->logistic = foreign_objective_logistic(model->objective, &known);
    }
    if (!known) {
        return foreign_fail(reading->reader, at,
                            "the objective '%.*s' is not served: " FOREIGN_OBJECTIVES " are",
                            (int)(word.bytes < 40 ? word.bytes : 40), (const char *)word.data);
    }
    reading->has_objective = true;
    while (word_next(&value, &word)) {
        static const char sigmoid[] = "sigmoid:";
        size_t bytes = sizeof sigmoid - 1;
        if (word.bytes <= bytes || memcmp(word.data, sigmoid, bytes) != 0) {
            if (proto_span_is(word, "sqrt")) {
                return foreign_fail(reading->reader, place_of(reading, word),
                                    "a regression of square roots (reg_sqrt) is not served");
            }
            continue;
        }
        struct proto_span number = {word.data + bytes, word.bytes - bytes};
        if (!feature_number_read(number, &model->scale) ||
            !(model->scale > 0 && model->scale <= 1000)) {
            return foreign_fail(reading->reader, place_of(reading, number),
                                "sigmoid: a number above 0 is wanted");
        }
    }
    return true;
}

/* A category set of one split: the bits of its words. */
static bool set_take(struct reading *reading, size_t split, struct foreign_node *node)
{
    const struct foreign_numbers *boundaries = &reading->lists[CAT_BOUNDARIES];
    const struct foreign_numbers *words = &reading->lists[CAT_THRESHOLD];
    int64_t set = 0;
    int64_t first = 0;
    int64_t end = 0;
    if (boundaries->count == 0) {
        return foreign_fail(reading->reader, reading->tree_at,
                            "a split by category, and no cat_boundaries");
    }
    if (!foreign_numbers_whole(reading->reader, &reading->lists[THRESHOLD], "threshold", split, 0,
                               (int64_t)boundaries->count - 2, &set) ||
        !foreign_numbers_whole(reading->reader, boundaries, "cat_boundaries", (size_t)set, 0,
                               (int64_t)words->count, &first) ||
        !foreign_numbers_whole(reading->reader, boundaries, "cat_boundaries", (size_t)set + 1,
                               first, (int64_t)words->count, &end)) {
        return false;
    }
    node->set_first = (uint32_t)reading->model->category_count;
    for (int64_t w = first; w < end; w++) {
        int64_t bits = 0;
        if (!foreign_numbers_whole(reading->reader, words, "cat_threshold", (size_t)w, 0,
                                   UINT32_MAX, &bits)) {
            return false;
        }
        for (unsigned b = 0; b < 32; b++) {
            if (((uint64_t)bits >> b & 1) != 0 &&
                !foreign_category_add(reading->model, (uint32_t)(w - first) * 32 + b)) {
                return foreign_fail(reading->reader, words->places[w],
                                    "more than %u categories in all sets", FOREIGN_CATEGORIES_MAX);
            }
        }
    }
    node->set_count = (uint32_t)(reading->model->category_count - node->set_first);
    return true;
}

/* Children of LightGBM: a split from 0, or ~leaf; leaves stand behind the splits here. */
static int64_t child_of(int64_t child, int64_t splits)
{
    return child >= 0 ? (child < splits ? child : -1) : splits + (-child - 1);
}

static bool split_take(struct reading *reading, size_t i, int64_t splits)
{
    enum { CATEGORICAL = 1, DEFAULT_LEFT = 2 };
    struct foreign_raw_node *raw = &reading->nodes[i];
    int64_t feature = 0;
    int64_t decision = 0;
    int64_t left = 0;
    int64_t right = 0;
    if (!foreign_numbers_whole(reading->reader, &reading->lists[FEATURE], "split_feature", i, 0,
                               INT32_MAX, &feature) ||
        !foreign_numbers_whole(reading->reader, &reading->lists[DECISION], "decision_type", i, 0,
                               11, &decision) ||
        !foreign_numbers_whole(reading->reader, &reading->lists[LEFT], "left_child", i,
                               -(int64_t)MODEL_TREES_NODES_MAX - 1, MODEL_TREES_NODES_MAX, &left) ||
        !foreign_numbers_whole(reading->reader, &reading->lists[RIGHT], "right_child", i,
                               -(int64_t)MODEL_TREES_NODES_MAX - 1, MODEL_TREES_NODES_MAX,
                               &right)) {
        return false;
    }
    static const enum foreign_missing missing[] = {FOREIGN_MISSING_NONE, FOREIGN_MISSING_ZERO,
                                                   FOREIGN_MISSING_NAN};
    *raw =
        (struct foreign_raw_node){.left = child_of(left, splits), .right = child_of(right, splits)};
    raw->node = (struct foreign_node){
        .threshold = reading->lists[THRESHOLD].values[i],
        .cover = reading->lists[INTERNAL_COUNT].values[i],
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
    return set_take(reading, i, &raw->node);
}

static bool counts_check(const struct reading *reading)
{
    size_t leaves = (size_t)reading->leaves;
    for (size_t l = FEATURE; l <= LEAF_COUNT; l++) {
        const struct foreign_numbers *numbers = &reading->lists[l];
        size_t wanted = l >= LEAF_VALUE ? leaves : leaves - 1;
        bool optional = l == LEAF_COUNT && leaves == 1; /* a tree of one leaf has no count */
        if (numbers->count != wanted && !(optional && numbers->count == 0)) {
            return foreign_fail(reading->reader,
                                numbers->count > 0 ? numbers->place : reading->tree_at,
                                "%s: %zu numbers, where a tree of %zu leaves has %zu",
                                list_names[l], numbers->count, leaves, wanted);
        }
    }
    return true;
}

static size_t slip_place(const struct reading *reading, const struct foreign_slip *slip)
{
    size_t splits = (size_t)reading->leaves - 1;
    bool leaf = slip->node >= splits;
    enum list list = leaf                                    ? LEAF_VALUE
                     : strstr(slip->what, "feature") != NULL ? FEATURE
                     : strstr(slip->what, "child") != NULL   ? LEFT
                                                             : THRESHOLD;
    return reading->lists[list].places[leaf ? slip->node - splits : slip->node];
}

/* The block that ends becomes a tree. */
static bool tree_end(struct reading *reading)
{
    size_t splits = (size_t)reading->leaves - 1;
    size_t count = 2 * splits + 1;
    struct foreign_slip slip = {NULL, 0};
    if (!reading->has_leaves) {
        return foreign_fail(reading->reader, reading->tree_at, "this tree has no num_leaves");
    }
    if (!counts_check(reading)) {
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
    for (size_t i = 0; i < splits; i++) {
        if (!split_take(reading, i, (int64_t)splits)) {
            return false;
        }
    }
    for (size_t i = 0; i <= splits; i++) {
        const struct foreign_numbers *counts = &reading->lists[LEAF_COUNT];
        reading->nodes[splits + i] =
            (struct foreign_raw_node){.node = {.leaf = true,
                                               .value = reading->lists[LEAF_VALUE].values[i],
                                               .cover = i < counts->count ? counts->values[i] : 0}};
    }
    if (foreign_tree_add(reading->model, reading->nodes, count, &slip)) {
        return true;
    }
    return slip.what != NULL && foreign_fail(reading->reader, slip_place(reading, &slip),
                                             "tree %zu: %s", reading->model->tree_count, slip.what);
}

static bool tree_begin(struct reading *reading, struct proto_span line, struct proto_span value)
{
    int64_t number = 0;
    if (reading->leaves != 0 && !tree_end(reading)) {
        return false;
    }
    for (size_t l = 0; l < LISTS; l++) {
        foreign_numbers_clear(&reading->lists[l]);
        reading->lists[l].place = place_of(reading, line);
    }
    reading->tree_at = place_of(reading, line);
    reading->leaves = 1;
    reading->has_leaves = false;
    return whole_take(reading, "Tree", value, (int64_t)reading->model->tree_count,
                      (int64_t)reading->model->tree_count, &number);
}

/* A line of a tree's block. */
static bool tree_line(struct reading *reading, struct proto_span name, struct proto_span value)
{
    int64_t number = 0;
    if (proto_span_is(name, "num_leaves")) {
        reading->has_leaves = true;
        return whole_take(reading, "num_leaves", value, 1, MODEL_TREES_NODES_MAX / 2,
                          &reading->leaves);
    }
    if (proto_span_is(name, "is_linear")) {
        return whole_take(reading, "is_linear", value, 0, 1, &number) &&
               (number == 0 || foreign_fail(reading->reader, place_of(reading, value),
                                            "linear leaves (linear_tree) are not served"));
    }
    for (size_t l = 0; l < LISTS; l++) {
        if (proto_span_is(name, list_names[l])) {
            return numbers_take(reading, (enum list)l, value);
        }
    }
    return true;
}

static bool head_line(struct reading *reading, struct proto_span name, struct proto_span value)
{
    int64_t number = 0;
    if (proto_span_is(name, "version")) {
        size_t bytes = value.bytes < sizeof reading->model->version
                           ? value.bytes
                           : sizeof reading->model->version - 1;
        memcpy(reading->model->version, value.data, bytes);
        return (proto_span_is(value, "v2") || proto_span_is(value, "v3") ||
                proto_span_is(value, "v4")) ||
               foreign_fail(reading->reader, place_of(reading, value),
                            "v2, v3 and v4 are read, not '%.*s'", (int)bytes,
                            (const char *)value.data);
    }
    if (proto_span_is(name, "num_class") || proto_span_is(name, "num_tree_per_iteration")) {
        return whole_take(reading, "num_class", value, 1, 100000, &number) &&
               (number == 1 ||
                foreign_fail(reading->reader, place_of(reading, value),
                             "%lld classes: a model of one outcome is served", (long long)number));
    }
    if (proto_span_is(name, "average_output")) {
        return foreign_fail(reading->reader, place_of(reading, name),
                            "an averaged forest (boosting=rf) is not served: gbdt and goss are");
    }
    if (proto_span_is(name, "feature_names")) {
        return names_take(reading, value);
    }
    return !proto_span_is(name, "objective") || objective_take(reading, value);
}

static bool line_take(struct reading *reading, struct proto_span line)
{
    const uint8_t *sign = memchr(line.data, '=', line.bytes);
    struct proto_span name = {line.data, sign != NULL ? (size_t)(sign - line.data) : line.bytes};
    struct proto_span value = {line.data + line.bytes, 0};
    if (sign != NULL) {
        value = (struct proto_span){sign + 1, line.bytes - name.bytes - 1};
    }
    if (proto_span_is(line, "end of trees")) {
        reading->ended = true;
        return reading->leaves == 0 || tree_end(reading);
    }
    if (proto_span_is(name, "Tree")) {
        return tree_begin(reading, line, value);
    }
    return reading->leaves != 0 ? tree_line(reading, name, value) : head_line(reading, name, value);
}

static bool lines_read(struct reading *reading, struct proto_span text)
{
    while (text.bytes > 0 && !reading->ended) {
        const uint8_t *end = memchr(text.data, '\n', text.bytes);
        struct proto_span line = {text.data, end != NULL ? (size_t)(end - text.data) : text.bytes};
        size_t passed = line.bytes + (end != NULL);
        if (line.bytes > 0 && line.data[line.bytes - 1] == '\r') {
            line.bytes--;
        }
        if (line.bytes > 0 && !line_take(reading, line)) {
            return false;
        }
        text.data += passed;
        text.bytes -= passed;
    }
    return true;
}

bool foreign_lightgbm_read(struct foreign_model *model, struct proto_span text,
                           struct foreign_reader *reader)
{
    struct reading reading = {.model = model, .reader = reader};
    bool ok = lines_read(&reading, text);
    if (ok && !reading.ended) {
        ok = foreign_fail(reader, text.bytes, "the file ends before its line 'end of trees'");
    }
    if (ok && model->feature_count == 0) {
        ok = foreign_fail(reader, 0,
                          "no line feature_names=: this is not a model that LightGBM saved");
    }
    if (ok && !reading.has_objective) {
        ok = foreign_fail(reader, 0, "no objective is named: what a score means is not known");
    }
    for (size_t l = 0; l < LISTS; l++) {
        foreign_numbers_fini(&reading.lists[l]);
    }
    free(reading.nodes);
    return ok;
}
