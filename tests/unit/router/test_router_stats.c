/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles are within 1/32 of the exact ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "client/router/router_stats.h"

static void percentiles_are_near_the_exact_ones(void **state)
{
    struct router_stats *stats = calloc(1, sizeof *stats);
    (void)state;
    assert_int_equal(router_stats_percentile(stats, .5), 0);
    for (uint64_t i = 1; i <= 100000; i++) {
        router_stats_time(stats, i);
    }
    for (int share = 1; share <= 100; share++) {
        uint64_t exact = (uint64_t)share * 1000;
        uint64_t told = router_stats_percentile(stats, (double)share / 100);
        assert_true(told >= exact && told <= exact + exact / 16);
    }
    router_stats_time(stats, UINT64_MAX);
    assert_true(router_stats_percentile(stats, 1) >= UINT64_MAX / 2);
    free(stats);
}

static void small_times_are_exact(void **state)
{
    struct router_stats *stats = calloc(1, sizeof *stats);
    (void)state;
    router_stats_time(stats, 0);
    assert_int_equal(router_stats_percentile(stats, .99), 0);
    router_stats_time(stats, 17);
    assert_int_equal(router_stats_percentile(stats, .99), 17);
    free(stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_near_the_exact_ones),
        cmocka_unit_test(small_times_are_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
