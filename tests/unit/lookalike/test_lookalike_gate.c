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

static enum gate_verdict verdict_of(const struct lookalike_options *options, enum lookalike_row row,
                                    double value)
{
    struct lookalike_gate gate = {.options = options, .busy = (double)NAN};
    lookalike_figure_number(&gate, row, value);
    struct gate_line line = lookalike_row_line(&gate, row);
    return gate_line_verdict(&line);
}

static void rows_are_judged_by_the_targets_of_their_table(void **state)
{
    const struct lookalike_options options = {0};
    (void)state;
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_99, 6), GATE_HOLDS);
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_99, 5.99), GATE_FALLS_SHORT);
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_INSERT, 20), GATE_HOLDS);
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_INSERT, 20.01), GATE_FALLS_SHORT);
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_WRONG, 1), GATE_FALLS_SHORT);
}

static void a_given_target_replaces_the_rows_own(void **state)
{
    struct lookalike_options options = {0};
    (void)state;
    options.target_given[LOOKALIKE_A_99] = true;
    options.targets[LOOKALIKE_A_99] = 7;
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_99, 6.5), GATE_FALLS_SHORT);
    assert_int_equal(verdict_of(&options, LOOKALIKE_M_99, 2), GATE_HOLDS);
}

static void quick_runs_judge_truth_and_given_targets_alone(void **state)
{
    struct lookalike_options options = {.quick = true};
    (void)state;
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_WRONG, 1), GATE_FALLS_SHORT);
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_99, 1), GATE_NOT_JUDGED);
    options.target_given[LOOKALIKE_A_99] = true;
    options.targets[LOOKALIKE_A_99] = 5;
    assert_int_equal(verdict_of(&options, LOOKALIKE_A_99, 1), GATE_FALLS_SHORT);
    options.quick = false;
    assert_int_equal(verdict_of(&options, LOOKALIKE_M_99, 1), GATE_FALLS_SHORT);
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
        cmocka_unit_test(rows_are_judged_by_the_targets_of_their_table),
        cmocka_unit_test(a_given_target_replaces_the_rows_own),
        cmocka_unit_test(quick_runs_judge_truth_and_given_targets_alone),
        cmocka_unit_test(skipped_rows_do_not_count_and_missing_ones_do),
        cmocka_unit_test(a_row_without_a_single_run_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
