/* SPDX-License-Identifier: Apache-2.0 */
/* Stated filters: figures by hand and by drawing anew, too few, and filters that say nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/math/random.h"
#include "server/measure/stated.h"

static void figures_are_those_by_hand(void **state)
{
    (void)state;
    const struct measure_stated_counts counts = {1000, 200, 250, 100};
    struct measure_stated stated;
    measure_stated_of(&counts, 1, &stated);
    assert_true(fabs(stated.lift - 2) < 1e-12); /* .4 against .2 */
    assert_true(fabs(stated.coverage - 0.5) < 1e-12);
    assert_true(fabs(stated.auc - (1 + 0.5 - 150.0 / 800) / 2) < 1e-12);
    assert_true(fabs((stated.auc_high - stated.auc_low) / 2 -
                     1.959963985 * sqrt(0.25 / 200 + 0.1875 * 0.8125 / 800) / 2) < 1e-9);
    assert_string_equal(stated.verdict, "better than chance");
}

/* The interval of lift holds the truth as often as it says, in samples of a known market. */
static void intervals_hold_the_truth(void **state)
{
    (void)state;
    struct math_random random;
    int lift = 0;
    int auc = 0;
    enum { RUNS = 600 };
    math_random_init(&random, 4);
    for (int run = 0; run < RUNS; run++) {
        struct measure_stated_counts counts = {.all = 800};
        struct measure_stated stated;
        for (int i = 0; i < 800; i++) {
            int matches = math_random_unit(&random) < 0.3;
            int good = math_random_unit(&random) < (matches ? 0.4 : 0.1);
            counts.matched += (uint64_t)matches;
            counts.good += (uint64_t)good;
            counts.matched_good += (uint64_t)(matches && good);
        }
        measure_stated_of(&counts, 1, &stated);
        lift += stated.lift_low <= 0.4 / 0.19 && stated.lift_high >= 0.4 / 0.19;
        double true_auc = (1 + 0.12 / 0.19 - 0.18 / 0.81) / 2;
        auc += stated.auc_low <= true_auc && stated.auc_high >= true_auc;
    }
    assert_true(lift > RUNS * 0.92 && lift < RUNS * 0.98);
    assert_true(auc > RUNS * 0.92 && auc < RUNS * 0.98);
}

static void too_few_and_none_are_told(void **state)
{
    (void)state;
    const struct measure_stated_counts none = {100, 0, 40, 0};
    const struct measure_stated_counts few = {100, 30, 5, 5};
    struct measure_stated stated;
    measure_stated_of(&none, 1, &stated);
    assert_true(isnan(stated.auc) && isnan(stated.lift) && isnan(stated.lift_low));
    measure_stated_of(&few, 1, &stated);
    assert_int_equal(strncmp(stated.verdict, "insufficient: 10", 16), 0);
}

static void filters_that_say_nothing_are_no_better_than_chance(void **state)
{
    (void)state;
    struct math_random random;
    int found = 0;
    enum { SEEDS = 200, FILTERS = 5 };
    math_random_init(&random, 8);
    for (int seed = 0; seed < SEEDS; seed++) {
        int any = 0;
        for (int f = 0; f < FILTERS; f++) {
            struct measure_stated_counts counts = {.all = 400, .good = 100};
            struct measure_stated stated;
            for (int i = 0; i < 400; i++) {
                int matches = math_random_unit(&random) < 0.25;
                counts.matched += (uint64_t)matches;
                counts.matched_good += (uint64_t)(matches && i < 100);
            }
            measure_stated_of(&counts, FILTERS, &stated);
            any = any || strcmp(stated.verdict, "no better than chance") != 0;
        }
        found += any;
    }
    assert_true(found <= SEEDS * (0.05 + 3 * sqrt(0.05 * 0.95 / SEEDS)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_by_hand),
        cmocka_unit_test(intervals_hold_the_truth),
        cmocka_unit_test(too_few_and_none_are_told),
        cmocka_unit_test(filters_that_say_nothing_are_no_better_than_chance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
