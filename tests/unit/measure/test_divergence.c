/* SPDX-License-Identifier: Apache-2.0 */
/* Distances of Jensen and Shannon beside scipy, what chance gives, and groups that work as the list
 * says. */
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
#include "server/measure/divergence.h"

static const char *const groups[] = {"sales", "marketing", "success"};
static const char *const segments[] = {"banks", "retail", "health", "hotels"};
static const struct measure_divergence_options usual = {
    .permutations = 199, .seed = 1, .least = 30, .top = 20, .segments = 1};

static void distances_are_those_of_scipy(void **state)
{
    (void)state;
    const double p[] = {10, 0, 5};
    const double q[] = {1, 1, 1};
    const double none[] = {0, 0, 0};
    const double x[] = {4, 0};
    const double y[] = {0, 9};
    /* scipy.spatial.distance.jensenshannon([10, 0, 5], [1, 1, 1], 2) */
    assert_true(fabs(sqrt(measure_divergence(p, q, 3)) - 0.4555422588952883) < 1e-12);
    assert_true(measure_divergence(x, y, 2) == 1 && measure_divergence(p, p, 3) == 0);
    assert_true(isnan(measure_divergence(p, none, 3)) && isnan(measure_divergence(none, q, 3)));
}

static void a_function_that_drifts_is_named_with_its_segment(void **state)
{
    (void)state;
    double counts[] = {40, 30, 20, 10, 5, 5, 10, 80, 3, 2, 1, 0};
    const double listed[] = {80, 60, 40, 20};
    const struct measure_crowd crowd = {counts, listed, 3, 4};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_divergence_table(&crowd, groups, segments, &usual, NULL, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 5);
    assert_string_equal(measure_cell_find(&table, 0, "group")->text, "sales");
    assert_true(measure_cell_find(&table, 0, "distance")->number == 0);
    assert_true(measure_cell_find(&table, 0, "p")->number == 1);
    assert_string_equal(measure_cell_find(&table, 0, "verdict")->text, "");
    assert_string_equal(measure_cell_find(&table, 2, "group")->text, "marketing");
    assert_true(measure_cell_find(&table, 2, "p")->number == 2 * (1.0 / 200)); /* Holm over two */
    assert_true(measure_cell_find(&table, 2, "low")->number <
                measure_cell_find(&table, 2, "distance")->number);
    assert_true(measure_cell_find(&table, 2, "low")->number >
                measure_cell_find(&table, 2, "by_chance")->number);
    assert_string_equal(measure_cell_find(&table, 2, "verdict")->text,
                        "works other segments than were committed");
    assert_string_equal(measure_cell_find(&table, 3, "segment")->text, "hotels");
    assert_true(measure_cell_find(&table, 3, "share")->number == 0.8);
    assert_true(measure_cell_find(&table, 3, "listed_share")->number == 0.1);
    assert_string_equal(measure_cell_find(&table, 4, "verdict")->text,
                        "insufficient: 6 accounts, 30 are needed");
    measure_table_fini(&table);
}

static void a_list_of_too_few_is_insufficient(void **state)
{
    (void)state;
    double counts[] = {40, 30};
    const double listed[] = {10, 10};
    const struct measure_crowd crowd = {counts, listed, 1, 2};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_false(measure_divergence_table(&crowd, groups, segments, &usual, NULL, &table, &fault));
    assert_non_null(strstr(fault.message, "insufficient: the list has 20 accounts and 1 groups"));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    measure_table_fini(&table);
}

static uint32_t segment_draw(struct math_random *random)
{
    double unit = math_random_unit(random);
    return unit < 0.4 ? 0 : unit < 0.7 ? 1 : unit < 0.9 ? 2 : 3;
}

/* Three functions and a list that all draw from one market. */
static bool found_without_signal(uint64_t seed)
{
    double counts[12] = {0};
    double listed[4] = {0};
    const struct measure_crowd crowd = {counts, listed, 3, 4};
    struct measure_table table;
    struct math_random random;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_divergence_options options = usual;
    bool found = false;
    options.seed = (unsigned)seed;
    math_random_init(&random, seed + 1000);
    for (int i = 0; i < 300; i++) {
        listed[segment_draw(&random)] += 1;
    }
    for (uint32_t i = 0; i < 180; i++) {
        counts[4 * (i % 3) + segment_draw(&random)] += 1;
    }
    assert_true(measure_divergence_table(&crowd, groups, segments, &options, NULL, &table, &fault));
    for (size_t row = 0; row < measure_table_rows(&table); row++) {
        found = found || measure_cell_find(&table, row, "verdict")->text[0] != '\0';
    }
    measure_table_fini(&table);
    return found;
}

static void one_market_has_no_divergence(void **state)
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
        cmocka_unit_test(distances_are_those_of_scipy),
        cmocka_unit_test(a_function_that_drifts_is_named_with_its_segment),
        cmocka_unit_test(a_list_of_too_few_is_insufficient),
        cmocka_unit_test(one_market_has_no_divergence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
