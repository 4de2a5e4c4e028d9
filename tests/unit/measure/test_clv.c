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

#include "server/math/random.h"
#include "server/measure/measure_clv.h"

/* The worked example of docs/methods/clv.md (Fader and Hardie 2007, customers of 1,000 lost in
 * seven years); values by scipy's Nelder-Mead over scipy's betaln. */
static const uint32_t LOST[7] = {131, 126, 90, 60, 42, 34, 26};

static void shifted_beta_geometric_has_the_published_values(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_fit fit;
    assert_true(measure_sbg_fit(LOST, 7, 1000, &fit, &fault));
    assert_true(fabs(fit.value[0] - 0.66808834) < 1e-5);
    assert_true(fabs(fit.value[1] - 3.80609487) < 1e-4);
    assert_true(fabs(fit.log_likelihood + 1611.158147391156) < 1e-8);
    assert_true(fit.low[0] < 0.668 && fit.high[0] > 0.668 && fit.low[0] > 0.4);
    assert_true(fabs(measure_contract_residual(&fit, 0.1, 1) - 5.41448) < 1e-4);
    assert_int_equal(fit.n, 1000);
    /* The sum that the closed form stands for, of a customer who renewed n − 1 times. */
    for (unsigned n = 1; n < 6; n++) {
        double sum = 0;
        double factor = 1;
        for (unsigned t = 0; t < 2000; t++) {
            sum += measure_contract_survival(&fit, n + t) * factor;
            factor /= 1.1;
        }
        sum /= measure_contract_survival(&fit, n - 1);
        assert_true(fabs(measure_contract_residual(&fit, 0.1, n) / sum - 1) < 1e-9);
    }
    assert_true(isnan(measure_contract_residual(&fit, 0, 1)));
}

static void beta_discrete_weibull_has_scipys_values_and_is_sbg_where_nothing_bends(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_fit fit;
    assert_true(measure_bdw_fit(LOST, 7, 1000, &fit, &fault));
    assert_true(fabs(fit.log_likelihood + 1605.314213214193) < 1e-7);
    assert_true(fabs(fit.value[0] - 0.21425335) < 1e-4);
    assert_true(fabs(fit.value[1] - 1.42657501) < 1e-3);
    assert_true(fabs(fit.value[2] - 1.72356481) < 1e-4);
    struct measure_fit same = {.count = 3, .value = {0.668, 3.806, 1}};
    struct measure_fit plain = {.count = 2, .value = {0.668, 3.806}};
    for (unsigned t = 1; t < 9; t++) {
        assert_true(fabs(measure_contract_survival(&same, t) -
                         measure_contract_survival(&plain, t)) < 1e-14);
    }
    assert_true(
        fabs(measure_contract_residual(&same, 0.1, 2) / measure_contract_residual(&plain, 0.1, 2) -
             1) < 1e-9);
}

/* Gamma(shape, 1) by Marsaglia and Tsang 2000, for planted customers. */
static double gamma_draw(struct math_random *random, double shape)
{
    double boost = 1;
    if (shape < 1) {
        boost = pow(1 - math_random_unit(random), 1 / shape);
        shape += 1;
    }
    double d = shape - 1.0 / 3;
    double c = 1 / sqrt(9 * d);
    for (;;) {
        double x = math_random_normal(random);
        double v = pow(1 + c * x, 3);
        if (v > 0 && log(1 - math_random_unit(random)) < 0.5 * x * x + d - d * v + d * log(v)) {
            return boost * d * v;
        }
    }
}

static double beta_draw(struct math_random *random, double a, double b)
{
    double x = gamma_draw(random, a);
    double y = gamma_draw(random, b);
    return x / (x + y);
}

/* Null data: lives by sBG, so BdW has nothing to find; its gain passes 3.84 / 2 in about 5 %. */
static void a_bend_that_is_not_there_is_found_at_the_stated_rate(void **state)
{
    (void)state;
    enum { RUNS = 200, CUSTOMERS = 2000, PERIODS = 8 };
    struct math_random random;
    struct proto_fault fault = {.code = PROTO_OK};
    math_random_init(&random, 5);
    int found = 0;
    for (int run = 0; run < RUNS; run++) {
        uint32_t lost[PERIODS] = {0};
        for (int i = 0; i < CUSTOMERS; i++) {
            double theta = beta_draw(&random, 1.2, 3);
            for (int t = 0; t < PERIODS; t++) {
                if (math_random_unit(&random) < theta) {
                    lost[t]++;
                    break;
                }
            }
        }
        struct measure_fit sbg;
        struct measure_fit bdw;
        assert_true(measure_sbg_fit(lost, PERIODS, CUSTOMERS, &sbg, &fault));
        if (measure_bdw_fit(lost, PERIODS, CUSTOMERS, &bdw, &fault)) {
            found += 2 * (bdw.log_likelihood - sbg.log_likelihood) > 3.841;
            assert_true(bdw.log_likelihood >= sbg.log_likelihood - 1e-6);
        }
    }
    assert_in_range(found, 1, 21); /* 10 ∓ 3.6 standard errors */
}

/* Buyers of known ways: r, α, a, b and p, q, γ. */
static void buyers_make(struct math_random *random, struct measure_buyer *buyers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct measure_buyer *buyer = &buyers[i];
        double rate = gamma_draw(random, 0.8) / 5;
        double drop = beta_draw(random, 1.2, 3);
        double at = 0;
        *buyer = (struct measure_buyer){.watched = 30 + 20 * math_random_unit(random)};
        for (;;) {
            if (at > 0 && math_random_unit(random) < drop) {
                break;
            }
            at += -log(1 - math_random_unit(random)) / rate;
            if (at > buyer->watched) {
                break;
            }
            buyer->repeats++;
            buyer->last = at;
        }
        double scale = gamma_draw(random, 4) / 15;
        double paid = gamma_draw(random, 6.0 * buyer->repeats + 1e-9) / scale;
        buyer->mean_value = buyer->repeats > 0 ? paid / buyer->repeats : 0;
    }
}

static void planted_parameters_lie_within_their_intervals(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static struct measure_buyer buyers[COUNT];
    struct math_random random;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_fit fit;
    math_random_init(&random, 17);
    buyers_make(&random, buyers, COUNT);
    assert_true(measure_bgnbd_fit(buyers, COUNT, NULL, &fit, &fault));
    const double often[4] = {0.8, 5, 1.2, 3};
    for (int i = 0; i < 4; i++) {
        assert_true(fit.low[i] < often[i] && often[i] < fit.high[i]);
    }
    assert_true(measure_gamma_fit(buyers, COUNT, NULL, &fit, &fault));
    const double value[3] = {6, 4, 15};
    for (int i = 0; i < 3; i++) {
        assert_true(fit.low[i] < value[i] && value[i] < fit.high[i]);
    }
    assert_true(fabs(measure_value_correlation(buyers, COUNT)) < 0.1);
}

/* Expected purchases against the same buyers played on: over all of them, within four standard
 * errors. */
static void expected_purchases_are_what_happens(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    struct math_random random;
    math_random_init(&random, 23);
    const struct measure_fit fit = {.count = 4, .value = {0.8, 5, 1.2, 3}};
    /* New customers: expected within 20, from T = 0. */
    const struct measure_buyer fresh = {0, 0, 0, 0};
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < COUNT; i++) {
        double rate = gamma_draw(&random, 0.8) / 5;
        double drop = beta_draw(&random, 1.2, 3);
        double at = 0;
        double bought = 0;
        while ((at += -log(1 - math_random_unit(&random)) / rate) <= 20) {
            bought++;
            if (math_random_unit(&random) < drop) {
                break;
            }
        }
        sum += bought;
        squares += bought * bought;
    }
    double mean = sum / COUNT;
    double error = sqrt((squares / COUNT - mean * mean) / COUNT);
    assert_true(fabs(measure_bgnbd_expected(&fit, &fresh, 20) - mean) < 4 * error);
    assert_true(measure_bgnbd_alive(&fit, &fresh) == 1);
    const struct measure_buyer busy = {20, 10, 40, 0};
    assert_true(measure_bgnbd_alive(&fit, &busy) < 0.01); /* bought often, then not at all */
}

static void what_determines_nothing_is_refused(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_fit fit;
    const uint32_t none[3] = {0, 0, 0};
    const uint32_t many[3] = {5, 5, 5};
    assert_false(measure_sbg_fit(none, 3, 10, &fit, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_false(measure_sbg_fit(many, 3, 10, &fit, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_false(measure_sbg_fit(many, 0, 10, &fit, &fault));
    assert_false(measure_sbg_fit(many, 1, 10, &fit, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    /* Nobody differs from anybody: half leave in each period. */
    const uint32_t alike[4] = {512, 256, 128, 64};
    assert_false(measure_sbg_fit(alike, 4, 1024, &fit, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    const struct measure_buyer once[2] = {{0, 0, 5, 0}, {0, 0, 6, 0}};
    assert_false(measure_bgnbd_fit(once, 2, NULL, &fit, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
    const struct measure_buyer late[2] = {{1, 7, 5, 1}, {1, 2, 6, 1}};
    assert_false(measure_bgnbd_fit(late, 2, NULL, &fit, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_false(measure_gamma_fit(once, 2, NULL, &fit, &fault));
    assert_int_equal(fault.code, PROTO_NO_EVIDENCE);
}

static void purchases_become_buyers_by_day(void **state)
{
    (void)state;
    const int64_t hour = 3600000;
    struct measure_purchase purchases[] = {
        {1, 9 * MEASURE_DAY_MS, 500},         {0, 2 * MEASURE_DAY_MS + hour, 100},
        {0, 2 * MEASURE_DAY_MS, 100},         {0, 16 * MEASURE_DAY_MS, 300},
        {0, 16 * MEASURE_DAY_MS + hour, 200}, {0, 40 * MEASURE_DAY_MS, 900},
        {2, 40 * MEASURE_DAY_MS, 900},
    };
    struct proto_fault fault = {.code = PROTO_OK};
    size_t count = 0;
    const struct measure_watch watch = {30 * MEASURE_DAY_MS, 7 * MEASURE_DAY_MS, 100};
    struct measure_buyer *buyers = measure_buyers_make(purchases, 7, &watch, &count, &fault);
    assert_non_null(buyers);
    assert_int_equal(count, 2); /* the third bought after the end */
    assert_int_equal(buyers[0].repeats, 1);
    assert_true(buyers[0].last == 2 && buyers[0].watched == 4 && buyers[0].mean_value == 5);
    assert_int_equal(buyers[1].repeats, 0);
    assert_true(buyers[1].watched == 3);
    free(buyers);
}

static void tables_hold_both_models(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_table table;
    assert_true(measure_clv_contract_table(LOST, 7, 1000, 0.1, 2, &table, &fault));
    assert_int_equal(measure_table_rows(&table), 9 + 10);
    assert_string_equal(table.cells[1].text, "alpha");
    assert_string_equal(table.cells[9 * table.columns].text, "bdw");
    measure_table_fini(&table);
    struct measure_purchase_options options = {10, 0, 1, NULL};
    enum { COUNT = 800 };
    static struct measure_buyer buyers[COUNT];
    struct math_random random;
    double value[2] = {0};
    math_random_init(&random, 29);
    buyers_make(&random, buyers, COUNT);
    for (int discounted = 0; discounted < 2; discounted++) {
        options.discount = 0.05 * discounted;
        assert_true(measure_clv_purchases_table(buyers, COUNT, &options, &table, &fault));
        assert_int_equal(measure_table_rows(&table), 14);
        value[discounted] = table.cells[13 * table.columns + 2].number;
        measure_table_fini(&table);
    }
    assert_true(value[1] < value[0] && value[1] > value[0] / pow(1.05, 10));
    assert_false(measure_clv_purchases_table(buyers, 0, &options, &table, &fault));
    measure_table_fini(&table);
}

static bool looks_count(void *context, struct proto_fault *why)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(why, PROTO_CANCELLED, "", "no longer wanted");
}

/* However far the measure is, it looks whether it is still wanted: in the fits, and ahead. */
static void who_asked_can_give_up_at_any_point(void **state)
{
    (void)state;
    enum { MANY = 800 };
    static struct measure_buyer buyers[MANY];
    struct math_random random;
    math_random_init(&random, 29);
    buyers_make(&random, buyers, MANY);
    unsigned looks = UINT32_MAX;
    const struct measure_pace pace = {looks_count, &looks};
    const struct measure_purchase_options options = {
        .horizon = 4, .discount = 0.01, .margin = 1, .pace = &pace};
    struct measure_table table;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(measure_clv_purchases_table(buyers, MANY, &options, &table, &fault));
    measure_table_fini(&table);
    unsigned all = UINT32_MAX - looks;
    assert_true(all > 200); /* once a pass over the buyers, and there are hundreds */
    const unsigned at[] = {0, 1, 7, all / 2, all - 2, all - 1};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        looks = at[i];
        fault.code = PROTO_OK;
        assert_false(measure_clv_purchases_table(buyers, MANY, &options, &table, &fault));
        assert_int_equal(fault.code, PROTO_CANCELLED);
        assert_int_equal(looks, UINT32_MAX); /* and is not asked again */
        measure_table_fini(&table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shifted_beta_geometric_has_the_published_values),
        cmocka_unit_test(beta_discrete_weibull_has_scipys_values_and_is_sbg_where_nothing_bends),
        cmocka_unit_test(a_bend_that_is_not_there_is_found_at_the_stated_rate),
        cmocka_unit_test(planted_parameters_lie_within_their_intervals),
        cmocka_unit_test(expected_purchases_are_what_happens),
        cmocka_unit_test(what_determines_nothing_is_refused),
        cmocka_unit_test(purchases_become_buyers_by_day),
        cmocka_unit_test(tables_hold_both_models),
        cmocka_unit_test(who_asked_can_give_up_at_any_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
