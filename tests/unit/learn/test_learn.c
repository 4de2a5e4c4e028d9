/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/document.h"
#include "tests/unit/learn/learn_example.h"

static struct learn_document *learn(const struct example *example)
{
    struct proto_fault fault = {0};
    char *text = learn_run(&example->population, &example->options, &fault);
    if (text == NULL) {
        print_message("%s %s\n", fault.field, fault.message);
    }
    assert_non_null(text);
    struct learn_document *document =
        learn_document_parse(proto_span_text(text == NULL ? "" : text), 1, example->schema, &fault);
    if (document == NULL) {
        print_message("%s %s\n", fault.field, fault.message);
    }
    assert_non_null(document);
    free(text);
    return document;
}

static void refused(const struct example *example, enum proto_error code, const char *field)
{
    struct proto_fault fault = {0};
    assert_null(learn_run(&example->population, &example->options, &fault));
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.field, field);
    assert_true(strlen(fault.message) > 10);
}

static int64_t raw_of(const struct learn_document *document, const struct feature_value *values)
{
    uint8_t row[256] = {0};
    assert_true(document->codebook->row_bytes <= sizeof row);
    feature_codebook_encode(document->codebook, values, EXAMPLE_FIELDS, row);
    return model_raw(document->scorecard, row);
}

static void the_planted_icp_is_found(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 8000, .seed = 1});
    struct learn_document *document = learn(example);
    const json_t *evidence = json_object_get(document->json, "evidence");
    const json_t *fields = json_object_get(evidence, "fields");
    /* The three fields with an effect come first, in whatever order. */
    unsigned found = 0;
    for (size_t i = 0; i < 3; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(fields, i), "field"));
        found += strcmp(name, "employees") == 0 || strcmp(name, "industry") == 0 ||
                 strcmp(name, "stack") == 0;
    }
    assert_int_equal(found, 3);
    /* What one value is worth, all else equal, is near what was planted. */
    struct feature_value values[EXAMPLE_FIELDS];
    memcpy(values, example->values, sizeof values);
    values[EXAMPLE_EMPLOYEES] =
        (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = 200.0};
    int64_t inside = raw_of(document, values);
    values[EXAMPLE_EMPLOYEES].number = 2000.0;
    int64_t outside = raw_of(document, values);
    assert_true(fabs((double)(inside - outside) * 1e-6 - 1.8) < 0.4);
    values[EXAMPLE_INDUSTRY].text = proto_span_text("Software");
    int64_t software = raw_of(document, values);
    values[EXAMPLE_INDUSTRY].text = proto_span_text("Retail");
    int64_t retail = raw_of(document, values);
    assert_true(fabs((double)(software - retail) * 1e-6 - 2.0) < 0.4);
    const json_t *holdout = json_object_get(evidence, "holdout");
    assert_true(json_number_value(json_object_get(holdout, "auc")) > 0.70);
    assert_true(json_number_value(json_object_get(holdout, "ece")) < 0.05);
    assert_int_equal(json_integer_value(json_object_get(holdout, "n")), 2400);
    learn_document_release(document);
    example_destroy(example);
}

static void same_seed_gives_the_same_bytes_and_another_does_not(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 1500, .seed = 2});
    struct proto_fault fault;
    example->options.pairs_max = 3;
    char *a = learn_run(&example->population, &example->options, &fault);
    example->options.threads = 3;
    char *b = learn_run(&example->population, &example->options, &fault);
    example->options.seed = 2;
    char *c = learn_run(&example->population, &example->options, &fault);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    assert_string_equal(a, b);
    assert_true(strcmp(a, c) != 0);
    free(a);
    free(b);
    free(c);
    example_destroy(example);
}

/* 40 data sets without any effect. The rule finds something in fewer than 2.5 % of them; 4 or more
 * of 40 would happen once in 50 times at that rate, and the seeds are fixed. */
static void noise_gives_no_evidence(void **state)
{
    (void)state;
    unsigned found = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct example *example = example_create(
            &(struct example_options){.rows = 600, .seed = 100 + seed, .noise = true});
        struct proto_fault fault = {0};
        example->options.seed = seed;
        char *text = learn_run(&example->population, &example->options, &fault);
        found += text != NULL;
        if (text == NULL) {
            assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
            assert_non_null(strstr(fault.message, "AUC"));
        }
        free(text);
        example_destroy(example);
    }
    assert_true(found < 4);
}

static void leaks_identifiers_and_constants_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10};
    static const uint16_t keep[] = {EXAMPLE_STATUS, EXAMPLE_TOKEN};
    struct example *example = example_create(&(struct example_options){.rows = 3000, .seed = 4});
    example->options.field_ids = fields;
    example->options.field_count = 10;
    struct learn_document *document = learn(example);
    const json_t *list = json_object_get(json_object_get(document->json, "evidence"), "refused");
    const char *const wanted[] = {"status", "serial", "token", "source"};
    assert_int_equal(json_array_size(list), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *item = json_array_get(list, i);
        assert_string_equal(json_string_value(json_object_get(item, "field")), wanted[i]);
        assert_true(strlen(json_string_value(json_object_get(item, "reason"))) > 10);
    }
    for (size_t c = 0; c < document->codebook->column_count; c++) {
        assert_true(document->codebook->columns[c].field_id <= EXAMPLE_NOISE);
    }
    learn_document_release(document);
    /* Kept on demand, with a warning and an accuracy that gives it away. */
    example->options.keep_field_ids = keep;
    example->options.keep_field_count = 2;
    document = learn(example);
    const json_t *evidence = json_object_get(document->json, "evidence");
    assert_true(json_array_size(json_object_get(evidence, "warnings")) >= 1);
    const json_t *kept = json_object_get(json_object_get(document->json, "settings"), "kept_leaks");
    assert_int_equal(json_array_size(kept), 1); /* the token says nothing, kept or not */
    assert_string_equal(json_string_value(json_array_get(kept, 0)), "status");
    assert_true(json_number_value(json_object_get(json_object_get(evidence, "holdout"), "auc")) >
                0.85);
    learn_document_release(document);
    example_destroy(example);
}

/* What the points of employees add over their range, all else equal. */
static void points_go_one_way_where_that_is_asked(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 2000, .seed = 21});
    int8_t directions[EXAMPLE_FIELDS] = {0};
    example->options.directions = directions;
    example->options.pairs_max = 16;
    for (int way = -1; way <= 1; way++) {
        directions[EXAMPLE_EMPLOYEES] = (int8_t)way;
        struct learn_document *document = learn(example);
        struct feature_value values[EXAMPLE_FIELDS];
        memcpy(values, example->values, sizeof values);
        unsigned up = 0;
        unsigned down = 0;
        int64_t before = INT64_MIN;
        for (double n = 1.0; n < 1e5; n *= 1.1) {
            values[EXAMPLE_EMPLOYEES] =
                (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = n};
            int64_t raw = raw_of(document, values);
            up += before != INT64_MIN && raw > before;
            down += raw < before;
            before = raw;
        }
        /* As it is planted, employees do best in the middle. */
        assert_true((up > 0) == (way >= 0) && (down > 0) == (way <= 0));
        const json_t *told = json_object_get(
            json_object_get(json_object_get(document->json, "settings"), "monotone"), "employees");
        assert_true(way == 0 ? told == NULL : json_string_value(told)[0] == (way > 0 ? '+' : '-'));
        learn_document_release(document);
    }
    example_destroy(example);
}

static int64_t industry_gap(const struct example *example)
{
    struct learn_document *document = learn(example);
    struct feature_value values[EXAMPLE_FIELDS];
    memcpy(values, example->values, sizeof values);
    values[EXAMPLE_INDUSTRY].present = true;
    values[EXAMPLE_INDUSTRY].text = proto_span_text("Software");
    int64_t software = raw_of(document, values);
    values[EXAMPLE_INDUSTRY].text = proto_span_text("Retail");
    int64_t gap = software - raw_of(document, values);
    learn_document_release(document);
    return gap;
}

/* Rows of weight 0 teach nothing, and p stays the chance of an account. */
static void rows_count_by_their_weight_while_points_are_learned(void **state)
{
    (void)state;
    static const uint16_t weight = EXAMPLE_DAY;
    struct example *example = example_create(&(struct example_options){.rows = 3000, .seed = 22});
    assert_true(industry_gap(example) > 1000000);
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *row = example->values + i * EXAMPLE_FIELDS;
        struct proto_span industry = row[EXAMPLE_INDUSTRY].text;
        bool silent = proto_span_equal(industry, proto_span_text("Software")) ||
                      proto_span_equal(industry, proto_span_text("Retail"));
        row[EXAMPLE_DAY] = (struct feature_value){
            .present = silent || i % 10 != 0, .type = FEATURE_NUMBER, .number = silent ? 0.0 : 7.0};
    }
    example->options.weight_field_id = &weight;
    assert_true(industry_gap(example) < 300000);
    struct learn_document *document = learn(example);
    const json_t *evidence = json_object_get(document->json, "evidence");
    assert_non_null(
        strstr(json_string_value(json_array_get(json_object_get(evidence, "warnings"), 0)),
               "of 3000 rows have no weight: each counts as the average row"));
    assert_true(json_number_value(json_object_get(json_object_get(evidence, "holdout"), "ece")) <
                0.06);
    learn_document_release(document);
    example->values[17 * EXAMPLE_FIELDS + EXAMPLE_DAY].number = -1.0;
    refused(example, PROTO_BAD_FIELD, "weight");
    example_destroy(example);
}

static void time_splits_hold_out_the_latest_rows(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 3000, .seed = 5});
    example->options.time_field_id = EXAMPLE_DAY;
    struct learn_document *document = learn(example);
    const json_t *holdout = json_object_get(json_object_get(document->json, "evidence"), "holdout");
    assert_string_equal(json_string_value(json_object_get(holdout, "split")), "time");
    json_int_t n = json_integer_value(json_object_get(holdout, "n"));
    assert_true(n > 850 && n <= 900);
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(document->json, "settings"), "time_field")),
                        "day");
    learn_document_release(document);
    example_destroy(example);
}

static void the_first_field_of_a_schema_can_be_the_time(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 3000, .seed = 5});
    example->options.time_field_id = EXAMPLE_EMPLOYEES;
    example->options.field_ids++; /* employees is the first of them */
    example->options.field_count--;
    struct learn_document *document = learn(example);
    const json_t *holdout = json_object_get(json_object_get(document->json, "evidence"), "holdout");
    assert_string_equal(json_string_value(json_object_get(holdout, "split")), "time");
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(document->json, "settings"), "time_field")),
                        "employees");
    learn_document_release(document);
    example_destroy(example);
}

static void where_narrows_the_population(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 6000, .seed = 6});
    struct proto_fault fault;
    size_t column;
    struct filter *where = filter_parse(
        example->schema, proto_span_text("country in ('AT','DE','CH')"), &fault, &column);
    assert_non_null(where);
    example->options.where = where;
    example->options.where_text = "country in ('AT','DE','CH')";
    struct learn_document *document = learn(example);
    const json_t *label = json_object_get(document->json, "label");
    json_int_t rows = json_integer_value(json_object_get(label, "population"));
    assert_true(rows > 2000 && rows < 2500);
    assert_string_equal(json_string_value(json_object_get(label, "where")),
                        "country in ('AT','DE','CH')");
    learn_document_release(document);
    filter_destroy(where);
    example_destroy(example);
}

static void too_little_to_learn_from_is_refused_by_name(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 30, .seed = 7});
    refused(example, PROTO_BAD_FIELD, "label");
    example_destroy(example);
    example = example_create(&(struct example_options){.rows = 500, .seed = 7});
    example->population.rows = 0;
    refused(example, PROTO_BAD_FIELD, "label");
    example->population.rows = 500;
    static const uint16_t useless[] = {EXAMPLE_TOKEN, EXAMPLE_SOURCE};
    example->options.field_ids = useless;
    example->options.field_count = 2;
    refused(example, PROTO_BAD_FIELD, "fields");
    example->options.field_count = 0;
    refused(example, PROTO_BAD_FIELD, "fields");
    example->options.field_count = 1;
    example->options.seed = UINT64_MAX;
    refused(example, PROTO_BAD_FIELD, "seed");
    example_destroy(example);
}

struct progress {
    unsigned calls;
    unsigned cancel_at;
    double last;
};

static bool on_progress(void *context, double done, const char *stage)
{
    struct progress *progress = context;
    assert_non_null(stage);
    assert_true(done >= 0.0 && done <= 1.0);
    progress->last = done;
    return ++progress->calls != progress->cancel_at;
}

static void progress_is_told_and_every_stage_can_be_cancelled(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 800, .seed = 8});
    struct progress progress = {0};
    struct proto_fault fault;
    example->options.on_progress = on_progress;
    example->options.progress_context = &progress;
    char *text = learn_run(&example->population, &example->options, &fault);
    assert_non_null(text);
    free(text);
    unsigned calls = progress.calls;
    assert_true(calls > 10);
    for (unsigned at = 1; at <= calls; at += 1 + calls / 12) {
        progress = (struct progress){.cancel_at = at};
        refused(example, PROTO_CANCELLED, "");
        assert_int_equal(progress.calls, at);
    }
    example_destroy(example);
}

static bool on_broken(void *context, size_t row, struct feature_value *values, size_t slots)
{
    const struct example *example = context;
    const struct learn_population *whole = &example->population;
    (void)whole;
    if (row % 2 == 1) {
        return false; /* a row that cannot be read is passed over */
    }
    memcpy(values, example->values + row * EXAMPLE_FIELDS, slots * sizeof *values);
    return true;
}

static void rows_that_cannot_be_read_are_passed_over(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 4000, .seed = 9});
    example->population.values = on_broken;
    struct learn_document *document = learn(example);
    const json_t *label = json_object_get(document->json, "label");
    assert_int_equal(json_integer_value(json_object_get(label, "population")), 2000);
    learn_document_release(document);
    example_destroy(example);
}

static void copies_of_accounts_are_kept_together(void **state)
{
    (void)state;
    struct example *example =
        example_create(&(struct example_options){.rows = 4000, .seed = 10, .copies = 8});
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
        /* A second number that names the account, without a meaning of its own. */
        values[EXAMPLE_SERIAL].number = values[EXAMPLE_NOISE].number * 3.0;
    }
    static const uint16_t fields[] = {0, 1, 2, 3, 4, 5, 8};
    example->options.field_ids = fields;
    example->options.field_count = 7;
    struct learn_document *document = learn(example);
    const json_t *settings = json_object_get(document->json, "settings");
    assert_true(json_is_true(json_object_get(settings, "grouped")));
    learn_document_release(document);
    example_destroy(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_planted_icp_is_found),
        cmocka_unit_test(same_seed_gives_the_same_bytes_and_another_does_not),
        cmocka_unit_test(noise_gives_no_evidence),
        cmocka_unit_test(leaks_identifiers_and_constants_are_refused_with_a_reason),
        cmocka_unit_test(points_go_one_way_where_that_is_asked),
        cmocka_unit_test(rows_count_by_their_weight_while_points_are_learned),
        cmocka_unit_test(time_splits_hold_out_the_latest_rows),
        cmocka_unit_test(the_first_field_of_a_schema_can_be_the_time),
        cmocka_unit_test(where_narrows_the_population),
        cmocka_unit_test(too_little_to_learn_from_is_refused_by_name),
        cmocka_unit_test(progress_is_told_and_every_stage_can_be_cancelled),
        cmocka_unit_test(rows_that_cannot_be_read_are_passed_over),
        cmocka_unit_test(copies_of_accounts_are_kept_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
