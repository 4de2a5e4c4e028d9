/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/feature/date_text.h"
#include "server/measure/measure_state.h"

static int64_t day(int year, int month, int d)
{
    int64_t ms = 0;
    assert_true(feature_date_of(year, month, d, &ms));
    return ms;
}

static struct measure_subscription from_to(int64_t from, int64_t to, int64_t amount, uint32_t term)
{
    struct measure_subscription s = measure_subscription_open(0, from, amount, term);
    s.end_ms = to;
    return s;
}

static struct measure_movement month(const struct measure_spells *spells, int64_t from)
{
    int64_t to = 0;
    assert_true(measure_months_later(from, 1, &to));
    return measure_movement_of(spells, from, to);
}

/* The worked example of docs/methods/mrr.md: an annual plan of 2,000.00, an add-on of 60.00 a month
 * for a while, the end of the paid year, and a return at 150.00. */
static void one_account_has_the_movements_of_the_worked_example(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    measure_rules_default(&rules);
    const struct measure_subscription subscriptions[] = {
        from_to(day(2023, 1, 10), day(2024, 1, 10), 200000, 12),
        from_to(day(2023, 4, 5), day(2023, 9, 5), 6000, 1),
        from_to(day(2024, 6, 1), MEASURE_NEVER, 15000, 1),
    };
    assert_true(measure_spells_make(subscriptions, 3, 1, &rules, &spells, &fault));
    struct measure_movement m = month(&spells, day(2023, 1, 1));
    assert_int_equal(m.sum[MEASURE_NEW], 16667);
    assert_int_equal(m.count[MEASURE_NEW], 1);
    assert_int_equal(month(&spells, day(2023, 4, 1)).sum[MEASURE_EXPANSION], 6000);
    assert_int_equal(month(&spells, day(2023, 9, 1)).sum[MEASURE_CONTRACTION], 6000);
    assert_int_equal(month(&spells, day(2024, 1, 1)).sum[MEASURE_CHURN], 16667);
    m = month(&spells, day(2024, 5, 15));
    assert_int_equal(m.sum[MEASURE_REACTIVATION], 15000);
    assert_int_equal(m.sum[MEASURE_NEW], 0);
    measure_spells_fini(&spells);
}

/* Two subscriptions of one account: one ends, a dearer one begins; that is an upgrade, no churn. */
static void movements_are_of_accounts_not_of_subscriptions(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_rules rules;
    struct measure_spells spells;
    measure_rules_default(&rules);
    const struct measure_subscription subscriptions[] = {
        from_to(day(2023, 1, 1), day(2023, 5, 10), 1000, 1),
        from_to(day(2023, 5, 10), MEASURE_NEVER, 1500, 1),
        /* Up and down within the month: nothing. */
        from_to(day(2023, 7, 3), day(2023, 7, 20), 9000, 1),
    };
    assert_true(measure_spells_make(subscriptions, 3, 1, &rules, &spells, &fault));
    struct measure_movement m = month(&spells, day(2023, 5, 1));
    assert_int_equal(m.sum[MEASURE_EXPANSION], 500);
    assert_int_equal(m.sum[MEASURE_CHURN] + m.sum[MEASURE_NEW], 0);
    m = month(&spells, day(2023, 7, 1));
    assert_int_equal(m.start, m.end);
    assert_int_equal(m.count[MEASURE_NONE], 1);
    measure_spells_fini(&spells);
}

static void months_are_those_of_the_calendar(void **state)
{
    (void)state;
    int64_t later = 0;
    assert_true(measure_months_later(day(2024, 1, 31), 1, &later));
    assert_int_equal(later, day(2024, 2, 29));
    assert_true(measure_months_later(day(2023, 1, 31), 1, &later));
    assert_int_equal(later, day(2023, 2, 28));
    assert_true(measure_months_later(day(2023, 11, 30) + 5, 3, &later));
    assert_int_equal(later, day(2024, 2, 29) + 5);
    assert_true(measure_months_later(day(1969, 12, 31) + 7, -1, &later));
    assert_int_equal(later, day(1969, 11, 30) + 7);
    assert_false(measure_months_later(day(9999, 12, 1), 1, &later));
    assert_false(measure_months_later(MEASURE_NEVER, 1, &later));
}

/* Each moment by itself is what all of them at once say, whatever the spells. */
static void states_of_many_moments_are_those_of_each(void **state)
{
    (void)state;
    uint64_t seed = 7;
    struct measure_rules rules;
    measure_rules_default(&rules);
    for (int round = 0; round < 300; round++) {
        struct measure_subscription subscriptions[6];
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_spells spells;
        struct measure_moments moments;
        struct measure_state states[64];
        int64_t paid_ms = 0;
        for (int i = 0; i < 6; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            int64_t from = day(2023, 1, 1) + (int64_t)(seed >> 40) % 900 * MEASURE_DAY_MS;
            int64_t days = (int64_t)(seed >> 20 & 0xffff) % 400;
            subscriptions[i] =
                from_to(from, from + days * MEASURE_DAY_MS, (int64_t)(seed >> 50), 1);
        }
        assert_true(measure_spells_make(subscriptions, 6, 1, &rules, &spells, &fault));
        assert_true(
            measure_moments_make(&moments, day(2023, 1, 31), day(2025, 6, 15), 1, true, &fault));
        assert_int_equal(moments.count, 30); /* 29 whole months, and the last day */
        measure_states_of(&spells, 0, &moments, states, &paid_ms);
        for (size_t i = 0; i < moments.count; i++) {
            bool customer = false;
            assert_int_equal(states[i].mrr,
                             measure_account_at(&spells, 0, moments.at[i], &customer));
            assert_int_equal(states[i].customer, customer);
            assert_int_equal(paid_ms < moments.at[i],
                             measure_account_before(&spells, 0, moments.at[i]));
        }
        struct measure_movement one = {0};
        struct measure_movement other = {0};
        for (size_t i = 0; i + 1 < moments.count; i++) {
            (void)measure_state_move(&states[i], &states[i + 1], paid_ms < moments.at[i], &one);
            (void)measure_movement_add(&spells, 0, moments.at[i], moments.at[i + 1], &other);
        }
        assert_memory_equal(&one, &other, sizeof one);
        measure_moments_fini(&moments);
        measure_spells_fini(&spells);
    }
}

/* Walked turn by turn each moment has the state that states at all moments have; an account leaves
 * nothing to the next. */
static void turns_are_where_states_change(void **state)
{
    (void)state;
    static const int period_months[] = {1, 3, 12};
    uint64_t seed = 11;
    struct measure_rules rules;
    measure_rules_default(&rules);
    for (int round = 0; round < 300; round++) {
        struct measure_subscription subscriptions[12];
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_spells spells;
        struct measure_moments moments;
        struct measure_turns steps;
        for (int i = 0; i < 12; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            int64_t from = day(2014, 1, 1) + (int64_t)(seed >> 40) % 4000 * MEASURE_DAY_MS;
            int64_t days = (int64_t)(seed >> 20 & 0xffff) % 900;
            subscriptions[i] =
                from_to(from, from + days * MEASURE_DAY_MS, (int64_t)(seed >> 50), 1);
            subscriptions[i].account = (uint32_t)(seed >> 33 & 3);
            subscriptions[i].end_ms = i == 0 ? MEASURE_NEVER : subscriptions[i].end_ms;
        }
        assert_true(measure_spells_make(subscriptions, 12, 4, &rules, &spells, &fault));
        assert_true(measure_moments_make(&moments, day(2016, 1, 31), day(2023, 6, 15),
                                         period_months[round % 3], round % 2 == 0, &fault));
        assert_true(measure_turns_make(&steps, &moments, &fault));
        for (uint32_t account = 0; account < 4; account++) {
            struct measure_state states[128];
            struct measure_turns_walk walk = {.at = 0};
            struct measure_state here = {0, false};
            int64_t paid_ms = 0;
            int64_t paid_too = 0;
            size_t next = 0;
            measure_states_of(&spells, account, &moments, states, &paid_ms);
            measure_turns_put(&steps, &spells, account, &paid_too);
            assert_int_equal(paid_ms, paid_too);
            for (bool more = true; more; here = walk.state) {
                more = measure_turns_next(&steps, &walk);
                for (; next < (more ? walk.at : moments.count); next++) {
                    assert_int_equal(states[next].mrr, here.mrr);
                    assert_int_equal(states[next].customer, here.customer);
                }
            }
        }
        measure_turns_fini(&steps);
        measure_moments_fini(&moments);
        measure_spells_fini(&spells);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_account_has_the_movements_of_the_worked_example),
        cmocka_unit_test(movements_are_of_accounts_not_of_subscriptions),
        cmocka_unit_test(months_are_those_of_the_calendar),
        cmocka_unit_test(states_of_many_moments_are_those_of_each),
        cmocka_unit_test(turns_are_where_states_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
