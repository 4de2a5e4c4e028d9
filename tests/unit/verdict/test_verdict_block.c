/* SPDX-License-Identifier: Apache-2.0 */
/* Which cases each comparison takes, and that its blocks are those of a plain count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/verdict/verdict_block.h"

#define DAY INT64_C(86400000)
#define MONDAY (INT64_C(20822) * DAY)

static struct verdict_case case_of(int week, enum verdict_part part, uint32_t effort, bool won)
{
    int64_t moment_ms = MONDAY + week * VERDICT_WEEK_MS + DAY;
    return (struct verdict_case){.moment_ms = moment_ms,
                                 .settled_ms = moment_ms + 30 * DAY,
                                 .known_ms = moment_ms + 36 * DAY,
                                 .part = (uint8_t)part,
                                 .effort = effort,
                                 .count = 1,
                                 .won = won};
}

static void each_comparison_takes_its_own_side(void **state)
{
    struct verdict_case cases[] = {
        case_of(0, VERDICT_MEMBER, 1, true),   case_of(0, VERDICT_OTHER, 1, false),
        case_of(0, VERDICT_MISSED, 1, true),   case_of(0, VERDICT_MISSED, 1, false),
        case_of(0, VERDICT_HELD_OUT, 1, true), case_of(0, VERDICT_HELD_OUT, 1, false),
        case_of(0, VERDICT_HELD_OUT, 1, true)};
    static const uint64_t off[VERDICT_AGAINSTS][2] = {{2, 1}, {2, 1}, {3, 2}};
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    cases[2].sampled = true; /* it just missed the list, and was drawn */
    for (int against = 0; against < VERDICT_AGAINSTS; against++) {
        struct verdict_blocks blocks;
        assert_true(verdict_blocks_make(cases, 7, (enum verdict_against)against, &blocks, &fault));
        assert_int_equal(blocks.week_count, 1);
        assert_int_equal(blocks.weeks[0].on, 1);
        assert_int_equal(blocks.weeks[0].won_on, 1);
        assert_int_equal(blocks.weeks[0].off, off[against][0]);
        assert_int_equal(blocks.weeks[0].won_off, off[against][1]);
        verdict_blocks_fini(&blocks);
    }
}

static void strata_are_of_effort_but_for_who_was_held_out(void **state)
{
    struct verdict_case cases[] = {
        case_of(0, VERDICT_MEMBER, 0, true), case_of(0, VERDICT_OTHER, 1, false),
        case_of(0, VERDICT_MEMBER, 1, true), case_of(0, VERDICT_HELD_OUT, 0, false),
        case_of(0, VERDICT_HELD_OUT, 3, false)};
    struct verdict_blocks blocks;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    assert_true(verdict_blocks_make(cases, 5, VERDICT_EQUAL_EFFORT, &blocks, &fault));
    assert_int_equal(blocks.count, 2);
    verdict_blocks_fini(&blocks);
    assert_true(verdict_blocks_make(cases, 5, VERDICT_HOLD_OUT, &blocks, &fault));
    assert_int_equal(blocks.count, 1);
    assert_int_equal(blocks.items[0].on, 2);
    assert_int_equal(blocks.items[0].off, 2);
    verdict_blocks_fini(&blocks);
}

/* The later week of creation may be the one that is known first. */
static void weeks_stand_in_the_order_in_which_they_were_known(void **state)
{
    struct verdict_case cases[] = {
        case_of(0, VERDICT_MEMBER, 0, true), case_of(0, VERDICT_OTHER, 0, false),
        case_of(1, VERDICT_MEMBER, 0, false), case_of(1, VERDICT_OTHER, 0, true),
        case_of(2, VERDICT_MEMBER, 0, true)};
    struct verdict_blocks blocks;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    cases[0].known_ms = cases[1].known_ms = MONDAY + 400 * DAY;
    cases[4].known_ms = VERDICT_NEVER;
    assert_true(verdict_blocks_make(cases, 5, VERDICT_EQUAL_EFFORT, &blocks, &fault));
    assert_int_equal(blocks.week_count, 2);
    assert_int_equal(blocks.weeks[0].week_ms, MONDAY + VERDICT_WEEK_MS);
    assert_int_equal(blocks.weeks[0].end, 1);
    assert_int_equal(blocks.weeks[0].won_off, 1);
    assert_int_equal(blocks.weeks[1].end, 2);
    assert_int_equal(blocks.weeks[1].on, 2);
    verdict_blocks_fini(&blocks);
}

static void a_random_company_is_counted_as_plainly(void **state)
{
    enum { COUNT = 600, WEEKS = 9, EFFORTS = 3 };
    static struct verdict_case cases[COUNT];
    struct term_block plain[WEEKS][EFFORTS];
    struct verdict_blocks blocks;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t seed = 3;
    size_t told = 0;
    (void)state;
    memset(plain, 0, sizeof plain);
    for (size_t i = 0; i < COUNT; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        int week = (int)(seed >> 33) % WEEKS;
        uint32_t effort = (uint32_t)(seed >> 40) % EFFORTS;
        bool on = (seed >> 50) % 3 == 0;
        bool won = (seed >> 55) % 4 == 0;
        cases[i] = case_of(week, on ? VERDICT_MEMBER : VERDICT_OTHER, effort, won);
        cases[i].known_ms = MONDAY + (week + 6) * VERDICT_WEEK_MS;
        struct term_block *block = &plain[week][effort];
        block->on += on;
        block->off += !on;
        block->won += won;
        block->won_on += on && won;
    }
    assert_true(verdict_blocks_make(cases, COUNT, VERDICT_EQUAL_EFFORT, &blocks, &fault));
    assert_int_equal(blocks.count, WEEKS * EFFORTS);
    for (size_t w = 0; w < WEEKS; w++) {
        for (size_t e = 0; e < EFFORTS; e++) {
            assert_memory_equal(&blocks.items[told++], &plain[w][e], sizeof plain[w][e]);
        }
        assert_int_equal(blocks.weeks[w].end, told);
    }
    verdict_blocks_fini(&blocks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_comparison_takes_its_own_side),
        cmocka_unit_test(strata_are_of_effort_but_for_who_was_held_out),
        cmocka_unit_test(weeks_stand_in_the_order_in_which_they_were_known),
        cmocka_unit_test(a_random_company_is_counted_as_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
