/* SPDX-License-Identifier: Apache-2.0 */
/* A model as LightGBM writes it, beside an evaluator that was written apart (make_lightgbm.py). */
#include "tests/unit/foreign/foreign_example.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char schema_text[] =
    "{\"fields\":[{\"name\":\"x0\",\"type\":\"number\"},{\"name\":\"x1\",\"type\":\"number\"},"
    "{\"name\":\"x2\",\"type\":\"number\"},{\"name\":\"x3\",\"type\":\"number\"},"
    "{\"name\":\"x4\",\"type\":\"number\"}]}";

static void margins_and_contributions_are_those_of_the_evaluator(void **state)
{
    (void)state;
    struct example example;
    struct proto_span bytes = example_file("lightgbm.model");
    struct proto_span text = example_file("lightgbm.txt");
    double cells[EXAMPLE_CELLS];
    example_open(&example, bytes, schema_text, NULL);
    const struct model_trees *trees = example.bound.trees;
    assert_int_equal(trees->tree_count, 10);
    assert_int_equal(trees->column_count, 5);
    assert_true(trees->logistic);
    for (const char *line = (const char *)text.data; *line != '\0'; line = strchr(line, '\n') + 1) {
        uint8_t row[64] = {0};
        double phi[5];
        assert_int_equal(example_cells(line, cells), 12);
        example_encode(&example, cells, row);
        int64_t raw = model_trees_raw(trees, row);
        assert_int_equal(raw, model_trees_walk(trees, row));
        assert_true(fabs(1e-6 * (double)raw - cells[5]) < 1e-6);
        assert_true(fabs(foreign_model_margin(example.model, cells) - cells[5]) < 1e-12);
        model_trees_shap(trees, row, phi);
        for (size_t f = 0; f < 5; f++) {
            assert_true(fabs(1e-9 * phi[f] - cells[6 + f]) < 1e-7);
        }
        assert_true(fabs(1e-6 * (double)trees->expectation - cells[11]) < 1e-6);
    }
    example_close(&example);
    free((void *)(uintptr_t)text.data);
    free((void *)(uintptr_t)bytes.data);
}

static void a_model_that_cannot_be_served_is_refused_by_name_and_place(void **state)
{
    (void)state;
    struct proto_span bytes = example_file("lightgbm.model");
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"objective=binary sigmoid:0.8", "objective=multiclass num_class:3",
         "line 7, column 11: the objective 'multiclass' is not served"},
        {"objective=binary sigmoid:0.8", "objective=\x1b[2J", "the objective '?[2J' is not served"},
        {"objective=binary sigmoid:0.8", "objective=binary sigmoid:0", "a number above 0"},
        {"objective=binary sigmoid:0.8", "objective=regression sqrt", "reg_sqrt"},
        {"objective=binary sigmoid:0.8\n", "", "no objective is named"},
        {"num_class=1", "num_class=3", "3 classes"},
        {"version=v4", "version=v9", "v2, v3 and v4 are read"},
        {"version=v4", "version=v4\x1b", "are read, not 'v4?'"},
        {"label_index=0", "average_output", "an averaged forest"},
        {"is_linear=0", "is_linear=1", "linear leaves"},
        {"feature_names=x0 x1", "feature_names=x0 x0", "two features have the name x0"},
        {"feature_names=", "names=", "no line feature_names="},
        {"end of trees", "end of threes", "the file ends before its line 'end of trees'"},
        {"Tree=1\n", "Tree=2\n", "Tree: a whole number from 1 to 1"},
        {"num_leaves=", "leaves=", "this tree has no num_leaves"},
        {"num_leaves=", "num_leaves=x", "num_leaves: a whole number"},
        {"split_feature=", "split_feature=99 ", "split_feature: "},
        {"internal_count=", "internal_count=-", "line 26, column 16: tree 0: how much it covers"},
        {"leaf_count=", "leaf_count=-", "line 23, column 12: tree 0: how much it covers"},
        {"right_child=-13", "right_child=-9999",
         "line 20, column 13: tree 0: a child that is no node"},
        {"left_child=1", "left_child=0", "leads back"},
        {"left_child=1", "left_child=-9999", "no node of the tree"},
        {"left_child=1", "left_child=1.5", "left_child: a whole number"},
        {"threshold=", "threshold=abc ", "threshold: a number is wanted here"},
        {"decision_type=", "decision_type=64 ", "decision_type: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        example_refused_with(bytes, cases[i].from, cases[i].to, cases[i].message);
    }
    free((void *)(uintptr_t)bytes.data);
}

static void a_file_that_ends_early_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    struct proto_span bytes = example_file("lightgbm.model");
    const char *end = strstr((const char *)bytes.data, "end of trees");
    size_t whole = (size_t)(end - (const char *)bytes.data);
    for (size_t cut = 0; cut < whole; cut += 1 + cut / 97) {
        struct proto_fault fault = {.code = PROTO_OK};
        uint8_t *copy = malloc(cut > 0 ? cut : 1);
        memcpy(copy, bytes.data, cut);
        assert_null(foreign_model_read((struct proto_span){copy, cut}, &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        free(copy);
    }
    free((void *)(uintptr_t)bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_and_contributions_are_those_of_the_evaluator),
        cmocka_unit_test(a_model_that_cannot_be_served_is_refused_by_name_and_place),
        cmocka_unit_test(a_file_that_ends_early_is_refused_wherever_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
