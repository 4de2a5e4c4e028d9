/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/gate/gate_frame.h"

static struct report_spread one(double value)
{
    return (struct report_spread){.median = value, .low = value, .high = value, .count = 1};
}

static struct gate_line line_of(enum gate_limit limit, double target, double value)
{
    return (struct gate_line){.name = "row",
                              .text = "a row",
                              .unit = "x",
                              .limit = limit,
                              .target = target,
                              .state = GATE_MEASURED,
                              .measured = one(value),
                              .busy = (double)NAN};
}

static void a_target_itself_holds_and_beyond_it_does_not(void **state)
{
    static const struct {
        enum gate_limit limit;
        double value;
        enum gate_verdict verdict;
    } cases[] = {{GATE_LEAST, 2, GATE_HOLDS},
                 {GATE_LEAST, 1.99, GATE_FALLS_SHORT},
                 {GATE_MOST, 2, GATE_HOLDS},
                 {GATE_MOST, 2.01, GATE_FALLS_SHORT},
                 {GATE_LEAST, (double)NAN, GATE_FALLS_SHORT},
                 {GATE_MOST, (double)NAN, GATE_FALLS_SHORT}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gate_line line = line_of(cases[i].limit, 2, cases[i].value);
        assert_int_equal(gate_line_verdict(&line), cases[i].verdict);
    }
}

static void on_a_busy_machine_processor_time_decides_both_ways(void **state)
{
    struct gate_line line = line_of(GATE_LEAST, 2, 1.5);
    (void)state;
    line.by_cpu = one(2.5);
    line.busy = GATE_BUSY / 2;
    assert_int_equal(gate_line_verdict(&line), GATE_FALLS_SHORT);
    assert_false(gate_line_by_cpu(&line));
    line.busy = GATE_BUSY;
    assert_int_equal(gate_line_verdict(&line), GATE_HOLDS);
    assert_true(gate_line_by_cpu(&line));
    line.measured = one(2.5);
    line.by_cpu = one(1.5);
    assert_int_equal(gate_line_verdict(&line), GATE_FALLS_SHORT);
}

static void without_a_figure_by_processor_time_a_busy_row_is_judged_as_it_is(void **state)
{
    struct gate_line line = line_of(GATE_LEAST, 2, 1.5);
    (void)state;
    line.busy = 0.5;
    assert_int_equal(gate_line_verdict(&line), GATE_FALLS_SHORT);
    assert_false(gate_line_by_cpu(&line));
}

static void what_was_asked_for_and_not_measured_is_short(void **state)
{
    struct gate_line line = line_of(GATE_LEAST, 2, 3);
    (void)state;
    line.state = GATE_MISSING;
    assert_true(gate_line_is_short(&line));
    line.state = GATE_SKIPPED;
    assert_false(gate_line_is_short(&line));
    assert_int_equal(gate_line_verdict(&line), GATE_LEFT_OUT);
    line.state = GATE_MEASURED;
    line.measured.count = 0;
    assert_int_equal(gate_line_verdict(&line), GATE_NOT_MEASURED);
}

static void a_row_that_is_shown_only_is_never_short(void **state)
{
    struct gate_line line = line_of(GATE_LEAST, 2, 1);
    (void)state;
    line.shown_only = true;
    assert_int_equal(gate_line_verdict(&line), GATE_NOT_JUDGED);
    assert_false(gate_line_is_short(&line));
}

static void a_reason_why_it_cannot_hold_makes_it_short(void **state)
{
    struct gate_line line = line_of(GATE_LEAST, 2, 3);
    (void)state;
    snprintf(line.why, sizeof line.why, "on a base smaller than the row speaks of");
    assert_int_equal(gate_line_verdict(&line), GATE_FALLS_SHORT);
}

static void the_table_counts_and_says_what_decided(void **state)
{
    struct gate_line lines[3] = {
        line_of(GATE_LEAST, 2, 1), line_of(GATE_LEAST, 2, 3), {.state = GATE_UNASKED}};
    char *text = calloc(1, 8192);
    (void)state;
    assert_non_null(text);
    lines[0].by_cpu = one(2.25);
    lines[0].busy = 0.5;
    FILE *out = fmemopen(text, 8191, "w");
    assert_non_null(out);
    assert_int_equal(gate_lines_print(out, lines, 3), 0);
    fclose(out);
    assert_non_null(strstr(text, "holds by processor time: 2.25; busy 50 %"));
    assert_non_null(
        strstr(text, "2 rows, 0 short; 1 rows were not asked for; the machine was busy"));
    free(text);
}

static void json_says_the_verdict_and_what_it_came_by(void **state)
{
    struct gate_line line = line_of(GATE_LEAST, 2, 1);
    (void)state;
    line.by_cpu = one(2.25);
    line.busy = 0.5;
    json_t *list = gate_lines_json(&line, 1);
    const json_t *row = json_array_get(list, 0);
    assert_string_equal(json_string_value(json_object_get(row, "verdict")), "holds");
    assert_string_equal(json_string_value(json_object_get(row, "judged_by")), "processor time");
    json_decref(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_itself_holds_and_beyond_it_does_not),
        cmocka_unit_test(on_a_busy_machine_processor_time_decides_both_ways),
        cmocka_unit_test(without_a_figure_by_processor_time_a_busy_row_is_judged_as_it_is),
        cmocka_unit_test(what_was_asked_for_and_not_measured_is_short),
        cmocka_unit_test(a_row_that_is_shown_only_is_never_short),
        cmocka_unit_test(a_reason_why_it_cannot_hold_makes_it_short),
        cmocka_unit_test(the_table_counts_and_says_what_decided),
        cmocka_unit_test(json_says_the_verdict_and_what_it_came_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
