/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "server/model/guide.h"

static uint64_t next(uint64_t *state)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return *state >> 20;
}

/* The definition: walk over all points. */
static size_t find_plain(const int64_t *points, size_t count, int64_t value)
{
    size_t last = count;
    for (size_t i = 0; i < count && points[i] <= value; i++) {
        last = i;
    }
    return last;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void a_guided_search_finds_what_a_walk_finds(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (unsigned round = 0; round < 300; round++) {
        int64_t points[1001];
        struct model_guide guide;
        size_t count = 1 + next(&seed) % 1001;
        /* From all points on one value to points all over the allowed range. */
        int64_t spread = (int64_t)1 << (next(&seed) % 45);
        int64_t shift = (int64_t)(next(&seed) % 1000) - 500;
        for (size_t i = 0; i < count; i++) {
            points[i] = (int64_t)(next(&seed) % (uint64_t)spread) - spread / 2 + shift;
            if (next(&seed) % 4 == 0 && i > 0) {
                points[i] = points[i - 1]; /* ties */
            }
        }
        qsort(points, count, sizeof *points, compare);
        model_guide_make(&guide, points, count);
        for (unsigned probe = 0; probe < 500; probe++) {
            int64_t value = points[next(&seed) % count] + (int64_t)(next(&seed) % 5) - 2;
            if (probe % 3 == 0) {
                value = (int64_t)(next(&seed) % (uint64_t)(2 * spread)) - spread + shift;
            }
            assert_int_equal(model_guide_find(&guide, points, count, value),
                             find_plain(points, count, value));
        }
    }
}

static void the_ends_of_the_range_are_safe(void **state)
{
    (void)state;
    const int64_t points[] = {-((int64_t)1 << 43), 0, (int64_t)1 << 43};
    struct model_guide guide;
    model_guide_make(&guide, points, 3);
    assert_int_equal(model_guide_find(&guide, points, 3, INT64_MIN), 3);
    assert_int_equal(model_guide_find(&guide, points, 3, INT64_MAX), 2);
    assert_int_equal(model_guide_find(&guide, points, 3, points[2] - 1), 1);
    assert_int_equal(model_guide_find(&guide, points, 3, points[0]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guided_search_finds_what_a_walk_finds),
        cmocka_unit_test(the_ends_of_the_range_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
