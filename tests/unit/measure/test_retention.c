/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/feature/date_text.h"
#include "server/math/order.h"
#include "server/math/random.h"
#include "server/measure/retention.h"

#define DAY MEASURE_DAY_MS
#define FROM (31 * DAY)           /* 1970-02-01 */
#define TO ((31 + 28 + 31) * DAY) /* 1970-04-01 */

static struct measure_retention of(const struct measure_subscription *subscriptions, size_t count,
                                   uint32_t accounts, const char *rule)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    struct measure_retention retention;
    measure_rules_default(&rules);
    assert_true(rule == NULL || measure_rules_set_text(&rules, rule, &fault));
    assert_true(measure_spells_make(subscriptions, count, accounts, &rules, &spells, &fault));
    assert_true(measure_retention_of(&spells, &rules, FROM, TO, &retention, &fault));
    measure_spells_fini(&spells);
    return retention;
}

static struct measure_subscription span(uint32_t account, int64_t from, int64_t to, int64_t amount)
{
    struct measure_subscription s = measure_subscription_open(account, from, amount, 1);
    s.end_ms = to;
    return s;
}

/* The worked example of docs/methods/retention.md: 100 at the start, 20 lost, 10 more. */
static void gross_churn_is_a_fifth_and_net_churn_a_tenth(void **state)
{
    (void)state;
    const struct measure_subscription subscriptions[] = {
        span(0, 0, 40 * DAY, 20),
        span(1, 0, MEASURE_NEVER, 50),
        span(1, 50 * DAY, MEASURE_NEVER, 10),
        span(2, 0, MEASURE_NEVER, 30),
    };
    struct measure_retention r = of(subscriptions, 4, 3, NULL);
    assert_true(fabs(r.churn_gross - 0.2) < 1e-15);
    assert_true(fabs(r.churn_net - 0.1) < 1e-15);
    assert_true(fabs(r.nrr_movement.value - 0.9) < 1e-15);
    assert_true(fabs(r.grr_movement.value - 0.8) < 1e-15);
    assert_true(fabs(r.logo.value - 2.0 / 3) < 1e-15);
    assert_int_equal(r.accounts, 3);
    assert_true(fabs(r.arpa - 45) < 1e-15);
    /* b − R a = −18, 15, 3: s² = 558 / (3 · 2 · (100/3)²). */
    assert_true(fabs(r.nrr_cohort.error - sqrt(558.0 / (6 * pow(100.0 / 3, 2)))) < 1e-12);
}

/* Up by 50 in the first month and down by 50 in the second: nothing from end to end, while the
 * movements of months hold both. */
static void the_two_forms_differ_where_an_account_goes_up_and_down(void **state)
{
    (void)state;
    const struct measure_subscription subscriptions[] = {
        span(0, 0, MEASURE_NEVER, 100),
        span(0, 40 * DAY, 70 * DAY, 50),
        span(1, 0, MEASURE_NEVER, 100),
    };
    struct measure_retention r = of(subscriptions, 3, 2, NULL);
    assert_true(r.nrr_cohort.value == 1 && r.grr_cohort.value == 1);
    assert_true(r.nrr_movement.value == 1);
    assert_true(fabs(r.grr_movement.value - 0.75) < 1e-15);
}

static void who_comes_back_counts_in_net_retention_only_if_the_definition_says_so(void **state)
{
    (void)state;
    const struct measure_subscription subscriptions[] = {
        span(0, 0, 20 * DAY, 70),
        span(0, 50 * DAY, MEASURE_NEVER, 40),
        span(1, 0, MEASURE_NEVER, 100),
    };
    struct measure_retention apart = of(subscriptions, 3, 2, NULL);
    struct measure_retention within = of(subscriptions, 3, 2, "reactivation=within");
    assert_true(apart.nrr_cohort.value == 1 && apart.nrr_movement.value == 1);
    assert_true(fabs(within.nrr_cohort.value - 1.4) < 1e-15);
    assert_true(fabs(within.nrr_movement.value - 1.4) < 1e-15);
    assert_true(within.grr_cohort.value == 1);
}

static void without_anything_at_the_start_there_is_no_figure(void **state)
{
    (void)state;
    const struct measure_subscription late = span(0, FROM + DAY, MEASURE_NEVER, 70);
    struct measure_retention r = of(&late, 1, 1, NULL);
    assert_true(isnan(r.nrr_cohort.value) && isnan(r.logo.value) && isnan(r.nrr_cohort.low));
    assert_int_equal(r.accounts, 0);
    const struct measure_subscription early = span(0, 0, MEASURE_NEVER, 70);
    r = of(&early, 1, 1, NULL);
    assert_true(r.nrr_cohort.value == 1 && isnan(r.nrr_cohort.low)); /* one account: no interval */
}

/* Pairs with a ratio of 1.1: amounts that vary much, changes in proportion. */
static void pairs_make(struct math_random *random, int64_t *now, int64_t *then, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        then[i] = (int64_t)(1000 * exp(0.8 * math_random_normal(random)));
        double left = math_random_unit(random) < 0.1 ? 0 : 1.1 / 0.9;
        now[i] = (int64_t)((double)then[i] * left * exp(0.2 * math_random_normal(random) - 0.02));
    }
}

/* The oracle: accounts drawn anew 2,000 times. */
static void the_interval_agrees_with_a_bootstrap_over_accounts(void **state)
{
    (void)state;
    enum { COUNT = 400, DRAWS = 2000 };
    struct math_random random;
    math_random_init(&random, 7);
    int64_t now[COUNT];
    int64_t then[COUNT];
    pairs_make(&random, now, then, COUNT);
    struct measure_ratio ratio = measure_ratio_of(now, then, COUNT);
    double sum = 0;
    double squares = 0;
    for (int d = 0; d < DRAWS; d++) {
        double b = 0;
        double a = 0;
        for (int i = 0; i < COUNT; i++) {
            size_t at = math_random_below(&random, COUNT);
            b += (double)now[at];
            a += (double)then[at];
        }
        sum += b / a;
        squares += b / a * (b / a);
    }
    double mean = sum / DRAWS;
    double deviation = sqrt(squares / DRAWS - mean * mean);
    assert_true(fabs(deviation / ratio.error - 1) < 0.08);
    assert_true(fabs(mean - ratio.value) < 0.2 * ratio.error);
}

/* Null data: without any trend the interval of NRR leaves out 1 in about 5 % of the cases. */
static void without_a_trend_the_interval_leaves_out_one_at_the_stated_rate(void **state)
{
    (void)state;
    enum { COUNT = 200, RUNS = 1000 };
    struct math_random random;
    math_random_init(&random, 11);
    int wrong = 0;
    for (int run = 0; run < RUNS; run++) {
        int64_t now[COUNT];
        int64_t then[COUNT];
        for (int i = 0; i < COUNT; i++) {
            then[i] = 10000 + (int64_t)math_random_below(&random, 90000);
            now[i] = then[i] + (int64_t)math_random_below(&random, 8001) - 4000;
        }
        struct measure_ratio ratio = measure_ratio_of(now, then, COUNT);
        wrong += ratio.low > 1 || ratio.high < 1;
    }
    assert_in_range(wrong, 25, 80); /* 50 ∓ 3.6 standard errors */
}

static void periods_that_are_none_are_refused(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    struct measure_retention r;
    measure_rules_default(&rules);
    assert_true(measure_spells_make(NULL, 0, 0, &rules, &spells, &fault));
    assert_false(measure_retention_of(&spells, &rules, TO, FROM, &r, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_false(measure_retention_of(&spells, &rules, FROM, MEASURE_NEVER, &r, &fault));
    assert_true(measure_retention_of(&spells, &rules, FROM, TO, &r, &fault));
    measure_spells_fini(&spells);
}

static void a_period_has_a_longest(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    int64_t latest = 0;
    int64_t day_ms = INT64_C(86400000);
    assert_true(measure_months_later(FROM, MEASURE_MONTHS_MAX, &latest));
    assert_true(measure_period_check(FROM, latest, &fault));
    assert_false(measure_period_check(FROM, latest + 1, &fault));
    assert_string_equal(fault.field, "to");
    assert_false(measure_period_check(FROM, FROM, &fault));
    /* The last century that a date can be of has no day so many months later. */
    assert_true(
        measure_period_check(FEATURE_DATE_MS_MAX - 40 * day_ms, FEATURE_DATE_MS_MAX, &fault));
    assert_false(measure_period_check(INT64_MIN, FROM, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gross_churn_is_a_fifth_and_net_churn_a_tenth),
        cmocka_unit_test(the_two_forms_differ_where_an_account_goes_up_and_down),
        cmocka_unit_test(who_comes_back_counts_in_net_retention_only_if_the_definition_says_so),
        cmocka_unit_test(without_anything_at_the_start_there_is_no_figure),
        cmocka_unit_test(the_interval_agrees_with_a_bootstrap_over_accounts),
        cmocka_unit_test(without_a_trend_the_interval_leaves_out_one_at_the_stated_rate),
        cmocka_unit_test(periods_that_are_none_are_refused),
        cmocka_unit_test(a_period_has_a_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
