/* SPDX-License-Identifier: Apache-2.0 */
/* Forests that are made at random, small enough for every answer to be worked out the long way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/model/scorecard.h"
#include "server/model/trees_plan.h"

#define COLUMNS 11

static const unsigned bins_of[COLUMNS] = {9, 3, 200, 6, 70, 4, 5, 3, 30, 7, 12};

/* A codebook of numbers with so many bins. */
static struct feature_codebook *codebook_make(struct feature_schema **schema)
{
    struct proto_fault fault;
    json_t *columns = json_array();
    char fields[64 * COLUMNS] = "{\"fields\":[";
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t used = strlen(fields);
        (void)snprintf(fields + used, sizeof fields - used,
                       "%s{\"name\":\"%c\",\"type\":\"number\"}%s", c > 0 ? "," : "",
                       (char)('a' + c), c + 1 == COLUMNS ? "]}" : "");
    }
    *schema = feature_schema_parse(proto_span_text(fields), 1, NULL, &fault);
    assert_non_null(*schema);
    for (size_t c = 0; c < COLUMNS; c++) {
        const char name[2] = {(char)('a' + c), '\0'};
        json_t *edges = json_array();
        for (unsigned e = 0; e + 2 < bins_of[c]; e++) {
            assert_int_equal(json_array_append_new(edges, json_integer(e)), 0);
        }
        json_t *column =
            json_pack("{s:s, s:s, s:o}", "field", name, "type", "number", "edges", edges);
        assert_int_equal(json_array_append_new(columns, column), 0);
    }
    json_t *json = json_pack("{s:o}", "columns", columns);
    struct feature_codebook *codebook = feature_codebook_from_json(json, *schema, &fault);
    assert_non_null(codebook);
    json_decref(json);
    return codebook;
}

/* Writes a subtree in preorder; returns the place behind it. */
static uint32_t subtree_make(struct model_trees *trees, uint32_t at, unsigned depth,
                             struct math_random *random)
{
    struct model_tree_node *node = &trees->nodes[at];
    if (depth == 0 || math_random_below(random, 8) == 0) {
        *node = (struct model_tree_node){.column = MODEL_TREES_LEAF,
                                         .value = (int64_t)math_random_below(random, 2000000001) -
                                                  1000000000};
        return at + 1;
    }
    node->column = (uint16_t)math_random_below(random, COLUMNS);
    node->upto = (uint8_t)math_random_below(random, bins_of[node->column]);
    node->missing_left = math_random_below(random, 2) == 0;
    node->set =
        (uint16_t)(math_random_below(random, 4) == 0 ? 1 + math_random_below(random, 3) : 0);
    node->share = (uint32_t)math_random_below(random, MODEL_TREES_SHARE_ONE + 1);
    uint32_t right = subtree_make(trees, at + 1, depth - 1, random);
    node->right = right;
    return subtree_make(trees, right, depth - 1, random);
}

/* Trees of at most 2^depth leaves. */
static struct model_trees *forest_make(size_t count, unsigned depth, uint64_t seed,
                                       const struct feature_codebook *codebook)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct math_random random;
    math_random_init(&random, seed);
    struct model_trees *trees = model_trees_create(count << (depth + 1), count, 3);
    assert_non_null(trees);
    for (size_t s = 0; s < 3; s++) {
        for (size_t w = 0; w < 4; w++) {
            trees->sets[s].bits[w] = math_random_next(&random) >> (w == 3); /* no code 255 */
        }
    }
    trees->base = -250000000;
    for (size_t t = 0; t < count; t++) {
        trees->firsts[t + 1] = subtree_make(trees, trees->firsts[t], depth, &random);
    }
    trees->node_count = trees->firsts[count];
    if (!model_trees_seal(trees, codebook, &fault)) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    return trees;
}

static void row_make(struct math_random *random, uint8_t *row)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        row[c] =
            (uint8_t)(math_random_below(random, 4) == 0 ? 0
                                                        : math_random_below(random, bins_of[c]));
    }
}

static void every_kernel_finds_the_leaves_of_the_walk(void **state)
{
    (void)state;
    struct feature_schema *schema;
    struct feature_codebook *codebook = codebook_make(&schema);
    size_t kernels;
    const struct model_trees_kernel *const *all = model_trees_kernels(&kernels);
    static const struct {
        size_t trees;
        unsigned depth;
        bool lines;
    } cases[] = {{1, 0, true},  {1, 3, true},  {15, 5, true},
                 {33, 5, true}, {20, 6, true}, {3, 8, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_trees *trees = forest_make(cases[i].trees, cases[i].depth, i + 1, codebook);
        struct math_random random;
        uint8_t rows[40][64] = {{0}};
        int64_t raws[40];
        math_random_init(&random, 7);
        for (size_t r = 0; r < 40; r++) {
            row_make(&random, rows[r]);
        }
        assert_int_equal(model_trees_has_lines(trees), cases[i].lines);
        for (size_t k = 0; k < kernels; k++) {
            trees->plan->kernel = all[k];
            model_trees_raw_many(trees, rows[0], 64, 40, raws);
            for (size_t r = 0; r < 40; r++) {
                double phi[2][COLUMNS] = {{0}};
                all[0]->shap(trees, rows[r], phi[0]);
                all[k]->shap(trees, rows[r], phi[1]);
                assert_memory_equal(phi[0], phi[1], sizeof phi[0]);
                assert_int_equal(raws[r], model_trees_walk(trees, rows[r]));
                assert_int_equal(raws[r], model_trees_raw(trees, rows[r]));
            }
        }
        model_trees_destroy(trees);
    }
    for (size_t k = 0; k < 3; k++) {
        print_message("%s\n", k < kernels ? all[k]->name : "a kernel is not supported here");
    }
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

/* Lundberg's definition: the mean of a tree if only these columns of the row are known. */
static double known_mean(const struct model_trees *trees, const struct model_tree_node *node,
                         const uint8_t *row, unsigned known)
{
    if (node->column == MODEL_TREES_LEAF) {
        return (double)node->value;
    }
    const struct model_tree_node *right = &trees->nodes[node->right];
    if ((known >> node->column & 1) != 0) {
        return known_mean(trees, model_node_left(trees, node, row[node->column]) ? node + 1 : right,
                          row, known);
    }
    double share = (double)node->share / MODEL_TREES_SHARE_ONE;
    return share * known_mean(trees, node + 1, row, known) +
           (1 - share) * known_mean(trees, right, row, known);
}

static double forest_mean(const struct model_trees *trees, const uint8_t *row, unsigned known)
{
    double sum = 0;
    for (size_t t = 0; t < trees->tree_count; t++) {
        sum += known_mean(trees, &trees->nodes[trees->firsts[t]], row, known);
    }
    return sum;
}

/* Shapley's sum over all subsets of the other columns. */
static double shapley(const struct model_trees *trees, const uint8_t *row, unsigned column)
{
    double weights[COLUMNS]; /* k! (n − 1 − k)! / n! */
    double sum = 0;
    for (unsigned k = 0; k < COLUMNS; k++) {
        weights[k] = tgamma(k + 1.0) * tgamma((double)COLUMNS - k) / tgamma(COLUMNS + 1.0);
    }
    for (unsigned known = 0; known < 1U << COLUMNS; known++) {
        if ((known >> column & 1) == 0) {
            sum += weights[__builtin_popcount(known)] *
                   (forest_mean(trees, row, known | 1U << column) - forest_mean(trees, row, known));
        }
    }
    return sum;
}

static void contributions_are_the_shapley_values_and_add_up(void **state)
{
    (void)state;
    struct feature_schema *schema;
    struct feature_codebook *codebook = codebook_make(&schema);
    size_t deep = 0; /* groups of paths that need more than one part of a rule */
    for (unsigned depth = 1; depth <= 10; depth++) {
        struct model_trees *trees = forest_make(depth < 6 ? 6 : 1, depth, depth, codebook);
        struct math_random random;
        math_random_init(&random, depth);
        for (size_t r = 0; r < (depth < 6 ? 6 : 1); r++) {
            uint8_t row[64] = {0};
            double phi[COLUMNS];
            int32_t parts[COLUMNS];
            int64_t sum = trees->expectation;
            row_make(&random, row);
            model_trees_shap(trees, row, phi);
            model_trees_contributions(trees, row, trees->expectation, parts);
            for (size_t c = 0; c < trees->column_count; c++) {
                assert_true(fabs(phi[c] - shapley(trees, row, trees->columns[c])) < 1e-3);
                assert_true(fabs(phi[c] / 1000 - (double)parts[c]) <= 1.5);
                sum += parts[c];
            }
            assert_int_equal(sum, model_trees_raw(trees, row));
        }
        for (size_t g = 0; g < trees->plan->group_count; g++) {
            deep += trees->plan->groups[g].parts > 1;
        }
        assert_true(fabs((double)trees->expectation * 1000 - (double)trees->base -
                         forest_mean(trees, (const uint8_t[COLUMNS]){0}, 0)) <= 501);
        model_trees_destroy(trees);
    }
    assert_true(deep > 0);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void moves_are_what_a_changed_row_scores_and_stay_within_the_interval(void **state)
{
    (void)state;
    struct feature_schema *schema;
    struct feature_codebook *codebook = codebook_make(&schema);
    struct model_trees *trees = forest_make(20, 5, 3, codebook);
    struct math_random random;
    math_random_init(&random, 5);
    for (size_t r = 0; r < 20; r++) {
        uint8_t row[64] = {0};
        int64_t raws[256];
        int64_t low;
        int64_t high;
        row_make(&random, row);
        model_trees_interval(trees, row, &low, &high);
        for (uint16_t c = 0; c < COLUMNS; c++) {
            uint8_t kept = row[c];
            model_trees_moved(trees, row, c, bins_of[c], raws);
            for (unsigned code = 0; code < bins_of[c]; code++) {
                row[c] = (uint8_t)code;
                assert_int_equal(raws[code], model_trees_raw(trees, row));
                assert_true(kept != 0 || (raws[code] >= low && raws[code] <= high));
            }
            row[c] = kept;
        }
    }
    model_trees_destroy(trees);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void a_forest_is_the_same_after_json(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct feature_schema *schema;
    struct feature_codebook *codebook = codebook_make(&schema);
    struct model_trees *trees = forest_make(10, 4, 8, codebook);
    json_t *json = model_trees_to_json(trees);
    assert_non_null(json);
    struct model_trees *again = model_trees_from_json(json, codebook, &fault);
    assert_non_null(again);
    json_t *second = model_trees_to_json(again);
    assert_true(json_equal(json, second));
    assert_int_equal(again->expectation, trees->expectation);
    json_decref(json);
    json_decref(second);
    model_trees_destroy(again);
    model_trees_destroy(trees);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void a_forest_that_is_none_is_refused_with_its_path(void **state)
{
    (void)state;
    static const char head[] = "{\"base\":0,\"link\":\"none\",\"sets\":[],\"trees\":[";
    static const char *const cases[][2] = {
        {"{\"column\":[0,-1,-1],\"upto\":[1,0,0],\"missing\":[0,0,0],\"right\":[1,0,0],"
         "\"share\":[5,0,0],\"value\":[0,1,2]}",
         "trees[0].right"},
        {"{\"column\":[0,-1],\"upto\":[1,0],\"missing\":[0,0],\"right\":[2,0],\"share\":[5,0],"
         "\"value\":[0,1]}",
         "trees[0].column"},
        {"{\"column\":[-1,-1],\"upto\":[1,0],\"missing\":[0,0],\"right\":[2,0],\"share\":[5,0],"
         "\"value\":[0,1]}",
         "trees[0].right"},
        {"{\"column\":[99,-1,-1],\"upto\":[1,0,0],\"missing\":[0,0,0],\"right\":[2,0,0],"
         "\"share\":[5,0,0],\"value\":[0,1,2]}",
         "trees[0].nodes[0].column"},
        {"{\"column\":[0,-1,-1],\"upto\":[9,0,0],\"missing\":[0,0,0],\"right\":[2,0,0],"
         "\"share\":[5,0,0],\"value\":[0,1,2]}",
         "trees[0].nodes[0].upto"},
        {"{\"column\":[0,-1,-1],\"upto\":[-1,0,0],\"missing\":[0,0,0],\"right\":[2,0,0],"
         "\"share\":[5,0,0],\"value\":[0,1,2]}",
         "trees[0].upto[0]"},
        {"{\"column\":[0,-1,-1],\"upto\":[1,0,0],\"missing\":[2,0,0],\"right\":[2,0,0],"
         "\"share\":[5,0,0],\"value\":[0,1,2]}",
         "trees[0].missing[0]"},
        {"{\"column\":[-1],\"upto\":[0],\"missing\":[0],\"right\":[0],\"share\":[0],"
         "\"value\":[600000000000]}",
         "trees[0].value[0]"},
        {"{\"column\":[],\"upto\":[],\"missing\":[],\"right\":[],\"share\":[],\"value\":[]}",
         "trees[0].column"},
        {"{\"column\":[-1],\"upto\":[0],\"missing\":[0],\"right\":[0],\"share\":[0]}",
         "trees[0].value"},
        {"7", "trees[0]"},
    };
    struct feature_schema *schema;
    struct feature_codebook *codebook = codebook_make(&schema);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        char text[1024];
        (void)snprintf(text, sizeof text, "%s%s]}", head, cases[i][0]);
        json_t *json = json_loads(text, 0, NULL);
        assert_non_null(json);
        assert_null(model_trees_from_json(json, codebook, &fault));
        assert_string_equal(fault.field, cases[i][1]);
        json_decref(json);
    }
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

/* A chain of splits to the right is as deep as one to the left. */
static void depth_is_bounded_on_either_side(void **state)
{
    (void)state;
    struct feature_schema *schema;
    struct feature_codebook *codebook = codebook_make(&schema);
    for (int side = 0; side < 2; side++) {
        for (unsigned depth = MODEL_TREES_DEPTH_MAX; depth <= MODEL_TREES_DEPTH_MAX + 1; depth++) {
            struct proto_fault fault = {.code = PROTO_OK};
            uint32_t nodes = 2 * depth + 1;
            struct model_trees *trees = model_trees_create(nodes, 1, 0);
            trees->firsts[1] = nodes;
            for (uint32_t i = 0; i < nodes; i++) {
                bool split = side == 0 ? i < depth : i % 2 == 0 && i + 1 < nodes;
                trees->nodes[i].column = split ? 0 : MODEL_TREES_LEAF;
                trees->nodes[i].upto = split;
                trees->nodes[i].right = !split ? 0 : side == 0 ? nodes - 1 - i : i + 2;
            }
            assert_int_equal(model_trees_seal(trees, codebook, &fault),
                             depth <= MODEL_TREES_DEPTH_MAX);
            model_trees_destroy(trees);
        }
    }
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_finds_the_leaves_of_the_walk),
        cmocka_unit_test(contributions_are_the_shapley_values_and_add_up),
        cmocka_unit_test(moves_are_what_a_changed_row_scores_and_stay_within_the_interval),
        cmocka_unit_test(a_forest_is_the_same_after_json),
        cmocka_unit_test(a_forest_that_is_none_is_refused_with_its_path),
        cmocka_unit_test(depth_is_bounded_on_either_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
