/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/random.h"
#include "server/measure/survival.h"

#define DAY MEASURE_DAY_MS

/* The worked example of docs/methods/survival.md: six accounts, ends at 2, 4 and 4, censored at 3,
 * 5 and 6. S(2) = 5/6; S(4) = 5/6 · (1 − 2/4) = 5/12. The intervals are those of R's
 * survfit(…, conf.type = "log-log") by its formula. */
static void the_worked_example_comes_out(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_life lives[] = {{4, true},  {6, false}, {2, true},
                                   {3, false}, {4, true},  {5, false}};
    struct measure_survival curve;
    struct measure_survival_point point;
    assert_true(measure_survival_of(lives, 6, NULL, &curve, &fault));
    assert_int_equal(curve.count, 2);
    assert_int_equal(curve.points[0].at_risk, 6);
    assert_true(fabs(curve.points[0].survival - 5.0 / 6) < 1e-15);
    assert_int_equal(curve.points[1].at_risk, 4);
    assert_int_equal(curve.points[1].ended, 2);
    assert_int_equal(curve.points[1].censored, 1);
    assert_true(fabs(curve.points[1].survival - 5.0 / 12) < 1e-15);
    double variance = 1.0 / 30 + 2.0 / 8;
    double spread = exp(1.9599639845400545 * sqrt(variance) / -log(5.0 / 12));
    assert_true(fabs(curve.points[1].low - pow(5.0 / 12, spread)) < 1e-12);
    assert_true(fabs(curve.points[1].high - pow(5.0 / 12, 1 / spread)) < 1e-12);
    assert_int_equal(measure_survival_median(&curve), 4);
    assert_true(measure_survival_at(&curve, lives, 3, &point));
    assert_true(fabs(point.survival - 5.0 / 6) < 1e-15);
    assert_int_equal(point.at_risk, 5);
    assert_false(measure_survival_at(&curve, lives, 7, &point)); /* nobody was watched so long */
    measure_survival_fini(&curve);
}

static void with_nobody_or_nobody_lost_there_is_a_flat_curve(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_survival curve;
    struct measure_survival_point point;
    assert_true(measure_survival_of(NULL, 0, NULL, &curve, &fault));
    assert_false(measure_survival_at(&curve, NULL, 0, &point));
    measure_survival_fini(&curve);
    struct measure_life lives[] = {{4, false}, {6, false}};
    assert_true(measure_survival_of(lives, 2, NULL, &curve, &fault));
    assert_int_equal(curve.count, 0);
    assert_true(measure_survival_at(&curve, lives, 5, &point));
    assert_true(point.survival == 1);
    assert_int_equal(point.at_risk, 1);
    assert_int_equal(measure_survival_median(&curve), MEASURE_NEVER);
    measure_survival_fini(&curve);
    struct measure_life all[] = {{4, true}, {4, true}};
    assert_true(measure_survival_of(all, 2, NULL, &curve, &fault));
    assert_true(curve.points[0].survival == 0 && isnan(curve.points[0].high));
    measure_survival_fini(&curve);
}

/* Lives drawn from a known curve, S(t) = e^(−t/1000), watched for up to 1,500: the interval at 500
 * leaves the truth out in about 5 % of the cases, and the mean of the estimates is the truth. */
static void intervals_cover_the_truth_at_the_stated_rate(void **state)
{
    (void)state;
    enum { RUNS = 1000, COUNT = 150 };
    struct math_random random;
    struct proto_fault fault = {.code = PROTO_OK};
    math_random_init(&random, 3);
    double truth = exp(-0.5);
    double sum = 0;
    int wrong = 0;
    for (int run = 0; run < RUNS; run++) {
        struct measure_life lives[COUNT];
        for (int i = 0; i < COUNT; i++) {
            double life = -1000 * log(1 - math_random_unit(&random));
            double watched = 1500 * math_random_unit(&random);
            lives[i].ended = life <= watched;
            lives[i].duration = (int64_t)(1000 * (life <= watched ? life : watched));
        }
        struct measure_survival curve;
        struct measure_survival_point point;
        assert_true(measure_survival_of(lives, COUNT, NULL, &curve, &fault));
        assert_true(measure_survival_at(&curve, lives, 500000, &point));
        sum += point.survival;
        wrong += truth < point.low || truth > point.high;
        measure_survival_fini(&curve);
    }
    assert_true(fabs(sum / RUNS - truth) < 0.006);
    assert_in_range(wrong, 25, 80); /* 50 ∓ 3.6 standard errors */
}

static struct measure_subscription span(int64_t from, int64_t to, int64_t amount)
{
    struct measure_subscription s = measure_subscription_open(0, from * DAY, amount, 1);
    s.end_ms = to * DAY;
    return s;
}

static void a_life_goes_to_the_first_gap_or_is_censored(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    struct measure_life life;
    int64_t start = 0;
    measure_rules_default(&rules);
    const struct measure_subscription subscriptions[] = {span(40, 60, 5), span(10, 20, 5),
                                                         span(15, 30, 5), span(32, 40, 5)};
    assert_true(measure_spells_make(subscriptions, 4, 1, &rules, &spells, &fault));
    assert_true(measure_life_of(&spells, 0, 100 * DAY, 0, &start, &life));
    assert_int_equal(start, 10 * DAY);
    assert_int_equal(life.duration, 20 * DAY);
    assert_true(life.ended);
    /* Two days without are no end where three are allowed. */
    assert_true(measure_life_of(&spells, 0, 100 * DAY, 3 * DAY, &start, &life));
    assert_int_equal(life.duration, 50 * DAY);
    assert_true(life.ended);
    assert_true(measure_life_of(&spells, 0, 25 * DAY, 0, &start, &life));
    assert_int_equal(life.duration, 15 * DAY);
    assert_false(life.ended);
    assert_false(measure_life_of(&spells, 0, 10 * DAY, 0, &start, &life));
    /* Within the grace it may still come back. */
    assert_true(measure_life_of(&spells, 0, 62 * DAY, 3 * DAY, &start, &life));
    assert_false(life.ended);
    measure_spells_fini(&spells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_comes_out),
        cmocka_unit_test(with_nobody_or_nobody_lost_there_is_a_flat_curve),
        cmocka_unit_test(intervals_cover_the_truth_at_the_stated_rate),
        cmocka_unit_test(a_life_goes_to_the_first_gap_or_is_censored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
