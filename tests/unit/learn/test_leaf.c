/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/learn/leaf.h"
#include "server/math/portable.h"

static const struct learn_leaf_options plain = {
    .rate = 0.1, .l2 = 1.0, .l2_category = 10.0, .hessian_min = 2.0, .leaves_max = 3};

static const double zeros[12];

static void ordered_bins_are_cut_where_the_gradient_turns(void **state)
{
    (void)state;
    const struct learn_sums sums[] = {{0, 0}, {-6, 4}, {-6, 4}, {5, 4},
                                      {5, 4}, {5, 4},  {-9, 4}, {-9, 4}};
    double values[8];
    assert_true(learn_leaf_values(sums, 8, true, &plain, zeros, values));
    assert_true(values[0] == 0.0);
    assert_true(fabs(values[1] - 0.1 * 12.0 / 9.0) < 1e-15);
    assert_true(values[2] == values[1]);
    assert_true(fabs(values[3] + 0.1 * 15.0 / 13.0) < 1e-15);
    assert_true(values[5] == values[3]);
    assert_true(fabs(values[6] - 0.1 * 18.0 / 9.0) < 1e-15);
}

static void missing_is_a_leaf_of_its_own(void **state)
{
    (void)state;
    const struct learn_sums sums[] = {{-8, 7}, {4, 4}, {4, 4}};
    double values[3];
    assert_true(learn_leaf_values(sums, 3, true, &plain, zeros, values));
    assert_true(fabs(values[0] - 0.1) < 1e-15);
    assert_true(values[1] == values[2] && values[1] < 0.0);
}

static void leaves_with_too_few_rows_do_not_move(void **state)
{
    (void)state;
    const struct learn_sums sums[] = {{0, 0}, {-1.5, 1.5}, {-1.5, 1.5}, {0, 0}};
    double values[4];
    assert_true(learn_leaf_values(sums, 4, false, &plain, zeros, values)); /* but categories do */
    struct learn_sums apart[] = {{0, 0}, {-1.5, 1.5}};
    assert_false(learn_leaf_values(apart, 2, true, &plain, zeros, values));
    /* Ordered neighbours may join to be enough. */
    assert_true(learn_leaf_values(sums, 4, true, &plain, zeros, values));
    assert_true(values[1] == values[2] && values[1] > 0.0);
}

static void categories_are_drawn_to_the_average_by_their_size(void **state)
{
    (void)state;
    const struct learn_sums sums[] = {{0, 0}, {-5, 5}, {-500, 500}};
    double values[3];
    assert_true(learn_leaf_values(sums, 3, false, &plain, zeros, values));
    assert_true(fabs(values[1] - 0.1 * 5.0 / 15.0) < 1e-15);
    assert_true(fabs(values[2] - 0.1 * 500.0 / 510.0) < 1e-15);
}

/* A category of few rows goes to what its rows say, drawn towards the average by the ridge: 60 rows
 * of which 30 win, where 7 in 100 do. Their H is below the floor that leaves of numbers have. */
static void a_rare_category_is_heard(void **state)
{
    (void)state;
    struct learn_leaf_options options = plain;
    options.hessian_min = 5.0;
    for (unsigned ridge = 0; ridge < 2; ridge++) {
        double table[2] = {0.0, 0.0};
        options.ridge = ridge;
        for (unsigned round = 0; round < 2000; round++) {
            double p = math_logistic(-2.587 + table[1]);
            struct learn_sums sums[] = {{0, 0}, {60.0 * p - 30.0, 60.0 * p * (1.0 - p)}};
            double values[2];
            (void)learn_leaf_values(sums, 2, false, &options, table, values);
            table[1] += values[1];
        }
        assert_true(fabs(table[1] - (ridge == 0 ? 2.587 : 2.42)) < 0.01);
    }
}

static void gain_is_what_noise_would_not_make(void **state)
{
    (void)state;
    const struct learn_sums sums[] = {{-5, 4}, {-6, 4}, {-6, 4}, {5, 4}, {5, 4}};
    double values[5];
    assert_true(learn_leaf_values(sums, 5, true, &plain, zeros, values));
    double gain = learn_leaf_gain(sums, 5, true, &plain, values);
    assert_true(fabs(gain - (21.0 / 5.0 + 136.0 / 9.0 + 92.0 / 9.0)) < 1e-12);
    assert_true(learn_leaf_values(sums, 5, false, &plain, zeros, values));
    gain = learn_leaf_gain(sums, 5, false, &plain, values);
    assert_true(fabs(gain - (21.0 + 32.0 + 32.0 + 21.0 + 21.0) / 14.0) < 1e-12);
}

static void best_cut_equals_the_best_of_all_cuts(void **state)
{
    (void)state;
    struct learn_leaf_options two = plain;
    two.leaves_max = 2;
    for (unsigned seed = 1; seed < 200; seed++) {
        struct learn_sums sums[12] = {{0, 0}};
        unsigned x = seed;
        double g = 0.0;
        double h = 0.0;
        for (size_t b = 1; b < 12; b++) {
            x = x * 1103515245U + 12345U;
            sums[b] =
                (struct learn_sums){(double)(x >> 16 & 63) - 31.0, 3.0 + (double)(x >> 22 & 7)};
            g += sums[b].gradient;
            h += sums[b].hessian;
        }
        double best = 0.0;
        size_t cut = 0;
        double left_g = 0.0;
        double left_h = 0.0;
        for (size_t b = 1; b < 11; b++) {
            left_g += sums[b].gradient;
            left_h += sums[b].hessian;
            double gain = left_g * left_g / (left_h + 1.0) +
                          (g - left_g) * (g - left_g) / (h - left_h + 1.0) - g * g / (h + 1.0);
            if (gain > best) {
                best = gain;
                cut = b;
            }
        }
        double values[12];
        (void)learn_leaf_values(sums, 12, true, &two, zeros, values);
        for (size_t b = 1; b < 12; b++) {
            assert_true(values[b] == (b <= cut ? values[1] : values[11]));
        }
    }
}

static void steps_of_one_way_never_turn(void **state)
{
    (void)state;
    const struct learn_sums sums[] = {{-3, 5}, {-6, 4}, {-6, 4}, {5, 4},
                                      {5, 4},  {5, 4},  {-9, 4}, {-9, 4}};
    double values[8];
    assert_true(learn_leaf_values(sums, 8, true, &plain, zeros, values));
    assert_true(values[3] < values[1] && values[6] > values[3]);
    double missing = values[0];
    double last = values[7];
    assert_true(learn_leaf_monotone(sums, 8, 1, &plain, values));
    assert_true(values[0] == missing && values[7] == last);
    for (size_t b = 2; b < 8; b++) {
        assert_true(values[b] >= values[b - 1]);
    }
    /* The first two leaves are one: gradient 3 of hessian 20. */
    assert_true(fabs(values[1] + 0.1 * 3.0 / 21.0) < 1e-15 && values[5] == values[1]);
    assert_true(learn_leaf_values(sums, 8, true, &plain, zeros, values));
    assert_true(learn_leaf_monotone(sums, 8, -1, &plain, values));
    for (size_t b = 2; b < 8; b++) {
        assert_true(values[b] <= values[b - 1]);
    }
    const struct learn_sums wrong[] = {{0, 0}, {-5, 9}, {5, 9}};
    assert_true(learn_leaf_values(wrong, 3, true, &plain, zeros, values));
    assert_false(learn_leaf_monotone(wrong, 3, 1, &plain, values)); /* nothing is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordered_bins_are_cut_where_the_gradient_turns),
        cmocka_unit_test(missing_is_a_leaf_of_its_own),
        cmocka_unit_test(leaves_with_too_few_rows_do_not_move),
        cmocka_unit_test(categories_are_drawn_to_the_average_by_their_size),
        cmocka_unit_test(a_rare_category_is_heard),
        cmocka_unit_test(gain_is_what_noise_would_not_make),
        cmocka_unit_test(steps_of_one_way_never_turn),
        cmocka_unit_test(best_cut_equals_the_best_of_all_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
