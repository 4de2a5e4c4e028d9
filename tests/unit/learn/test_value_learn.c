/* SPDX-License-Identifier: Apache-2.0 */
/* A second scorecard learned beside the first: what it says of planted values, what is said where
 * nothing tells values apart, too few of them, and that the first scorecard is the same without it.
 */
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
#include "server/learn/value_learn.h"
#include "server/math/random.h"
#include "tests/unit/learn/learn_example.h"

enum { ROWS = 1500 };

static const uint16_t value_field = EXAMPLE_SERIAL;

static bool is_software(const struct feature_value *values)
{
    return values[EXAMPLE_INDUSTRY].present &&
           proto_span_is(values[EXAMPLE_INDUSTRY].text, "Software");
}

/* 1,000 for each account, `factor` times that for software, scattered by a third either way. */
static struct example *valued(double factor)
{
    struct example *example = example_create(&(struct example_options){.rows = ROWS, .seed = 21});
    struct math_random random;
    math_random_init(&random, 5);
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
        double scatter = 0.67 + (double)math_random_below(&random, 1000) / 1500;
        values[EXAMPLE_SERIAL] =
            (struct feature_value){.present = true,
                                   .type = FEATURE_NUMBER,
                                   .number = 1000 * (is_software(values) ? factor : 1) * scatter};
    }
    example->options.value_field_id = &value_field;
    return example;
}

static char *text_of(const struct example *example, struct proto_fault *fault)
{
    *fault = (struct proto_fault){0};
    return learn_run(&example->population, &example->options, fault);
}

static struct learn_document *document_of(const struct example *example)
{
    struct proto_fault fault;
    char *text = text_of(example, &fault);
    if (!text) {
        fail_msg("%s %s", fault.field, fault.message);
    }
    struct learn_document *document =
        learn_document_parse(proto_span_text(text ? text : ""), 1, example->schema, &fault);
    assert_non_null(document);
    free(text);
    return document;
}

/* Mean of what is said of the rows of one kind. */
static double said_of(const struct example *example, const struct learn_document *document,
                      bool software)
{
    uint8_t *codes = calloc(1, document->codebook->row_bytes);
    double sum = 0;
    size_t count = 0;
    assert_non_null(codes);
    for (size_t i = 0; i < example->rows; i++) {
        const struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
        if (is_software(values) == software) {
            feature_codebook_encode(document->codebook, values, EXAMPLE_FIELDS, codes);
            sum += learn_value_of(document->value, codes);
            count++;
        }
    }
    free(codes);
    return sum / (double)count;
}

static const json_t *value_json(const struct learn_document *document)
{
    return json_object_get(json_object_get(document->json, "settings"), "value");
}

static double evidence_of(const struct learn_document *document, const char *name)
{
    const json_t *evidence = json_object_get(value_json(document), "evidence");
    return json_number_value(json_object_get(evidence, name));
}

static void planted_values_are_learned_of_those_with_the_outcome(void **state)
{
    (void)state;
    struct example *example = valued(3);
    struct learn_document *document = document_of(example);
    assert_non_null(document->value);
    assert_true(document->value->term_count > 0);
    double ratio = said_of(example, document, true) / said_of(example, document, false);
    assert_true(ratio > 2.5 && ratio < 3.5);
    assert_true(document->value->ratio_low > 0.5 && document->value->ratio_low < 1);
    assert_true(document->value->ratio_high > 1 && document->value->ratio_high < 2);
    assert_true(evidence_of(document, "gain_low") > 0);
    assert_true(fabs(evidence_of(document, "total") - 1) < 0.1);
    assert_int_equal(
        json_integer_value(json_object_get(value_json(document), "n")),
        json_integer_value(json_object_get(json_object_get(document->json, "label"), "positives")));
    learn_document_release(document);
    example_destroy(example);
}

static void where_nothing_tells_them_apart_the_mean_stands_for_all(void **state)
{
    (void)state;
    struct example *example = valued(1);
    struct learn_document *document = document_of(example);
    assert_int_equal(document->value->term_count, 0);
    double mean = json_number_value(json_object_get(value_json(document), "mean"));
    assert_true(fabs(said_of(example, document, true) / mean - 1) < 1e-5);
    assert_true(fabs(said_of(example, document, false) / mean - 1) < 1e-5);
    assert_true(evidence_of(document, "gain_low") <= 0);
    assert_non_null(strstr(document->text, "no evidence that the fields tell values apart"));
    learn_document_release(document);
    example_destroy(example);
}

static void the_first_scorecard_is_the_same_without_it(void **state)
{
    (void)state;
    struct example *example = valued(3);
    struct learn_document *with = document_of(example);
    example->options.value_field_id = NULL;
    struct learn_document *without = document_of(example);
    assert_null(without->value);
    assert_true(json_equal(json_object_get(with->json, "scorecard"),
                           json_object_get(without->json, "scorecard")));
    assert_true(json_equal(json_object_get(with->json, "codebook"),
                           json_object_get(without->json, "codebook")));
    learn_document_release(with);
    learn_document_release(without);
    example_destroy(example);
}

static void threads_do_not_change_a_byte(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct example *example = valued(3);
    char *one = text_of(example, &fault);
    example->options.threads = 2;
    char *two = text_of(example, &fault);
    assert_true(one && two);
    assert_string_equal(one, two);
    free(one);
    free(two);
    example_destroy(example);
}

static void too_few_values_are_refused(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct example *example = valued(3);
    for (size_t i = 30; i < example->rows; i++) {
        example->values[i * EXAMPLE_FIELDS + EXAMPLE_SERIAL].number = 0;
    }
    assert_null(text_of(example, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_string_equal(fault.field, "value");
    assert_non_null(strstr(fault.message, "learn without a value"));
    example_destroy(example);
}

static void a_document_with_a_broken_one_is_refused(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct example *example = valued(3);
    char *text = text_of(example, &fault);
    assert_non_null(text);
    char *at = strstr(text, "\"ratio_low\":");
    assert_non_null(at);
    memcpy(at, "\"ratio_lov\":", strlen("\"ratio_low\":"));
    assert_null(learn_document_parse(proto_span_text(text), 1, example->schema, &fault));
    assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    assert_string_equal(fault.field, "settings.value.ratio_lov");
    free(text);
    example_destroy(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_values_are_learned_of_those_with_the_outcome),
        cmocka_unit_test(where_nothing_tells_them_apart_the_mean_stands_for_all),
        cmocka_unit_test(the_first_scorecard_is_the_same_without_it),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(too_few_values_are_refused),
        cmocka_unit_test(a_document_with_a_broken_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
