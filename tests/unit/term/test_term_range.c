/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds that are kept up block by block, against those worked out from all blocks at once: the
 * two-sided interval of term_lift_interval, and the rule's bounds by their definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/term/term_range.h"

static void near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance)) {
        fail_msg("%.12g, wanted %.12g", found, wanted);
    }
}

static const struct term_block berkeley[] = {{825, 108, 601, 512}, {560, 25, 370, 353},
                                             {325, 593, 322, 120}, {417, 375, 269, 138},
                                             {191, 393, 147, 53},  {373, 341, 46, 22}};
enum { DEPARTMENTS = sizeof berkeley / sizeof *berkeley };

static double chance(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static struct term_block block_of(uint64_t *seed, double rate_on, double rate_off)
{
    struct term_block block = {.on = 4, .off = 8};
    for (int i = 0; i < 12; i++) {
        bool won = chance(seed) < (i < 4 ? rate_on : rate_off);
        block.won += won;
        block.won_on += won && i < 4;
    }
    return block;
}

static void the_interval_is_that_of_all_blocks_at_once(void **state)
{
    struct term_range range;
    struct term_bounds bounds;
    double low;
    double high;
    (void)state;
    term_range_begin(&range);
    for (size_t i = 0; i < DEPARTMENTS; i++) {
        term_range_add(&range, &berkeley[i]);
    }
    term_range_bounds(&range, .05, &bounds);
    term_lift_interval(berkeley, DEPARTMENTS, .05, &low, &high);
    near(bounds.low, low, 1e-6);
    near(bounds.high, high, 1e-6);
    near(bounds.low, .690952, 1e-4);
    near(bounds.high, 1.182438, 1e-4);
    near(bounds.log_e_more, -3.29443, 1e-4);
    assert_true(bounds.rule_low < .90507 && bounds.rule_high > .90507);
}

/* The definition: the mean over z of the blocks' likelihood e^z away. */
static double e_more(const struct term_block *blocks, size_t count, double log_ratio)
{
    struct term_lift lift;
    double sum = 0;
    double here = 0;
    term_lift_begin(&lift);
    for (size_t b = 0; b < count; b++) {
        here += term_block_log_p(&blocks[b], log_ratio);
    }
    for (int i = 0; i < TERM_LIFT_POINTS; i++) {
        double there = 0;
        for (size_t b = 0; b < count; b++) {
            there += term_block_log_p(&blocks[b], log_ratio + lift.points[i]);
        }
        sum += exp(there - here);
    }
    return sum / TERM_LIFT_POINTS;
}

static void the_rules_lower_bound_is_where_its_e_meets_the_threshold(void **state)
{
    enum { BLOCKS = 40 };
    struct term_block blocks[BLOCKS];
    struct term_range range;
    struct term_bounds bounds;
    uint64_t seed = 11;
    (void)state;
    term_range_begin(&range);
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = block_of(&seed, .4, .15);
        term_range_add(&range, &blocks[i]);
    }
    term_range_bounds(&range, .05, &bounds);
    assert_true(bounds.rule_low > 0 && isfinite(bounds.rule_high));
    near(e_more(blocks, BLOCKS, log(bounds.rule_low)), 25, 1e-3);
}

/* Week by week, of lists that win more, less and as often: one rule, told twice. */
static void a_bound_lies_beyond_one_exactly_where_the_rule_judges(void **state)
{
    static const double rates[][2] = {{.45, .12}, {.1, .4}, {.2, .2}};
    unsigned judged[3] = {0};
    uint64_t seed = 5;
    (void)state;
    for (size_t r = 0; r < 3; r++) {
        struct term_range range;
        struct term_bounds bounds;
        term_range_begin(&range);
        for (int week = 0; week < 60; week++) {
            struct term_block block = block_of(&seed, rates[r][0], rates[r][1]);
            term_range_add(&range, &block);
            term_range_bounds(&range, .05, &bounds);
            assert_int_equal(bounds.verdict == TERM_SUPPORTED, bounds.rule_low > 1);
            assert_int_equal(bounds.verdict == TERM_REFUTED, bounds.rule_high < 1);
            judged[bounds.verdict]++;
        }
    }
    assert_true(judged[TERM_SUPPORTED] > 10 && judged[TERM_REFUTED] > 10 &&
                judged[TERM_INSUFFICIENT] > 60);
}

/* The chance that bounds, looked at each week, ever miss the odds ratio that there is. */
static void bounds_looked_at_each_week_rarely_miss(void **state)
{
    enum { RUNS = 60, WEEKS = 30 };
    /* Odds .3/.7 against .15/.85. */
    const double truth = (.3 / .7) / (.15 / .85);
    unsigned missed = 0;
    uint64_t seed = 20270104;
    (void)state;
    for (int run = 0; run < RUNS; run++) {
        struct term_range range;
        struct term_bounds bounds;
        bool out = false;
        term_range_begin(&range);
        for (int week = 0; week < WEEKS; week++) {
            struct term_block block = block_of(&seed, .3, .15);
            term_range_add(&range, &block);
            term_range_bounds(&range, .05, &bounds);
            out |= truth < bounds.rule_low || truth > bounds.rule_high;
        }
        missed += out;
    }
    assert_true((double)missed / RUNS <= .05 + 3 * sqrt(.05 * .95 / RUNS));
}

static void nothing_known_is_anywhere(void **state)
{
    static const struct term_block silent = {3, 4, 0, 0};
    struct term_range range;
    struct term_bounds bounds;
    (void)state;
    term_range_begin(&range);
    term_range_add(&range, &silent);
    term_range_bounds(&range, .05, &bounds);
    assert_true(bounds.low == 0 && isinf(bounds.high));
    assert_true(bounds.rule_low == 0 && isinf(bounds.rule_high));
    assert_int_equal(bounds.verdict, TERM_INSUFFICIENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_interval_is_that_of_all_blocks_at_once),
        cmocka_unit_test(the_rules_lower_bound_is_where_its_e_meets_the_threshold),
        cmocka_unit_test(a_bound_lies_beyond_one_exactly_where_the_rule_judges),
        cmocka_unit_test(bounds_looked_at_each_week_rarely_miss),
        cmocka_unit_test(nothing_known_is_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
