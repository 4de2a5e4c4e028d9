/* SPDX-License-Identifier: Apache-2.0 */
/* The lift's e-process against scipy's noncentral hypergeometric, the admissions of Berkeley, and
 * simulated years: without effect and looked at weekly it is rarely wrong, where a z-test looked at
 * as often, and one that pools over effort, are (the controls). 150 years here, 10,000 with
 * ICP_LONG=1. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/term/term_lift.h"

enum { WEEKS = 52 };

/* Departments A to F: men, women, admitted, admitted men. */
static const struct term_block berkeley[] = {{825, 108, 601, 512}, {560, 25, 370, 353},
                                             {325, 593, 322, 120}, {417, 375, 269, 138},
                                             {191, 393, 147, 53},  {373, 341, 46, 22}};
enum { DEPARTMENTS = sizeof berkeley / sizeof *berkeley };

static void near(double found, double wanted, double tolerance)
{
    if (!(fabs(found - wanted) <= tolerance)) {
        fail_msg("%.12g, wanted %.12g", found, wanted);
    }
}

static void a_block_has_the_probability_that_scipy_gives_it(void **state)
{
    static const struct {
        struct term_block block;
        double log_ratio, log_p;
    } cases[] = {
        {{4, 8, 3, 2}, 0.5, -1.0925353033255363},
        {{4, 8, 3, 0}, -1.2, -0.5200420401984943},
        {{400, 700, 333, 150}, 0.25, -5.052129681107057},
        {{10, 1, 6, 5}, 3.0, -2.875706267593786},
        {{3, 5, 8, 3}, 1.0, 0},
        {{40, 80, 30, 12}, 0, -2.146332525554044},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        near(term_block_log_p(&cases[i].block, cases[i].log_ratio), cases[i].log_p, 1e-7);
    }
}

static void berkeley_is_as_the_books_have_it(void **state)
{
    struct term_lift lift;
    double low;
    double high;
    (void)state;
    near(term_lift_conditional(berkeley, DEPARTMENTS), .90507, 5e-6);
    near(term_lift_mantel(berkeley, DEPARTMENTS), .90470, 5e-6);
    term_lift_begin(&lift);
    for (size_t i = 0; i < DEPARTMENTS; i++) {
        term_lift_add(&lift, &berkeley[i]);
    }
    near(term_lift_log_e(&lift, TERM_EITHER), -1.75924, 1e-4);
    near(term_lift_log_e(&lift, TERM_MORE), -3.29443, 1e-4);
    term_lift_interval(berkeley, DEPARTMENTS, .05, &low, &high);
    near(low, .690952, 1e-4);
    near(high, 1.182438, 1e-4);
    assert_int_equal(term_lift_verdict(&lift, .05), TERM_INSUFFICIENT);
}

/* Given a block's margins the mean of E is 1, which makes it a test martingale. */
static void the_mean_of_e_is_one_without_effect(void **state)
{
    static const struct term_block margins[] = {{4, 8, 3, 0}, {30, 12, 20, 0}, {1, 1, 1, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof margins / sizeof *margins; i++) {
        double mean[3] = {0};
        struct term_block block = margins[i];
        uint32_t least = block.won > block.off ? block.won - block.off : 0;
        for (uint32_t k = least; k <= block.won && k <= block.on; k++) {
            struct term_lift lift;
            block.won_on = k;
            term_lift_begin(&lift);
            term_lift_add(&lift, &block);
            for (int side = 0; side < 3; side++) {
                mean[side] += exp(term_block_log_p(&block, 0)) *
                              exp(term_lift_log_e(&lift, (enum term_side)side));
            }
        }
        for (int side = 0; side < 3; side++) {
            near(mean[side], 1, 1e-9);
        }
    }
}

static void blocks_that_tell_nothing_change_nothing(void **state)
{
    static const struct term_block silent[] = {
        {0, 5, 2, 0}, {5, 0, 2, 2}, {3, 4, 0, 0}, {3, 4, 7, 3}, {0, 0, 0, 0}};
    struct term_lift lift;
    double low;
    double high;
    (void)state;
    term_lift_begin(&lift);
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        term_lift_add(&lift, &silent[i]);
    }
    near(term_lift_log_e(&lift, TERM_EITHER), 0, 1e-12);
    term_lift_interval(silent, sizeof silent / sizeof *silent, .05, &low, &high);
    assert_true(low == 0 && isinf(high));
    assert_true(isnan(term_lift_conditional(silent, sizeof silent / sizeof *silent)));
    assert_string_equal(term_verdict_word(term_lift_verdict(&lift, .05)), "insufficient");
}

/* Seven of thirteen against none of three, and the other way round. */
static void a_ratio_without_an_end_is_told_as_one(void **state)
{
    (void)state;
    static const struct term_block on = {.on = 13, .off = 3, .won = 7, .won_on = 7};
    static const struct term_block off = {.on = 13, .off = 3, .won = 2, .won_on = 0};
    static const struct term_block both = {.on = 13, .off = 3, .won = 8, .won_on = 7};
    assert_true(isinf(term_lift_conditional(&on, 1)));
    assert_true(term_lift_conditional(&off, 1) == 0);
    double ratio = term_lift_conditional(&both, 1);
    assert_true(ratio > 0 && ratio < 10);
}

static double chance(uint64_t *seed)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(*seed >> 11) / 9007199254740992.0;
}

static uint32_t won_of(uint64_t *seed, uint32_t count, double rate)
{
    uint32_t won = 0;
    for (uint32_t i = 0; i < count; i++) {
        won += chance(seed) < rate;
    }
    return won;
}

static struct term_block block_of(uint64_t *seed, uint32_t on, uint32_t off, double rate_on,
                                  double rate_off)
{
    uint32_t won_on = won_of(seed, on, rate_on);
    return (struct term_block){on, off, won_on + won_of(seed, off, rate_off), won_on};
}

static void block_join(struct term_block *all, const struct term_block *block)
{
    all->on += block->on;
    all->off += block->off;
    all->won += block->won;
    all->won_on += block->won_on;
}

/* An ordinary test of two shares at 5 %, two-sided. */
static bool z_alarms(const struct term_block *all)
{
    double n = (double)all->on + (double)all->off;
    double p = (double)all->won / n;
    double spread = p * (1 - p) * (1 / (double)all->on + 1 / (double)all->off);
    double gap =
        (double)all->won_on / (double)all->on - (double)(all->won - all->won_on) / (double)all->off;
    return spread > 0 && fabs(gap) / sqrt(spread) > 1.959964;
}

struct years {
    unsigned supported, refuted, z;
};

/* Years of weeks with 4 accounts on the list and 8 off, looked at each week. */
static struct years years_play(unsigned count, double rate_on, double rate_off)
{
    struct years years = {0};
    uint64_t seed = 20270104;
    for (unsigned year = 0; year < count; year++) {
        struct term_lift lift;
        struct term_block all = {0};
        enum term_verdict verdict = TERM_INSUFFICIENT;
        bool z = false;
        term_lift_begin(&lift);
        for (int week = 0; week < WEEKS; week++) {
            struct term_block block = block_of(&seed, 4, 8, rate_on, rate_off);
            term_lift_add(&lift, &block);
            block_join(&all, &block);
            z |= z_alarms(&all);
            verdict = verdict == TERM_INSUFFICIENT ? term_lift_verdict(&lift, .05) : verdict;
        }
        years.supported += verdict == TERM_SUPPORTED;
        years.refuted += verdict == TERM_REFUTED;
        years.z += z;
    }
    return years;
}

static unsigned years_wanted(void)
{
    const char *wanted = getenv("ICP_LONG");
    return wanted != NULL && wanted[0] == '1' ? 10000 : 150;
}

/* A share of n that is at most `most`, by three standard errors. */
static bool at_most(unsigned count, unsigned n, double most)
{
    return (double)count / n <= most + 3 * sqrt(most * (1 - most) / n);
}

static void years_without_effect_are_rarely_judged_and_a_z_test_is_fooled(void **state)
{
    unsigned count = years_wanted();
    (void)state;
    struct years years = years_play(count, .2, .2);
    print_message("of %u years without effect %u supported, %u refuted; z-test %u\n", count,
                  years.supported, years.refuted, years.z);
    assert_true(at_most(years.supported, count, .05));
    assert_true(at_most(years.refuted, count, .05));
    assert_true(at_most(years.supported + years.refuted, count, .05));
    assert_false(at_most(years.z, count, .05));
}

static void years_with_effect_are_mostly_supported(void **state)
{
    unsigned count = years_wanted();
    (void)state;
    struct years years = years_play(count, .3, .18);
    print_message("of %u years at 30 %% against 18 %% %u supported, %u refuted\n", count,
                  years.supported, years.refuted);
    assert_true((double)years.supported / count >= .70);
    assert_true(at_most(years.refuted, count, .05));
}

/* Accounts on the list get more touches, which alone win: strata see it, the pooled test does not.
 */
static void effort_alone_is_no_lift_within_strata_and_fools_the_pooled_test(void **state)
{
    unsigned count = years_wanted();
    unsigned stratified = 0;
    unsigned pooled = 0;
    uint64_t seed = 5;
    (void)state;
    for (unsigned year = 0; year < count; year++) {
        struct term_lift strata;
        struct term_lift pool;
        bool supported = false;
        bool fooled = false;
        term_lift_begin(&strata);
        term_lift_begin(&pool);
        for (int week = 0; week < WEEKS; week++) {
            struct term_block much = block_of(&seed, 3, 2, .32, .32);
            struct term_block little = block_of(&seed, 1, 6, .12, .12);
            term_lift_add(&strata, &much);
            term_lift_add(&strata, &little);
            block_join(&much, &little);
            term_lift_add(&pool, &much);
            supported |= term_lift_verdict(&strata, .05) == TERM_SUPPORTED;
            fooled |= term_lift_verdict(&pool, .05) == TERM_SUPPORTED;
        }
        stratified += supported;
        pooled += fooled;
    }
    print_message("of %u years of more effort alone %u supported by strata, %u pooled\n", count,
                  stratified, pooled);
    assert_true(at_most(stratified, count, .05));
    assert_false(at_most(pooled, count, .05));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_has_the_probability_that_scipy_gives_it),
        cmocka_unit_test(berkeley_is_as_the_books_have_it),
        cmocka_unit_test(the_mean_of_e_is_one_without_effect),
        cmocka_unit_test(blocks_that_tell_nothing_change_nothing),
        cmocka_unit_test(a_ratio_without_an_end_is_told_as_one),
        cmocka_unit_test(years_without_effect_are_rarely_judged_and_a_z_test_is_fooled),
        cmocka_unit_test(years_with_effect_are_mostly_supported),
        cmocka_unit_test(effort_alone_is_no_lift_within_strata_and_fools_the_pooled_test),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
