/* SPDX-License-Identifier: Apache-2.0 */
/* Shares of work beside shares of value, by hand; splits beside a search; work that goes where the
 * value is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/resource.h"

static const char *const names[] = {"A", "B", "C", "D"};

static void add(struct measure_endowments *all, uint32_t group, double acts, double spend,
                double value)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_endowed account = {group, {acts, spend}, value};
    assert_true(measure_endowments_add(all, &account, &fault));
}

static double number_at(const struct measure_table *table, size_t row, const char *column)
{
    return measure_cell_find(table, row, column)->number;
}

/* The linearised gap of a group, account by account. */
static double error_of(const struct measure_endowments *all, uint32_t group)
{
    double e = 0;
    double v = 0;
    double s = 0;
    double r = 0;
    double sum = 0;
    for (size_t i = 0; i < all->count; i++) {
        e += all->items[i].used[0];
        v += all->items[i].value;
        s += all->items[i].group == group ? all->items[i].used[0] : 0;
        r += all->items[i].group == group ? all->items[i].value : 0;
    }
    for (size_t i = 0; i < all->count; i++) {
        double in = all->items[i].group == group;
        double u =
            all->items[i].used[0] / e * (in - s / e) - all->items[i].value / v * (in - r / v);
        sum += u * u;
    }
    double n = (double)all->count;
    return sqrt(sum * n / (n - 1));
}

static void shares_and_their_gaps_are_those_by_hand(void **state)
{
    (void)state;
    struct measure_endowments all = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_resource_options options = {.least = 3, .units = 100};
    for (int i = 0; i < 40; i++) {
        add(&all, 0, 1 + i % 3, i == 0 ? 500 : 0, 0.6);
        add(&all, 1, 6 + i % 5, 0, 0.2);
    }
    add(&all, 2, 0, 0, 0.1);
    assert_true(measure_resource_table(&all, names, 4, &options, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 6); /* nobody is D */
    double used = 79 + 320;
    double value = 24 + 8 + 0.1;
    assert_true(fabs(number_at(&table, 0, "share") - 79 / used) < 1e-12);
    assert_true(fabs(number_at(&table, 0, "value_share") - 24 / value) < 1e-12);
    assert_true(fabs(number_at(&table, 0, "gap") - (79 / used - 24 / value)) < 1e-12);
    /* The point of 1 − .05/3, both sides: 2.39398. */
    double half = (number_at(&table, 0, "high") - number_at(&table, 0, "low")) / 2;
    assert_true(fabs(half - 2.393979800 * error_of(&all, 0)) < 1e-8);
    assert_string_equal(measure_cell_find(&table, 0, "verdict")->text, "less than its value");
    assert_string_equal(measure_cell_find(&table, 1, "verdict")->text, "more than its value");
    assert_string_equal(measure_cell_find(&table, 2, "verdict")->text,
                        "insufficient: 0 accounts had any, 3 are needed");
    assert_true(fabs(number_at(&table, 0, "split") - 24 / value) < 1e-12);
    assert_true(fabs(number_at(&table, 0, "move") - (24 / value - 79 / used) * used) < 1e-9);
    assert_string_equal(measure_cell_find(&table, 3, "resource")->text, "spend");
    assert_true(number_at(&table, 3, "used") == 5);
    measure_table_fini(&table);
    measure_endowments_fini(&all);
}

static double worth(const double *values, const double *accounts, const double *shares, double beta)
{
    double sum = 0;
    for (int g = 0; g < 3; g++) {
        sum += values[g] * pow(shares[g] / accounts[g], beta);
    }
    return sum;
}

static void no_other_split_is_worth_more(void **state)
{
    (void)state;
    const double values[] = {5, 3, 1};
    const double accounts[] = {10, 40, 7};
    double shares[3];
    measure_split(values, accounts, 3, 0, shares);
    assert_true(fabs(shares[0] - 5.0 / 9) < 1e-12);
    for (int b = 1; b < 9; b++) {
        double beta = b / 10.0;
        measure_split(values, accounts, 3, beta, shares);
        double best = worth(values, accounts, shares, beta);
        for (int i = 1; i < 100; i++) {
            for (int j = 1; i + j < 100; j++) {
                const double other[] = {i / 100.0, j / 100.0, 1 - (i + j) / 100.0};
                assert_true(worth(values, accounts, other, beta) <= best + 1e-12);
            }
        }
    }
}

static void nothing_used_and_nothing_expected_are_no_evidence(void **state)
{
    (void)state;
    struct measure_endowments all = {.count = 0};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_resource_options options = {.least = 30, .units = 100};
    add(&all, 0, 0, 0, 0.5);
    assert_false(measure_resource_table(&all, names, 4, &options, &table, &fault));
    assert_non_null(
        strstr(fault.message, "neither an act nor spend is told of the 1 accounts; 30"));
    measure_table_fini(&table);
    all.items[0] = (struct measure_endowed){0, {3, 0}, 0};
    assert_false(measure_resource_table(&all, names, 4, &options, &table, &fault));
    assert_non_null(strstr(fault.message, "no value is expected"));
    measure_table_fini(&table);
    measure_endowments_fini(&all);
}

/* Work that goes to accounts as their value is, give or take. */
static bool found_without_signal(uint64_t seed)
{
    struct measure_endowments all = {.count = 0};
    struct measure_table table;
    struct math_random random;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct measure_resource_options options = {.least = 30, .units = 1};
    bool found = false;
    math_random_init(&random, seed);
    for (uint32_t i = 0; i < 800; i++) {
        double value = 0.1 * (1 + i % 4) * (0.5 + math_random_unit(&random));
        add(&all, i % 4, math_random_poisson(&random, 5 * value), 0, value);
    }
    assert_true(measure_resource_table(&all, names, 4, &options, &table, &fault));
    for (size_t row = 0; row < measure_table_rows(&table); row++) {
        found = found || measure_cell_find(&table, row, "verdict")->text[0] != '\0';
    }
    measure_table_fini(&table);
    measure_endowments_fini(&all);
    return found;
}

static void work_that_goes_where_value_is_has_no_gap(void **state)
{
    (void)state;
    int found = 0;
    int seeds = getenv("ICP_LONG") != NULL ? 2000 : 200;
    for (int seed = 0; seed < seeds; seed++) {
        found += found_without_signal((uint64_t)seed);
    }
    assert_true(found <= seeds * (0.05 + 3 * sqrt(0.05 * 0.95 / seeds)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_and_their_gaps_are_those_by_hand),
        cmocka_unit_test(no_other_split_is_worth_more),
        cmocka_unit_test(nothing_used_and_nothing_expected_are_no_evidence),
        cmocka_unit_test(work_that_goes_where_value_is_has_no_gap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
