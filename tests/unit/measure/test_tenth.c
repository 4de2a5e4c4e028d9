/* SPDX-License-Identifier: Apache-2.0 */
/* Tenths of cases by score: even where scores differ, together where they do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/measure/tenth.h"

static struct proto_fault fault;

static void scores_that_differ_make_even_tenths(void **state)
{
    (void)state;
    int64_t raws[200];
    uint32_t tenths[200];
    unsigned counts[MEASURE_TENTHS] = {0};
    for (int i = 0; i < 200; i++) {
        raws[i] = (i * 73) % 200 - 100;
    }
    assert_true(measure_tenths(raws, 200, tenths, NULL, &fault));
    for (int i = 0; i < 200; i++) {
        assert_int_equal(tenths[i], (raws[i] + 100) / 20);
        counts[tenths[i]]++;
    }
    for (int t = 0; t < MEASURE_TENTHS; t++) {
        assert_int_equal(counts[t], 20);
    }
}

static void one_score_is_one_tenth(void **state)
{
    (void)state;
    const int64_t raws[] = {7, 7, 7, 9, 7};
    uint32_t tenths[5];
    assert_true(measure_tenths(raws, 5, tenths, NULL, &fault));
    assert_int_equal(tenths[0], tenths[1]);
    assert_int_equal(tenths[0], tenths[4]);
    assert_true(tenths[3] > tenths[0]);
    assert_true(measure_tenths(raws, 0, tenths, NULL, &fault));
    assert_true(measure_tenths(raws, 1, tenths, NULL, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_that_differ_make_even_tenths),
        cmocka_unit_test(one_score_is_one_tenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
