/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/load/load_arrival.h"
#include "bench/load/load_zipf.h"

static void arrivals_keep_the_mean_rate(void **state)
{
    (void)state;
    static const struct load_arrival_options all[] = {
        {.rate = 1000},
        {.rate = 1000, .even = true},
        {.rate = 1000, .burst_factor = 4, .burst_share = 0.1, .burst_period_s = 1}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct load_arrival arrival;
        uint64_t last = 0;
        load_arrival_init(&arrival, &all[i], 1);
        for (unsigned n = 0; n < 100000; n++) {
            uint64_t at = load_arrival_next(&arrival);
            assert_true(at >= last);
            last = at;
        }
        assert_true(fabs((double)last / 1e9 - 100) < 2); /* 100 s for 100,000 at 1,000 a second */
    }
}

static void bursts_come_at_their_share_of_the_period(void **state)
{
    (void)state;
    const struct load_arrival_options options = {
        .rate = 1000, .burst_factor = 4, .burst_share = 0.1, .burst_period_s = 1};
    struct load_arrival arrival;
    unsigned within = 0;
    load_arrival_init(&arrival, &options, 2);
    for (unsigned n = 0; n < 100000; n++) {
        within += load_arrival_next(&arrival) % 1000000000 < 100000000;
    }
    assert_in_range(within, 38000, 42000); /* 4 × 0.1 of all */
}

static void zipf_follows_its_law(void **state)
{
    (void)state;
    enum { RANKS = 1000, DRAWS = 1000000 };
    static const double exponents[] = {0.5, 0.99, 1.0, 1.5};
    for (size_t e = 0; e < sizeof exponents / sizeof *exponents; e++) {
        struct load_zipf zipf;
        struct math_random random;
        unsigned *counts = calloc(RANKS, sizeof *counts);
        double sum = 0;
        assert_non_null(counts);
        load_zipf_init(&zipf, exponents[e], RANKS);
        math_random_init(&random, 3);
        for (unsigned i = 0; i < DRAWS; i++) {
            uint64_t rank = load_zipf_draw(&zipf, &random);
            assert_true(rank < RANKS);
            counts[rank]++;
        }
        for (unsigned k = 1; k <= RANKS; k++) {
            sum += pow(k, -exponents[e]);
        }
        for (unsigned k = 1; k <= 10; k++) {
            double expected = DRAWS * pow(k, -exponents[e]) / sum;
            assert_true(fabs(counts[k - 1] - expected) < 5 * sqrt(expected) + 1);
        }
        free(counts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals_keep_the_mean_rate),
        cmocka_unit_test(bursts_come_at_their_share_of_the_period),
        cmocka_unit_test(zipf_follows_its_law),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
