/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/learn/leaf_cells.h"

static const struct learn_leaf_options options = {.rate = 0.1, .l2 = 1.0, .hessian_min = 5.0};

/* Cells of 4 hessian each whose gradient is 3 where `high` says so and -3 elsewhere. */
static void sums_fill(struct learn_sums *sums, size_t a, size_t b, bool (*high)(size_t, size_t))
{
    for (size_t i = 0; i < a; i++) {
        for (size_t k = 0; k < b; k++) {
            sums[i * b + k] = (struct learn_sums){high(i, k) ? 3.0 : -3.0, 4.0};
        }
    }
}

static bool quadrants(size_t i, size_t k)
{
    return (i < 2) == (k < 3);
}

/* 4 × 6 cells, quadrants of 6 cells each: G = ±18, H = 24, so each leaf is worth 324 / 25. */
static void quadrants_that_cancel_along_either_column_are_found(void **state)
{
    (void)state;
    const struct learn_cells cells = {4, 6, true, true};
    struct learn_sums sums[24];
    double values[24] = {0};
    sums_fill(sums, 4, 6, quadrants);
    double gain = learn_cells_values(sums, &cells, &options, values);
    assert_true(fabs(gain - 4.0 * 324.0 / 25.0) < 1e-12);
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 6; k++) {
            double wanted = (quadrants(i, k) ? -0.1 : 0.1) * 18.0 / 25.0;
            assert_true(fabs(values[i * 6 + k] - wanted) < 1e-15);
        }
    }
    assert_true(learn_cells_values(sums, &cells, &options, NULL) == gain);
}

static bool steps(size_t i, size_t k)
{
    return i == 0 ? k < 2 : k >= 4;
}

/* Each side of the first cut has a second one of its own; turned over, the same. */
static void sides_are_cut_by_themselves_and_along_either_column_first(void **state)
{
    (void)state;
    const struct learn_cells cells = {2, 6, true, true};
    const struct learn_cells turned_cells = {6, 2, true, true};
    struct learn_sums sums[12];
    struct learn_sums turned[12];
    double values[12] = {0};
    double turned_values[12] = {0};
    sums_fill(sums, 2, 6, steps);
    for (size_t c = 0; c < 12; c++) {
        turned[c % 6 * 2 + c / 6] = sums[c];
    }
    double gain = learn_cells_values(sums, &cells, &options, values);
    assert_true(fabs(learn_cells_values(turned, &turned_cells, &options, turned_values) - gain) <
                1e-12);
    for (size_t c = 0; c < 12; c++) {
        assert_true((values[c] < 0.0) == steps(c / 6, c % 6));
        assert_true(fabs(turned_values[c % 6 * 2 + c / 6] - values[c]) < 1e-15);
    }
}

static bool alternate(size_t i, size_t k)
{
    return (i == 2) == (k % 2 == 0);
}

/* Categories have no order: one of them against the others, and along them any two sets. */
static void categories_are_cut_without_an_order(void **state)
{
    (void)state;
    const struct learn_cells without = {5, 8, false, false};
    const struct learn_cells with = {5, 8, true, true};
    struct learn_sums sums[40];
    double values[40] = {0};
    sums_fill(sums, 5, 8, alternate);
    double gain = learn_cells_values(sums, &without, &options, values);
    for (size_t c = 0; c < 40; c++) {
        assert_true((values[c] < 0.0) == alternate(c / 8, c % 8));
    }
    assert_true(gain > 2.0 * learn_cells_values(sums, &with, &options, NULL));
}

/* Too few rows for two leaves, and cells that all say the same: nothing is added. */
static void few_rows_and_even_ones_are_left_alone(void **state)
{
    (void)state;
    const struct learn_cells cells = {2, 2, true, true};
    const struct learn_sums few[4] = {{2, 2}, {-2, 2}, {-2, 2}, {2, 2}};
    const struct learn_sums none[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
    double values[4] = {7, 7, 7, 7};
    assert_true(learn_cells_values(few, &cells, &options, values) == 0.0);
    assert_true(learn_cells_values(none, &cells, &options, values) == 0.0);
    assert_true(values[0] == 7.0 && values[3] == 7.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quadrants_that_cancel_along_either_column_are_found),
        cmocka_unit_test(sides_are_cut_by_themselves_and_along_either_column_first),
        cmocka_unit_test(categories_are_cut_without_an_order),
        cmocka_unit_test(few_rows_and_even_ones_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
