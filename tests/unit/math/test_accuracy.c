/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/accuracy.h"
#include "server/math/portable.h"
#include "server/math/random.h"

static void losses_match_the_example_done_by_hand(void **state)
{
    (void)state;
    /* docs/methods/calibration.md: Brier (0.01 + 0.16 + 0.09 + 0.04) / 4. */
    const double p[] = {0.9, 0.6, 0.3, 0.2};
    const uint8_t labels[] = {1, 1, 0, 0};
    assert_true(fabs(math_brier(p, labels, 4) - 0.075) < 1e-15);
    double wanted = -(log(0.9) + log(0.6) + log(0.7) + log(0.8)) / 4.0;
    assert_true(fabs(math_log_loss(p, labels, 4) - wanted) < 1e-15);
    /* Each row alone in its bin: mean of |p − y|. */
    assert_true(fabs(math_ece(p, labels, 4, 10) - (0.1 + 0.4 + 0.3 + 0.2) / 4.0) < 1e-15);
    /* One bin: the gap of the means, 0.5 − 0.5. */
    assert_true(math_ece(p, labels, 4, 1) < 1e-15);
}

static void log_loss_of_certain_mistakes_is_finite(void **state)
{
    (void)state;
    const double p[] = {0.0, 1.0, 1.0};
    const uint8_t labels[] = {1, 0, 1};
    double loss = math_log_loss(p, labels, 3);
    assert_true(loss > 20.0 && loss < 40.0);
    assert_true(math_ece(p, labels, 3, 10) > 0.6);
}

static void wilson_matches_a_published_case_and_stays_inside(void **state)
{
    (void)state;
    /* Newcombe 1998, table I: 81 of 263 gives 0.2553 … 0.3662, 15 of 148 gives 0.0624 … 0.1605,
     * 0 of 20 gives 0 … 0.1611, 1 of 29 gives 0.0061 … 0.1718. */
    const struct {
        size_t positives, total;
        double low, high;
    } cases[] = {{81, 263, 0.2553, 0.3662},
                 {15, 148, 0.0624, 0.1605},
                 {0, 20, 0.0, 0.1611},
                 {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < 4; i++) {
        double low;
        double high;
        math_wilson(cases[i].positives, cases[i].total, &low, &high);
        assert_true(fabs(low - cases[i].low) < 5.1e-5);
        assert_true(fabs(high - cases[i].high) < 5.1e-5);
    }
    double low;
    double high;
    math_wilson(5, 5, &low, &high);
    assert_true(high == 1.0 && low > 0.5);
}

static void platt_recovers_a_planted_slope(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    static double x[COUNT];
    static uint8_t labels[COUNT];
    struct math_random random;
    math_random_init(&random, 8);
    for (size_t i = 0; i < COUNT; i++) {
        x[i] = math_random_normal(&random) * 2.0;
        labels[i] = math_random_unit(&random) < math_logistic(-1.0 + 0.7 * x[i]);
    }
    struct math_platt fit;
    assert_true(math_platt_fit(x, labels, COUNT, &fit));
    assert_true(fabs(fit.offset + 1.0) < 0.08);
    assert_true(fabs(fit.slope - 0.7) < 0.06);
}

static void platt_does_not_turn_the_order_around(void **state)
{
    (void)state;
    const double x[] = {1.0, 2.0, 3.0, 4.0};
    const uint8_t labels[] = {1, 1, 0, 0};
    struct math_platt fit;
    assert_true(math_platt_fit(x, labels, 4, &fit));
    assert_true(fit.slope == 0.0);
    assert_true(fabs(fit.offset) < 1e-12);
    const uint8_t apart[] = {0, 0, 1, 1}; /* perfectly separable: stays finite */
    assert_true(math_platt_fit(x, apart, 4, &fit));
    assert_true(fit.slope > 0.0 && isfinite(fit.slope) && isfinite(fit.offset));
    const uint8_t none[] = {0, 0, 0, 0};
    assert_false(math_platt_fit(x, none, 4, &fit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_match_the_example_done_by_hand),
        cmocka_unit_test(log_loss_of_certain_mistakes_is_finite),
        cmocka_unit_test(wilson_matches_a_published_case_and_stays_inside),
        cmocka_unit_test(platt_recovers_a_planted_slope),
        cmocka_unit_test(platt_does_not_turn_the_order_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
