/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/engine/lists.h"

static struct engine_list *list_make(uint32_t number, uint32_t icp, const char *name,
                                     const uint32_t *slots, size_t count)
{
    json_t *head = json_pack("{s:s, s:{s:i}}", "name", name, "icp", "version", (int)icp);
    struct proto_span span = {(const uint8_t *)slots, count * sizeof *slots};
    return engine_list_create(number, head, span);
}

static void slots_in_any_order_are_found(void **state)
{
    (void)state;
    static const uint32_t slots[] = {900, 3, 64, 63};
    struct engine_list *list = list_make(1, 1, "a", slots, 4);
    assert_non_null(list);
    assert_int_equal(list->slots[0], 3);
    assert_int_equal(list->slots[3], 900);
    struct engine_lists *lists = engine_lists_make(NULL, list, 1, true, 1);
    assert_non_null(lists);
    unsigned members = 0;
    for (uint32_t slot = 0; slot < 2000; slot++) {
        members += engine_lists_has(lists, slot);
    }
    assert_int_equal(members, 4);
    assert_true(engine_lists_has(lists, 900));
    assert_false(engine_lists_has(lists, UINT32_MAX));
    assert_false(engine_lists_has(NULL, 3));
    engine_lists_release(lists);
}

static void only_lists_of_the_active_version_count(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    static const uint32_t first[] = {1, 2};
    static const uint32_t second[] = {2, 3};
    static const uint32_t third[] = {9};
    struct engine_lists *one = engine_lists_make(NULL, list_make(1, 1, "a", first, 2), 1, true, 1);
    struct engine_lists *two = engine_lists_make(one, list_make(2, 1, "b", second, 2), 2, true, 1);
    struct engine_lists *three = engine_lists_make(two, list_make(3, 2, "c", third, 1), 3, true, 1);
    assert_int_equal(three->any_count, 3);
    assert_false(engine_lists_has(three, 9));
    struct engine_lists *switched = engine_lists_make(three, NULL, 3, true, 2);
    assert_int_equal(switched->any_count, 1);
    assert_true(engine_lists_has(switched, 9));
    assert_false(engine_lists_has(switched, 1));
    /* What was before stays as it was. */
    assert_true(engine_lists_has(three, 1));
    assert_int_equal(one->count, 1);
    assert_int_equal(engine_lists_find(switched, proto_span_text("b"), &fault)->number, 2);
    assert_null(engine_lists_find(one, proto_span_text("b"), &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    engine_lists_release(one);
    engine_lists_release(two);
    engine_lists_release(three);
    engine_lists_release(switched);
}

static void a_damaged_list_keeps_its_number_and_every_name(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    static const uint32_t slots[] = {5};
    assert_null(engine_list_create(1, json_object(), (struct proto_span){0}));
    struct engine_lists *lists = engine_lists_make(NULL, NULL, 1, false, 1);
    struct engine_lists *more =
        engine_lists_make(lists, list_make(2, 1, "b", slots, 1), 2, true, 1);
    assert_null(more->items[0]);
    assert_int_equal(more->count, 2);
    assert_true(engine_lists_has(more, 5));
    assert_int_equal(engine_lists_find(more, proto_span_text("b"), &fault)->number, 2);
    /* The damaged one may have any name that no other has. */
    assert_true(engine_lists_unsure(more));
    assert_null(engine_lists_find(more, proto_span_text("x"), &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    struct engine_list *empty = list_make(3, 1, "c", NULL, 0);
    struct engine_lists *last = engine_lists_make(more, empty, 3, true, 1);
    assert_int_equal(last->any_count, 1);
    engine_lists_release(lists);
    engine_lists_release(more);
    engine_lists_release(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_in_any_order_are_found),
        cmocka_unit_test(only_lists_of_the_active_version_count),
        cmocka_unit_test(a_damaged_list_keeps_its_number_and_every_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
