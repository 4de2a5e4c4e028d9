/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/arena.h"

void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);

/* Counted down at each malloc; the one that finds it at 1 fails. */
static unsigned fail_at;

void *__wrap_malloc(size_t bytes)
{
    if (fail_at != 0 && --fail_at == 0) {
        return NULL;
    }
    return __real_malloc(bytes);
}

static void arena_hands_out_aligned_memory_that_does_not_overlap(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 64, 0);
    unsigned char *taken[100];
    for (size_t i = 0; i < 100; i++) {
        taken[i] = base_arena_take(&arena, i);
        assert_non_null(taken[i]);
        assert_int_equal((uintptr_t)taken[i] % 16, 0);
        memset(taken[i], (int)i, i);
    }
    for (size_t i = 0; i < 100; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_int_equal(taken[i][j], i);
        }
    }
    base_arena_fini(&arena);
}

static void reset_reuses_the_first_chunk(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 0, 0);
    void *first = base_arena_take(&arena, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_non_null(base_arena_take(&arena, 1000));
    }
    base_arena_reset(&arena);
    assert_int_equal(arena.bytes, 0);
    assert_ptr_equal(base_arena_take(&arena, 100), first);
    base_arena_fini(&arena);
}

static void reset_lets_go_of_a_first_chunk_made_for_one_large_request(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 64, 0);
    assert_non_null(base_arena_take(&arena, 1 << 20));
    base_arena_reset(&arena);
    assert_null(arena.first);
    assert_non_null(base_arena_take(&arena, 10));
    base_arena_fini(&arena);
}

static void overflow_is_sticky_until_reset(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 0, 1000);
    assert_non_null(base_arena_take(&arena, 900));
    assert_null(base_arena_take(&arena, 200));
    assert_null(base_arena_take(&arena, 1));
    assert_null(base_arena_text(&arena, proto_span_text("x")));
    assert_false(base_arena_ok(&arena));
    base_arena_reset(&arena);
    assert_true(base_arena_ok(&arena));
    assert_non_null(base_arena_take(&arena, 1000));
    base_arena_fini(&arena);
}

static void array_refuses_a_product_that_overflows(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 0, 0);
    assert_null(base_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_false(base_arena_ok(&arena));
    base_arena_reset(&arena);
    assert_null(base_arena_take(&arena, SIZE_MAX));
    base_arena_fini(&arena);
}

static void array_is_zeroed_even_where_memory_is_used_again(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 0, 0);
    memset(base_arena_take(&arena, 256), 0xff, 256);
    base_arena_reset(&arena);
    const unsigned char *items = base_arena_array(&arena, 16, 16);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(items[i], 0);
    }
    base_arena_fini(&arena);
}

static void text_ends_in_a_zero(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 0, 0);
    assert_string_equal(base_arena_text(&arena, (struct proto_span){(const uint8_t *)"acme!", 4}),
                        "acme");
    assert_string_equal(base_arena_text(&arena, (struct proto_span){NULL, 0}), "");
    base_arena_fini(&arena);
}

static void failed_malloc_is_an_overflow(void **state)
{
    (void)state;
    struct base_arena arena;
    base_arena_init(&arena, 0, 0);
    fail_at = 1;
    assert_null(base_arena_take(&arena, 1));
    assert_false(base_arena_ok(&arena));
    base_arena_reset(&arena);
    assert_non_null(base_arena_take(&arena, 16384));
    fail_at = 1;
    assert_null(base_arena_take(&arena, 1));
    base_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arena_hands_out_aligned_memory_that_does_not_overlap),
        cmocka_unit_test(reset_reuses_the_first_chunk),
        cmocka_unit_test(reset_lets_go_of_a_first_chunk_made_for_one_large_request),
        cmocka_unit_test(overflow_is_sticky_until_reset),
        cmocka_unit_test(array_refuses_a_product_that_overflows),
        cmocka_unit_test(array_is_zeroed_even_where_memory_is_used_again),
        cmocka_unit_test(text_ends_in_a_zero),
        cmocka_unit_test(failed_malloc_is_an_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
