/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of lift, rate, forecast and erosion, against the books and against what chance must not
 * show. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/math/special.h"
#include "server/verdict/verdict_table.h"

#define DAY INT64_C(86400000)
#define MONDAY (INT64_C(20822) * DAY)

static void near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance)) {
        fail_msg("%.12g, wanted %.12g", found, wanted);
    }
}

static double number(const struct measure_table *table, size_t row, const char *column)
{
    return measure_cell_find(table, row, column)->number;
}

static const char *text(const struct measure_table *table, size_t row, const char *column)
{
    return measure_cell_find(table, row, column)->text;
}

/* Departments: men admitted, men rejected, women admitted, women rejected. */
static const uint32_t berkeley[6][4] = {{512, 313, 89, 19},   {353, 207, 17, 8},
                                        {120, 205, 202, 391}, {138, 279, 131, 244},
                                        {53, 138, 94, 299},   {22, 351, 24, 317}};

static void berkeley_comes_out_of_cases_as_the_books_have_it(void **state)
{
    struct verdict_case cases[24];
    struct measure_table table;
    struct verdict_lift lift;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "admitted", .alpha = .05};
    (void)state;
    for (uint32_t i = 0; i < 24; i++) {
        cases[i] = (struct verdict_case){.stratum = i / 4,
                                         .count = berkeley[i / 4][i % 4],
                                         .part = i % 4 < 2 ? VERDICT_MEMBER : VERDICT_OTHER,
                                         .won = i % 2 == 0};
    }
    measure_table_init(&table, MEASURE_ID_LIFT);
    assert_true(verdict_lift_add(&table, cases, 24, VERDICT_EQUAL_EFFORT, "women", &options, &lift,
                                 &fault));
    assert_int_equal(measure_table_rows(&table), 1);
    near(number(&table, 0, "ratio"), .90507, 5e-6);
    near(number(&table, 0, "mantel"), .90470, 5e-6);
    near(number(&table, 0, "low"), .690952, 1e-4);
    near(number(&table, 0, "high"), 1.182438, 1e-4);
    assert_string_equal(text(&table, 0, "verdict"), "insufficient");
    assert_string_equal(text(&table, 0, "against"), "women");
    assert_int_equal(lift.on, 2691);
    assert_int_equal(lift.won_on, 1198);
    measure_table_fini(&table);
}

static void no_cases_are_a_row_that_says_so(void **state)
{
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "won", .alpha = .05, .best_at = 100};
    (void)state;
    measure_table_init(&table, MEASURE_ID_LIFT);
    assert_true(verdict_lift_add(&table, NULL, 0, VERDICT_HOLD_OUT, NULL, &options, NULL, &fault));
    assert_int_equal(measure_cell_find(&table, 0, "ratio")->kind, MEASURE_ABSENT);
    assert_int_equal(measure_cell_find(&table, 0, "as_of")->kind, MEASURE_ABSENT);
    assert_string_equal(text(&table, 0, "verdict"), "insufficient");
    measure_table_fini(&table);
    measure_table_init(&table, MEASURE_ID_FORECAST);
    assert_true(verdict_rivals_add(&table, NULL, 0, &options, &fault));
    assert_int_equal(measure_table_rows(&table), 1); /* the base rate, of nothing */
    assert_string_equal(text(&table, 0, "verdict"), "undecided");
    measure_table_fini(&table);
}

static void rates_are_those_of_term_rate(void **state)
{
    struct verdict_case cases[] = {{.count = 700, .won = true}, {.count = 300}};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "won", .alpha = .05, .best_at = 100};
    (void)state;
    measure_table_init(&table, MEASURE_ID_RATE);
    assert_true(verdict_rate_add(&table, cases, 2, "all", NULL, &options, &fault));
    near(number(&table, 0, "rate"), .7, 1e-12);
    near(number(&table, 0, "low"), .651629, 1e-6);
    near(number(&table, 0, "high"), .745949, 1e-6);
    measure_table_fini(&table);
}

static double chance(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / 9007199254740992.0;
}

enum { CASES = 1200 };

/* Accounts of two kinds, won at .4 and .1; p tells them apart if it knows, else it says .25. */
static void cases_fill(struct verdict_case *cases, uint64_t *seed, bool knows)
{
    for (uint32_t i = 0; i < CASES; i++) {
        bool good = chance(seed) < .5;
        int64_t moment_ms = MONDAY + (int64_t)(i / 20) * VERDICT_WEEK_MS;
        cases[i] = (struct verdict_case){.moment_ms = moment_ms,
                                         .known_ms = moment_ms + 60 * DAY,
                                         .account = i,
                                         .count = 1,
                                         .sampled = true,
                                         .won = chance(seed) < (good ? .4 : .1),
                                         .p = !knows ? .25
                                              : good ? .4
                                                     : .1,
                                         .last_p = .25,
                                         .points = good ? 3 : 0};
    }
}

static void predictions_that_know_beat_rivals_that_do_not(void **state)
{
    static struct verdict_case cases[CASES];
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "closed", .alpha = .05, .best_at = 100};
    uint64_t seed = 9;
    (void)state;
    cases_fill(cases, &seed, true);
    measure_table_init(&table, MEASURE_ID_FORECAST);
    assert_true(verdict_rivals_add(&table, cases, CASES, &options, &fault));
    assert_int_equal(measure_table_rows(&table), VERDICT_RIVALS);
    assert_string_equal(text(&table, 0, "rival"), "base-rate");
    assert_string_equal(text(&table, 0, "verdict"), "better");
    assert_string_equal(text(&table, 1, "rival"), "last-version");
    assert_string_equal(text(&table, 1, "verdict"), "better");
    /* The profile by hand knows as much, once it has learned what its points are worth. */
    assert_string_equal(text(&table, 2, "rival"), "by-hand");
    assert_string_equal(text(&table, 2, "verdict"), "undecided");
    measure_table_fini(&table);
}

static void predictions_that_know_nothing_are_beaten_by_a_profile_that_does(void **state)
{
    static struct verdict_case cases[CASES];
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "closed", .alpha = .05, .best_at = 100};
    uint64_t seed = 10;
    (void)state;
    cases_fill(cases, &seed, false);
    measure_table_init(&table, MEASURE_ID_FORECAST);
    assert_true(verdict_rivals_add(&table, cases, CASES, &options, &fault));
    assert_string_equal(text(&table, 2, "verdict"), "worse");
    assert_string_not_equal(text(&table, 0, "verdict"), "better");
    measure_table_fini(&table);
}

/* Without signal nothing is said to be better or worse, at the stated rate. */
static void data_without_signal_decide_nothing(void **state)
{
    enum { RUNS = 60 };
    static struct verdict_case cases[CASES];
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "closed", .alpha = .05, .best_at = 100};
    unsigned decided = 0;
    uint64_t seed = 11;
    (void)state;
    for (int run = 0; run < RUNS; run++) {
        struct measure_table table;
        cases_fill(cases, &seed, false);
        for (size_t i = 0; i < CASES; i++) {
            cases[i].won = chance(&seed) < .25;
        }
        measure_table_init(&table, MEASURE_ID_FORECAST);
        assert_true(verdict_rivals_add(&table, cases, CASES, &options, &fault));
        decided += strcmp(text(&table, 1, "verdict"), "undecided") != 0;
        measure_table_fini(&table);
    }
    assert_true((double)decided / RUNS <= .05 + 3 * sqrt(.05 * .95 / RUNS));
}

/* What comes later must not have been known: the newest case is not in what rivals say of it. */
static void a_rival_says_nothing_that_was_not_known_before(void **state)
{
    struct verdict_case cases[] = {{.known_ms = 1,
                                    .account = 1,
                                    .count = 1,
                                    .won = true,
                                    .p = .5,
                                    .last_p = MATH_NAN,
                                    .points = MATH_NAN},
                                   {.known_ms = 1,
                                    .account = 2,
                                    .count = 1,
                                    .won = true,
                                    .p = .5,
                                    .last_p = MATH_NAN,
                                    .points = MATH_NAN}};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "closed", .alpha = .05, .best_at = 100};
    (void)state;
    measure_table_init(&table, MEASURE_ID_FORECAST);
    assert_true(verdict_rivals_add(&table, cases, 2, &options, &fault));
    /* Both became known in one moment: the base rate is .5 for both, not 2/3 for the second. */
    near(number(&table, 0, "rival_brier"), .25, 1e-12);
    assert_int_equal(measure_table_rows(&table), 1);
    measure_table_fini(&table);
}

static void erosion_tells_the_week_of_the_alarm(void **state)
{
    struct verdict_work weeks[20];
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t alarms = 0;
    (void)state;
    for (int w = 0; w < 20; w++) {
        weeks[w] = (struct verdict_work){MONDAY + w * VERDICT_WEEK_MS, w < 10 ? 30 : 15, 50};
    }
    weeks[3] = (struct verdict_work){weeks[3].week_ms, 0, 0};
    measure_table_init(&table, MEASURE_ID_EROSION);
    assert_true(verdict_erosion_add(&table, weeks, 20, .6, 520, &alarms, &fault));
    assert_int_equal(measure_table_rows(&table), 20);
    assert_true(alarms >= 1);
    for (size_t w = 0; w < 10; w++) {
        assert_string_equal(text(&table, w, "alarm"), "");
    }
    assert_string_equal(text(&table, 11, "alarm"), "alarm");
    assert_int_equal(measure_cell_find(&table, 3, "share")->kind, MEASURE_ABSENT);
    measure_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(berkeley_comes_out_of_cases_as_the_books_have_it),
        cmocka_unit_test(no_cases_are_a_row_that_says_so),
        cmocka_unit_test(rates_are_those_of_term_rate),
        cmocka_unit_test(predictions_that_know_beat_rivals_that_do_not),
        cmocka_unit_test(predictions_that_know_nothing_are_beaten_by_a_profile_that_does),
        cmocka_unit_test(data_without_signal_decide_nothing),
        cmocka_unit_test(a_rival_says_nothing_that_was_not_known_before),
        cmocka_unit_test(erosion_tells_the_week_of_the_alarm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
