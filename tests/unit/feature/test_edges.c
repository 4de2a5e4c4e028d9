/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include "server/feature/edges.h"

static void nothing_has_no_edges(void **state)
{
    (void)state;
    double edges[4];
    double one[] = {5, 5, 5};
    assert_int_equal(feature_edges_place(NULL, 0, 4, edges), 0);
    assert_int_equal(feature_edges_place(one, 3, 4, edges), 0);
}

static void a_light_rest_joins_the_bin_before(void **state)
{
    (void)state;
    /* 0 … 19 once each, then 1000 a hundred times. */
    double numbers[120];
    double edges[8];
    for (size_t i = 0; i < 120; i++) {
        numbers[i] = i < 20 ? (double)i : 1000;
    }
    size_t placed = feature_edges_place(numbers, 120, 8, edges);
    /* 15 rows fill a bin; the five left over are less than half a bin and join it. */
    assert_int_equal(placed, 1);
    assert_true(edges[0] == 19);
}

static void edges_ascend_and_use_the_bins(void **state)
{
    (void)state;
    static double numbers[3000];
    double edges[254];
    uint64_t seed = 5;
    for (int round = 0; round < 300; round++) {
        size_t count = 1 + fixture_random(&seed) % 3000;
        size_t bins = 1 + fixture_random(&seed) % 254;
        uint64_t spread = 1 + fixture_random(&seed) % 2000;
        for (size_t i = 0; i < count; i++) {
            numbers[i] =
                (double)(fixture_random(&seed) % spread) * (double)(fixture_random(&seed) % 3);
        }
        size_t placed = feature_edges_place(numbers, count, bins, edges);
        assert_true(placed < bins || (bins == 1 && placed == 0));
        for (size_t i = 0; i < placed; i++) {
            assert_true(i == 0 || edges[i - 1] < edges[i]);
            assert_true(edges[i] < numbers[count - 1]); /* the top bin is not empty */
            assert_true(edges[0] >= numbers[0]);        /* nor is the lowest */
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_no_edges),
        cmocka_unit_test(a_light_rest_joins_the_bin_before),
        cmocka_unit_test(edges_ascend_and_use_the_bins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
