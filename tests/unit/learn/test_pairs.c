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

static const struct learn_leaf_options leaf = {.rate = 0.1, .l2 = 1.0, .hessian_min = 5.0};

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
    assert_true(learn_pairs_find(grid, importance, &(struct learn_pair_rows){.scores = scores},
                                 &leaf, 1, pairs));
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

/* Categories keep a group each by how often they occur, whatever their number, and the rest share
 * one: here bin b occurs the more often the larger it is, and half of the categories act only
 * together with the other column. */
static void the_most_frequent_categories_keep_a_group_each(void **state)
{
    (void)state;
    enum { ROWS = 6000, BINS = 20 };
    struct learn_grid *grid = learn_grid_create(ROWS, 2);
    const double importance[] = {1, 1};
    double *scores = calloc(ROWS, sizeof *scores);
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    struct math_random random;
    math_random_init(&random, 8);
    grid->bins[0] = BINS;
    grid->bins[1] = BINS;
    grid->ordered[1] = true;
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t draw = math_random_below(&random, BINS * (BINS - 1) / 2);
        uint8_t bin = 1;
        while (draw >= bin) {
            draw -= bin++;
        }
        uint8_t other = (uint8_t)(1 + math_random_below(&random, BINS - 1));
        grid->codes[i] = bin;
        grid->codes[ROWS + i] = other;
        bool agree = (bin % 2 == 0) == (other < BINS / 2);
        grid->labels[i] = math_random_unit(&random) < (agree ? 0.8 : 0.2);
    }
    assert_true(learn_pairs_find(grid, importance, &(struct learn_pair_rows){.scores = scores},
                                 &leaf, 1, pairs));
    assert_int_equal(pairs->count, 1);
    const struct learn_pair *pair = &pairs->pairs[0];
    assert_int_equal(pair->groups_a, LEARN_PAIR_GROUPS);
    assert_int_equal(pair->group_a[0], 0);
    bool seen[LEARN_PAIR_GROUPS] = {false};
    for (size_t b = BINS - 1; b > BINS - LEARN_PAIR_GROUPS + 1; b--) {
        assert_true(pair->group_a[b] >= 1 && pair->group_a[b] < LEARN_PAIR_GROUPS - 1);
        assert_false(seen[pair->group_a[b]]);
        seen[pair->group_a[b]] = true;
    }
    for (size_t b = 1; b < 5; b++) {
        assert_int_equal(pair->group_a[b], LEARN_PAIR_GROUPS - 1);
    }
    /* The halves of the categories alternate: a grouping by neighbours would not see the pair. */
    assert_true(pair->score > 500);
    free(pairs);
    free(scores);
    learn_grid_destroy(grid);
}

/* What noise alone explains is little beside a planted pair, of one half of the rows as of all. */
static void a_planted_pair_is_far_above_noise(void **state)
{
    (void)state;
    const double importance[] = {1, 1, 1, 1};
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    uint8_t half[2000];
    double most = 0.0;
    for (size_t i = 0; i < 2000; i++) {
        half[i] = i % 2;
    }
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct learn_grid *grid = grid_make(2000, seed + 10, false);
        double *scores = calloc(grid->rows, sizeof *scores);
        struct learn_pair_rows here = {scores, half, seed % 2};
        assert_true(learn_pairs_find(grid, importance, &here, &leaf, 6, pairs));
        for (size_t k = 0; k < pairs->count; k++) {
            most = fmax(most, pairs->pairs[k].score);
        }
        free(scores);
        learn_grid_destroy(grid);
    }
    struct learn_grid *crossed = grid_make(2000, 1, true);
    double *scores = calloc(crossed->rows, sizeof *scores);
    struct learn_pair_rows here = {scores, half, 0};
    assert_true(learn_pairs_find(crossed, importance, &here, &leaf, 1, pairs));
    print_message("%.1f, noise at most %.1f\n", pairs->pairs[0].score, most);
    assert_true(pairs->pairs[0].score > 3.0 * most);
    free(scores);
    learn_grid_destroy(crossed);
    free(pairs);
}

/* Columns that act alone, and that nothing has told the scores of: their own effects do not pass
 * for a joint one. */
static void two_single_effects_are_no_joint_one(void **state)
{
    (void)state;
    const double importance[] = {1, 1, 1, 1};
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    struct learn_grid *grid = grid_make(5000, 3, false);
    double *scores = calloc(grid->rows, sizeof *scores);
    double joint = 0.0;
    for (unsigned crossed = 0; crossed < 2; crossed++) {
        struct math_random random;
        math_random_init(&random, 4);
        for (size_t i = 0; i < grid->rows; i++) {
            double a = learn_grid_column(grid, 1)[i] < 20 ? 0.7 : -0.7;
            double b = learn_grid_column(grid, 3)[i] < 10 ? 0.7 : -0.7;
            double logit = crossed ? a * b / 0.7 : a + b;
            grid->labels[i] = math_random_unit(&random) < math_logistic(logit);
        }
        assert_true(learn_pairs_find(grid, importance, &(struct learn_pair_rows){.scores = scores},
                                     &leaf, 6, pairs));
        for (size_t k = 0; k < pairs->count; k++) {
            const struct learn_pair *pair = &pairs->pairs[k];
            if (pair->column_a == 1 && pair->column_b == 3) {
                joint = crossed ? pair->score / fmax(joint, 1e-9) : pair->score;
            }
        }
    }
    assert_true(joint > 10.0);
    free(scores);
    free(pairs);
    learn_grid_destroy(grid);
}

static void columns_without_importance_and_a_limit_of_zero_give_no_pair(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(5000, 1, true);
    const double importance[] = {1, 0, 1, 1};
    double *scores = calloc(grid->rows, sizeof *scores);
    struct learn_pairs *pairs = calloc(1, sizeof *pairs);
    assert_true(learn_pairs_find(grid, importance, &(struct learn_pair_rows){.scores = scores},
                                 &leaf, 9, pairs));
    for (size_t i = 0; i < pairs->count; i++) {
        assert_true(pairs->pairs[i].column_a != 1 && pairs->pairs[i].column_b != 1);
    }
    assert_true(learn_pairs_find(grid, importance, &(struct learn_pair_rows){.scores = scores},
                                 &leaf, 0, pairs));
    assert_int_equal(pairs->count, 0);
    free(pairs);
    free(scores);
    learn_grid_destroy(grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_planted_pair_is_ranked_first),
        cmocka_unit_test(the_most_frequent_categories_keep_a_group_each),
        cmocka_unit_test(a_planted_pair_is_far_above_noise),
        cmocka_unit_test(two_single_effects_are_no_joint_one),
        cmocka_unit_test(columns_without_importance_and_a_limit_of_zero_give_no_pair),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
