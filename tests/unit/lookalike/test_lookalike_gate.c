/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bench/lookalike/lookalike_gate.h"

static void rows_are_found_by_their_names(void **state)
{
    (void)state;
    assert_int_equal(lookalike_row_find("a-99"), LOOKALIKE_A_99);
    assert_int_equal(lookalike_row_find("growth-start"), LOOKALIKE_GROWTH_START);
    assert_int_equal(lookalike_row_find("no-such-row"), LOOKALIKE_ROWS);
    assert_int_equal(lookalike_row_find(""), LOOKALIKE_ROWS);
}

static void a_row_of_at_least_holds_from_its_target_on(void **state)
{
    const struct lookalike_options options = {0};
    (void)state;
    assert_true(lookalike_row_holds(&options, LOOKALIKE_A_99, 6));
    assert_true(lookalike_row_holds(&options, LOOKALIKE_A_99, 60));
    assert_false(lookalike_row_holds(&options, LOOKALIKE_A_99, 5.99));
}

static void a_row_of_at_most_holds_up_to_its_target(void **state)
{
    const struct lookalike_options options = {0};
    (void)state;
    assert_true(lookalike_row_holds(&options, LOOKALIKE_A_INSERT, 20));
    assert_false(lookalike_row_holds(&options, LOOKALIKE_A_INSERT, 20.01));
    assert_false(lookalike_row_holds(&options, LOOKALIKE_A_WRONG, 1));
}

static void a_figure_that_is_no_number_never_holds(void **state)
{
    const struct lookalike_options options = {0};
    (void)state;
    for (unsigned row = 0; row < LOOKALIKE_ROWS; row++) {
        assert_false(lookalike_row_holds(&options, (enum lookalike_row)row, (double)NAN));
    }
}

static void a_given_target_replaces_the_rows_own(void **state)
{
    struct lookalike_options options = {0};
    (void)state;
    options.target_given[LOOKALIKE_A_99] = true;
    options.targets[LOOKALIKE_A_99] = 7;
    assert_false(lookalike_row_holds(&options, LOOKALIKE_A_99, 6.5));
    assert_true(lookalike_row_holds(&options, LOOKALIKE_M_99, 2));
}

static void quick_runs_judge_truth_and_given_targets_alone(void **state)
{
    struct lookalike_options options = {.quick = true};
    (void)state;
    assert_true(lookalike_row_judged(&options, LOOKALIKE_A_WRONG));
    assert_false(lookalike_row_judged(&options, LOOKALIKE_A_99));
    options.target_given[LOOKALIKE_A_99] = true;
    assert_true(lookalike_row_judged(&options, LOOKALIKE_A_99));
    options.quick = false;
    assert_true(lookalike_row_judged(&options, LOOKALIKE_M_99));
}

/* A gate of which one row was asked for, and left out. */
static struct lookalike_gate gate_of(const struct lookalike_options *options)
{
    struct lookalike_gate gate = {.options = options};
    lookalike_figure_skip(&gate, LOOKALIKE_F_99, "its files are not there");
    return gate;
}

static void skipped_rows_do_not_count_and_missing_ones_do(void **state)
{
    const struct lookalike_options options = {0};
    struct lookalike_gate gate = gate_of(&options);
    (void)state;
    assert_int_equal(lookalike_gate_judge(&gate), 0);
    lookalike_figure_miss(&gate, LOOKALIKE_A_99, "hnswlib is not installed");
    assert_int_equal(lookalike_gate_judge(&gate), 1);
    lookalike_figure_number(&gate, LOOKALIKE_A_99, 8);
    lookalike_figure_number(&gate, LOOKALIKE_M_99, 1.2);
    lookalike_figure_number(&gate, LOOKALIKE_A_WRONG, 1);
    assert_int_equal(lookalike_gate_judge(&gate), 2);
}

static void a_row_without_a_single_run_is_missing(void **state)
{
    const struct lookalike_options options = {0};
    struct lookalike_gate gate = gate_of(&options);
    (void)state;
    lookalike_figure_set(&gate, LOOKALIKE_A_99, report_spread_of(NULL, 0));
    assert_int_equal(lookalike_gate_judge(&gate), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_by_their_names),
        cmocka_unit_test(a_row_of_at_least_holds_from_its_target_on),
        cmocka_unit_test(a_row_of_at_most_holds_up_to_its_target),
        cmocka_unit_test(a_figure_that_is_no_number_never_holds),
        cmocka_unit_test(a_given_target_replaces_the_rows_own),
        cmocka_unit_test(quick_runs_judge_truth_and_given_targets_alone),
        cmocka_unit_test(skipped_rows_do_not_count_and_missing_ones_do),
        cmocka_unit_test(a_row_without_a_single_run_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
