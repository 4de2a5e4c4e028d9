/* SPDX-License-Identifier: Apache-2.0 */
/* Concentration: shares of the page, the next deal beside counting anew, intervals that hold the
 * truth, and what cannot be told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/focus.h"

static const struct measure_focus_options usual = {
    .top = 20, .resamples = 300, .seed = 1, .least = 30};
static const char *const names[] = {"a", "b", "c", "d", "e", "f"};

static double value_of(const struct measure_table *table, size_t row, const char *column)
{
    return measure_cell_find(table, row, column)->number;
}

static void thirty_thirty_twenty_twenty_is_twenty_six(void **state)
{
    (void)state;
    struct measure_focus focus;
    const double shares[] = {30, 30, 20, 20};
    measure_focus_of(shares, 4, 100, &focus);
    assert_true(fabs(focus.hhi - 0.26) < 1e-15);
    assert_true(fabs(focus.effective - 1 / 0.26) < 1e-12);
    /* Σ n (n − 1) / (n (n − 1)) = (2·30·29 + 2·20·19) / (100·99) */
    assert_true(fabs(focus.unbiased - 2500.0 / 9900) < 1e-15);
}

static void the_next_deal_is_that_of_counting_anew(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 5);
    for (int run = 0; run < 1000; run++) {
        double sums[6];
        double total = 0;
        struct measure_focus before;
        struct measure_focus after;
        for (int g = 0; g < 6; g++) {
            sums[g] = 1 + (double)math_random_below(&random, 1000);
            total += sums[g];
        }
        size_t at = math_random_below(&random, 6);
        double deal = 1 + (double)math_random_below(&random, 500);
        measure_focus_of(sums, 6, 0, &before);
        double told = measure_focus_next(before.hhi, total, sums[at] / total, deal);
        sums[at] += deal;
        measure_focus_of(sums, 6, 0, &after);
        assert_true(fabs(told - after.hhi) < 1e-12);
    }
}

static void groups_are_told_by_logos_and_by_value(void **state)
{
    (void)state;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_focus_options options = usual;
    const struct measure_focus_unit units[] = {
        {0, 30, 100}, {1, 30, 700}, {2, 20, 100}, {3, 20, 100}};
    options.top = 2;
    assert_true(measure_focus_table(units, 4, names, 4, &options, NULL, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 12); /* twice three figures, two groups, others */
    assert_true(fabs(value_of(&table, 0, "value") - 0.26) < 1e-12);
    assert_int_equal(measure_cell_find(&table, 0, "amount")->kind, MEASURE_ABSENT);
    assert_string_equal(measure_cell_find(&table, 3, "group")->text, "a");
    assert_string_equal(measure_cell_find(&table, 5, "row")->text, "others");
    assert_int_equal(measure_cell_find(&table, 5, "n")->whole, 40);
    assert_string_equal(measure_cell_find(&table, 9, "group")->text, "b");
    assert_true(fabs(value_of(&table, 9, "value") - 0.7) < 1e-12);
    assert_int_equal(measure_cell_find(&table, 9, "amount")->whole, 700);
    assert_true(value_of(&table, 9, "next") > 0 && value_of(&table, 10, "next") < 0);
    measure_table_fini(&table);
}

/* The deal that is asked for, in place of what an account has on average. */
static void a_large_deal_moves_more(void **state)
{
    (void)state;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_focus_options options = usual;
    const struct measure_focus_unit units[] = {{0, 50, 5000}, {1, 50, 5000}};
    options.deal = 10000;
    assert_true(measure_focus_table(units, 2, names, 2, &options, NULL, &table, &fault));
    size_t logos = 3;
    size_t value = measure_table_rows(&table) / 2 + 3;
    /* Of logos a deal is one account: (100² · ½ + 100 + 1) / 101² − ½. */
    assert_true(fabs(value_of(&table, logos, "next") - (5101.0 / 10201 - 0.5)) < 1e-12);
    /* 15,000 and 5,000 are ⅝. */
    assert_true(fabs(value_of(&table, value, "next") - 0.125) < 1e-12);
    assert_true(fabs(value_of(&table, value, "value") - 0.5) < 1e-12);
    measure_table_fini(&table);
}

static void the_same_seed_gives_the_same_interval(void **state)
{
    (void)state;
    double low[3];
    for (unsigned run = 0; run < 3; run++) {
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_focus_options options = usual;
        const struct measure_focus_unit units[] = {{0, 50, 5000}, {1, 30, 9000}, {2, 5, 100}};
        options.seed = run / 2;
        assert_true(measure_focus_table(units, 3, names, 3, &options, NULL, &table, &fault));
        low[run] = value_of(&table, 0, "low");
        measure_table_fini(&table);
    }
    assert_true(low[0] == low[1] && low[1] != low[2]);
}

/* Accounts of four groups in truth 40, 30, 20, 10, of skewed worth: HHI .30. How often the
 * intervals of the unbiased form, by logos and by value, hold that. */
static void truths_held(size_t count, unsigned held[2])
{
    static struct measure_focus_unit units[2000];
    struct math_random random;
    math_random_init(&random, 23);
    for (unsigned run = 0; run < 100; run++) {
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_focus_options options = usual;
        options.resamples = 200;
        options.seed = run;
        for (size_t i = 0; i < count; i++) {
            double at = math_random_unit(&random);
            uint32_t group = at < 0.4 ? 0 : at < 0.7 ? 1 : at < 0.9 ? 2 : 3;
            units[i] =
                (struct measure_focus_unit){group, 1, exp(math_random_normal(&random) * 0.8)};
        }
        assert_true(measure_focus_table(units, count, names, 4, &options, NULL, &table, &fault));
        for (size_t by = 0; by < 2; by++) {
            size_t row = by * measure_table_rows(&table) / 2 + 1;
            held[by] += value_of(&table, row, "low") <= 0.3 && value_of(&table, row, "high") >= 0.3;
        }
        measure_table_fini(&table);
    }
}

static void intervals_hold_the_truth_in_about_95_of_100(void **state)
{
    (void)state;
    static const size_t counts[] = {120, 2000};
    for (int large = 0; large < 2; large++) {
        unsigned held[2] = {0, 0};
        truths_held(counts[large], held);
        assert_in_range(held[0], 88, 100); /* 95 expected, standard deviation 2.2 */
        assert_in_range(held[1], 88, 100);
    }
}

static bool gives_up(void *context, struct proto_fault *why)
{
    (void)context;
    return proto_fault_set(why, PROTO_DEADLINE, "", "too late");
}

static void too_little_is_told_and_who_asked_can_give_up(void **state)
{
    (void)state;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_pace pace = {gives_up, NULL};
    const struct measure_focus_unit few[] = {{0, 29, 0}};
    const struct measure_focus_unit free_ones[] = {{0, 20, 0}, {1, 20, 0}};
    assert_false(measure_focus_table(few, 1, names, 1, &usual, NULL, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "there are 29 accounts, 30 are needed"));
    measure_table_fini(&table);
    assert_true(measure_focus_table(free_ones, 2, names, 2, &usual, NULL, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 5); /* of value there is nothing to share out */
    measure_table_fini(&table);
    assert_false(measure_focus_table(free_ones, 2, names, 2, &usual, &pace, &table, &fault));
    assert_int_equal(fault.code, PROTO_DEADLINE);
    measure_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thirty_thirty_twenty_twenty_is_twenty_six),
        cmocka_unit_test(the_next_deal_is_that_of_counting_anew),
        cmocka_unit_test(groups_are_told_by_logos_and_by_value),
        cmocka_unit_test(a_large_deal_moves_more),
        cmocka_unit_test(the_same_seed_gives_the_same_interval),
        cmocka_unit_test(intervals_hold_the_truth_in_about_95_of_100),
        cmocka_unit_test(too_little_is_told_and_who_asked_can_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
