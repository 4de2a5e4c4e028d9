/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow: by how much, and what stands where there is no memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/base/grow.h"

static bool lacking;

void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes)
{
    return lacking ? NULL : __real_realloc(memory, bytes);
}

static void items_stay_while_the_array_grows(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint32_t *items = NULL;
    size_t room = 0;
    size_t grown = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        size_t before = room;
        assert_true(base_grow(&items, &room, (size_t)i + 1, sizeof *items, "numbers", &fault));
        assert_true(room > i && (room == before || room >= 2 * before));
        grown += room != before;
        items[i] = i;
    }
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(items[i], i);
    }
    assert_true(grown < 12);
    free(items);
}

static void as_much_as_is_wanted_is_there_at_once(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    double *items = NULL;
    size_t room = 0;
    assert_true(base_grow(&items, &room, 1000, sizeof *items, "numbers", &fault));
    assert_int_equal(room, 1000);
    assert_true(base_grow(&items, &room, 1000, sizeof *items, "numbers", &fault));
    assert_int_equal(room, 1000);
    assert_true(base_grow(&items, &room, 1001, sizeof *items, "numbers", &fault));
    assert_int_equal(room, 2000);
    free(items);
}

static void without_memory_the_array_is_as_it_was(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t *items = NULL;
    size_t room = 0;
    assert_true(base_grow(&items, &room, 1, 1, "bytes", &fault));
    const uint8_t *before = items;
    lacking = true;
    bool good = base_grow(&items, &room, 65, 1, "bytes", &fault);
    lacking = false;
    assert_false(good);
    assert_ptr_equal(items, before);
    assert_int_equal(room, 64);
    assert_int_equal(fault.code, PROTO_NO_MEMORY);
    assert_string_equal(fault.message, "no memory for 128 bytes");
    free(items);
}

static void a_size_beyond_memory_is_refused_and_not_cut(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t *items = NULL;
    size_t room = 0;
    assert_false(base_grow(&items, &room, SIZE_MAX / 4, sizeof *items, "numbers", &fault));
    assert_int_equal(fault.code, PROTO_NO_MEMORY);
    assert_null(items);
    assert_int_equal(room, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_stay_while_the_array_grows),
        cmocka_unit_test(as_much_as_is_wanted_is_there_at_once),
        cmocka_unit_test(without_memory_the_array_is_as_it_was),
        cmocka_unit_test(a_size_beyond_memory_is_refused_and_not_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
