/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <stdio.h>

#include "server/feature/codebook.h"

/* A sample that is stored by column: numbers, categories (as texts), tags (one text each), flags.
 */
struct table {
    const struct feature_schema *schema;
    const double *numbers;
    const char *const *categories;
    const char *const *tags; /* packed already: "\3\0CRM" */
    const size_t *tag_bytes;
};

static bool table_value(void *context, size_t row, uint16_t field_id, struct feature_value *value)
{
    const struct table *table = context;
    *value = (struct feature_value){.type = feature_schema_by_id(table->schema, field_id)->type};
    if (field_id == 0 && table->numbers != NULL) {
        value->present = true;
        value->number = table->numbers[row];
    } else if (field_id == 1 && table->categories != NULL && table->categories[row] != NULL) {
        value->present = true;
        value->text = proto_span_text(table->categories[row]);
    } else if (field_id == 2 && table->tags != NULL) {
        value->present = true;
        value->tags = (struct proto_span){(const uint8_t *)table->tags[row], table->tag_bytes[row]};
    } else if (field_id == 3) {
        value->present = true;
        value->flag = row % 2 == 0;
    }
    return true;
}

static struct feature_codebook *build_rows(struct table *table, size_t rows, uint16_t field_id,
                                           struct feature_codebook_options options)
{
    struct proto_fault fault = {0};
    struct feature_sample sample = {.context = table, .rows = rows, .value = table_value};
    options.field_ids = &field_id;
    options.field_count = 1;
    struct feature_codebook *codebook =
        feature_codebook_build(table->schema, &sample, &options, &fault);
    if (codebook == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
    return codebook;
}

static uint8_t encode_number(const struct feature_codebook *codebook, double number)
{
    uint8_t row[64];
    struct feature_value value = {.present = true, .type = FEATURE_NUMBER, .number = number};
    feature_codebook_encode(codebook, &value, 1, row);
    return row[0];
}

static void few_numbers_get_a_bin_each(void **state)
{
    (void)state;
    static const double numbers[] = {3, 1, 2, 3, 3, 1};
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema, .numbers = numbers};
    struct feature_codebook *codebook =
        build_rows(&table, 6, 0, (struct feature_codebook_options){0});
    assert_int_equal(codebook->column_count, 1);
    assert_int_equal(codebook->row_bytes, 64);
    assert_int_equal(codebook->columns[0].bin_count, 4);
    assert_true(codebook->columns[0].edges[0] == 1 && codebook->columns[0].edges[1] == 2);
    assert_int_equal(encode_number(codebook, 0), 1);
    assert_int_equal(encode_number(codebook, 1), 1);
    assert_int_equal(encode_number(codebook, 1.5), 2);
    assert_int_equal(encode_number(codebook, 2), 2);
    assert_int_equal(encode_number(codebook, 99), 3);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void many_numbers_get_bins_of_equal_rows(void **state)
{
    (void)state;
    static double numbers[1000];
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema, .numbers = numbers};
    for (size_t i = 0; i < 1000; i++) {
        numbers[i] = (double)((i * 7919) % 1000);
    }
    struct feature_codebook *codebook =
        build_rows(&table, 1000, 0, (struct feature_codebook_options){.number_bins_max = 10});
    assert_int_equal(codebook->columns[0].bin_count, 11);
    for (unsigned i = 0; i < 9; i++) {
        assert_true(codebook->columns[0].edges[i] == 100 * (i + 1) - 1);
    }
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void heavy_values_stand_alone_and_waste_no_bins(void **state)
{
    (void)state;
    static double numbers[1000];
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema, .numbers = numbers};
    /* 600 zeros, 200 fives, the rest spread: plain quantiles would lose six of ten edges. */
    for (size_t i = 0; i < 1000; i++) {
        numbers[i] = i < 600 ? 0 : i < 800 ? 5 : (double)(i - 800) / 10;
    }
    struct feature_codebook *codebook =
        build_rows(&table, 1000, 0, (struct feature_codebook_options){.number_bins_max = 10});
    const struct feature_column *column = &codebook->columns[0];
    assert_int_equal(column->bin_count, 11);
    assert_true(column->edges[0] == 0);
    assert_int_equal(encode_number(codebook, 0), 1);
    uint8_t five = encode_number(codebook, 5);
    assert_int_not_equal(encode_number(codebook, 4.9), five);
    assert_int_not_equal(encode_number(codebook, 5.1), five);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void numbers_encode_as_the_definition_counts(void **state)
{
    (void)state;
    static double numbers[5000];
    uint64_t seed = 3;
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema, .numbers = numbers};
    for (size_t i = 0; i < 5000; i++) {
        numbers[i] = (double)(int64_t)(fixture_random(&seed) % 100000) / 7;
    }
    for (unsigned bins = 1; bins <= 254; bins += 8) { /* 65 bins fill the ladder to its end */
        struct feature_codebook *codebook =
            build_rows(&table, 5000, 0, (struct feature_codebook_options){.number_bins_max = bins});
        const struct feature_column *column = &codebook->columns[0];
        assert_int_equal(column->bin_count, bins + 1);
        for (size_t i = 0; i < 2000; i++) {
            double x = i < 1000 ? numbers[i] : (double)(fixture_random(&seed) % 20000);
            unsigned below = 0;
            for (unsigned j = 0; j + 2 < column->bin_count; j++) {
                below += column->edges[j] < x;
            }
            assert_int_equal(encode_number(codebook, x), 1 + below);
        }
        feature_codebook_destroy(codebook);
    }
    feature_schema_release(schema);
}

static void the_order_of_rows_does_not_matter(void **state)
{
    (void)state;
    static double forward[500];
    static double backward[500];
    struct feature_schema *schema = fixture_schema();
    for (size_t i = 0; i < 500; i++) {
        forward[i] = (double)(i % 77) * 1.1;
        backward[499 - i] = forward[i];
    }
    struct table one = {.schema = schema, .numbers = forward};
    struct table two = {.schema = schema, .numbers = backward};
    struct feature_codebook *a =
        build_rows(&one, 500, 0, (struct feature_codebook_options){.number_bins_max = 20});
    struct feature_codebook *b =
        build_rows(&two, 500, 0, (struct feature_codebook_options){.number_bins_max = 20});
    assert_true(a->digest == b->digest);
    for (size_t i = 0; i < 18; i++) {
        assert_true(a->columns[0].edges[i] == b->columns[0].edges[i]);
    }
    forward[0] = 3.3;
    struct feature_codebook *c =
        build_rows(&one, 500, 0, (struct feature_codebook_options){.number_bins_max = 19});
    assert_true(a->digest != c->digest); /* control */
    feature_codebook_destroy(a);
    feature_codebook_destroy(b);
    feature_codebook_destroy(c);
    feature_schema_release(schema);
}

static uint8_t encode_category(const struct feature_codebook *codebook, const char *text)
{
    uint8_t row[64];
    struct feature_value values[2] = {
        {0}, {.present = true, .type = FEATURE_CATEGORY, .text = proto_span_text(text)}};
    feature_codebook_encode(codebook, values, 2, row);
    return row[0];
}

static void rare_categories_share_a_bin(void **state)
{
    (void)state;
    static const char *categories[40];
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema, .categories = categories};
    for (size_t i = 0; i < 40; i++) {
        categories[i] = i < 12 ? "Web" : i < 24 ? "Ads" : i < 34 ? "Mail" : i < 37 ? "Fax" : NULL;
    }
    struct feature_codebook *codebook =
        build_rows(&table, 40, 1, (struct feature_codebook_options){0});
    const struct feature_column *column = &codebook->columns[0];
    assert_int_equal(column->bin_count, 5);
    assert_string_equal(column->categories[0], "Ads");
    assert_string_equal(column->categories[1], "Mail");
    assert_string_equal(column->categories[2], "Web");
    assert_int_equal(encode_category(codebook, "Ads"), 2);
    assert_int_equal(encode_category(codebook, "Web"), 4);
    assert_int_equal(encode_category(codebook, "Fax"), 1);
    assert_int_equal(encode_category(codebook, "web"), 1);
    feature_codebook_destroy(codebook);
    codebook = build_rows(&table, 40, 1, (struct feature_codebook_options){.category_bins_max = 1});
    assert_int_equal(codebook->columns[0].bin_count, 3);
    assert_string_equal(codebook->columns[0].categories[0], "Ads"); /* a tie, decided bytewise */
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void tags_become_columns_by_support(void **state)
{
    (void)state;
    static const char *tags[20];
    static size_t tag_bytes[20];
    uint8_t row[64];
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema, .tags = tags, .tag_bytes = tag_bytes};
    for (size_t i = 0; i < 20; i++) {
        tags[i] = i < 10 ? "\3\0CRM\4\0Zoom" : i < 18 ? "\3\0CRM" : "\3\0Fax";
        tag_bytes[i] = i < 10 ? 11 : 5;
    }
    struct feature_codebook *codebook =
        build_rows(&table, 20, 2, (struct feature_codebook_options){0});
    assert_int_equal(codebook->column_count, 2);
    assert_string_equal(codebook->columns[0].tag, "CRM");
    assert_string_equal(codebook->columns[1].tag, "Zoom");
    struct feature_value values[3] = {0};
    feature_codebook_encode(codebook, values, 3, row);
    assert_int_equal(row[0], 0);
    assert_int_equal(row[1], 0);
    values[2] = (struct feature_value){
        .present = true, .type = FEATURE_TAGS, .tags = {(const uint8_t *)"\3\0Fax\4\0Zoom", 11}};
    feature_codebook_encode(codebook, values, 3, row);
    assert_int_equal(row[0], 1);
    assert_int_equal(row[1], 2);
    for (size_t i = 2; i < 64; i++) {
        assert_int_equal(row[i], 0);
    }
    feature_codebook_encode(codebook, values, 2, row); /* the field is beyond the slots */
    assert_int_equal(row[1], 0);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static struct feature_codebook *build_all(const struct feature_schema *schema)
{
    static double numbers[200];
    static const char *categories[200];
    static const char *tags[200];
    static size_t tag_bytes[200];
    static struct table table;
    struct proto_fault fault = {0};
    for (size_t i = 0; i < 200; i++) {
        numbers[i] = (double)i / 3;
        categories[i] = i % 3 == 0 ? "Web \"x\"" : "\xC3\xBC";
        tags[i] = i % 2 == 0 ? "\3\0CRM" : "\4\0Zoom";
        tag_bytes[i] = i % 2 == 0 ? 5 : 6;
    }
    table = (struct table){schema, numbers, categories, tags, tag_bytes};
    struct feature_sample sample = {.context = &table, .rows = 200, .value = table_value};
    struct feature_codebook *codebook = feature_codebook_build(schema, &sample, NULL, &fault);
    assert_non_null(codebook);
    return codebook;
}

static void all_fields_but_vectors_get_columns(void **state)
{
    (void)state;
    uint8_t row[64];
    struct feature_schema *schema = fixture_schema();
    struct feature_codebook *codebook = build_all(schema);
    /* employees, Last Activity, two tags, public, GICS Sub-Industry */
    assert_int_equal(codebook->column_count, 6);
    assert_int_equal(codebook->columns[5].bin_count, 2);
    struct feature_value values[6] = {{.present = true, .type = FEATURE_FLAG, .flag = true}};
    values[3] = (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = false};
    feature_codebook_encode(codebook, values, 6, row);
    assert_int_equal(row[0], 0); /* a flag where a number belongs is missing */
    assert_int_equal(row[4], 1);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void json_gives_the_same_codebook_back(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *schema = fixture_schema();
    struct feature_codebook *codebook = build_all(schema);
    json_t *json = feature_codebook_to_json(codebook);
    char *text = json_dumps(json, JSON_COMPACT);
    json_t *read = json_loads(text, 0, NULL);
    struct feature_codebook *back = feature_codebook_from_json(read, schema, &fault);
    if (back == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
        return;
    }
    assert_true(back->digest == codebook->digest);
    assert_int_equal(back->column_count, codebook->column_count);
    assert_int_equal(back->row_bytes, codebook->row_bytes);
    for (size_t i = 0; i < back->column_count; i++) {
        assert_int_equal(back->columns[i].field_id, codebook->columns[i].field_id);
        assert_int_equal(back->columns[i].bin_count, codebook->columns[i].bin_count);
    }
    for (unsigned i = 0; i + 2 < back->columns[0].bin_count; i++) {
        assert_true(back->columns[0].edges[i] == codebook->columns[0].edges[i]);
    }
    free(text);
    json_decref(json);
    json_decref(read);
    feature_codebook_destroy(back);
    feature_codebook_destroy(codebook);
    feature_schema_release(schema);
}

static void a_retired_field_still_resolves(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct feature_schema *first = fixture_schema();
    struct feature_codebook *codebook = build_all(first);
    struct feature_schema *second =
        fixture_parse("{\"fields\":[{\"name\":\"new\",\"type\":\"flag\"}]}", first, &fault);
    json_t *json = feature_codebook_to_json(codebook);
    struct feature_codebook *back = feature_codebook_from_json(json, second, &fault);
    assert_non_null(back);
    assert_int_equal(back->columns[4].field_id, 3);
    json_decref(json);
    feature_codebook_destroy(back);
    feature_codebook_destroy(codebook);
    feature_schema_release(first);
    feature_schema_release(second);
}

static const struct {
    const char *json;
    const char *field;
    const char *message;
} refusals[] = {
    {"[]", "", "an object"},
    {"{}", "columns", "array"},
    {"{\"columns\":[],\"colour\":1}", "colour", "no member"},
    {"{\"columns\":[1]}", "columns[0]", "an object"},
    {"{\"columns\":[{\"field\":\"x\",\"type\":\"number\",\"edges\":[]}]}", "columns[0].field",
     "no number field \"x\""},
    {"{\"columns\":[{\"field\":\"stack\",\"type\":\"number\",\"edges\":[]}]}", "columns[0].field",
     "it is of type tags"},
    {"{\"columns\":[{\"field\":\"embedding\",\"type\":\"vector\"}]}", "columns[0].type", "wanted"},
    {"{\"columns\":[{\"field\":\"employees\",\"type\":\"number\"}]}", "columns[0].edges", "array"},
    {"{\"columns\":[{\"field\":\"employees\",\"type\":\"number\",\"edges\":[2,2]}]}",
     "columns[0].edges", "edge 2"},
    {"{\"columns\":[{\"field\":\"employees\",\"type\":\"number\",\"edges\":[\"2\"]}]}",
     "columns[0].edges", "edge 1"},
    {"{\"columns\":[{\"field\":\"Last Activity\",\"type\":\"category\",\"categories\":[\"b\","
     "\"a\"]}]}",
     "columns[0].categories", "sorted"},
    {"{\"columns\":[{\"field\":\"Last Activity\",\"type\":\"category\",\"categories\":[3]}]}",
     "columns[0].categories", "a text is wanted"},
    {"{\"columns\":[{\"field\":\"stack\",\"type\":\"tags\"}]}", "columns[0].tag", "a text"},
    {"{\"columns\":[{\"field\":\"public\",\"type\":\"flag\"},{\"field\":\"public\",\"type\":"
     "\"flag\"}]}",
     "columns[1].field", "one column"},
    {"{\"columns\":[{\"field\":\"stack\",\"type\":\"tags\",\"tag\":\"a\"},{\"field\":\"public\","
     "\"type\":\"flag\"},{\"field\":\"stack\",\"type\":\"tags\",\"tag\":\"b\"}]}",
     "columns[2].field", "stand together"},
    {"{\"columns\":[],\"digest\":\"00\"}", "digest", "were changed"},
};

static void json_is_refused_by_path(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct proto_fault fault = {0};
        json_t *json = json_loads(refusals[i].json, 0, NULL);
        assert_non_null(json);
        struct feature_codebook *codebook = feature_codebook_from_json(json, schema, &fault);
        if (codebook != NULL || fault.code != PROTO_BAD_DOCUMENT ||
            strcmp(fault.field, refusals[i].field) != 0 ||
            strstr(fault.message, refusals[i].message) == NULL) {
            fail_msg("%s\n gives %d, \"%s\": %s", refusals[i].json, fault.code, fault.field,
                     fault.message);
        }
        json_decref(json);
    }
    feature_schema_release(schema);
}

static void build_refuses_unknown_and_repeated_fields(void **state)
{
    (void)state;
    static const uint16_t unknown[] = {77};
    static const uint16_t twice[] = {3, 3};
    struct feature_schema *schema = fixture_schema();
    struct table table = {.schema = schema};
    struct proto_fault fault = {0};
    struct feature_sample sample = {.context = &table, .rows = 4, .value = table_value};
    struct feature_codebook_options options = {.field_ids = unknown, .field_count = 1};
    assert_null(feature_codebook_build(schema, &sample, &options, &fault));
    options = (struct feature_codebook_options){.field_ids = twice, .field_count = 2};
    assert_null(feature_codebook_build(schema, &sample, &options, &fault));
    assert_string_equal(fault.field, "public");
    feature_schema_release(schema);
}

static void bins_have_words(void **state)
{
    (void)state;
    char text[64];
    char tiny[8];
    double edges[] = {100, 250.5};
    char *categories[] = {"Software"};
    char tag[] = "CRM";
    struct feature_column number = {.type = FEATURE_NUMBER, .bin_count = 4, .edges = edges};
    struct feature_column none = {.type = FEATURE_NUMBER, .bin_count = 2, .edges = edges};
    struct feature_column category = {
        .type = FEATURE_CATEGORY, .bin_count = 3, .categories = categories};
    struct feature_column tags = {.type = FEATURE_TAGS, .bin_count = 3, .tag = tag};
    struct feature_column flag = {.type = FEATURE_FLAG, .bin_count = 3};
    const struct {
        const struct feature_column *column;
        uint8_t code;
        const char *text;
    } words[] = {
        {&number, 0, "missing"},
        {&number, 1, "x \xE2\x89\xA4 100"},
        {&number, 2, "100 < x \xE2\x89\xA4 250.5"},
        {&number, 3, "x > 250.5"},
        {&number, 4, "no such bin"},
        {&none, 1, "any number"},
        {&category, 1, "rare or unseen"},
        {&category, 2, "Software"},
        {&tags, 1, "lacks CRM"},
        {&tags, 2, "has CRM"},
        {&flag, 1, "false"},
        {&flag, 2, "true"},
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        feature_bin_text(words[i].column, words[i].code, text, sizeof text);
        assert_string_equal(text, words[i].text);
    }
    feature_bin_text(&category, 2, tiny, sizeof tiny);
    assert_string_equal(tiny, "Soft\xE2\x80\xA6");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_numbers_get_a_bin_each),
        cmocka_unit_test(many_numbers_get_bins_of_equal_rows),
        cmocka_unit_test(heavy_values_stand_alone_and_waste_no_bins),
        cmocka_unit_test(numbers_encode_as_the_definition_counts),
        cmocka_unit_test(the_order_of_rows_does_not_matter),
        cmocka_unit_test(rare_categories_share_a_bin),
        cmocka_unit_test(tags_become_columns_by_support),
        cmocka_unit_test(all_fields_but_vectors_get_columns),
        cmocka_unit_test(json_gives_the_same_codebook_back),
        cmocka_unit_test(a_retired_field_still_resolves),
        cmocka_unit_test(json_is_refused_by_path),
        cmocka_unit_test(build_refuses_unknown_and_repeated_fields),
        cmocka_unit_test(bins_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
