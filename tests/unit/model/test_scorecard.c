/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/random.h"
#include "tests/unit/model/model_example.h"

static struct model_scorecard *sealed(void)
{
    struct model_scorecard *scorecard = example_create();
    assert_non_null(scorecard);
    struct proto_fault fault;
    assert_true(model_seal(scorecard, &example_codebook, &fault));
    return scorecard;
}

/* After a change of what scoring relies on. */
static void seal_again(struct model_scorecard *scorecard)
{
    struct proto_fault fault;
    assert_true(model_seal(scorecard, &example_codebook, &fault));
}

static void raw_is_the_sum_of_intercept_and_entries(void **state)
{
    (void)state;
    struct model_scorecard *scorecard = sealed();
    const uint8_t row[64] = {2, 3, 1};
    assert_int_equal(model_raw(scorecard, row), -1000000 + 400000 + 700000 - 600000);
    int32_t parts[3];
    model_contributions(scorecard, row, parts);
    assert_int_equal(parts[0], 400000);
    assert_int_equal(parts[1], 700000);
    assert_int_equal(parts[2], -600000);
    model_destroy(scorecard);
}

static void contributions_add_up_and_many_equals_one(void **state)
{
    (void)state;
    struct model_scorecard *scorecard = sealed();
    struct math_random random;
    math_random_init(&random, 1);
    uint8_t rows[100 * 64] = {0};
    int64_t many[100];
    for (size_t i = 0; i < 100; i++) {
        for (size_t c = 0; c < 3; c++) {
            rows[i * 64 + c] = (uint8_t)math_random_below(&random, example_columns[c].bin_count);
        }
    }
    model_raw_many(scorecard, rows, 64, 100, many);
    for (size_t i = 0; i < 100; i++) {
        int32_t parts[3];
        model_contributions(scorecard, rows + i * 64, parts);
        assert_int_equal(many[i], model_raw(scorecard, rows + i * 64));
        assert_int_equal(many[i], scorecard->intercept + parts[0] + parts[1] + parts[2]);
    }
    model_destroy(scorecard);
}

static void p_is_linear_between_points_and_flat_outside(void **state)
{
    (void)state;
    struct model_scorecard *scorecard = sealed();
    assert_true(model_p(scorecard, -9000000) == 0.1);
    assert_true(model_p(scorecard, 9000000) == 0.9);
    assert_true(model_p(scorecard, 0) == 0.5);
    assert_true(fabs(model_p(scorecard, 1000000) - 0.7) < 1e-15);
    assert_true(fabs(model_p(scorecard, -500000) - 0.4) < 1e-15);
    model_destroy(scorecard);
}

static void fit_is_the_percentile_with_mid_ranks_for_ties(void **state)
{
    (void)state;
    struct model_scorecard *scorecard = sealed();
    assert_true(model_fit(scorecard, 0) == 50.0);
    assert_true(fabs(model_fit(scorecard, 1000) - 50.05) < 1e-12);
    assert_true(model_fit(scorecard, -1000001) == 0.0);
    assert_true(model_fit(scorecard, 1000000) == 100.0);
    assert_true(model_fit(scorecard, INT64_C(1) << 43) == 100.0);
    /* Points 200 … 400 tie: their middle is 300. */
    for (int i = 200; i <= 400; i++) {
        scorecard->reference[i] = scorecard->reference[200];
    }
    seal_again(scorecard);
    assert_true(model_fit(scorecard, scorecard->reference[200]) == 30.0);
    double before = 0.0;
    for (int64_t raw = -1100000; raw < 1100000; raw += 997) {
        double fit = model_fit(scorecard, raw);
        assert_true(fit >= before);
        before = fit;
    }
    /* A population that ties as a whole says nothing: everyone is in the middle. */
    for (int i = 0; i < MODEL_REFERENCE_POINTS; i++) {
        scorecard->reference[i] = 7;
    }
    seal_again(scorecard);
    assert_true(model_fit(scorecard, 7) == 50.0);
    model_destroy(scorecard);
}

static void grade_follows_the_thresholds(void **state)
{
    (void)state;
    struct model_scorecard *scorecard = sealed();
    assert_int_equal(model_grade(scorecard, 90.0), 'A');
    assert_int_equal(model_grade(scorecard, 89.9), 'B');
    assert_int_equal(model_grade(scorecard, 70.0), 'B');
    assert_int_equal(model_grade(scorecard, 40.0), 'C');
    assert_int_equal(model_grade(scorecard, 39.9), 'D');
    model_destroy(scorecard);
}

/* Lowest and highest raw over all ways to fill in the missing columns. */
static void interval_by_enumeration(const struct model_scorecard *scorecard, const uint8_t *row,
                                    int64_t *low, int64_t *high)
{
    *low = INT64_MAX;
    *high = INT64_MIN;
    for (unsigned code = 0; code < 3 * 4 * 2; code++) {
        uint8_t tried[64] = {(uint8_t)(code % 3), (uint8_t)(code / 3 % 4), (uint8_t)(code / 12)};
        int fits = 1;
        for (size_t c = 0; c < 3; c++) {
            fits = fits && (row[c] == 0 || tried[c] == row[c]);
        }
        if (fits) {
            int64_t raw = model_raw(scorecard, tried);
            *low = raw < *low ? raw : *low;
            *high = raw > *high ? raw : *high;
        }
    }
}

static void interval_holds_every_way_to_fill_what_is_missing(void **state)
{
    (void)state;
    struct model_scorecard *scorecard = sealed();
    for (unsigned code = 0; code < 3 * 4 * 2; code++) {
        uint8_t row[64] = {(uint8_t)(code % 3), (uint8_t)(code / 3 % 4), (uint8_t)(code / 12)};
        int64_t low;
        int64_t high;
        int64_t least;
        int64_t most;
        model_interval(scorecard, row, &low, &high);
        interval_by_enumeration(scorecard, row, &least, &most);
        assert_true(low <= least && high >= most);
        assert_true(low <= model_raw(scorecard, row) && high >= model_raw(scorecard, row));
        if (row[0] != 0 || row[2] != 0) { /* no pair has a choice on both sides: exact */
            assert_true(low == least && high == most);
        }
    }
    model_destroy(scorecard);
}

static void seal_expect(struct model_scorecard *scorecard, const char *field)
{
    struct proto_fault fault = {0};
    assert_false(model_seal(scorecard, &example_codebook, &fault));
    assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    assert_string_equal(fault.field, field);
    model_destroy(scorecard);
}

static void seal_refuses_what_scoring_could_not_survive(void **state)
{
    (void)state;
    struct model_scorecard *s = example_create();
    s->terms[1].column_a = 3;
    seal_expect(s, "terms[1].columns");
    s = example_create();
    s->terms[1].column_a = 0;
    seal_expect(s, "terms[1].columns");
    s = example_create();
    s->terms[2].column_b = 0;
    seal_expect(s, "terms[2].columns");
    s = example_create();
    s->terms[1].bins_a = 5;
    seal_expect(s, "terms[1].bins");
    s = example_create();
    s->terms[1].table_offset = 2;
    seal_expect(s, "terms[1].table");
    s = example_create();
    s->tables[4] = MODEL_ENTRY_MAX + 1;
    seal_expect(s, "terms[1].table");
    s = example_create();
    s->intercept = MODEL_RAW_MAX + 1;
    seal_expect(s, "intercept");
    s = example_create();
    s->calibration_raw[1] = -2000000;
    seal_expect(s, "calibration.raw[1]");
    s = example_create();
    s->calibration_p[2] = 0.4;
    seal_expect(s, "calibration.p[2]");
    s = example_create();
    s->calibration_p[2] = (double)NAN;
    seal_expect(s, "calibration.p[2]");
    s = example_create();
    s->calibration_count = 0;
    seal_expect(s, "calibration");
    s = example_create();
    s->reference[7] = -2000000;
    seal_expect(s, "reference[7]");
    s = example_create();
    s->grades.b_min = 95.0;
    seal_expect(s, "grades");
}

static void create_refuses_more_than_the_limits(void **state)
{
    (void)state;
    assert_null(model_create(MODEL_TERMS_MAX + 1, 1));
    assert_null(model_create(1, MODEL_TABLE_ENTRIES_MAX + 1));
    model_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_is_the_sum_of_intercept_and_entries),
        cmocka_unit_test(contributions_add_up_and_many_equals_one),
        cmocka_unit_test(p_is_linear_between_points_and_flat_outside),
        cmocka_unit_test(fit_is_the_percentile_with_mid_ranks_for_ties),
        cmocka_unit_test(grade_follows_the_thresholds),
        cmocka_unit_test(interval_holds_every_way_to_fill_what_is_missing),
        cmocka_unit_test(seal_refuses_what_scoring_could_not_survive),
        cmocka_unit_test(create_refuses_more_than_the_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
