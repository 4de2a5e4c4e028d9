/* SPDX-License-Identifier: Apache-2.0 */
/* A sort that can be given up: the order of qsort at every length about that of a piece, and looks
 * in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/math/random.h"
#include "server/measure/long_sort.h"

struct item {
    uint32_t key, place;
    uint64_t more;
};

static int by_key(const void *left, const void *right)
{
    const struct item *a = left;
    const struct item *b = right;
    return (a->key > b->key) - (a->key < b->key);
}

static bool looks_count(void *context, struct proto_fault *why)
{
    unsigned *left = context;
    return (*left)-- > 0 || proto_fault_set(why, PROTO_CANCELLED, "", "no longer wanted");
}

static struct item *drawn(size_t count)
{
    struct math_random random;
    struct item *items = calloc(count + 1, sizeof *items);
    assert_non_null(items);
    math_random_init(&random, count);
    for (size_t i = 0; i < count; i++) {
        items[i].key = (uint32_t)math_random_below(&random, count / 3 + 1);
        items[i].place = (uint32_t)i;
        items[i].more = items[i].key * UINT64_C(7);
    }
    return items;
}

static void items_are_in_order_and_equal_ones_in_theirs(void **state)
{
    (void)state;
    static const size_t counts[] = {0,
                                    1,
                                    2,
                                    1000,
                                    MEASURE_PIECE - 1,
                                    MEASURE_PIECE,
                                    MEASURE_PIECE + 1,
                                    2 * MEASURE_PIECE + 7,
                                    5 * MEASURE_PIECE + 12345};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct item *items = drawn(counts[c]);
        uint64_t sum = 0;
        assert_true(measure_sort(items, counts[c], sizeof *items, by_key, NULL, &fault));
        for (size_t i = 0; i < counts[c]; i++) {
            sum += items[i].place;
            assert_true(items[i].more == items[i].key * UINT64_C(7));
            assert_true(i == 0 || items[i - 1].key < items[i].key ||
                        (items[i - 1].key == items[i].key && items[i - 1].place < items[i].place));
        }
        assert_true(counts[c] == 0 || sum == (uint64_t)counts[c] * (counts[c] - 1) / 2);
        free(items);
    }
}

static void who_asked_can_give_up_in_pieces_and_in_merges(void **state)
{
    (void)state;
    enum { COUNT = 6 * MEASURE_PIECE };
    struct proto_fault fault = {.code = PROTO_OK};
    unsigned left = UINT32_MAX;
    const struct measure_pace pace = {looks_count, &left};
    struct item *items = drawn(COUNT);
    assert_true(measure_sort(items, COUNT, sizeof *items, by_key, &pace, &fault));
    assert_int_equal(UINT32_MAX - left, 5 + 3 * 6); /* between pieces; three rounds of merges */
    for (unsigned most = 0; most < 23; most += 4) {
        left = most;
        fault.code = PROTO_OK;
        assert_false(measure_sort(items, COUNT, sizeof *items, by_key, &pace, &fault));
        assert_int_equal(fault.code, PROTO_CANCELLED);
    }
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_in_order_and_equal_ones_in_theirs),
        cmocka_unit_test(who_asked_can_give_up_in_pieces_and_in_merges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
