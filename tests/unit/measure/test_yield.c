/* SPDX-License-Identifier: Apache-2.0 */
/* Outcome against activity: two sides by hand, volume up and outcome flat, and groups that do not
 * differ. */
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
#include "server/measure/yield.h"

#define DAY MEASURE_DAY_MS

static struct proto_fault fault;
static const char *const names[] = {"ann", "bob", "cy"};

/* Strata of 2 against 2 and 4 against 1, weights 1 and .8; a third only one side has. */
static void differences_come_out_as_by_hand(void **state)
{
    (void)state;
    const struct measure_side a[] = {{2, 6, 20, 1}, {4, 8, 18, 2}, {3, 9, 27, 3}};
    const struct measure_side b[] = {{2, 2, 2, 1}, {1, 3, 9, 0}, {0, 0, 0, 0}};
    struct measure_held held;
    measure_yield_of(a, b, 3, &held);
    assert_true(fabs(held.more - (1 * (3 - 1) + .8 * (2 - 3)) / 1.8) < 1e-12);
    assert_true(fabs(held.better - (1 * 0 + .8 * .5) / 1.8) < 1e-12);
    /* Within a: 2 + 2 + 0 of touches over 1 + 3 + 2 free; within b: 0 over 1. */
    assert_true(fabs(held.more_error - sqrt(4 / 6.0 * (1 / 2.0 + .64 / 4)) / 1.8) < 1e-12);
    assert_true(fabs(held.better_error -
                     sqrt(1.5 / 6 * (1 / 2.0 + .64 / 4) + .5 / 1 * (1 / 2.0 + .64)) / 1.8) < 1e-12);
    /* b as those strata have it: touches 1 + 2.4, won .5 of 1.8. */
    assert_true(fabs(held.in_proportion - .5 / 1.8 * (1.2 / 3.4)) < 1e-12);
    measure_yield_of(a + 2, b + 2, 1, &held);
    assert_true(isnan(held.more) && isnan(held.better) && isnan(held.in_proportion));
}

/* Journeys of a group whose touches go with fit, and so do outcomes. */
static void group_draw(struct measure_yields *yields, struct math_random *random, uint32_t group,
                       unsigned count, double volume, double rate)
{
    for (unsigned i = 0; i < count; i++) {
        int64_t fit = (int64_t)math_random_below(random, 1000) + 100 * group;
        double mean = volume * (2 + (double)fit / 250);
        struct measure_worked item = {.group = group, .fit = fit};
        for (int t = 0; t < 20; t++) {
            item.touches += math_random_unit(random) < mean / 20;
        }
        item.won = math_random_unit(random) < rate * (0.5 + (double)fit / 1000);
        assert_true(measure_yields_item(yields, &item, &fault));
    }
}

static const char *verdict(const struct measure_table *table, size_t row)
{
    return measure_cell_find(table, row, "verdict")->text;
}

static size_t row_of(const struct measure_table *table, const char *group)
{
    size_t row = 0;
    while (row < measure_table_rows(table) &&
           strcmp(measure_cell_find(table, row, "group")->text, group) != 0) {
        row++;
    }
    assert_true(row < measure_table_rows(table));
    return row;
}

static void volume_up_and_outcome_flat_is_told(void **state)
{
    (void)state;
    struct math_random random;
    struct measure_yields yields = {.options = {.tenths = true, .chained = true, .least = 30}};
    struct measure_table table;
    math_random_init(&random, 3);
    group_draw(&yields, &random, 0, 4000, 1, 0.2);
    group_draw(&yields, &random, 1, 4000, 2, 0.2);   /* twice the work for the same */
    group_draw(&yields, &random, 2, 4000, 2.5, 0.4); /* more of both */
    assert_true(measure_yields_table(&yields, names, 3, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 2);
    assert_string_equal(measure_cell_find(&table, 0, "group")->text, "bob");
    assert_string_equal(measure_cell_find(&table, 0, "against")->text, "ann");
    assert_string_equal(verdict(&table, 0), "volume up, outcome flat");
    assert_string_equal(verdict(&table, 1), "volume up, outcome up");
    double proportion = measure_cell_find(&table, 0, "in_proportion")->number;
    assert_true(proportion > measure_cell_find(&table, 0, "better_high")->number);
    measure_table_fini(&table);
    measure_yields_fini(&yields);
}

/* Of few journeys nothing is flat: it is not known. */
static void little_is_not_taken_for_nothing(void **state)
{
    (void)state;
    struct math_random random;
    struct measure_yields yields = {.options = {.tenths = true, .least = 30}};
    struct measure_table table;
    math_random_init(&random, 4);
    group_draw(&yields, &random, 0, 60, 1, 0.2);
    group_draw(&yields, &random, 1, 60, 2, 0.2);
    group_draw(&yields, &random, 2, 5, 2, 0.2);
    assert_true(measure_yields_table(&yields, names, 3, &table, &fault));
    assert_string_equal(verdict(&table, row_of(&table, "bob")), "volume up, outcome not known yet");
    assert_non_null(strstr(verdict(&table, row_of(&table, "cy")), "insufficient: 30 journeys"));
    assert_int_equal(measure_cell_find(&table, row_of(&table, "cy"), "more")->kind, MEASURE_ABSENT);
    measure_table_fini(&table);
    measure_yields_fini(&yields);
}

/* The groups differ in fit and in nothing else; at equal fit an interval leaves 0 in 5 % of runs,
 * for all rows together. The control: of their bare rates it does in most. */
static void without_signal_nothing_differs(void **state)
{
    (void)state;
    struct math_random random;
    unsigned found = 0;
    unsigned bare = 0;
    enum { RUNS = 200 };
    math_random_init(&random, 11);
    for (int run = 0; run < RUNS; run++) {
        for (int known = 0; known < 2; known++) {
            struct measure_yields yields = {.options = {.least = 30}};
            struct measure_table table;
            for (uint32_t g = 0; g < 3; g++) {
                group_draw(&yields, &random, g, 200, 1, 0.2);
            }
            for (size_t i = 0; i < yields.count; i++) {
                yields.items[i].fit = known ? yields.items[i].fit / 20 : 0;
            }
            bool any = false;
            assert_true(measure_yields_table(&yields, names, 3, &table, &fault));
            for (size_t row = 0; row < 3; row++) {
                any = any || strncmp(verdict(&table, row), "volume alike", 12) != 0;
            }
            found += known && any;
            bare += !known && any;
            measure_table_fini(&table);
            measure_yields_fini(&yields);
        }
    }
    print_message("volume differs in %u of %d runs at equal fit, in %u of the bare\n", found, RUNS,
                  bare);
    assert_in_range(found, 0, 22); /* 10 expected, standard deviation 3.1 */
    assert_in_range(bare, RUNS / 2, RUNS);
}

static void touches_within_the_window_count_of_journeys_that_are_old(void **state)
{
    (void)state;
    const struct event touches[] = {
        {.time_ms = 5 * DAY}, {.time_ms = 12 * DAY}, {.time_ms = 30 * DAY}};
    const struct event *const chosen[] = {&touches[0], &touches[1], &touches[2]};
    struct measure_journey journey = {
        .end = MEASURE_JOURNEY_WON, .created_ms = 10 * DAY, .touches = chosen, .touch_count = 3};
    struct measure_yields yields = {
        .options = {.window_ms = 5 * DAY}, .as_of_ms = 100 * DAY, .mature_ms = 90 * DAY};
    assert_true(measure_yields_add(&yields, 0, &journey, &fault));
    assert_int_equal(yields.items[0].touches, 2);
    assert_true(yields.items[0].won);
    journey.created_ms++;
    assert_true(measure_yields_add(&yields, 0, &journey, &fault));
    assert_int_equal(yields.young, 1);
    assert_false(measure_yields_add(&yields, MEASURE_GROUPS_MAX,
                                    &(struct measure_journey){.created_ms = 0}, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    measure_yields_fini(&yields);
}

static bool gives_up(void *context, struct proto_fault *why)
{
    (void)context;
    return proto_fault_set(why, PROTO_CANCELLED, "", "no longer wanted");
}

static void too_little_is_told_and_who_asked_can_give_up(void **state)
{
    (void)state;
    struct math_random random;
    struct measure_table table;
    const struct measure_pace pace = {gives_up, NULL};
    struct measure_yields yields = {.options = {.tenths = true, .least = 30}, .pace = &pace};
    math_random_init(&random, 5);
    assert_false(measure_yields_table(&yields, names, 0, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    measure_table_fini(&table);
    group_draw(&yields, &random, 0, 500, 1, 0.2); /* and nobody else */
    assert_false(measure_yields_table(&yields, names, 1, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "of 500 journeys"));
    measure_table_fini(&table);
    struct measure_yields idle = {.options = {.least = 1}};
    for (uint32_t g = 0; g < 2; g++) {
        assert_true(measure_yields_item(&idle, &(struct measure_worked){.group = g}, &fault));
    }
    assert_false(measure_yields_table(&idle, names, 2, &table, &fault));
    assert_non_null(strstr(fault.message, "none has a touch"));
    measure_yields_fini(&idle);
    measure_table_fini(&table);
    group_draw(&yields, &random, 1, 40, 1, 0.2);
    assert_false(measure_yields_table(&yields, names, 2, &table, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    measure_table_fini(&table);
    measure_yields_fini(&yields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(differences_come_out_as_by_hand),
        cmocka_unit_test(volume_up_and_outcome_flat_is_told),
        cmocka_unit_test(little_is_not_taken_for_nothing),
        cmocka_unit_test(without_signal_nothing_differs),
        cmocka_unit_test(touches_within_the_window_count_of_journeys_that_are_old),
        cmocka_unit_test(too_little_is_told_and_who_asked_can_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
