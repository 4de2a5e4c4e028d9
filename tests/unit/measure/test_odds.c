/* SPDX-License-Identifier: Apache-2.0 */
/* Odds ratios over strata beside R's mantelhaen.test, corrections beside p.adjust. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/order.h"
#include "server/measure/odds.h"

/* Men and women admitted to six departments (Bickel, Hammel and O'Connell 1975). */
static struct measure_odds berkeley(void)
{
    static const double tables[][4] = {
        {512, 313, 89, 19},   {353, 207, 17, 8},  {120, 205, 202, 391},
        {138, 279, 131, 244}, {53, 138, 94, 299}, {22, 351, 24, 317},
    };
    struct measure_odds odds = {.n = 0};
    for (int i = 0; i < 6; i++) {
        measure_odds_add(&odds, tables[i][0], tables[i][1], tables[i][2], tables[i][3]);
    }
    return odds;
}

static void the_ratio_and_its_test_are_those_of_r(void **state)
{
    (void)state;
    struct measure_odds odds = berkeley();
    double ratio = 0;
    double low = 0;
    double high = 0;
    measure_odds_ratio(&odds, &ratio, &low, &high);
    assert_true(fabs(ratio - 0.904696828259) < 1e-11);
    assert_true(fabs(low - 0.771907361759) < 1e-11);
    assert_true(fabs(high - 1.060329764437) < 1e-11);
    double z = measure_odds_z(&odds);
    assert_true(z < 0 && fabs(z * z - 1.42694622859) < 1e-10);
    assert_true(fabs(measure_two_sided(z) - 0.2322637) < 1e-6);
    assert_true(fabs(measure_one_sided(z) + measure_one_sided(-z) - 1) < 1e-15);
}

static void a_stratum_of_one_kind_changes_nothing(void **state)
{
    (void)state;
    struct measure_odds odds = berkeley();
    double z = measure_odds_z(&odds);
    double before = 0;
    double after = 0;
    double end = 0;
    measure_odds_ratio(&odds, &before, &end, &end);
    measure_odds_add(&odds, 40, 60, 0, 0); /* everybody has it */
    measure_odds_add(&odds, 0, 0, 40, 60); /* nobody */
    measure_odds_add(&odds, 40, 0, 60, 0); /* all won */
    measure_odds_add(&odds, 0, 0, 0, 0);
    measure_odds_ratio(&odds, &after, &end, &end);
    assert_true(measure_odds_z(&odds) == z && after == before);
}

static void what_is_too_thin_for_the_normal_law_has_no_test(void **state)
{
    (void)state;
    struct measure_odds odds = {.n = 0};
    double ratio = 0;
    double low = 0;
    double high = 0;
    measure_odds_ratio(&odds, &ratio, &low, &high);
    assert_true(isnan(ratio) && isnan(measure_odds_z(&odds)));
    measure_odds_add(&odds, 4, 0, 400, 400); /* expected 2 of 4 */
    assert_true(isnan(measure_odds_z(&odds)));
    measure_odds_ratio(&odds, &ratio, &low, &high);
    assert_true(isinf(ratio) && isnan(low) && isnan(high));
    measure_odds_add(&odds, 7, 7, 400, 400);
    assert_true(isfinite(measure_odds_z(&odds)));
}

static void corrections_are_those_of_r(void **state)
{
    (void)state;
    static const double told[] = {.001, .2, .01, .04, .9, .03};
    static const double yekutieli[] = {.0147, .588, .0735, .147, 1, .147};
    static const double holm[] = {.006, .4, .05, .12, .9, .12};
    double p[6];
    uint32_t *order = math_order_create(told, 6);
    assert_non_null(order);
    memcpy(p, told, sizeof p);
    measure_yekutieli(p, order, 6);
    for (int i = 0; i < 6; i++) {
        assert_true(fabs(p[i] - yekutieli[i]) < 1e-12);
    }
    memcpy(p, told, sizeof p);
    measure_holm(p, order, 6);
    for (int i = 0; i < 6; i++) {
        assert_true(fabs(p[i] - holm[i]) < 1e-12);
    }
    measure_yekutieli(p, order, 0);
    free(order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ratio_and_its_test_are_those_of_r),
        cmocka_unit_test(a_stratum_of_one_kind_changes_nothing),
        cmocka_unit_test(what_is_too_thin_for_the_normal_law_has_no_test),
        cmocka_unit_test(corrections_are_those_of_r),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
