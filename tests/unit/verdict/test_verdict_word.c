/* SPDX-License-Identifier: Apache-2.0 */
/* The rule over the comparisons, and that words say it: the answer first, what cannot be said, what
 * to do next. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/math/special.h"
#include "server/verdict/verdict_word.h"

static struct verdict_lift lift_of(enum term_verdict verdict)
{
    struct verdict_lift lift = {.ratio = 1.3, .on = 100, .won_on = 30, .off = 200, .won_off = 40};
    lift.bounds = (struct term_bounds){.rule_low = .8, .rule_high = 2.1, .verdict = verdict};
    if (verdict == TERM_SUPPORTED) {
        lift.ratio = 1.92;
        lift.bounds.rule_low = 1.21;
    } else if (verdict == TERM_REFUTED) {
        lift.ratio = .41;
        lift.bounds.rule_high = .77;
    }
    return lift;
}

static struct verdict_said said_of(enum term_verdict equal, enum term_verdict held, bool held_out)
{
    struct verdict_said said = {.list = "2027-q1",
                                .asked = {true, true, held_out},
                                .compares = true,
                                .effort_asked = true,
                                .effort_told = true,
                                .held_out = held_out,
                                .alpha = .05};
    said.lifts[VERDICT_EQUAL_EFFORT] = lift_of(equal);
    said.lifts[VERDICT_JUST_MISSED] = lift_of(TERM_INSUFFICIENT);
    said.lifts[VERDICT_HOLD_OUT] = lift_of(held);
    said.verdict = verdict_decide(&said);
    return said;
}

static void the_rule_is_equal_effort_or_hold_out_and_no_contradiction(void **state)
{
    static const struct {
        enum term_verdict equal, held, comes;
    } cases[] = {{TERM_SUPPORTED, TERM_INSUFFICIENT, TERM_SUPPORTED},
                 {TERM_INSUFFICIENT, TERM_SUPPORTED, TERM_SUPPORTED},
                 {TERM_SUPPORTED, TERM_SUPPORTED, TERM_SUPPORTED},
                 {TERM_REFUTED, TERM_INSUFFICIENT, TERM_REFUTED},
                 {TERM_INSUFFICIENT, TERM_REFUTED, TERM_REFUTED},
                 {TERM_SUPPORTED, TERM_REFUTED, TERM_INSUFFICIENT},
                 {TERM_REFUTED, TERM_SUPPORTED, TERM_INSUFFICIENT},
                 {TERM_INSUFFICIENT, TERM_INSUFFICIENT, TERM_INSUFFICIENT}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(said_of(cases[i].equal, cases[i].held, true).verdict, cases[i].comes);
    }
    /* Without a hold-out what stands there says nothing. */
    assert_int_equal(said_of(TERM_INSUFFICIENT, TERM_SUPPORTED, false).verdict, TERM_INSUFFICIENT);
}

static void alpha_is_shared_where_some_are_held_out(void **state)
{
    struct verdict_said said = said_of(TERM_SUPPORTED, TERM_SUPPORTED, true);
    (void)state;
    assert_true(verdict_alpha(&said) == .025);
    said.asked[VERDICT_HOLD_OUT] = false;
    assert_true(verdict_alpha(&said) == .05);
}

static void without_touches_others_are_no_ground_for_a_verdict(void **state)
{
    struct verdict_said said = said_of(TERM_SUPPORTED, TERM_INSUFFICIENT, false);
    struct verdict_words cannot;
    (void)state;
    said.effort_told = false;
    assert_int_equal(verdict_decide(&said), TERM_INSUFFICIENT);
    verdict_cannot_make(&said, &cannot);
    bool told = false;
    for (size_t i = 0; i < cannot.count; i++) {
        told |= strstr(cannot.text[i], "No touch is told") != NULL;
    }
    assert_true(told);
    said.effort_asked = false; /* somebody says that effort was the same */
    assert_int_equal(verdict_decide(&said), TERM_SUPPORTED);
}

static void the_answer_comes_first_and_names_its_bound(void **state)
{
    struct verdict_said said = said_of(TERM_SUPPORTED, TERM_INSUFFICIENT, false);
    struct verdict_words words;
    (void)state;
    verdict_words_make(&said, &words);
    assert_non_null(strstr(words.text[0], "Supported"));
    assert_non_null(
        strstr(words.text[0], "1.92 times the odds of others that were worked as much"));
    assert_non_null(strstr(words.text[0], "at least 1.21 times"));
    assert_non_null(
        strstr(words.text[1], "30.0 % of 100 cases on the list were won, 20.0 % of 200"));
    said = said_of(TERM_INSUFFICIENT, TERM_REFUTED, true);
    verdict_words_make(&said, &words);
    assert_non_null(strstr(words.text[0], "Refuted"));
    assert_non_null(strstr(words.text[0], "those that were held out, and at most 0.77 times"));
    said = said_of(TERM_INSUFFICIENT, TERM_INSUFFICIENT, false);
    said.early = true;
    said.open = 17;
    verdict_words_make(&said, &words);
    assert_non_null(strstr(words.text[0], "may be 0.80 to 2.10"));
    assert_non_null(strstr(words.text[words.count - 2], "17 cases are not counted yet"));
    assert_non_null(strstr(words.text[words.count - 1], "a day before the list was made"));
    said.lifts[VERDICT_EQUAL_EFFORT].ratio = MATH_NAN;
    verdict_words_make(&said, &words);
    assert_non_null(strstr(words.text[0], "nothing is matured yet"));
}

static void cases_from_before_the_list_are_told_where_there_are_no_others(void **state)
{
    struct verdict_words words;
    struct verdict_said said = said_of(TERM_INSUFFICIENT, TERM_INSUFFICIENT, false);
    (void)state;
    said.before = 5706;
    verdict_words_make(&said, &words);
    assert_non_null(strstr(words.text[words.count - 1], "No case began since the list was made, "
                                                        "5706 before"));
    said.early = true; /* they are counted already */
    verdict_words_make(&said, &words);
    assert_null(strstr(words.text[words.count - 2], "5706"));
    said.early = false;
    said.cases = 1;
    verdict_words_make(&said, &words);
    assert_null(strstr(words.text[words.count - 1], "5706"));
}

static void an_older_list_says_what_it_cannot(void **state)
{
    struct verdict_said said = said_of(TERM_INSUFFICIENT, TERM_INSUFFICIENT, false);
    struct verdict_words cannot;
    (void)state;
    said.compares = false;
    verdict_cannot_make(&said, &cannot);
    assert_non_null(strstr(cannot.text[0], "format 1"));
}

static void the_draft_names_what_to_learn_anew_and_where_to_look(void **state)
{
    struct verdict_said said = said_of(TERM_REFUTED, TERM_INSUFFICIENT, false);
    struct measure_table forecast;
    struct measure_table promise;
    struct verdict_words next;
    (void)state;
    measure_table_init(&forecast, MEASURE_ID_FORECAST);
    measure_add_text(&forecast, "closed");
    measure_add_text(&forecast, "by-hand");
    measure_add_whole(&forecast, 400);
    measure_add_number(&forecast, .21);
    measure_add_number(&forecast, .18);
    measure_add_number(&forecast, -.03);
    measure_add_number(&forecast, -.05);
    measure_add_number(&forecast, -.01);
    measure_add_text(&forecast, "worse");
    measure_table_init(&promise, MEASURE_ID_PROMISE);
    measure_add_text(&promise, "closed");
    measure_add_text(&promise, "industry");
    measure_add_text(&promise, "Retail");
    measure_add_whole(&promise, 200);
    measure_add_whole(&promise, 20);
    for (int i = 0; i < 5; i++) {
        measure_add_number(&promise, i == 1 ? .3 : .1);
    }
    measure_add_text(&promise, "too much was promised");
    assert_true(measure_table_good(&forecast) && measure_table_good(&promise));
    verdict_next_make(&said, &forecast, &promise, &next);
    assert_non_null(strstr(next.text[0], "another profile"));
    assert_non_null(strstr(next.text[1], "the profile written by hand foretold better"));
    assert_non_null(strstr(next.text[2], "industry = Retail: too much was promised"));
    assert_non_null(strstr(next.text[3], "--hold-out 10%"));
    measure_table_fini(&forecast);
    measure_table_fini(&promise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_is_equal_effort_or_hold_out_and_no_contradiction),
        cmocka_unit_test(alpha_is_shared_where_some_are_held_out),
        cmocka_unit_test(without_touches_others_are_no_ground_for_a_verdict),
        cmocka_unit_test(the_answer_comes_first_and_names_its_bound),
        cmocka_unit_test(an_older_list_says_what_it_cannot),
        cmocka_unit_test(the_draft_names_what_to_learn_anew_and_where_to_look),
        cmocka_unit_test(cases_from_before_the_list_are_told_where_there_are_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
