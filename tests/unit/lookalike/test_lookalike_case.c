/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "bench/lookalike/lookalike_case.h"

/* A contender that notes when it was asked and answers at a rate of its own. */
struct runner {
    char name;
    double rate;
    char *order; /* shared */
};

static struct lookalike_pass runner_pass(void *context)
{
    const struct runner *runner = context;
    size_t at = strlen(runner->order);
    runner->order[at] = runner->name;
    runner->order[at + 1] = '\0';
    return (struct lookalike_pass){.asked = 100, .found = 1000, .seconds = 100 / runner->rate};
}

static void enter(struct lookalike_case *what, struct runner *runner)
{
    const char name[2] = {runner->name, '\0'};
    struct lookalike_contender *contender = lookalike_contender_add(what, name);
    assert_non_null(contender);
    contender->context = runner;
    contender->on_pass = runner_pass;
}

static void another_contender_is_first_in_each_round(void **state)
{
    char order[64] = "";
    struct runner a = {'a', 1000, order};
    struct runner b = {'b', 500, order};
    struct runner c = {'c', 250, order};
    struct lookalike_case what = {0};
    (void)state;
    enter(&what, &a);
    enter(&what, &b);
    enter(&what, &c);
    lookalike_case_run(&what, 3);
    assert_string_equal(order, "abcbcacab");
    assert_int_equal(what.rounds, 3);
}

static void a_ratio_is_taken_round_by_round(void **state)
{
    char order[64] = "";
    struct runner a = {'a', 1000, order};
    struct runner b = {'b', 500, order};
    struct lookalike_case what = {0};
    (void)state;
    enter(&what, &a);
    enter(&what, &b);
    /* The machine slows to a tenth between the rounds: both do, the ratio does not. */
    lookalike_case_run(&what, 2);
    a.rate /= 10;
    b.rate /= 10;
    lookalike_case_run(&what, 1);
    struct report_spread ratio = lookalike_case_ratio(&what, lookalike_contender_find(&what, "a"),
                                                      lookalike_contender_find(&what, "b"));
    assert_int_equal(ratio.count, 3);
    assert_float_equal(ratio.low, 2, 1e-9);
    assert_float_equal(ratio.high, 2, 1e-9);
    /* Control: by the rates alone the slow round shows. */
    struct report_spread rate = report_spread_of(what.contenders[0].per_second, what.rounds);
    assert_true(rate.high / rate.low > 9.99);
}

static void a_full_case_refuses_another_contender(void **state)
{
    struct lookalike_case what = {0};
    (void)state;
    for (unsigned i = 0; i < LOOKALIKE_CONTENDERS_MAX; i++) {
        assert_non_null(lookalike_contender_add(&what, "x"));
    }
    assert_null(lookalike_contender_add(&what, "y"));
    assert_null(lookalike_contender_find(&what, "y"));
}

static void rounds_stop_where_there_is_no_room_for_more(void **state)
{
    static char order[4 * REPORT_RUNS_MAX];
    struct runner a = {'a', 1000, order};
    struct lookalike_case what = {0};
    (void)state;
    enter(&what, &a);
    lookalike_case_run(&what, REPORT_RUNS_MAX + 5);
    assert_int_equal(what.rounds, REPORT_RUNS_MAX);
}

static void json_has_every_run_of_every_contender(void **state)
{
    char order[64] = "";
    struct runner a = {'a', 1000, order};
    struct lookalike_case what = {.name = "what is done"};
    (void)state;
    enter(&what, &a);
    lookalike_case_run(&what, 4);
    json_t *json = lookalike_case_json(&what);
    assert_string_equal(json_string_value(json_object_get(json, "case")), "what is done");
    json_t *first = json_array_get(json_object_get(json, "contenders"), 0);
    assert_int_equal(json_array_size(json_object_get(first, "per_second")), 4);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_contender_is_first_in_each_round),
        cmocka_unit_test(a_ratio_is_taken_round_by_round),
        cmocka_unit_test(a_full_case_refuses_another_contender),
        cmocka_unit_test(rounds_stop_where_there_is_no_room_for_more),
        cmocka_unit_test(json_has_every_run_of_every_contender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
