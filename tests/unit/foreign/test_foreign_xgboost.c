/* SPDX-License-Identifier: Apache-2.0 */
/* Models that XGBoost 1.7.4 saved, beside what it says of their rows itself (make_xgboost.py). */
#include "tests/unit/foreign/foreign_example.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char numbers_schema[] =
    "{\"fields\":[{\"name\":\"x0\",\"type\":\"number\"},{\"name\":\"x1\",\"type\":\"number\"},"
    "{\"name\":\"x2\",\"type\":\"number\"},{\"name\":\"x3\",\"type\":\"number\"},"
    "{\"name\":\"x4\",\"type\":\"number\"},{\"name\":\"city\",\"type\":\"number\"},"
    "{\"name\":\"town\",\"type\":\"category\"},{\"name\":\"stack\",\"type\":\"tags\"},"
    "{\"name\":\"public\",\"type\":\"flag\"},{\"name\":\"born\",\"type\":\"date\"}]}";

/* One row of a model's text: values, margin, contributions, bias. */
static void row_check(const struct example *example, const double *cells)
{
    const struct model_trees *trees = example->bound.trees;
    size_t features = example->model->feature_count;
    uint8_t row[64] = {0};
    double phi[EXAMPLE_CELLS];
    int32_t parts[EXAMPLE_CELLS];
    example_encode(example, cells, row);
    int64_t raw = model_trees_raw(trees, row);
    assert_int_equal(raw, model_trees_walk(trees, row));
    assert_true(fabs(1e-6 * (double)raw - cells[features]) < 1e-5);
    assert_true(fabs(foreign_model_margin(example->model, cells) - cells[features]) < 1e-5);
    model_trees_shap(trees, row, phi);
    model_trees_contributions(trees, row, trees->expectation, parts);
    int64_t sum = trees->expectation;
    for (size_t c = 0; c < trees->column_count; c++) {
        const char *name = example->bound.codebook->columns[trees->columns[c]].field_name;
        size_t f = 0;
        while (strcmp(example->model->features[f], name) != 0) {
            f++;
        }
        assert_true(fabs(1e-9 * phi[c] - cells[features + 1 + f]) < 1e-4);
        assert_true(fabs(1e-3 * phi[c] - (double)parts[c]) <= 1.5);
        sum += parts[c];
    }
    assert_int_equal(sum, raw);
    assert_true(fabs(1e-6 * (double)trees->expectation - cells[2 * features + 1]) < 1e-4);
}

static void model_check(const char *model, const char *rows)
{
    struct example example;
    struct proto_span bytes = example_file(model);
    struct proto_span text = example_file(rows);
    double cells[EXAMPLE_CELLS];
    size_t count = 0;
    example_open(&example, bytes, numbers_schema, NULL);
    for (const char *line = (const char *)text.data; *line != '\0'; line = strchr(line, '\n') + 1) {
        assert_int_equal(example_cells(line, cells), 2 * example.model->feature_count + 2);
        row_check(&example, cells);
        count++;
    }
    assert_true(count >= 100);
    example_close(&example);
    free((void *)(uintptr_t)text.data);
    free((void *)(uintptr_t)bytes.data);
}

static void margins_and_contributions_are_those_of_xgboost(void **state)
{
    (void)state;
    model_check("numbers.json", "numbers.txt");
}

static void ubjson_says_the_same(void **state)
{
    (void)state;
    model_check("numbers.ubj", "numbers.txt");
}

static void larger_trees_are_walked_with_the_same_result(void **state)
{
    (void)state;
    model_check("deep.json", "deep.txt");
}

static void categories_go_where_xgboost_sends_them(void **state)
{
    (void)state;
    model_check("categories.json", "categories.txt");
}

/* Texts that stand for 0, 1, 2 … give what the numbers do; one that is not among them is unseen. */
static void categories_may_be_texts(void **state)
{
    (void)state;
    struct example numbers;
    struct example texts;
    struct proto_span bytes = example_file("categories.json");
    example_open(&numbers, bytes, numbers_schema, NULL);
    example_open(&texts, bytes, numbers_schema,
                 "{\"city\":{\"field\":\"town\",\"categories\":[\"Ulm\",\"Bern\",\"Graz\",\"Linz\","
                 "\"Wien\",\"Bonn\",\"Kiel\",\"Jena\",\"Gera\"]}}");
    static const char *const names[] = {"Ulm",  "Bern", "Graz", "Linz", "Wien",   "Bonn",
                                        "Kiel", "Jena", "Gera", NULL,   "Nowhere"};
    for (size_t i = 0; i < 11; i++) {
        uint8_t a[64] = {0};
        uint8_t b[64] = {0};
        double cells[2] = {names[i] == NULL ? (double)NAN : (double)i, 0.25};
        struct feature_value values[16] = {{.present = false}};
        size_t town = feature_schema_find(texts.schema, proto_span_text("town"))->id;
        size_t x0 = feature_schema_find(texts.schema, proto_span_text("x0"))->id;
        example_encode(&numbers, cells, a);
        values[x0] =
            (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = 0.25};
        if (names[i] != NULL) {
            values[town] = (struct feature_value){
                .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(names[i])};
        }
        feature_codebook_encode(texts.bound.codebook, values, texts.schema->id_count, b);
        assert_int_equal(model_trees_raw(numbers.bound.trees, a),
                         model_trees_raw(texts.bound.trees, b));
    }
    example_close(&texts);
    example_close(&numbers);
    free((void *)(uintptr_t)bytes.data);
}

/* A text that is 1 of a feature, a tag, a flag. */
static void one_hot_tags_and_flags_are_features(void **state)
{
    (void)state;
    struct example example;
    struct proto_span bytes = example_file("numbers.json");
    example_open(&example, bytes, numbers_schema,
                 "{\"x0\":{\"field\":\"town\",\"equals\":\"Bern\"},"
                 "\"x1\":{\"field\":\"stack\",\"has\":\"crm\"},\"x2\":\"public\"}");
    static const struct {
        const char *town, *tags;
        int flag;
        double cells[5];
    } cases[] = {{"Bern", "crm", 1, {1, 1, 1, 0.5, 0.5}},
                 {"Ulm", "erp", 0, {0, 0, 0, 0.5, 0.5}},
                 {NULL, NULL, -1, {0, (double)NAN, (double)NAN, 0.5, 0.5}}};
    for (size_t i = 0; i < 3; i++) {
        struct feature_value values[16] = {{.present = false}};
        uint8_t row[64] = {0};
        const struct feature_schema *schema = example.schema;
        size_t x3 = feature_schema_find(schema, proto_span_text("x3"))->id;
        values[x3] = (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = 0.5};
        values[x3 + 1] = values[x3];
        if (cases[i].town != NULL) {
            values[feature_schema_find(schema, proto_span_text("town"))->id] =
                (struct feature_value){.present = true,
                                       .type = FEATURE_CATEGORY,
                                       .text = proto_span_text(cases[i].town)};
            values[feature_schema_find(schema, proto_span_text("public"))->id] =
                (struct feature_value){
                    .present = true, .type = FEATURE_FLAG, .flag = cases[i].flag == 1};
        }
        feature_codebook_encode(example.bound.codebook, values, schema->id_count, row);
        const struct feature_codebook_plan *plan = feature_codebook_plan(
            example.bound.codebook, feature_schema_find(schema, proto_span_text("stack"))->id,
            FEATURE_TAGS);
        if (cases[i].tags != NULL) {
            feature_codebook_encode_no_tags(plan, row);
            (void)feature_codebook_encode_tag(plan, proto_span_text(cases[i].tags), row);
        }
        double wanted = foreign_model_margin(example.model, cases[i].cells);
        assert_true(fabs(1e-6 * (double)model_trees_raw(example.bound.trees, row) - wanted) < 1e-5);
    }
    example_close(&example);
    free((void *)(uintptr_t)bytes.data);
}

static void map_refused(const char *model, const char *map, const char *message)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span bytes = example_file(model);
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(numbers_schema), 1, NULL, &fault);
    struct foreign_model *read = foreign_model_read(bytes, &fault);
    assert_non_null(read);
    struct foreign_use *uses = calloc(read->feature_count + 1, sizeof *uses);
    json_t *json = json_loads(map, 0, NULL);
    assert_non_null(json);
    assert_false(foreign_map_read(json, read, schema, uses, &fault));
    if (strstr(fault.message, message) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", message, fault.message);
    }
    json_decref(json);
    foreign_map_fini(uses, read->feature_count);
    foreign_model_destroy(read);
    feature_schema_release(schema);
    free((void *)(uintptr_t)bytes.data);
}

static void a_map_that_cannot_be_meant_is_refused_by_the_feature(void **state)
{
    (void)state;
    map_refused("numbers.json", "{\"x0\":\"nofield\"}", "feature \"x0\": the schema has no field");
    map_refused("numbers.json", "{\"x9\":\"x0\"}", "did you mean");
    map_refused("numbers.json", "{\"x0\":\"town\"}", "say \"equals\" or \"categories\"");
    map_refused("numbers.json", "{\"x0\":\"stack\"}", "say \"has\"");
    map_refused("numbers.json", "{\"x0\":\"born\"}", "dates and vectors are not scored");
    map_refused("numbers.json", "{\"x0\":{\"field\":\"x0\",\"equals\":\"a\"}}",
                "are of category fields");
    map_refused("numbers.json", "{\"x0\":{\"field\":\"town\",\"equals\":\"a\",\"has\":\"b\"}}",
                "at most one of");
    map_refused("numbers.json", "{\"x0\":{\"field\":\"town\",\"categories\":[\"a\"]}}",
                "not a category");
    map_refused("numbers.json", "{\"x0\":7}", "the name of a field, or an object");
    map_refused("categories.json", "{\"city\":{\"field\":\"town\",\"equals\":\"a\"}}",
                "a category of the model");
}

static void a_model_that_cannot_be_served_is_refused_by_name_and_place(void **state)
{
    (void)state;
    struct proto_span bytes = example_file("numbers.json");
    static const struct {
        const char *from, *to, *message;
    } cases[] = {
        {"\"name\":\"gbtree\"", "\"name\":\"dart\"", "the booster dart is not served"},
        {"\"name\":\"gbtree\"", "\"name\":\"gblinear\"", "the booster gblinear is not served"},
        {"\"name\":\"gbtree\"", "\"name\":\"g\\u001b[2J\"", "the booster g?[2J is not served"},
        {"\"sum_hessian\":[", "\"sum_hessian\":[-", "how much it covers"},
        {"binary:logistic", "rank:pairwise", "the objective 'rank:pairwise' is not served"},
        {"\"num_class\":\"0\"", "\"num_class\":\"3\"", "3 classes"},
        {"\"num_target\":\"1\"", "\"num_target\":\"2\"", "2 targets"},
        {"\"base_score\":\"3E-1\"", "\"base_score\":\"1.5\"", "between 0 and 1"},
        {"\"base_score\":\"3E-1\"", "\"base_score\":\"x\"", "base_score: a number is wanted"},
        {"\"left_children\":[1,", "\"left_children\":[0,", "leads back"},
        {"\"left_children\":[1,", "\"left_children\":[2,", "another split has too"},
        {"\"left_children\":[1,", "\"left_children\":[99999,", "no node of the tree"},
        {"\"left_children\":[1,", "\"left_children\":[1.5,", "a whole number from"},
        {"\"left_children\":[1,", "\"left_children\":[", "numbers, where left_children has"},
        {"\"split_indices\":[", "\"split_indices\":[77,", "numbers, where left_children has"},
        {"\"split_conditions\":[", "\"split_conditions\":[NaN,", "numbers, where"},
        {"\"sum_hessian\":[", "\"sum_hession\":[", "has no sum_hessian"},
        {"\"trees\":[", "\"trees\":7,\"x\":[", "trees, an array, is wanted here"},
        {"\"feature_names\":[\"x0\"", "\"feature_names\":[\"x1\"", "two features have the name x1"},
        {"{\"learner\"", "{\"learner\" 7", "line 1, column 12: a colon is wanted"},
        {"{\"learner\"", "{\"teacher\"", "this is not a model that XGBoost saved"},
        {"\"version\":[1", "\"version\":[01", "a value that JSON does not have"},
        {"\"version\":[1", "\"version\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1",
         "a number is wanted here"},
        {"\"attributes\":{", "\"attributes\":{\"a\":\"\\ud800\",", "an escape that JSON does not"},
        {"\"attributes\":{", "\"attributes\":{\"a\":\"\xff\",", "a text that is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        example_refused_with(bytes, cases[i].from, cases[i].to, cases[i].message);
    }
    free((void *)(uintptr_t)bytes.data);
}

/* Of every cut file: a fault with a place, and none of memory or beyond the bytes. */
static void a_file_that_ends_early_is_refused_wherever_it_ends(void **state)
{
    (void)state;
    static const char *const names[] = {"categories.json", "numbers.ubj"};
    for (size_t n = 0; n < 2; n++) {
        struct proto_span bytes = example_file(names[n]);
        for (size_t cut = 0; cut + 1 < bytes.bytes; cut += 1 + cut / 97) {
            struct proto_fault fault = {.code = PROTO_OK};
            uint8_t *copy = malloc(cut + 1); /* of its very size, for sanitizers */
            memcpy(copy, bytes.data, cut);
            uint8_t *exact = realloc(copy, cut > 0 ? cut : 1);
            assert_null(foreign_model_read((struct proto_span){exact, cut}, &fault));
            assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
            free(exact);
        }
        free((void *)(uintptr_t)bytes.data);
    }
}

/* The edge that stands for x < t among floats is the last double that becomes a float below it. */
static void an_edge_is_where_the_float_comparison_turns(void **state)
{
    (void)state;
    struct example example;
    struct proto_span bytes = example_file("numbers.json");
    example_open(&example, bytes, numbers_schema, NULL);
    for (size_t c = 0; c < example.bound.codebook->column_count; c++) {
        const struct feature_column *column = &example.bound.codebook->columns[c];
        for (size_t e = 0; e + 2 < column->bin_count; e++) {
            double at = column->edges[e];
            double above = nextafter(at, (double)INFINITY);
            assert_true((float)at < (float)above);
        }
    }
    example_close(&example);
    free((void *)(uintptr_t)bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(margins_and_contributions_are_those_of_xgboost),
        cmocka_unit_test(ubjson_says_the_same),
        cmocka_unit_test(larger_trees_are_walked_with_the_same_result),
        cmocka_unit_test(categories_go_where_xgboost_sends_them),
        cmocka_unit_test(categories_may_be_texts),
        cmocka_unit_test(one_hot_tags_and_flags_are_features),
        cmocka_unit_test(a_map_that_cannot_be_meant_is_refused_by_the_feature),
        cmocka_unit_test(a_model_that_cannot_be_served_is_refused_by_name_and_place),
        cmocka_unit_test(a_file_that_ends_early_is_refused_wherever_it_ends),
        cmocka_unit_test(an_edge_is_where_the_float_comparison_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
