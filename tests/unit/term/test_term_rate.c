/* SPDX-License-Identifier: Apache-2.0 */
/* Intervals of a rate that hold at all times, against values worked out with Python from the
 * formula; looked at after every observation, they miss the rate in 5 of 100 runs at most. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/term/term_rate.h"

static void near(double found, double wanted)
{
    if (!(fabs(found - wanted) <= 1e-6)) {
        fail_msg("%.12g, wanted %.12g", found, wanted);
    }
}

static void intervals_are_as_the_formula_has_them(void **state)
{
    double low;
    double high;
    (void)state;
    term_rate_interval(700, 1000, .05, 100, &low, &high);
    near(low, .651629814);
    near(high, .745949501);
    term_rate_interval(5, 50, .05, 50, &low, &high);
    near(low, .013021760);
    near(high, .269264667);
    term_rate_interval(0, 0, .05, 50, &low, &high);
    assert_true(low == 0 && high == 1);
    term_rate_interval(0, 30, .05, 50, &low, &high);
    assert_true(low == 0 && high > 0 && high < .4);
    double mirrored;
    term_rate_interval(30, 30, .05, 50, &mirrored, &low);
    assert_true(low == 1);
    near(1 - mirrored, high);
}

static void runs_looked_at_all_the_time_rarely_miss_the_rate(void **state)
{
    enum { RUNS = 400, LENGTH = 300 };
    unsigned missed = 0;
    uint64_t seed = 3;
    (void)state;
    for (unsigned run = 0; run < RUNS; run++) {
        uint64_t won = 0;
        bool out = false;
        for (uint64_t n = 1; n <= LENGTH; n++) {
            seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            won += (double)(seed >> 11) / 9007199254740992.0 < .3;
            out |= term_rate_log_e(won, n, .3, .05, 100) >= log(20);
        }
        missed += out;
    }
    assert_true((double)missed / RUNS <= .05 + 3 * sqrt(.05 * .95 / RUNS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_as_the_formula_has_them),
        cmocka_unit_test(runs_looked_at_all_the_time_rarely_miss_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
