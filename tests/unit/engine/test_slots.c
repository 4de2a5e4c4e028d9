/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/engine/slots.h"

static void slots_are_sorted_and_kept_once(void **state)
{
    (void)state;
    uint32_t slots[] = {9, 3, UINT32_MAX, 3, 1, 9, 9};
    const uint32_t kept[] = {1, 3, 9, UINT32_MAX};
    assert_int_equal(engine_slots_unique(slots, 7), 4);
    assert_memory_equal(slots, kept, sizeof kept);
    for (size_t i = 0; i < 4; i++) {
        assert_true(engine_slots_has(slots, 4, kept[i]));
        assert_false(engine_slots_has(slots, 4, kept[i] + 1));
    }
    assert_false(engine_slots_has(slots, 0, 0));
}

static void sorting_keeps_what_is_there_twice(void **state)
{
    (void)state;
    uint32_t slots[] = {2, 1, 2};
    engine_slots_sort(slots, 3);
    assert_int_equal(slots[0], 1);
    assert_int_equal(slots[1], 2);
    assert_int_equal(slots[2], 2);
    assert_int_equal(engine_slots_unique(NULL, 0), 0);
    engine_slots_sort(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_sorted_and_kept_once),
        cmocka_unit_test(sorting_keeps_what_is_there_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
