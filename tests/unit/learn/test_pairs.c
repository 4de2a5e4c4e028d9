/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/learn/pairs.h"
#include "server/math/portable.h"
#include "server/math/random.h"

/* Four columns; with `crossed`, columns 1 and 3 act only together: their halves must agree. */
static struct learn_grid *grid_make(size_t rows, uint64_t seed, bool crossed)
{
    struct learn_grid *grid = learn_grid_create(rows, 4);
    assert_non_null(grid);
    struct math_random random;
    math_random_init(&random, seed);
    for (size_t c = 0; c < 4; c++) {
        grid->bins[c] = c < 2 ? 40 : 20;
        grid->ordered[c] = c < 3;
    }
    for (size_t i = 0; i < rows; i++) {
        for (size_t c = 0; c < 4; c++) {
            grid->codes[c * rows + i] = (uint8_t)math_random_below(&random, grid->bins[c]);
        }
        bool agree = (learn_grid_column(grid, 1)[i] < 20) == (learn_grid_column(grid, 3)[i] < 5);
        double logit = crossed ? (agree ? 1.0 : -1.0) : 0.0;
        grid->labels[i] = math_random_unit(&random) < math_logistic(logit);
    }
    return grid;
}

static void a_planted_pair_is_ranked_first(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(5000, 1, true);
    const double importance[] = {1, 1, 1, 1};
    double *scores = calloc(grid->rows, sizeof *scores);
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    assert_true(learn_pairs_find(grid, importance, scores, 1, pairs));
    assert_int_equal(pairs->count, 1);
    assert_int_equal(pairs->pairs[0].column_a, 1);
    assert_int_equal(pairs->pairs[0].column_b, 3);
    struct learn_grid *cells = learn_pairs_grid(grid, pairs);
    assert_non_null(cells);
    assert_true(cells->bins[0] <= LEARN_PAIR_GROUPS * LEARN_PAIR_GROUPS);
    for (size_t i = 0; i < grid->rows; i++) {
        assert_true(cells->codes[i] < cells->bins[0]);
        /* Missing stays apart: its group is 0 on its side. */
        assert_true((learn_grid_column(grid, 1)[i] == 0) ==
                    (cells->codes[i] / pairs->pairs[0].groups_b == 0));
    }
    learn_grid_destroy(cells);
    free(pairs);
    free(scores);
    learn_grid_destroy(grid);
}

/* Under noise a pair's score has mean near zero: of 6 pairs in 50 sets about half are positive. */
static void scores_on_noise_are_as_often_negative_as_positive(void **state)
{
    (void)state;
    const double importance[] = {1, 1, 1, 1};
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    size_t positive = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct learn_grid *grid = grid_make(2000, seed + 10, false);
        double *scores = calloc(grid->rows, sizeof *scores);
        assert_true(learn_pairs_find(grid, importance, scores, 6, pairs));
        positive += pairs->count;
        free(scores);
        learn_grid_destroy(grid);
    }
    assert_in_range(positive, 100, 200);
    free(pairs);
}

static void columns_without_importance_and_a_limit_of_zero_give_no_pair(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(5000, 1, true);
    const double importance[] = {1, 0, 1, 1};
    double *scores = calloc(grid->rows, sizeof *scores);
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    assert_true(learn_pairs_find(grid, importance, scores, 9, pairs));
    for (size_t i = 0; i < pairs->count; i++) {
        assert_true(pairs->pairs[i].column_a != 1 && pairs->pairs[i].column_b != 1);
    }
    assert_true(learn_pairs_find(grid, importance, scores, 0, pairs));
    assert_int_equal(pairs->count, 0);
    free(pairs);
    free(scores);
    learn_grid_destroy(grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_pair_is_ranked_first),
        cmocka_unit_test(scores_on_noise_are_as_often_negative_as_positive),
        cmocka_unit_test(columns_without_importance_and_a_limit_of_zero_give_no_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
