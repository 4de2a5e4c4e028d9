/* SPDX-License-Identifier: Apache-2.0 */
/* Two small versions that differ in known ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <string.h>

#include "tools/cli/version_diff.h"

static double edges_a[] = {10, 20};
static double edges_b[] = {20, 30};
static char *categories_a[] = {"Retail", "Software"};
static char *categories_b[] = {"Software", "Steel"};
static struct feature_column columns_a[] = {
    {.field_name = "employees", .type = FEATURE_NUMBER, .bin_count = 4, .edges = edges_a},
    {.field_name = "industry",
     .type = FEATURE_CATEGORY,
     .bin_count = 4,
     .categories = categories_a}};
static struct feature_column columns_b[] = {
    {.field_name = "employees", .type = FEATURE_NUMBER, .bin_count = 4, .edges = edges_b},
    {.field_name = "industry",
     .type = FEATURE_CATEGORY,
     .bin_count = 4,
     .categories = categories_b}};
static const struct feature_codebook codebook_a = {.columns = columns_a, .column_count = 2};
static const struct feature_codebook codebook_b = {.columns = columns_b, .column_count = 2};

/* Points of employees, then of industry, four bins each. */
static struct model_scorecard *scorecard_make(const int32_t *points)
{
    struct model_scorecard *scorecard = model_create(2, 8);
    assert_non_null(scorecard);
    scorecard->terms[0] = (struct model_term){0, MODEL_NO_COLUMN, 4, 1, 0};
    scorecard->terms[1] = (struct model_term){1, MODEL_NO_COLUMN, 4, 1, 4};
    for (int i = 0; i < 8; i++) {
        scorecard->tables[i] = points[i] * 10000;
    }
    return scorecard;
}

static json_t *document_make(const char *label, double auc, const char *fields)
{
    json_t *list = json_loads(fields, 0, NULL);
    assert_non_null(list);
    return json_pack("{s:{s:s, s:s, s:i, s:i, s:f}, s:{s:{s:i, s:f}, s:o}}", "label", "expression",
                     label, "where", "", "population", 100, "positives", 40, "base_rate", 0.4,
                     "evidence", "holdout", "n", 30, "auc", auc, "fields", list);
}

static const json_t *bin_of(const json_t *diff, const char *field, const char *words)
{
    size_t index;
    size_t at;
    json_t *entry;
    json_t *bin;
    json_array_foreach(json_object_get(diff, "bins"), index, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "field")), field) != 0) {
            continue;
        }
        json_array_foreach(json_object_get(entry, "bins"), at, bin)
        {
            if (strcmp(json_string_value(json_object_get(bin, "bin")), words) == 0) {
                return bin;
            }
        }
    }
    fail_msg("no bin '%s' of %s", words, field);
    return NULL;
}

static void must_have(const json_t *diff, const char *field, const char *words, double a, double b)
{
    const json_t *bin = bin_of(diff, field, words);
    assert_true(json_number_value(json_object_get(bin, "a")) == a);
    assert_true(json_number_value(json_object_get(bin, "b")) == b);
}

static void what_differs_is_told(void **state)
{
    (void)state;
    static const int32_t points_a[] = {0, -10, 5, 20, 1, 2, -30, 40};
    static const int32_t points_b[] = {3, -10, 8, 8, 0, 6, 44, -7};
    uint32_t rows[8] = {9, 8, 7, 6, 5, 4, 3, 2};
    uint32_t positives[8] = {0};
    bool known[2] = {true, true};
    struct learn_support support = {rows, positives, known, 100, 40};
    struct model_scorecard *card_a = scorecard_make(points_a);
    struct model_scorecard *card_b = scorecard_make(points_b);
    json_t *document_a = document_make(
        "won = 1", 0.7,
        "[{\"field\":\"employees\",\"importance\":0.2},{\"field\":\"industry\",\"importance\":0.3},"
        "{\"field\":\"age\",\"importance\":0.25}]");
    json_t *document_b = document_make("won = 1 and paid", 0.75,
                                       "[{\"field\":\"industry\",\"importance\":0.4},{\"field\":"
                                       "\"employees\",\"importance\":0.1}]");
    struct version_side a = {document_a, &codebook_a, card_a, NULL};
    struct version_side b = {document_b, &codebook_b, card_b, &support};
    json_t *diff = version_diff(&a, &b, 5);
    assert_non_null(diff);
    const json_t *label = json_object_get(diff, "label");
    assert_string_equal(json_string_value(json_array_get(label, 1)), "won = 1 and paid");
    assert_null(json_object_get(diff, "where"));
    const json_t *first = json_array_get(json_object_get(diff, "fields"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "field")), "age");
    assert_true(json_is_null(json_object_get(first, "b")));
    must_have(diff, "employees", "x ≤ 10", -10, -10);
    must_have(diff, "employees", "10 < x ≤ 20", 5, -10);
    must_have(diff, "employees", "20 < x", 20, 8); /* 30 parts nothing: 8 on either side */
    must_have(diff, "employees", "missing", 0, 3);
    must_have(diff, "industry", "Software", 40, 44);
    must_have(diff, "industry", "Steel", 2, -7); /* rare or unseen before */
    must_have(diff, "industry", "Retail", -30, 6);
    assert_int_equal(
        json_integer_value(json_object_get(bin_of(diff, "industry", "Software"), "accounts")), 3);
    json_decref(diff);
    json_decref(document_a);
    json_decref(document_b);
    model_destroy(card_a);
    model_destroy(card_b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_differs_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
