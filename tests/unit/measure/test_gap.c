/* SPDX-License-Identifier: Apache-2.0 */
/* A gap parted: admissions at Berkeley as published, the identity in whole millionths on random
 * counts, and groups that do not differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/random.h"
#include "server/measure/gap.h"

/* Men and women admitted to six departments (Bickel, Hammel and O'Connell 1975). */
static const struct measure_stratum berkeley[] = {
    {{825, 108}, {512, 89}},  {{560, 25}, {353, 17}}, {{325, 593}, {120, 202}},
    {{417, 375}, {138, 131}}, {{191, 393}, {53, 94}}, {{373, 341}, {22, 24}},
};

static void the_published_gap_comes_out(void **state)
{
    (void)state;
    struct measure_gap gap;
    measure_gap_of(berkeley, 6, &gap);
    assert_true(fabs(gap.part[MEASURE_PART_GAP] - 0.141645) < 5e-7);
    assert_true(fabs(gap.part[MEASURE_PART_FOLLOW_UP] + 0.036028) < 5e-7);
    assert_true(fabs(gap.part[MEASURE_PART_MIX] - 0.177674) < 5e-7);
    assert_true(gap.part[MEASURE_PART_REST] == 0);
    assert_int_equal(gap.millionths[MEASURE_PART_GAP], 141645);
    assert_int_equal(gap.millionths[MEASURE_PART_FOLLOW_UP] + gap.millionths[MEASURE_PART_MIX],
                     141645);
}

static void the_parts_add_up_in_whole_millionths(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 3);
    for (int run = 0; run < 5000; run++) {
        struct measure_stratum strata[8] = {{{0}, {0}}};
        struct measure_gap gap;
        size_t count = 1 + math_random_below(&random, 8);
        for (size_t s = 0; s < count; s++) {
            for (int g = 0; g < 2; g++) {
                bool empty = s > 0 && math_random_below(&random, 5) == 0;
                strata[s].n[g] = empty ? 0 : 1 + (double)math_random_below(&random, 1000);
                strata[s].won[g] = (double)math_random_below(&random, (uint64_t)strata[s].n[g] + 1);
            }
        }
        measure_gap_of(strata, count, &gap);
        double parts = gap.part[1] + gap.part[2] + gap.part[3];
        assert_true(fabs(parts - gap.part[0]) < 1e-12);
        assert_int_equal(gap.millionths[1] + gap.millionths[2] + gap.millionths[3],
                         gap.millionths[0]);
        for (int p = 0; p < MEASURE_PARTS; p++) {
            double off = gap.part[p] * MEASURE_MILLION - (double)gap.millionths[p];
            assert_true(fabs(off) <= 1.5 + 1e-6); /* no part is moved by more than rounding */
        }
    }
}

static const struct measure_gap_options usual = {.resamples = 200, .seed = 1, .least = 10};

static double drawn(struct math_random *random, double n, double rate)
{
    double won = 0;
    for (double i = 0; i < n; i++) {
        won += math_random_unit(random) < rate;
    }
    return won;
}

/* Shuffled owners: no follow-up in truth. Its interval leaves 0 out in about 5 % of the runs. */
static void without_signal_no_follow_up_is_found(void **state)
{
    (void)state;
    struct math_random random;
    const char *const names[] = {"low", "mid", "high"};
    unsigned found = 0;
    enum { RUNS = 200 };
    math_random_init(&random, 17);
    for (int run = 0; run < RUNS; run++) {
        struct measure_stratum strata[3];
        struct measure_table table;
        struct proto_fault fault = {.code = PROTO_OK};
        for (int s = 0; s < 3; s++) {
            double rate = 0.1 + 0.2 * s;
            strata[s] = (struct measure_stratum){.n = {60 + 30 * s, 100 - 30 * s}};
            strata[s].won[0] = drawn(&random, strata[s].n[0], rate);
            strata[s].won[1] = drawn(&random, strata[s].n[1], rate);
        }
        assert_true(measure_gap_table(strata, names, 3, &usual, NULL, &table, &fault));
        const struct measure_cell *low = measure_cell_find(&table, 1, "low");
        const struct measure_cell *high = measure_cell_find(&table, 1, "high");
        found += low->number > 0 || high->number < 0;
        assert_true(measure_cell_find(&table, 2, "low")->number > 0); /* the mix is there */
        measure_table_fini(&table);
    }
    assert_in_range(found, 2, 22); /* 10 expected, standard deviation 3.1 */
}

/* All of a gap lies where only one group is: neither mix nor follow-up. */
static void what_one_group_alone_has_is_not_comparable(void **state)
{
    (void)state;
    struct measure_gap gap;
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    const char *const names[] = {"big", "small", "nobody"};
    const struct measure_stratum apart[] = {{{50, 0}, {25, 0}}, {{0, 40}, {0, 10}}, {{0}, {0}}};
    measure_gap_of(apart, 3, &gap);
    assert_true(gap.part[MEASURE_PART_FOLLOW_UP] == 0 && gap.part[MEASURE_PART_MIX] == 0);
    assert_int_equal(gap.millionths[MEASURE_PART_REST], 250000);
    assert_true(measure_gap_table(apart, names, 3, &usual, NULL, &table, &fault));
    assert_int_equal(measure_table_rows(&table), MEASURE_PARTS + 2);
    assert_string_equal(measure_cell_find(&table, MEASURE_PARTS, "part")->text, "not comparable");
    assert_int_equal(measure_cell_find(&table, MEASURE_PARTS, "rate_b")->kind, MEASURE_ABSENT);
    measure_table_fini(&table);
    measure_gap_of(apart, 1, &gap); /* b is empty */
    assert_true(isnan(gap.part[MEASURE_PART_GAP]));
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
    const char *const names[] = {"A", "B", "C", "D", "E", "F"};
    const struct measure_stratum few[] = {{{9, 100}, {3, 50}}};
    const struct measure_pace pace = {gives_up, NULL};
    assert_false(measure_gap_table(few, names, 1, &usual, NULL, &table, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    assert_non_null(strstr(fault.message, "a has 9 cases and b 100; 10 are needed in each"));
    measure_table_fini(&table);
    assert_false(measure_gap_table(berkeley, names, 6, &usual, &pace, &table, &fault));
    assert_int_equal(fault.code, PROTO_DEADLINE);
    measure_table_fini(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_gap_comes_out),
        cmocka_unit_test(the_parts_add_up_in_whole_millionths),
        cmocka_unit_test(without_signal_no_follow_up_is_found),
        cmocka_unit_test(what_one_group_alone_has_is_not_comparable),
        cmocka_unit_test(too_little_is_told_and_who_asked_can_give_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
