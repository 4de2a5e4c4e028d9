/* SPDX-License-Identifier: Apache-2.0 */
/* The best k segments together, beside trying every set account by account. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/math/random.h"
#include "server/segment/segment_frontier.h"

enum { ACCOUNTS = 400, SEGMENTS = 7 };

struct base {
    uint32_t masks[ACCOUNTS];
    bool outcomes[ACCOUNTS];
};

static double quality_of(const struct base *base, uint32_t set, struct segment_counts *within)
{
    double all = 0;
    *within = (struct segment_counts){0, 0};
    for (size_t i = 0; i < ACCOUNTS; i++) {
        all += base->outcomes[i];
        if ((base->masks[i] & set) != 0) {
            within->accounts++;
            within->outcomes += base->outcomes[i];
        }
    }
    return (double)within->outcomes - all / ACCOUNTS * (double)within->accounts;
}

static void frontier_is_that_of_trying_all_sets(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 3);
    for (int round = 0; round < 50; round++) {
        struct base base;
        struct segment_counts counts[1 << SEGMENTS];
        struct segment_step steps[SEGMENT_FRONTIER_MAX];
        memset(counts, 0, sizeof counts);
        for (size_t i = 0; i < ACCOUNTS; i++) {
            base.masks[i] = 0;
            for (unsigned s = 0; s < SEGMENTS; s++) {
                base.masks[i] |= (uint32_t)(math_random_unit(&random) < 0.15) << s;
            }
            double rate = 0.2 + 0.1 * (base.masks[i] & 3) - 0.1 * ((base.masks[i] >> 2) & 1);
            base.outcomes[i] = math_random_unit(&random) < rate;
            counts[base.masks[i]].accounts++;
            counts[base.masks[i]].outcomes += base.outcomes[i];
        }
        size_t count = segment_frontier(counts, SEGMENTS, steps);
        assert_true(count <= SEGMENTS);
        for (unsigned k = 1; k <= SEGMENTS; k++) {
            double best = -(double)INFINITY;
            struct segment_counts within;
            for (uint32_t set = 1; set < 1U << SEGMENTS; set++) {
                if ((unsigned)__builtin_popcount(set) == k) {
                    best = fmax(best, quality_of(&base, set, &within));
                }
            }
            if (k > count) {
                /* It ended because one more adds nothing, or nothing is there to begin with. */
                assert_true(best <= (count > 0 ? steps[count - 1].quality : 0) + 1e-9 ||
                            k > count + 1);
                continue;
            }
            assert_int_equal(__builtin_popcount(steps[k - 1].set), k);
            assert_true(fabs(steps[k - 1].quality - best) < 1e-9);
            assert_true(fabs(quality_of(&base, steps[k - 1].set, &within) - best) < 1e-9);
            assert_int_equal(within.accounts, steps[k - 1].within.accounts);
            assert_int_equal(within.outcomes, steps[k - 1].within.outcomes);
        }
    }
}

/* The best two need not hold the best one. */
static void best_two_may_leave_the_best_one_out(void **state)
{
    (void)state;
    /* Segment 0 holds half of 1 and more than half of 2, with a few of neither. */
    struct segment_counts counts[8] = {[0] = {1000, 100}, [1] = {10, 2},  [2] = {90, 54},
                                       [3] = {110, 66},   [4] = {90, 54}, [5] = {110, 66}};
    struct segment_step steps[SEGMENT_FRONTIER_MAX];
    size_t count = segment_frontier(counts, 3, steps);
    assert_int_equal(count, 2);
    assert_int_equal(steps[0].set, 1);
    assert_int_equal(steps[1].set, 6);
    assert_int_equal(steps[1].within.accounts, 400);
}

static void nobody_and_nothing_have_no_frontier(void **state)
{
    (void)state;
    struct segment_counts nobody[2] = {{0, 0}, {0, 0}};
    struct segment_counts same[2] = {{90, 30}, {30, 10}};
    struct segment_counts alone[1] = {{90, 30}};
    struct segment_step steps[SEGMENT_FRONTIER_MAX];
    assert_int_equal(segment_frontier(nobody, 1, steps), 0);
    assert_int_equal(segment_frontier(same, 1, steps), 0);
    assert_int_equal(segment_frontier(alone, 0, steps), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frontier_is_that_of_trying_all_sets),
        cmocka_unit_test(best_two_may_leave_the_best_one_out),
        cmocka_unit_test(nobody_and_nothing_have_no_frontier),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
