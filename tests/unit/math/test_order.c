/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "server/math/order.h"

static void order_is_ascending_with_ties_by_index(void **state)
{
    (void)state;
    const double scores[] = {3.0, 1.0, 2.0, 1.0, 3.0};
    uint32_t *order = math_order_create(scores, 5);
    assert_non_null(order);
    const uint32_t wanted[] = {1, 3, 2, 0, 4};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(order[i], wanted[i]);
    }
    free(order);
    order = math_order_create(scores, 0);
    assert_non_null(order);
    free(order);
}

static void quantiles_interpolate_like_type_7(void **state)
{
    (void)state;
    int64_t values[] = {40, 10, 30, 20};
    math_sort_i64(values, 4);
    assert_int_equal(math_quantile_i64(values, 4, 0, 1000), 10);
    assert_int_equal(math_quantile_i64(values, 4, 1000, 1000), 40);
    assert_int_equal(math_quantile_i64(values, 4, 500, 1000), 25);
    assert_int_equal(math_quantile_i64(values, 4, 1, 3), 20);
    assert_int_equal(math_quantile_i64(values, 1, 1, 3), 10);
    const double doubles[] = {1.0, 2.0, 4.0};
    assert_true(math_quantile(doubles, 3, 0.75) == 3.0);
    assert_true(math_quantile(doubles, 3, 1.0) == 4.0);
}

static void a_median_has_ends_from_eight_values_on(void **state)
{
    (void)state;
    static const double few[] = {1, 2, 3, 5, 8, 13, 21, 34};
    double many[100];
    double median[3];
    math_median(few, 7, median);
    assert_true(median[0] == 5 && isnan(median[1]) && isnan(median[2]));
    math_median(few, 8, median);
    assert_true(median[0] == 6.5 && median[1] == 1 && median[2] == 34);
    for (int i = 0; i < 100; i++) {
        many[99 - i] = i + 1;
    }
    qsort(many, 100, sizeof *many, math_ascending);
    math_median(many, 100, median); /* ranks 50 - 9.8 and 50 + 9.8 + 1 */
    assert_true(median[0] == 50.5 && median[1] == 40 && median[2] == 61);
}

static void quantiles_never_descend(void **state)
{
    (void)state;
    int64_t values[37];
    for (int64_t i = 0; i < 37; i++) {
        values[i] = (i * i * i - 20000) / 7;
    }
    int64_t before = INT64_MIN;
    for (unsigned part = 0; part <= 1000; part++) {
        int64_t q = math_quantile_i64(values, 37, part, 1000);
        assert_true(q >= before);
        before = q;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_is_ascending_with_ties_by_index),
        cmocka_unit_test(quantiles_interpolate_like_type_7),
        cmocka_unit_test(a_median_has_ends_from_eight_values_on),
        cmocka_unit_test(quantiles_never_descend),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
