/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/boost.h"
#include "server/learn/split.h"
#include "server/math/portable.h"
#include "server/math/random.h"

/* Column 0: number of 32 bins with a planted hat, column 1: 6 categories, column 2: noise. */
static double planted(const struct learn_grid *grid, size_t i)
{
    static const double categories[] = {0.0, 1.0, -1.0, 0.5, 0.0, 0.0};
    double x = learn_grid_column(grid, 0)[i];
    return -0.5 + (x >= 10.0 && x < 20.0 ? 1.0 : -0.5) + categories[learn_grid_column(grid, 1)[i]];
}

static struct learn_grid *grid_make(size_t rows, uint64_t seed, bool noise)
{
    struct learn_grid *grid = learn_grid_create(rows, 3);
    assert_non_null(grid);
    struct math_random random;
    math_random_init(&random, seed);
    grid->bins[0] = 32;
    grid->bins[1] = 6;
    grid->bins[2] = 32;
    grid->ordered[0] = true;
    grid->ordered[2] = true;
    for (size_t i = 0; i < rows; i++) {
        for (size_t c = 0; c < 3; c++) {
            grid->codes[c * rows + i] = (uint8_t)math_random_below(&random, grid->bins[c]);
        }
        double logit = noise ? -0.5 : planted(grid, i);
        grid->labels[i] = math_random_unit(&random) < math_logistic(logit);
    }
    return grid;
}

static const struct learn_boost_options options = {
    .leaf = {.rate = 0.1, .l2 = 1.0, .l2_category = 10.0, .hessian_min = 5.0, .leaves_max = 3},
    .rounds_max = 500,
    .patience = 20};

static void fit(const struct learn_grid *grid, struct learn_boost *boost, uint8_t *folds)
{
    struct proto_fault fault;
    struct learn_split_rows rows = {.rows = grid->rows, .labels = grid->labels};
    assert_true(learn_split_folds(&rows, 4, 1, folds));
    assert_true(learn_boost_fit(grid, folds, 4, NULL, &options, boost, &fault));
}

static void planted_shapes_are_recovered(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(20000, 3, false);
    uint8_t *folds = malloc(grid->rows);
    struct learn_boost boost;
    fit(grid, &boost, folds);
    double worst = 0.0;
    double error = 0.0;
    double *scores = calloc(grid->rows, sizeof *scores);
    learn_boost_add(&boost, grid, -1, scores);
    for (size_t i = 0; i < grid->rows; i++) {
        double gap = fabs(scores[i] - planted(grid, i));
        worst = fmax(worst, gap);
        error += gap / (double)grid->rows;
    }
    assert_true(error < 0.08);
    assert_true(worst < 0.5);
    /* The column without effect stays near zero: the rate of a bin of 625 rows errs by 0.085. */
    for (size_t b = 0; b < 32; b++) {
        assert_true(fabs(boost.tables[boost.offsets[2] + b]) < 0.25);
    }
    free(scores);
    learn_boost_fini(&boost);
    free(folds);
    learn_grid_destroy(grid);
}

static void noise_stops_the_bags_early(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(4000, 5, true);
    uint8_t *folds = malloc(grid->rows);
    struct learn_boost boost;
    fit(grid, &boost, folds);
    for (size_t e = 0; e < boost.offsets[3]; e++) {
        assert_true(fabs(boost.tables[e]) < 0.15);
    }
    learn_boost_fini(&boost);
    free(folds);
    learn_grid_destroy(grid);
}

static void same_input_gives_the_same_bits(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(3000, 9, false);
    uint8_t *folds = malloc(grid->rows);
    struct learn_boost a;
    struct learn_boost b;
    fit(grid, &a, folds);
    fit(grid, &b, folds);
    assert_memory_equal(a.fold_tables, b.fold_tables, 4 * a.offsets[3] * sizeof(double));
    assert_memory_equal(a.tables, b.tables, a.offsets[3] * sizeof(double));
    learn_boost_fini(&a);
    learn_boost_fini(&b);
    free(folds);
    learn_grid_destroy(grid);
}

/* Of one fold alone the loss is least now here, now there; what stops the bags is the sum, and a
 * fit of some bags has the tables of those alone. */
static void all_bags_stop_where_their_loss_is_least_in_sum(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(3000, 9, false);
    uint8_t *folds = malloc(grid->rows);
    struct learn_boost all;
    struct learn_boost some;
    struct proto_fault fault;
    fit(grid, &all, folds);
    assert_true(all.rounds > 0);
    size_t entries = all.offsets[3];
    double least = all.losses[0] + all.losses[1] + all.losses[2] + all.losses[3];
    struct learn_boost_options asked = options;
    for (unsigned off = 0; off < 2; off++) {
        asked.rounds_max = off == 0 ? all.rounds - 4 : all.rounds + 4;
        asked.patience = 500;
        asked.only = 0;
        assert_true(learn_boost_fit(grid, folds, 4, NULL, &asked, &some, &fault));
        assert_true(some.losses[0] + some.losses[1] + some.losses[2] + some.losses[3] >= least);
        learn_boost_fini(&some);
    }
    asked.rounds_max = all.rounds;
    asked.only = 0xa;
    assert_true(learn_boost_fit(grid, folds, 4, NULL, &asked, &some, &fault));
    for (size_t e = 0; e < entries; e++) {
        assert_true(some.fold_tables[e] == 0.0 && some.fold_tables[2 * entries + e] == 0.0);
        double mean = some.fold_tables[entries + e] / 2.0 + some.fold_tables[3 * entries + e] / 2.0;
        assert_true(some.tables[e] == mean);
    }
    assert_true(some.losses[0] == 0.0 && some.losses[1] > 0.0);
    learn_boost_fini(&some);
    learn_boost_fini(&all);
    free(folds);
    learn_grid_destroy(grid);
}

/* Control of the out-of-fold scores: each row must come from the one bag that left it out. */
static void out_of_fold_scores_come_from_the_bag_that_left_the_row_out(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(500, 2, false);
    uint8_t *folds = malloc(grid->rows);
    struct learn_boost boost;
    fit(grid, &boost, folds);
    double *scores = calloc(grid->rows, sizeof *scores);
    assert_true(learn_boost_out_of_fold(&boost, grid, folds, scores));
    for (size_t i = 0; i < grid->rows; i++) {
        const double *tables = boost.fold_tables + folds[i] * boost.offsets[3];
        double wanted = boost.fold_intercepts[folds[i]];
        for (size_t c = 0; c < 3; c++) {
            wanted += tables[boost.offsets[c] + learn_grid_column(grid, c)[i]];
        }
        assert_true(scores[i] == wanted);
    }
    free(scores);
    learn_boost_fini(&boost);
    free(folds);
    learn_grid_destroy(grid);
}

static void start_scores_leave_only_the_rest_to_learn(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(5000, 4, false);
    uint8_t *folds = malloc(grid->rows);
    double *start = calloc(4 * grid->rows, sizeof *start);
    struct learn_split_rows rows = {.rows = grid->rows, .labels = grid->labels};
    struct proto_fault fault;
    struct learn_boost boost;
    for (size_t k = 0; k < 4; k++) {
        for (size_t i = 0; i < grid->rows; i++) {
            start[k * grid->rows + i] = planted(grid, i);
        }
    }
    assert_true(learn_split_folds(&rows, 4, 1, folds));
    assert_true(learn_boost_fit(grid, folds, 4, start, &options, &boost, &fault));
    assert_true(boost.intercept == 0.0);
    for (size_t e = 0; e < boost.offsets[3]; e++) {
        assert_true(fabs(boost.tables[e]) < 0.15);
    }
    learn_boost_fini(&boost);
    free(start);
    free(folds);
    learn_grid_destroy(grid);
}

static bool on_progress(void *context, double done)
{
    unsigned *calls = context;
    assert_true(done >= 0.0 && done <= 1.0);
    return ++*calls < 3;
}

static void a_refusal_of_progress_cancels(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(2000, 4, false);
    uint8_t *folds = calloc(grid->rows, 1);
    for (size_t i = 0; i < grid->rows; i++) {
        folds[i] = (uint8_t)(i % 4);
    }
    unsigned calls = 0;
    struct learn_boost_options cancelled = options;
    cancelled.on_progress = on_progress;
    cancelled.progress_context = &calls;
    struct learn_boost boost;
    struct proto_fault fault;
    assert_false(learn_boost_fit(grid, folds, 4, NULL, &cancelled, &boost, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
    assert_int_equal(calls, 3);
    free(folds);
    learn_grid_destroy(grid);
}

/* Rows enough for several parts, on one thread and on three: the same bits, and what was planted.
 */
static void many_rows_are_learned_in_parts_on_any_threads(void **state)
{
    (void)state;
    struct learn_grid *grid = grid_make(400000, 3, false);
    uint8_t *folds = malloc(grid->rows);
    struct learn_split_rows rows = {.rows = grid->rows, .labels = grid->labels};
    struct learn_boost_options many = options;
    struct learn_boost boosts[2];
    struct proto_fault fault;
    assert_true(learn_split_folds(&rows, 4, 1, folds));
    many.rounds_max = 40;
    many.only = 0x3;
    for (unsigned i = 0; i < 2; i++) {
        many.threads = 1 + 2 * i;
        assert_true(learn_boost_fit(grid, folds, 4, NULL, &many, &boosts[i], &fault));
    }
    size_t entries = boosts[0].offsets[3];
    assert_memory_equal(boosts[0].tables, boosts[1].tables, entries * sizeof *boosts[0].tables);
    assert_true(boosts[0].intercept == boosts[1].intercept);
    const double *table = boosts[0].tables + boosts[0].offsets[1];
    assert_true(fabs(table[1] - table[2] - 2.0) < 0.1);
    for (unsigned i = 0; i < 2; i++) {
        learn_boost_fini(&boosts[i]);
    }
    free(folds);
    learn_grid_destroy(grid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_shapes_are_recovered),
        cmocka_unit_test(noise_stops_the_bags_early),
        cmocka_unit_test(same_input_gives_the_same_bits),
        cmocka_unit_test(all_bags_stop_where_their_loss_is_least_in_sum),
        cmocka_unit_test(out_of_fold_scores_come_from_the_bag_that_left_the_row_out),
        cmocka_unit_test(start_scores_leave_only_the_rest_to_learn),
        cmocka_unit_test(a_refusal_of_progress_cancels),
        cmocka_unit_test(many_rows_are_learned_in_parts_on_any_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
