/* SPDX-License-Identifier: Apache-2.0 */
/* No more leads wait than an eighth of the deadline has room for, by what leads took lately. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "client/router/router_pace.h"

static const uint64_t us = 1000;

static void room_is_an_eighth_of_the_deadline(void **state)
{
    struct router_pace pace = {.lead_ns = 25 * us};
    (void)state;
    assert_int_equal(router_pace_room(&pace, 1000), 5000);
    assert_int_equal(router_pace_room(&pace, 200), 1000);
    pace.lead_ns = 1000 * us;
    assert_int_equal(router_pace_room(&pace, 1000), 125);
    assert_int_equal(router_pace_room(&pace, 10), ROUTER_WAIT_MIN);
}

static void before_anything_is_known_it_is_careful(void **state)
{
    const struct router_pace pace = {.lead_ns = 0};
    (void)state;
    assert_int_equal(router_pace_room(&pace, 1000), 2500);
}

static void it_follows_what_leads_take(void **state)
{
    struct router_pace pace = {.lead_ns = 25 * us};
    (void)state;
    for (int turn = 0; turn < 20; turn++) {
        router_pace_turn(&pace, 500 * 50 * us, 500);
    }
    assert_in_range(pace.lead_ns, 49 * us, 50 * us);
    for (int turn = 0; turn < 20; turn++) {
        router_pace_turn(&pace, 500 * 10 * us, 500);
    }
    assert_in_range(pace.lead_ns, 10 * us, 11 * us);
}

static void one_slow_turn_of_few_leads_says_little(void **state)
{
    struct router_pace pace = {.lead_ns = 25 * us};
    (void)state;
    router_pace_turn(&pace, 100000 * us, 1);
    assert_in_range(pace.lead_ns, 25 * us, 26 * us);
    router_pace_turn(&pace, 100000 * us, 0);
    assert_in_range(pace.lead_ns, 25 * us, 26 * us);
    router_pace_turn(&pace, 0, 100000);
    assert_in_range(pace.lead_ns, 12 * us, 13 * us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_is_an_eighth_of_the_deadline),
        cmocka_unit_test(before_anything_is_known_it_is_careful),
        cmocka_unit_test(it_follows_what_leads_take),
        cmocka_unit_test(one_slow_turn_of_few_leads_says_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
