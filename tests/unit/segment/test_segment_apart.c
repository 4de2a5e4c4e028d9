/* SPDX-License-Identifier: Apache-2.0 */
/* How differently values are spread: the worked example, what the same spread gives, chance alone
 * tells of a field but rarely, and the correction of Holm. ICP_LONG=1 draws more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/segment/segment_apart.h"

enum { FIELDS = 20, BINS = 5, ACCOUNTS = 600 };

/* Two bins, 30 and 10 within, 20 and 40 outside: docs/methods/segments.md, recomputed by scipy's
 * jensenshannon(base 2) and chi2_contingency(lambda_="log-likelihood", correction=False). */
static void worked_example_is_met(void **state)
{
    (void)state;
    const uint64_t within[] = {30, 10};
    const uint64_t others[] = {20, 40};
    struct segment_apart apart = segment_apart(within, others, 2);
    assert_true(fabs(apart.distance - 0.3608293903344889) < 1e-12);
    assert_true(fabs(apart.chance - 3.2581880946982096e-05) < 1e-13);
    assert_int_equal(apart.bin, 0);
    assert_true(apart.within == 0.75 && fabs(apart.others - 1.0 / 3) < 1e-15);
}

static void the_same_spread_is_no_distance(void **state)
{
    (void)state;
    const uint64_t within[] = {10, 20, 0, 30};
    const uint64_t others[] = {100, 200, 0, 300};
    const uint64_t nobody[] = {0, 0, 0, 0};
    const uint64_t first[] = {40, 0, 0, 0};
    const uint64_t last[] = {0, 0, 0, 70};
    struct segment_apart apart = segment_apart(within, others, 4);
    assert_true(apart.distance < 1e-7 && apart.chance > 0.999);
    apart = segment_apart(within, nobody, 4);
    assert_true(apart.distance == 0 && apart.chance == 1);
    apart = segment_apart(nobody, others, 4);
    assert_true(apart.distance == 0 && apart.chance == 1);
    apart = segment_apart(first, last, 4);
    assert_true(fabs(apart.distance - 1) < 1e-12 && apart.chance < 1e-20);
}

/* Many times the accounts, the same shares: as far apart, and no longer chance. */
static void distance_does_not_grow_with_the_accounts(void **state)
{
    (void)state;
    const uint64_t few[] = {6, 4};
    const uint64_t few_others[] = {10, 10};
    const uint64_t many[] = {600, 400};
    const uint64_t many_others[] = {1000, 1000};
    struct segment_apart small = segment_apart(few, few_others, 2);
    struct segment_apart large = segment_apart(many, many_others, 2);
    assert_true(fabs(small.distance - large.distance) < 1e-12);
    assert_true(small.chance > 0.3 && large.chance < 1e-6);
}

/* Bins that few accounts have do not make a difference of their own. */
static void rare_bins_count_as_one(void **state)
{
    (void)state;
    uint64_t within[256] = {500, 500};
    uint64_t others[256] = {5000, 5000};
    for (size_t i = 2; i < 256; i += 2) {
        within[i] = 1;
        others[i] = i % 20 == 0 ? 10 : 9;
    }
    assert_true(segment_apart(within, others, 256).chance > 0.01);
}

static void holm_never_falls_and_stops_at_one(void **state)
{
    (void)state;
    double chances[] = {0.04, 0.001, 0.3, 0.011};
    segment_holm(chances, 4);
    const double expected[] = {0.08, 0.004, 0.3, 0.033};
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabs(chances[i] - expected[i]) < 1e-12);
    }
    double large[] = {0.9, 0.8};
    segment_holm(large, 2);
    assert_true(large[0] == 1 && large[1] == 1);
}

/* Whether any of FIELDS fields is told of a segment drawn at random; planted: of the first field
 * the segment has more of one bin. */
static bool any_told(struct math_random *random, bool planted)
{
    uint64_t counts[FIELDS][2][BINS];
    double chances[FIELDS];
    memset(counts, 0, sizeof counts);
    for (size_t a = 0; a < ACCOUNTS; a++) {
        size_t side = math_random_unit(random) < 0.2 ? 0 : 1;
        for (size_t f = 0; f < FIELDS; f++) {
            double u = math_random_unit(random);
            size_t bin = (size_t)(u * u * BINS);
            if (planted && f == 0 && side == 0 && math_random_unit(random) < 0.3) {
                bin = BINS - 1;
            }
            counts[f][side][bin]++;
        }
    }
    for (size_t f = 0; f < FIELDS; f++) {
        chances[f] = segment_apart(counts[f][0], counts[f][1], BINS).chance;
    }
    segment_holm(chances, FIELDS);
    bool any = false;
    for (size_t f = 0; f < FIELDS; f++) {
        any = any || chances[f] <= 0.05;
    }
    return any && (!planted || chances[0] <= 0.05);
}

static void chance_alone_is_told_in_one_draw_of_twenty_at_most(void **state)
{
    (void)state;
    struct math_random random;
    unsigned draws = getenv("ICP_LONG") != NULL ? 4000 : 400;
    unsigned told = 0;
    unsigned found = 0;
    math_random_init(&random, 11);
    for (unsigned i = 0; i < draws; i++) {
        told += any_told(&random, false);
        found += any_told(&random, true);
    }
    /* Of 400 draws at 5 %: 20, and 31 in one of a hundred such tests. */
    assert_true(told <= draws * 5 / 100 + (draws == 400 ? 11 : 40));
    assert_true(found >= draws * 95 / 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example_is_met),
        cmocka_unit_test(the_same_spread_is_no_distance),
        cmocka_unit_test(distance_does_not_grow_with_the_accounts),
        cmocka_unit_test(rare_bins_count_as_one),
        cmocka_unit_test(holm_never_falls_and_stops_at_one),
        cmocka_unit_test(chance_alone_is_told_in_one_draw_of_twenty_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
