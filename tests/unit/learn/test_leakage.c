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

#include "server/learn/leakage.h"
#include "server/math/portable.h"
#include "server/math/random.h"

enum { ROWS = 4000, FOLDS = 8 };

static char *values[] = {"a", "b", "c", "d", "e", "f"};
static char names[6][8] = {"honest", "typed", "decides", "token", "same", "number"};
static struct feature_column columns[6] = {
    {.field_id = 0,
     .field_name = names[0],
     .type = FEATURE_CATEGORY,
     .bin_count = 8,
     .categories = values},
    {.field_id = 1,
     .field_name = names[1],
     .type = FEATURE_CATEGORY,
     .bin_count = 4,
     .categories = values},
    {.field_id = 2,
     .field_name = names[2],
     .type = FEATURE_CATEGORY,
     .bin_count = 6,
     .categories = values},
    {.field_id = 3, .field_name = names[3], .type = FEATURE_CATEGORY, .bin_count = 2},
    {.field_id = 4, .field_name = names[4], .type = FEATURE_FLAG, .bin_count = 3},
    {.field_id = 5, .field_name = names[5], .type = FEATURE_NUMBER, .bin_count = 20},
};
static const struct feature_codebook codebook = {.columns = columns, .column_count = 6};

/* Field 0 moves the odds by up to e; field 1 repeats the outcome for 95 of 100; field 2 is filled
 * in for a quarter of the rows, with the outcome; field 3 never repeats; field 4 is constant; field
 * 5 is a strong honest number. */
static struct learn_grid *grid_make(uint8_t *folds)
{
    struct learn_grid *grid = learn_grid_create(ROWS, 6);
    assert_non_null(grid);
    struct math_random random;
    math_random_init(&random, 17);
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t *codes[6];
        for (size_t c = 0; c < 6; c++) {
            grid->bins[c] = (uint16_t)columns[c].bin_count;
            grid->ordered[c] = columns[c].type == FEATURE_NUMBER;
            codes[c] = grid->codes + c * ROWS + i;
        }
        *codes[0] = (uint8_t)(1 + math_random_below(&random, 7));
        *codes[5] = (uint8_t)(1 + math_random_below(&random, 19));
        double logit = -0.5 + 0.3 * (*codes[0] - 4.0) + 0.2 * (*codes[5] - 10.0);
        uint8_t won = math_random_unit(&random) < math_logistic(logit);
        grid->labels[i] = won;
        bool right = math_random_unit(&random) < 0.95;
        *codes[1] = (uint8_t)(2 + (right ? won : !won));
        bool filled = math_random_unit(&random) < 0.35;
        *codes[2] = (uint8_t)(filled ? 2 + won : 0);
        *codes[3] = 1;
        *codes[4] = 2;
        folds[i] = (uint8_t)(i % FOLDS);
    }
    return grid;
}

static void leaks_are_refused_and_honest_fields_are_kept(void **state)
{
    (void)state;
    uint8_t folds[ROWS];
    struct learn_field_report reports[6];
    size_t count = 0;
    struct proto_fault fault;
    struct learn_grid *grid = grid_make(folds);
    assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
    assert_int_equal(count, 6);
    assert_int_equal(reports[0].verdict, LEARN_FIELD_USED);
    assert_int_equal(reports[1].verdict, LEARN_FIELD_LEAK_STRONG);
    assert_int_equal(reports[2].verdict, LEARN_FIELD_LEAK_DECIDES);
    assert_int_equal(reports[3].verdict, LEARN_FIELD_IDENTIFIER);
    assert_int_equal(reports[4].verdict, LEARN_FIELD_CONSTANT);
    assert_true(reports[5].verdict == LEARN_FIELD_USED || reports[5].verdict == LEARN_FIELD_WARNED);
    assert_true(reports[5].auc > 0.72);
    assert_true(reports[1].auc_low <= reports[1].auc && reports[1].auc <= reports[1].auc_high);
    learn_grid_destroy(grid);
}

/* A field that is filled in for one outcome alone, 6 times in 10, is a leak: by presence. */
static void a_field_that_is_there_for_one_outcome_alone_is_a_leak(void **state)
{
    (void)state;
    for (uint8_t outcome = 0; outcome <= 1; outcome++) {
        uint8_t folds[ROWS];
        struct learn_field_report reports[6];
        size_t count = 0;
        struct proto_fault fault;
        struct math_random random;
        char text[512];
        struct learn_grid *grid = grid_make(folds);
        math_random_init(&random, 5);
        for (size_t i = 0; i < ROWS; i++) {
            bool filled = grid->labels[i] == outcome && math_random_unit(&random) < 0.6;
            grid->codes[2 * ROWS + i] = (uint8_t)(filled ? 2 : 0);
        }
        assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
        assert_int_equal(reports[2].verdict, LEARN_FIELD_LEAK_PRESENCE);
        assert_true(reports[2].side.positives == 0 || reports[2].side.negatives == 0);
        learn_leakage_reason(&reports[2], text, sizeof text);
        assert_non_null(strstr(text, "filled in on"));
        learn_grid_destroy(grid);
    }
}

/* One value of several that goes with one outcome says much and decides nothing: a warning. */
static void a_value_that_is_certain_one_way_is_no_leak(void **state)
{
    (void)state;
    for (uint8_t outcome = 0; outcome <= 1; outcome++) {
        uint8_t folds[ROWS];
        struct learn_field_report reports[6];
        size_t count = 0;
        struct proto_fault fault;
        struct math_random random;
        char text[512];
        struct learn_grid *grid = grid_make(folds);
        math_random_init(&random, 5);
        for (size_t i = 0; i < ROWS; i++) {
            bool certain = grid->labels[i] == outcome && math_random_unit(&random) < 0.2;
            uint8_t other = (uint8_t)(3 + math_random_below(&random, 3));
            grid->codes[2 * ROWS + i] = certain ? 2 : other;
        }
        assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
        assert_true((reports[2].positives_certain >= LEARN_LEAK_SHARE) == (outcome == 1));
        assert_true((reports[2].negatives_certain >= LEARN_LEAK_SHARE) == (outcome == 0));
        assert_int_equal(reports[2].verdict, LEARN_FIELD_WARNED);
        learn_leakage_reason(&reports[2], text, sizeof text);
        assert_non_null(strstr(text, outcome == 1 ? "and 0 negatives" : "on 0 positives"));
        learn_grid_destroy(grid);
    }
}

/* Two values of five that nearly always win and one that nearly always loses, of few rows:
 * somebody's verdict. Each alone, and values that only lean, are honest. */
static void values_that_sort_rows_by_their_end_are_a_leak(void **state)
{
    (void)state;
    for (unsigned kinds = 1; kinds <= 3; kinds++) {
        uint8_t folds[ROWS];
        struct learn_field_report reports[6];
        size_t count = 0;
        struct proto_fault fault;
        struct math_random random;
        char text[512];
        struct learn_grid *grid = grid_make(folds);
        math_random_init(&random, 9);
        for (size_t i = 0; i < ROWS; i++) {
            bool won = grid->labels[i] != 0;
            double u = math_random_unit(&random);
            uint8_t code = (uint8_t)(4 + (math_random_unit(&random) < (won ? 0.6 : 0.4)));
            code = (kinds & 1) != 0 && won && u < 0.02 ? 2 : code;
            code = (kinds & 1) != 0 && won && u > 0.98 ? 3 : code;
            code = (kinds & 2) != 0 && u < (won ? 0.002 : 0.06) ? 1 : code;
            grid->codes[2 * ROWS + i] = code;
        }
        assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
        assert_true((reports[2].verdict == LEARN_FIELD_LEAK_SORTS) == (kinds == 3));
        assert_true(kinds != 3 || reports[2].explained < 0.15);
        learn_leakage_reason(&reports[2], text, sizeof text);
        assert_true(kinds != 3 || strstr(text, "3 of its 5 values") != NULL);
        learn_grid_destroy(grid);
    }
}

/* Honest fields whose values have effects drawn with a standard deviation of one in log-odds. */
static void strong_honest_categories_do_not_sort(void **state)
{
    (void)state;
    enum { SETS = 400, BINS = 41, SET_ROWS = 1000 };
    struct math_random random;
    unsigned found = 0;
    math_random_init(&random, 11);
    for (unsigned set = 0; set < SETS; set++) {
        double rows[BINS] = {0};
        double positives[BINS] = {0};
        double effects[BINS];
        double all = 0.0;
        size_t bins = 4 + math_random_below(&random, BINS - 4);
        struct learn_sorted sorted;
        for (size_t b = 0; b < bins; b++) {
            effects[b] = (set % 2 == 0 ? -0.5 : -2.0) + math_random_normal(&random);
        }
        for (size_t i = 0; i < SET_ROWS; i++) {
            size_t b = 1 + (size_t)((double)(bins - 1) * pow(math_random_unit(&random), 2.0));
            bool won = math_random_unit(&random) < math_logistic(effects[b]);
            rows[b] += 1.0;
            positives[b] += won;
            all += won;
        }
        found += learn_leakage_sorts(rows, positives, bins, SET_ROWS, all, &sorted);
    }
    assert_true(found <= SETS / 100);
}

/* What was copied from the outcome with slips is no knowledge: 15 in 100 here. */
static void a_copy_with_slips_is_a_leak(void **state)
{
    (void)state;
    uint8_t folds[ROWS];
    struct learn_field_report reports[6];
    size_t count = 0;
    struct proto_fault fault;
    struct math_random random;
    struct learn_grid *grid = grid_make(folds);
    math_random_init(&random, 9);
    for (size_t i = 0; i < ROWS; i++) {
        bool right = math_random_unit(&random) < 0.85;
        grid->codes[ROWS + i] = (uint8_t)(2 + (right ? grid->labels[i] : !grid->labels[i]));
    }
    assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
    assert_int_equal(reports[1].verdict, LEARN_FIELD_LEAK_COPY);
    assert_true(reports[1].explained_low > LEARN_LEAK_COPY);
    assert_true(reports[1].auc_low < LEARN_LEAK_AUC);
    learn_grid_destroy(grid);
}

static void times_are_told_from_quantities(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    double numbers[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        size_t day = i / 2;
        numbers[i] = 1.6e9 + 86400.0 * (double)day;
    }
    assert_true(learn_leakage_times(numbers, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] *= 1000.0;
    }
    assert_true(learn_leakage_times(numbers, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = 20240101.0 + 100.0 * (double)(i % 12) + (double)(i % 28);
    }
    assert_true(learn_leakage_times(numbers, COUNT));
    numbers[7] = 20241301.0; /* no month */
    assert_false(learn_leakage_times(numbers, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = 1e6 * (double)i; /* revenue */
    }
    assert_false(learn_leakage_times(numbers, COUNT));
    assert_false(learn_leakage_times(numbers, 0));
}

static void reasons_name_figures(void **state)
{
    (void)state;
    uint8_t folds[ROWS];
    struct learn_field_report reports[6];
    size_t count = 0;
    struct proto_fault fault;
    char text[512];
    struct learn_grid *grid = grid_make(folds);
    assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
    learn_leakage_reason(&reports[1], text, sizeof text);
    assert_non_null(strstr(text, "suspected leak"));
    assert_non_null(strstr(text, "0.85"));
    learn_leakage_reason(&reports[2], text, sizeof text);
    assert_non_null(strstr(text, "decide both ways"));
    learn_grid_destroy(grid);
}

static void a_noise_field_of_many_categories_looks_no_better_than_chance(void **state)
{
    (void)state;
    uint8_t folds[ROWS];
    struct learn_field_report reports[6];
    size_t count = 0;
    struct proto_fault fault;
    struct math_random random;
    struct learn_grid *grid = grid_make(folds);
    math_random_init(&random, 3);
    columns[0].bin_count = 200;
    grid->bins[0] = 200;
    for (size_t i = 0; i < ROWS; i++) {
        grid->codes[i] = (uint8_t)math_random_below(&random, 200);
    }
    assert_true(learn_leakage_check(grid, &codebook, folds, FOLDS, reports, &count, &fault));
    columns[0].bin_count = 8;
    assert_true(reports[0].auc < 0.54);
    assert_true(reports[0].explained < 0.02);
    learn_grid_destroy(grid);
}

static void keeping_leaks_refuses_only_what_says_nothing(void **state)
{
    (void)state;
    static const struct {
        enum learn_verdict verdict;
        bool refused, refused_kept;
    } cases[] = {
        {LEARN_FIELD_USED, false, false},         {LEARN_FIELD_WARNED, false, false},
        {LEARN_FIELD_LEAK_STRONG, true, false},   {LEARN_FIELD_LEAK_COPY, true, false},
        {LEARN_FIELD_LEAK_DECIDES, true, false},  {LEARN_FIELD_LEAK_SORTS, true, false},
        {LEARN_FIELD_LEAK_PRESENCE, true, false}, {LEARN_FIELD_LEAK_OVERWRITTEN, true, false},
        {LEARN_FIELD_IDENTIFIER, true, true},     {LEARN_FIELD_TIME, true, true},
        {LEARN_FIELD_CONSTANT, true, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct learn_field_report report = {.verdict = cases[i].verdict};
        assert_int_equal(learn_field_refused(&report), cases[i].refused);
        report.kept = true;
        assert_int_equal(learn_field_refused(&report), cases[i].refused_kept);
        assert_int_equal(learn_verdict_is_leak(cases[i].verdict),
                         cases[i].refused && !cases[i].refused_kept);
    }
}

static void serial_numbers_are_told_from_quantities(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    double numbers[COUNT];
    struct math_random random;
    math_random_init(&random, 1);
    for (size_t i = 0; i < COUNT; i++) { /* every eighth number of a sequence, in any order */
        numbers[(i * 7) % COUNT] = 50000.0 + 8.0 * (double)i;
    }
    assert_true(learn_leakage_numbered(numbers, COUNT));
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = floor(math_random_unit(&random) * 8000.0);
    }
    assert_false(learn_leakage_numbered(numbers, COUNT)); /* some repeat */
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = math_random_unit(&random);
    }
    assert_false(learn_leakage_numbered(numbers, COUNT)); /* not whole */
    for (size_t i = 0; i < COUNT; i++) {
        numbers[i] = floor(1e9 * math_random_unit(&random));
    }
    assert_false(learn_leakage_numbered(numbers, COUNT)); /* revenue: far apart */
    assert_false(learn_leakage_numbered(numbers, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaks_are_refused_and_honest_fields_are_kept),
        cmocka_unit_test(a_field_that_is_there_for_one_outcome_alone_is_a_leak),
        cmocka_unit_test(a_value_that_is_certain_one_way_is_no_leak),
        cmocka_unit_test(values_that_sort_rows_by_their_end_are_a_leak),
        cmocka_unit_test(strong_honest_categories_do_not_sort),
        cmocka_unit_test(a_copy_with_slips_is_a_leak),
        cmocka_unit_test(times_are_told_from_quantities),
        cmocka_unit_test(reasons_name_figures),
        cmocka_unit_test(a_noise_field_of_many_categories_looks_no_better_than_chance),
        cmocka_unit_test(keeping_leaks_refuses_only_what_says_nothing),
        cmocka_unit_test(serial_numbers_are_told_from_quantities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
