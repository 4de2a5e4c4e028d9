/* SPDX-License-Identifier: Apache-2.0 */
/* Deals by week of the quarter and by cohort: by hand, at the ends of quarters, and where the end
 * of a quarter makes no difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/feature/date_text.h"
#include "server/math/random.h"
#include "server/measure/quarter.h"
#include "server/measure/spell.h"

static int64_t day(int year, int month, int number)
{
    int64_t ms = 0;
    assert_true(feature_date_of(year, month, number, &ms));
    return ms;
}

static struct measure_quarter_options usual(void)
{
    return (struct measure_quarter_options){.from_ms = INT64_MIN,
                                            .to_ms = INT64_MAX,
                                            .as_of_ms = day(2025, 1, 1),
                                            .mature_ms = 90 * FEATURE_DAY_MS,
                                            .days = 14,
                                            .first_month = 1,
                                            .least = 1};
}

static void add(struct measure_deals *deals, int64_t created_ms, int64_t end_ms,
                enum measure_journey_end end, double amount, double list, enum measure_left left)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_deal deal = {created_ms, end_ms, amount, list, end, left};
    assert_true(measure_deals_add(deals, &deal, &fault));
}

static const struct measure_cell *cell(const struct measure_table *table, const char *row,
                                       const char *of, const char *column)
{
    for (size_t r = 0; r < measure_table_rows(table); r++) {
        if (strcmp(measure_cell_find(table, r, "row")->text, row) == 0 &&
            strcmp(measure_cell_find(table, r, "of")->text, of) == 0) {
            return measure_cell_find(table, r, column);
        }
    }
    fail_msg("no row %s %s", row, of);
    return NULL;
}

static void quarters_begin_where_the_year_begins(void **state)
{
    (void)state;
    assert_int_equal(measure_quarter_of(day(1970, 1, 1), 1), 0);
    assert_int_equal(measure_quarter_of(day(1969, 12, 31), 1), -1);
    assert_int_equal(measure_quarter_of(day(2024, 3, 31), 1), 54 * 4);
    assert_int_equal(measure_quarter_of(day(2024, 4, 1), 1), 54 * 4 + 1);
    for (unsigned first = 1; first <= 12; first++) {
        for (int64_t at = day(1968, 1, 1); at < day(1972, 1, 1); at += FEATURE_DAY_MS) {
            int64_t quarter = measure_quarter_of(at, first);
            assert_true(measure_quarter_start(quarter, first) <= at);
            assert_true(at < measure_quarter_start(quarter + 1, first));
        }
    }
}

static void the_last_days_are_counted_from_the_last_day(void **state)
{
    (void)state;
    struct measure_deals deals = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_quarter_options options = usual();
    const int64_t created = day(2024, 1, 2);
    add(&deals, created, day(2024, 3, 16), MEASURE_JOURNEY_LOST, MEASURE_NAN, MEASURE_NAN, 0);
    add(&deals, created, day(2024, 3, 17), MEASURE_JOURNEY_WON, 80, 100, MEASURE_LEFT);
    add(&deals, created, day(2024, 3, 31) + FEATURE_DAY_MS - 1, MEASURE_JOURNEY_WON, 60, 100,
        MEASURE_LEFT_NOT);
    add(&deals, created, day(2024, 4, 1), MEASURE_JOURNEY_WON, 100, 100, MEASURE_LEFT_UNKNOWN);
    add(&deals, day(2024, 12, 1), day(2024, 12, 20), MEASURE_JOURNEY_LOST, MEASURE_NAN, MEASURE_NAN,
        0);
    add(&deals, created, 0, MEASURE_JOURNEY_OPEN, MEASURE_NAN, MEASURE_NAN, 0);
    assert_true(measure_quarter_table(&deals, &options, &table, &fault));
    assert_int_equal(cell(&table, "last", "", "n")->whole, 3);
    assert_int_equal(cell(&table, "last", "", "won")->whole, 2);
    assert_int_equal(cell(&table, "before", "", "n")->whole, 2);
    assert_true(fabs(cell(&table, "last", "", "discount")->number - 0.3) < 1e-12);
    assert_true(fabs(cell(&table, "last", "", "churn")->number - 0.5) < 1e-12);
    assert_int_equal(cell(&table, "before", "", "churn_n")->whole, 0);
    assert_int_equal(cell(&table, "before", "", "churn")->kind, MEASURE_ABSENT);
    assert_true(fabs(cell(&table, "difference", "", "won_share")->number - (2.0 / 3 - 0.5)) <
                1e-12);
    assert_int_equal(cell(&table, "week", "1", "n")->whole, 1); /* the first of April */
    assert_int_equal(cell(&table, "week", "11", "n")->whole, 2);
    assert_int_equal(cell(&table, "week", "13", "n")->whole, 1);
    /* One of the three was won more than 90 days after its creation, one is open. */
    assert_int_equal(cell(&table, "cohort", "2024-01-01", "n")->whole, 5);
    assert_int_equal(cell(&table, "cohort", "2024-01-01", "won")->whole, 3);
    assert_int_equal(cell(&table, "cohort", "2024-10-01", "n")->whole, 0);
    assert_int_equal(cell(&table, "cohort", "2024-10-01", "immature")->whole, 1);
    measure_table_fini(&table);
    options.least = 6;
    assert_false(measure_quarter_table(&deals, &options, &table, &fault));
    assert_non_null(strstr(fault.message, "5 deals were closed, 6 are needed"));
    measure_table_fini(&table);
    measure_deals_fini(&deals);
}

/* Newcombe 1998, table II, method 10: 56/70 and 48/80 give .0524 to .3339. */
static void differences_are_those_of_newcombe(void **state)
{
    (void)state;
    double ends[2];
    measure_difference(56, 70, 48, 80, ends);
    assert_true(fabs(ends[0] - 0.0524) < 5e-5 && fabs(ends[1] - 0.3339) < 5e-5);
    measure_difference(10, 10, 0, 10, ends); /* .6075 to 1 there */
    assert_true(fabs(ends[0] - 0.6075) < 5e-5 && fabs(ends[1] - 1) < 5e-5);
    measure_difference(1, 2, 0, 0, ends);
    assert_true(isnan(ends[0]) && isnan(ends[1]));
}

static void without_a_trap_the_difference_holds_0(void **state)
{
    (void)state;
    struct math_random random;
    unsigned found = 0;
    math_random_init(&random, 31);
    for (int run = 0; run < 200; run++) {
        struct measure_deals deals = {.count = 0};
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_quarter_options options = usual();
        for (int i = 0; i < 400; i++) {
            int64_t created =
                day(2023, 1, 1) + (int64_t)math_random_below(&random, 600) * FEATURE_DAY_MS;
            bool won = math_random_unit(&random) < 0.5;
            add(&deals, created, created + (int64_t)math_random_below(&random, 60) * FEATURE_DAY_MS,
                won ? MEASURE_JOURNEY_WON : MEASURE_JOURNEY_LOST, MEASURE_NAN, MEASURE_NAN, 0);
        }
        assert_true(measure_quarter_table(&deals, &options, &table, &fault));
        found += cell(&table, "difference", "", "low")->number > 0 ||
                 cell(&table, "difference", "", "high")->number < 0;
        measure_table_fini(&table);
        measure_deals_fini(&deals);
    }
    assert_in_range(found, 2, 20); /* 10 expected, standard deviation 3.1 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quarters_begin_where_the_year_begins),
        cmocka_unit_test(the_last_days_are_counted_from_the_last_day),
        cmocka_unit_test(differences_are_those_of_newcombe),
        cmocka_unit_test(without_a_trap_the_difference_holds_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
