/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "tests/unit/model/model_example.h"

static json_t *example_json(void)
{
    struct model_scorecard *scorecard = example_create();
    assert_non_null(scorecard);
    json_t *json = model_to_json(scorecard, &example_codebook);
    assert_non_null(json);
    model_destroy(scorecard);
    return json;
}

static void round_trip_is_exact(void **state)
{
    (void)state;
    struct model_scorecard *a = example_create();
    a->calibration_p[1] = 0.1 + 0.2; /* needs all 17 digits */
    json_t *json = model_to_json(a, &example_codebook);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_t *read = json_loads(text, 0, NULL);
    struct proto_fault fault;
    struct model_scorecard *b = model_from_json(read, &example_codebook, &fault);
    assert_non_null(b);
    assert_true(a->intercept == b->intercept);
    assert_int_equal(a->term_count, b->term_count);
    assert_int_equal(a->table_count, b->table_count);
    assert_memory_equal(a->terms, b->terms, a->term_count * sizeof *a->terms);
    assert_memory_equal(a->tables, b->tables, a->table_count * sizeof *a->tables);
    assert_memory_equal(a->calibration_raw, b->calibration_raw, sizeof a->calibration_raw);
    assert_memory_equal(a->calibration_p, b->calibration_p, sizeof a->calibration_p);
    assert_memory_equal(a->reference, b->reference, sizeof a->reference);
    assert_memory_equal(&a->grades, &b->grades, sizeof a->grades);
    json_t *again = model_to_json(b, &example_codebook);
    assert_true(json_equal(read, again));
    json_decref(again);
    json_decref(read);
    json_decref(json);
    free(text);
    model_destroy(a);
    model_destroy(b);
}

static void expect(json_t *json, const char *field)
{
    struct proto_fault fault = {0};
    assert_null(model_from_json(json, &example_codebook, &fault));
    assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    assert_string_equal(fault.field, field);
    json_decref(json);
}

static json_t *at(json_t *json, const char *member)
{
    return json_object_get(json, member);
}

static void each_missing_and_each_unknown_member_is_named(void **state)
{
    (void)state;
    const char *const members[] = {"intercept", "terms", "calibration", "reference", "grades"};
    for (size_t i = 0; i < 5; i++) {
        json_t *json = example_json();
        json_object_del(json, members[i]);
        expect(json, members[i]);
    }
    json_t *json = example_json();
    json_object_set_new(json, "intercpet", json_integer(1));
    expect(json, "intercpet");
    json = example_json();
    json_object_del(at(json, "grades"), "B");
    expect(json, "grades.B");
    expect(json_array(), "");
}

static void wrong_types_are_named_by_their_path(void **state)
{
    (void)state;
    json_t *json = example_json();
    json_object_set_new(json, "intercept", json_real(1.5));
    expect(json, "intercept");
    json = example_json();
    json_object_set_new(json, "terms", json_object());
    expect(json, "terms");
    json = example_json();
    json_array_set_new(at(json, "reference"), 10, json_string("x"));
    expect(json, "reference[10]");
    json = example_json();
    json_array_remove(at(json, "reference"), 0);
    expect(json, "reference");
    json = example_json();
    json_array_set_new(at(at(json, "calibration"), "p"), 1, json_null());
    expect(json, "calibration.p[1]");
    json = example_json();
    json_array_append_new(at(at(json, "calibration"), "raw"), json_integer(1));
    expect(json, "calibration.raw");
    json = example_json();
    json_object_set_new(at(json, "grades"), "A", json_true());
    expect(json, "grades.A");
}

static void terms_that_do_not_match_the_codebook_are_refused(void **state)
{
    (void)state;
    json_t *json = example_json();
    json_t *term = json_array_get(at(json, "terms"), 1);
    json_array_set_new(at(term, "columns"), 0, json_integer(99));
    expect(json, "terms[1].columns");
    json = example_json();
    term = json_array_get(at(json, "terms"), 1);
    json_array_set_new(at(term, "columns"), 0, json_integer(-1));
    expect(json, "terms[1].columns");
    json = example_json();
    term = json_array_get(at(json, "terms"), 0);
    json_array_set_new(at(term, "bins"), 0, json_integer(4));
    expect(json, "terms[0].bins");
    json = example_json();
    term = json_array_get(at(json, "terms"), 0);
    json_array_remove(at(term, "table"), 0);
    expect(json, "terms[0].table");
    json = example_json();
    term = json_array_get(at(json, "terms"), 0);
    json_array_set_new(at(term, "table"), 2, json_integer(INT64_C(1) << 31));
    expect(json, "terms[0].table[2]");
    json = example_json();
    json_array_append(at(json, "terms"), json_array_get(at(json, "terms"), 2));
    expect(json, "terms[3].columns");
    json = example_json();
    term = json_array_get(at(json, "terms"), 2);
    json_array_append_new(at(term, "columns"), json_integer(1));
    expect(json, "terms[2].columns");
}

static void too_many_terms_are_refused_before_anything_is_allocated(void **state)
{
    (void)state;
    json_t *json = example_json();
    json_t *terms = json_array();
    for (int i = 0; i <= MODEL_TERMS_MAX; i++) {
        json_array_append_new(terms, json_null());
    }
    json_object_set_new(json, "terms", terms);
    expect(json, "terms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_is_exact),
        cmocka_unit_test(each_missing_and_each_unknown_member_is_named),
        cmocka_unit_test(wrong_types_are_named_by_their_path),
        cmocka_unit_test(terms_that_do_not_match_the_codebook_are_refused),
        cmocka_unit_test(too_many_terms_are_refused_before_anything_is_allocated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
