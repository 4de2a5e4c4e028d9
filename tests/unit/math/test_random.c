/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/math/random.h"

static void generator_matches_the_published_algorithm(void **state)
{
    (void)state;
    /* splitmix64 from seed 0 starts with these values (Vigna's reference); the first output of
     * xoshiro256** is rotl(s1 · 5, 7) · 9. */
    struct math_random random;
    math_random_init(&random, 0);
    assert_true(random.state[0] == UINT64_C(0xe220a8397b1dcdaf));
    assert_true(random.state[1] == UINT64_C(0x6e789e6aa1b965f4));
    assert_true(random.state[2] == UINT64_C(0x06c45d188009454f));
    assert_true(random.state[3] == UINT64_C(0xf88bb8a8724c81ec));
    uint64_t x = random.state[1] * 5;
    assert_true(math_random_next(&random) == ((x << 7) | (x >> 57)) * 9);
}

static void same_seed_gives_the_same_sequence_and_another_seed_does_not(void **state)
{
    (void)state;
    struct math_random a;
    struct math_random b;
    struct math_random other;
    math_random_init(&a, 42);
    math_random_init(&b, 42);
    math_random_init(&other, 43);
    unsigned equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t x = math_random_next(&a);
        assert_true(x == math_random_next(&b));
        equal += x == math_random_next(&other);
    }
    assert_int_equal(equal, 0);
}

static void parts_of_one_seed_differ_from_each_other(void **state)
{
    (void)state;
    struct math_random a;
    struct math_random b;
    math_random_init_part(&a, 7, 0);
    math_random_init_part(&b, 7, 1);
    assert_true(math_random_next(&a) != math_random_next(&b));
    math_random_init_part(&b, 7, 0);
    math_random_init_part(&a, 7, 0);
    assert_true(math_random_next(&a) == math_random_next(&b));
}

static void below_is_uniform_by_chi_square(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 1);
    size_t counts[10] = {0};
    for (int i = 0; i < 100000; i++) {
        counts[math_random_below(&random, 10)]++;
    }
    double chi = 0.0;
    for (int i = 0; i < 10; i++) {
        double gap = (double)counts[i] - 10000.0;
        chi += gap * gap / 10000.0;
    }
    assert_true(chi < 27.9); /* 99.9 % point of 9 degrees of freedom */
}

static void normal_has_mean_zero_and_variance_one(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 5);
    double sum = 0.0;
    double squares = 0.0;
    for (int i = 0; i < 200000; i++) {
        double x = math_random_normal(&random);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / 200000.0) < 0.01);
    assert_true(fabs(squares / 200000.0 - 1.0) < 0.015);
}

static void shuffle_keeps_every_item_and_unit_stays_below_one(void **state)
{
    (void)state;
    struct math_random random;
    math_random_init(&random, 3);
    uint32_t items[100];
    for (uint32_t i = 0; i < 100; i++) {
        items[i] = i;
        double u = math_random_unit(&random);
        assert_true(u >= 0.0 && u < 1.0);
    }
    math_random_shuffle(&random, items, 100);
    uint64_t seen[2] = {0, 0};
    unsigned moved = 0;
    for (uint32_t i = 0; i < 100; i++) {
        seen[items[i] / 64] |= UINT64_C(1) << (items[i] % 64);
        moved += items[i] != i;
    }
    assert_true(seen[0] == UINT64_MAX && seen[1] == (UINT64_C(1) << 36) - 1);
    assert_true(moved > 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generator_matches_the_published_algorithm),
        cmocka_unit_test(same_seed_gives_the_same_sequence_and_another_seed_does_not),
        cmocka_unit_test(parts_of_one_seed_differ_from_each_other),
        cmocka_unit_test(below_is_uniform_by_chi_square),
        cmocka_unit_test(normal_has_mean_zero_and_variance_one),
        cmocka_unit_test(shuffle_keeps_every_item_and_unit_stays_below_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
