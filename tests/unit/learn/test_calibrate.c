/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/learn/calibrate.h"
#include "server/math/accuracy.h"
#include "server/math/portable.h"
#include "server/math/random.h"

enum { ROWS = 20000 };

/* A scorecard without terms is not sealed here, so the guide that model_p needs is made as sealing
 * would. */
static void calibrate(const double *scores, const uint8_t *labels, size_t count, double scatter,
                      struct model_scorecard *scorecard)
{
    learn_calibrate(scores, labels, count, scatter, scorecard);
    model_guide_make(&scorecard->calibration_guide, scorecard->calibration_raw,
                     scorecard->calibration_count);
}

static void points_follow_the_planted_curve(void **state)
{
    (void)state;
    double *scores = calloc(ROWS, sizeof *scores);
    uint8_t *labels = calloc(ROWS, 1);
    struct model_scorecard *scorecard = model_create(0, 0);
    struct math_random random;
    math_random_init(&random, 6);
    for (size_t i = 0; i < ROWS; i++) {
        scores[i] = 2.0 * math_random_normal(&random);
        labels[i] = math_random_unit(&random) < math_logistic(0.3 + 0.8 * scores[i]);
    }
    calibrate(scores, labels, ROWS, 0.0, scorecard);
    assert_int_equal(scorecard->calibration_count, MODEL_CALIBRATION_POINTS_MAX);
    for (int i = -50; i <= 50; i++) {
        double x = 0.1 * i;
        double p = model_p(scorecard, learn_micrologits(x));
        assert_true(fabs(p - math_logistic(0.3 + 0.8 * x)) < 0.02);
    }
    for (size_t i = 1; i < scorecard->calibration_count; i++) {
        assert_true(scorecard->calibration_raw[i] > scorecard->calibration_raw[i - 1]);
        assert_true(scorecard->calibration_p[i] >= scorecard->calibration_p[i - 1]);
    }
    model_destroy(scorecard);
    free(scores);
    free(labels);
}

/* Labels follow what is served; the scores that the curve is fitted on have noise beside it. */
static void scatter_of_single_bags_does_not_flatten_the_curve(void **state)
{
    (void)state;
    double *scores = calloc(ROWS, sizeof *scores);
    uint8_t *labels = calloc(ROWS, 1);
    struct model_scorecard *scorecard = model_create(0, 0);
    struct math_random random;
    math_random_init(&random, 7);
    for (size_t i = 0; i < ROWS; i++) {
        double served = -1.0 + 1.5 * math_random_normal(&random);
        labels[i] = math_random_unit(&random) < math_logistic(served);
        scores[i] = served + 0.6 * math_random_normal(&random);
    }
    for (unsigned told = 0; told < 2; told++) {
        calibrate(scores, labels, ROWS, told == 1 ? 0.36 : 0.0, scorecard);
        double worst = 0.0;
        for (int i = -40; i <= 20; i++) {
            double p = model_p(scorecard, learn_micrologits(0.1 * i));
            worst = fmax(worst, fabs(p - math_logistic(0.1 * i)));
        }
        assert_true(told == 1 ? worst < 0.02 : worst > 0.03); /* the control: scatter untold */
    }
    model_destroy(scorecard);
    free(scores);
    free(labels);
}

/* The bound that calibrate.h states for the straight lines. */
static void lines_stay_within_the_stated_distance_of_the_curve(void **state)
{
    (void)state;
    double *scores = calloc(ROWS, sizeof *scores);
    uint8_t *labels = calloc(ROWS, 1);
    struct model_scorecard *scorecard = model_create(0, 0);
    struct math_platt fit;
    for (size_t i = 0; i < ROWS; i++) {
        scores[i] = -10.0 + 20.0 * (double)i / (ROWS - 1);
        labels[i] = (double)(i % 100) < 100.0 * math_logistic(scores[i]);
    }
    calibrate(scores, labels, ROWS, 0.0, scorecard);
    assert_true(math_platt_fit(scores, labels, ROWS, &fit));
    double step = fit.slope * 20.0 / (MODEL_CALIBRATION_POINTS_MAX - 1);
    double bound = 0.0963 * step * step / 8.0 + 1e-6;
    assert_true(bound < 0.0014);
    for (int i = -1000; i <= 1000; i++) {
        double x = 0.01 * i;
        double gap =
            model_p(scorecard, learn_micrologits(x)) - math_logistic(fit.offset + fit.slope * x);
        assert_true(fabs(gap) < bound);
    }
    model_destroy(scorecard);
    free(scores);
    free(labels);
}

static void a_constant_score_gives_the_base_rate(void **state)
{
    (void)state;
    const double scores[] = {0.5, 0.5, 0.5, 0.5};
    const uint8_t labels[] = {1, 0, 0, 0};
    struct model_scorecard *scorecard = model_create(0, 0);
    calibrate(scores, labels, 4, 0.0, scorecard);
    assert_int_equal(scorecard->calibration_count, 1);
    assert_true(model_p(scorecard, 123) == 0.25);
    model_destroy(scorecard);
}

static void micrologits_round_half_up_and_stay_in_range(void **state)
{
    (void)state;
    assert_int_equal(learn_micrologits(0.0000014), 1);
    assert_int_equal(learn_micrologits(-0.0000026), -3);
    assert_int_equal(learn_micrologits(1e9), MODEL_ENTRY_MAX);
    assert_int_equal(learn_micrologits(-1e9), -MODEL_ENTRY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_follow_the_planted_curve),
        cmocka_unit_test(scatter_of_single_bags_does_not_flatten_the_curve),
        cmocka_unit_test(lines_stay_within_the_stated_distance_of_the_curve),
        cmocka_unit_test(a_constant_score_gives_the_base_rate),
        cmocka_unit_test(micrologits_round_half_up_and_stay_in_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
