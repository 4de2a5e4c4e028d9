/* SPDX-License-Identifier: Apache-2.0 */
/* Learning from rows as files have them: accounts that repeat, orders of rows, blank outcomes, and
 * fields that were filled in afterwards. */
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

/* Outcomes are drawn for each account, whatever it is like, and an account stands in several rows.
 * Whoever meets it on both sides of a split knows its outcome by heart. */
static void outcomes_of_repeated_accounts_are_not_learned_by_heart(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0, 1, 2, 3, 4, 5, EXAMPLE_SERIAL, EXAMPLE_DAY};
    static const size_t copies[] = {2, 3, 5};
    for (size_t k = 0; k < 6; k++) {
        struct example *example =
            example_create(&(struct example_options){.rows = 300 * copies[k / 2],
                                                     .seed = 40 + k,
                                                     .noise = true,
                                                     .copies = copies[k / 2],
                                                     .same_outcome = true});
        for (size_t i = 0; i < example->rows; i++) {
            struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
            double moved = values[EXAMPLE_NOISE].number * 1000.0;
            values[EXAMPLE_SERIAL].number = moved - floor(moved);
        }
        struct proto_fault fault = {0};
        example->options.field_ids = fields;
        example->options.field_count = k % 2 == 0 ? 7 : 8; /* with a field that varies */
        char *text = learn_run(&example->population, &example->options, &fault);
        assert_null(text);
        assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
        example_destroy(example);
    }
}

/* Of the latest rows, those of accounts that earlier rows are of are no evidence. */
static void a_split_by_time_passes_over_known_accounts(void **state)
{
    (void)state;
    struct example *example =
        example_create(&(struct example_options){.rows = 6000, .seed = 12, .copies = 2});
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
        values[EXAMPLE_EMPLOYEES].number += values[EXAMPLE_NOISE].number / 1024.0;
    }
    example->options.time_field_id = EXAMPLE_DAY;
    struct learn_document *document = learn(example);
    const json_t *evidence = json_object_get(document->json, "evidence");
    json_int_t n = json_integer_value(json_object_get(json_object_get(evidence, "holdout"), "n"));
    assert_true(n > 300 && n < 800); /* 1,800 are late; of 0.3 of them the other row is late too */
    learn_document_release(document);
    example_destroy(example);
}

static bool on_backwards(void *context, size_t row, struct feature_value *values, size_t slots)
{
    const struct example *example = context;
    size_t mirrored = example->rows - 1 - row;
    memcpy(values, example->values + mirrored * EXAMPLE_FIELDS, slots * sizeof *values);
    return true;
}

static void the_order_of_rows_is_of_no_matter(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 1500, .seed = 2});
    struct proto_fault fault;
    char *a = learn_run(&example->population, &example->options, &fault);
    example->population.values = on_backwards;
    char *b = learn_run(&example->population, &example->options, &fault);
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(a, b);
    free(a);
    free(b);
    example_destroy(example);
}

/* Every third outcome is not known yet; a label that speaks of missing values counts it. */
static void rows_without_an_outcome_are_left_out(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 3000, .seed = 13});
    for (size_t i = 0; i < example->rows; i += 3) {
        example->values[i * EXAMPLE_FIELDS + EXAMPLE_WON] = (struct feature_value){0};
    }
    struct learn_document *document = learn(example);
    const json_t *label = json_object_get(document->json, "label");
    assert_int_equal(json_integer_value(json_object_get(label, "population")), 2000);
    const json_t *warnings =
        json_object_get(json_object_get(document->json, "evidence"), "warnings");
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "1000 rows"));
    learn_document_release(document);
    struct proto_fault fault;
    size_t column;
    struct filter *plain = example->label;
    example->label = filter_parse(
        example->schema, proto_span_text("won or not (won is missing) and won"), &fault, &column);
    assert_non_null(example->label);
    example->options.label = example->label;
    document = learn(example);
    label = json_object_get(document->json, "label");
    assert_int_equal(json_integer_value(json_object_get(label, "population")), 3000);
    learn_document_release(document);
    filter_destroy(plain);
    example_destroy(example);
}

/* Where nobody writes down a no, a blank is one. */
static void blanks_are_negatives_where_there_are_no_others(void **state)
{
    (void)state;
    struct example *example = example_create(&(struct example_options){.rows = 3000, .seed = 14});
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *won = &example->values[i * EXAMPLE_FIELDS + EXAMPLE_WON];
        *won = won->flag ? *won : (struct feature_value){0};
    }
    struct learn_document *document = learn(example);
    const json_t *label = json_object_get(document->json, "label");
    assert_int_equal(json_integer_value(json_object_get(label, "population")), 3000);
    const json_t *warnings =
        json_object_get(json_object_get(document->json, "evidence"), "warnings");
    assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "count as negatives"));
    learn_document_release(document);
    example_destroy(example);
}

/* A field that half of the positives have and no negative, and numbers that are times. */
static void presence_and_times_are_refused_and_no_evidence_names_leaks(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0, 1, 2, 3, 4, 5, EXAMPLE_STATUS, EXAMPLE_SERIAL};
    for (unsigned noise = 0; noise < 2; noise++) {
        struct example *example = example_create(
            &(struct example_options){.rows = 1500, .seed = 15, .noise = noise == 1});
        for (size_t i = 0; i < example->rows; i++) {
            struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
            values[EXAMPLE_STATUS].present = values[EXAMPLE_WON].flag && i % 2 == 0;
            values[EXAMPLE_STATUS].type = FEATURE_CATEGORY;
            values[EXAMPLE_STATUS].text = proto_span_text(i % 4 == 0 ? "gold" : "silver");
            values[EXAMPLE_SERIAL].number = 1.7e9 + 4000.0 * (double)(i % 977);
        }
        example->options.field_ids = fields;
        example->options.field_count = 8;
        if (noise == 1) {
            struct proto_fault fault = {0};
            assert_null(learn_run(&example->population, &example->options, &fault));
            assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
            assert_non_null(strstr(fault.message, "suspected leaks: status"));
        } else {
            struct learn_document *document = learn(example);
            const json_t *list =
                json_object_get(json_object_get(document->json, "evidence"), "refused");
            assert_int_equal(json_array_size(list), 2);
            const char *why = json_string_value(json_object_get(json_array_get(list, 0), "reason"));
            assert_non_null(strstr(why, "filled in on"));
            assert_non_null(strstr(why, "and 0 negatives"));
            why = json_string_value(json_object_get(json_array_get(list, 1), "reason"));
            assert_non_null(strstr(why, "a time"));
            learn_document_release(document);
        }
        example_destroy(example);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_of_repeated_accounts_are_not_learned_by_heart),
        cmocka_unit_test(a_split_by_time_passes_over_known_accounts),
        cmocka_unit_test(the_order_of_rows_is_of_no_matter),
        cmocka_unit_test(rows_without_an_outcome_are_left_out),
        cmocka_unit_test(blanks_are_negatives_where_there_are_no_others),
        cmocka_unit_test(presence_and_times_are_refused_and_no_evidence_names_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
