/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/base/pages.h"

static void pages_are_zero_aligned_and_whole(void **state)
{
    (void)state;
    const size_t sizes[] = {1, BASE_HUGE_BYTES, BASE_HUGE_BYTES + 1, 5 * BASE_HUGE_BYTES};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint8_t *pages = base_pages_take(sizes[i]);
        assert_non_null(pages);
        assert_int_equal((uintptr_t)pages % BASE_HUGE_BYTES, 0);
        assert_int_equal(pages[0], 0);
        assert_int_equal(pages[sizes[i] - 1], 0);
        pages[0] = 1;
        pages[sizes[i] - 1] = 1;
        base_pages_give(pages, sizes[i]);
    }
    base_pages_give(NULL, 1);
}

static void more_than_there_is_gives_null(void **state)
{
    (void)state;
    assert_null(base_pages_take(SIZE_MAX));
    assert_null(base_pages_take(SIZE_MAX - BASE_HUGE_BYTES));
    assert_null(base_pages_take((size_t)1 << 62));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_are_zero_aligned_and_whole),
        cmocka_unit_test(more_than_there_is_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
