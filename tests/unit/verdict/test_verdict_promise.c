/* SPDX-License-Identifier: Apache-2.0 */
/* A group whose promise was planted wrong is found and stands first; where all promises are right
 * hardly ever any is called wrong, however many groups are looked at. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/math/special.h"
#include "server/verdict/verdict_table.h"

enum { CASES = 2000, GROUPS = 10 };

static double chance(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static const struct verdict_group groups[GROUPS] = {
    {"industry", "Software"}, {"industry", "Health"}, {"industry", "Retail"}, {"country", "DE"},
    {"country", "FR"},        {"grade", "A"},         {"grade", "B"},         {"segment", "new"},
    {"segment", "old"},       {"owner", "nobody"}};

/* Accounts of group 2 are won at `retail` where .3 was promised; the others as was promised. */
static void cases_fill(struct verdict_case *cases, uint64_t *seed, double retail)
{
    for (uint32_t i = 0; i < CASES; i++) {
        uint32_t industry = i % 3;
        double p = industry == 2 ? .3 : .2;
        cases[i] = (struct verdict_case){.known_ms = i,
                                         .account = i,
                                         .count = 1,
                                         .won = chance(seed) < (industry == 2 ? retail : p),
                                         .p = p,
                                         .last_p = MATH_NAN,
                                         .points = MATH_NAN,
                                         .group_count = 3,
                                         .groups = {industry, 3 + i % 2, 5 + (i / 2) % 4}};
    }
}

static size_t wrong_of(const struct verdict_case *cases, struct measure_table *table)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct verdict_options options = {.outcome = "closed", .alpha = .05, .best_at = 25};
    size_t wrong = 0;
    measure_table_init(table, MEASURE_ID_PROMISE);
    assert_true(
        verdict_promise_add(table, cases, CASES, groups, GROUPS, 0, &options, &wrong, &fault));
    return wrong;
}

static void a_promise_that_was_wrong_stands_first(void **state)
{
    static struct verdict_case cases[CASES];
    struct measure_table table;
    uint64_t seed = 4;
    (void)state;
    cases_fill(cases, &seed, .1);
    size_t wrong = wrong_of(cases, &table);
    assert_true(wrong >= 1);
    assert_string_equal(measure_cell_find(&table, 0, "value")->text, "Retail");
    assert_string_equal(measure_cell_find(&table, 0, "verdict")->text, "too much was promised");
    assert_true(measure_cell_find(&table, 0, "high")->number < 0);
    assert_int_equal(measure_cell_find(&table, 0, "n")->whole, CASES / 3);
    /* Nobody is of the last group: it has no row. */
    assert_int_equal(measure_table_rows(&table), GROUPS - 1);
    measure_table_fini(&table);
    cases_fill(cases, &seed, .6);
    assert_true(wrong_of(cases, &table) >= 1);
    assert_string_equal(measure_cell_find(&table, 0, "value")->text, "Retail");
    assert_string_equal(measure_cell_find(&table, 0, "verdict")->text, "too little was promised");
    measure_table_fini(&table);
}

static void promises_that_were_right_are_hardly_ever_called_wrong(void **state)
{
    enum { RUNS = 60 };
    static struct verdict_case cases[CASES];
    unsigned runs = 0;
    uint64_t seed = 5;
    (void)state;
    for (int run = 0; run < RUNS; run++) {
        struct measure_table table;
        cases_fill(cases, &seed, .3);
        runs += wrong_of(cases, &table) > 0;
        measure_table_fini(&table);
    }
    assert_true((double)runs / RUNS <= .05 + 3 * sqrt(.05 * .95 / RUNS));
}

static void cases_without_a_prediction_are_in_no_row(void **state)
{
    static struct verdict_case cases[CASES];
    struct measure_table table;
    uint64_t seed = 6;
    (void)state;
    cases_fill(cases, &seed, .3);
    for (size_t i = 0; i < CASES; i++) {
        cases[i].p = MATH_NAN;
    }
    assert_int_equal(wrong_of(cases, &table), 0);
    assert_int_equal(measure_table_rows(&table), 0);
    measure_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_promise_that_was_wrong_stands_first),
        cmocka_unit_test(promises_that_were_right_are_hardly_ever_called_wrong),
        cmocka_unit_test(cases_without_a_prediction_are_in_no_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
