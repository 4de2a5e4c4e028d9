/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals against the example done by hand, against what is true of many sets that were drawn,
 * and on rows that stand there more than once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/accuracy.h"
#include "server/math/accuracy_interval.h"
#include "server/math/auc.h"
#include "server/math/random.h"

enum { ROWS = 400, SETS = 200, TIMES = 3 };

static double p[ROWS * TIMES];
static uint8_t labels[ROWS * TIMES];
static uint32_t groups[ROWS * TIMES];

static void the_example_done_by_hand_is_met(void **state)
{
    (void)state;
    /* docs/methods/calibration.md: p .9, .6, .3, .2 with outcomes 1, 1, 0, 0. Losses .105361,
     * .510826, .356675, .223144: mean .299001, error .087296; t of one degree by its expansion
     * 7.155; .299001 · exp(∓ 2.089) is .0370 to 2.416. */
    const double few[] = {0.9, 0.6, 0.3, 0.2};
    const uint8_t outcomes[] = {1, 1, 0, 0};
    struct math_interval interval;
    double loss[4];
    double mean = 0.0;
    double squares = 0.0;
    for (int i = 0; i < 4; i++) {
        loss[i] = -log(outcomes[i] ? few[i] : 1.0 - few[i]);
        mean += loss[i] / 4.0;
    }
    for (int i = 0; i < 4; i++) {
        squares += (loss[i] - mean) * (loss[i] - mean);
    }
    double error = sqrt(squares / 3.0 / 4.0);
    double half = math_student_95(1.0) * error / mean;
    assert_true(fabs(mean - 0.299001) < 1e-6 && fabs(error - 0.087296) < 1e-6);
    assert_true(math_log_loss_interval(few, outcomes, 4, NULL, 0, &interval));
    assert_true(fabs(interval.low - mean * exp(-half)) < 1e-12);
    assert_true(fabs(interval.high - mean * exp(half)) < 1e-12);
    assert_true(fabs(interval.low - 0.0370) < 5e-5 && fabs(interval.high - 2.415) < 5e-3);
}

static void the_ece_of_one_bin_is_a_mean_with_its_error(void **state)
{
    (void)state;
    /* 100 rows at .25, 50 outcomes: gap .25, error sqrt(.25 / 99) = .050252. Of |ε| of one bin the
     * 97.5 % point is 2.2414 errors; the upper end is 1.96 errors. */
    struct math_interval interval;
    for (int i = 0; i < 100; i++) {
        p[i] = 0.25;
        labels[i] = i % 2 != 0;
    }
    assert_true(math_ece_interval(p, labels, 100, NULL, 0, &interval));
    double error = sqrt(0.25 / 99.0);
    assert_true(fabs(interval.high - (0.25 + MATH_Z_95 * error)) < 1e-12);
    assert_true(fabs(interval.low - (0.25 - 2.2414 * error)) < 0.1 * error); /* 4,000 draws */
}

/* Chances that are right, pushed off by `off`; what the log loss is of in truth. */
static double draw(struct math_random *random, double off)
{
    double truth = 0.0;
    for (int i = 0; i < ROWS; i++) {
        double right = 0.05 + 0.7 * math_random_unit(random);
        labels[i] = math_random_unit(random) < right;
        p[i] = right + off;
        truth -= (right * log(p[i]) + (1.0 - right) * log(1.0 - p[i])) / ROWS;
    }
    return truth;
}

static void chances_that_are_right_have_an_ece_from_nought(void **state)
{
    (void)state;
    struct math_random random;
    int above = 0;
    int held = 0;
    math_random_init(&random, 7);
    for (int s = 0; s < SETS; s++) {
        struct math_interval ece;
        struct math_interval loss;
        double truth = draw(&random, 0.0);
        assert_true(math_ece_interval(p, labels, ROWS, NULL, 0, &ece));
        assert_true(math_log_loss_interval(p, labels, ROWS, NULL, 0, &loss));
        above += ece.low > 0.0;
        held += loss.low <= truth && truth <= loss.high;
    }
    /* 2.5 % of 200 is 5; 15 or more in one of 5,000 runs. 95 % is 190; 177 or less likewise. */
    assert_true(above <= 14);
    assert_true(held >= 178);
}

static void chances_that_are_off_are_told(void **state)
{
    (void)state;
    struct math_random random;
    int held = 0;
    int told = 0;
    math_random_init(&random, 8);
    for (int s = 0; s < SETS; s++) {
        struct math_interval ece;
        (void)draw(&random, 0.15);
        assert_true(math_ece_interval(p, labels, ROWS, NULL, 0, &ece));
        held += ece.low <= 0.15 && 0.15 <= ece.high;
        told += ece.low > 0.0;
    }
    assert_true(held >= 190);
    assert_true(told >= 180);
}

/* Coins, and the same chance for all: no signal at all. */
static void data_without_signal_is_said_to_be_right_and_worth_a_coin(void **state)
{
    (void)state;
    struct math_random random;
    int above = 0;
    int held = 0;
    math_random_init(&random, 9);
    for (int s = 0; s < SETS; s++) {
        struct math_interval ece;
        struct math_interval loss;
        for (int i = 0; i < ROWS; i++) {
            p[i] = 0.2;
            labels[i] = math_random_unit(&random) < 0.2;
        }
        double truth = -(0.2 * log(0.2) + 0.8 * log(0.8));
        assert_true(math_ece_interval(p, labels, ROWS, NULL, 0, &ece));
        assert_true(math_log_loss_interval(p, labels, ROWS, NULL, 0, &loss));
        above += ece.low > 0.0;
        held += loss.low <= truth && truth <= loss.high;
    }
    assert_true(above <= 14);
    assert_true(held >= 178);
}

static void rows_of_one_company_count_once(void **state)
{
    (void)state;
    struct math_random random;
    struct math_interval once[2];
    struct math_interval often[2];
    math_random_init(&random, 10);
    (void)draw(&random, 0.1);
    assert_true(math_log_loss_interval(p, labels, ROWS, NULL, 0, &once[0]));
    assert_true(math_ece_interval(p, labels, ROWS, NULL, 0, &once[1]));
    for (unsigned i = 0; i < ROWS * TIMES; i++) {
        p[i] = p[i % ROWS];
        labels[i] = labels[i % ROWS];
        groups[i] = i % ROWS;
    }
    assert_true(math_log_loss_interval(p, labels, ROWS * TIMES, groups, ROWS, &often[0]));
    assert_true(math_ece_interval(p, labels, ROWS * TIMES, groups, ROWS, &often[1]));
    for (int i = 0; i < 2; i++) {
        double width = once[i].high - once[i].low;
        assert_true(fabs(often[i].low - once[i].low) < 0.01 * width);
        assert_true(fabs(often[i].high - once[i].high) < 0.01 * width);
    }
    struct math_interval fooled;
    assert_true(math_log_loss_interval(p, labels, ROWS * TIMES, NULL, 0, &fooled));
    assert_true(fooled.high - fooled.low < 0.6 * (once[0].high - once[0].low));
}

static void too_few_rows_say_nothing(void **state)
{
    (void)state;
    const double few[] = {0.9, 0.6, 0.3};
    const uint8_t outcomes[] = {1, 0, 0};
    const uint32_t one[] = {0, 0, 0};
    struct math_interval interval;
    assert_true(math_ece_interval(few, outcomes, 3, NULL, 0, &interval));
    assert_true(interval.low == 0.0 && interval.high == 1.0);
    assert_true(math_log_loss_interval(few, outcomes, 3, one, 1, &interval));
    assert_true(interval.low == 0.0 && interval.high == MATH_LOG_LOSS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_done_by_hand_is_met),
        cmocka_unit_test(the_ece_of_one_bin_is_a_mean_with_its_error),
        cmocka_unit_test(chances_that_are_right_have_an_ece_from_nought),
        cmocka_unit_test(chances_that_are_off_are_told),
        cmocka_unit_test(data_without_signal_is_said_to_be_right_and_worth_a_coin),
        cmocka_unit_test(rows_of_one_company_count_once),
        cmocka_unit_test(too_few_rows_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
