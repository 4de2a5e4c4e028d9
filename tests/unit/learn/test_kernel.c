/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/learn/kernel.h"
#include "server/math/portable.h"
#include "server/math/random.h"

enum { ROWS_MAX = 1037 };

struct input {
    double scores[ROWS_MAX];
    uint8_t labels[ROWS_MAX];
    uint8_t codes[ROWS_MAX];
};

static void input_fill(struct input *input)
{
    struct math_random random;
    math_random_init(&random, 31);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        input->scores[i] = 6.0 * math_random_normal(&random);
        input->labels[i] = (uint8_t)math_random_below(&random, 2);
        input->codes[i] = (uint8_t)math_random_below(&random, 255);
    }
    input->scores[0] = 800.0;
    input->scores[1] = -800.0;
    input->scores[2] = 0.0;
}

static void derivatives_follow_their_definition(void **state)
{
    (void)state;
    struct input input;
    struct learn_sums out[ROWS_MAX];
    input_fill(&input);
    learn_kernel_plain.derivatives(input.scores, input.labels, NULL, ROWS_MAX, out);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        double p = math_logistic(input.scores[i]);
        assert_true(out[i].gradient == p - input.labels[i]);
        assert_true(out[i].hessian == p * (1.0 - p));
    }
}

static void sums_equal_a_plain_sum_to_rounding(void **state)
{
    (void)state;
    struct input input;
    struct learn_sums out[ROWS_MAX];
    struct learn_sums sums[255];
    struct learn_sums wanted[255] = {{0, 0}};
    input_fill(&input);
    learn_kernel_plain.derivatives(input.scores, input.labels, NULL, ROWS_MAX, out);
    learn_kernel_plain.sums(input.codes, out, ROWS_MAX, 255, sums);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        wanted[input.codes[i]].gradient += out[i].gradient;
        wanted[input.codes[i]].hessian += out[i].hessian;
    }
    for (size_t b = 0; b < 255; b++) {
        assert_true(fabs(sums[b].gradient - wanted[b].gradient) < 1e-12);
        assert_true(fabs(sums[b].hessian - wanted[b].hessian) < 1e-12);
    }
}

static void same_bits(const struct learn_kernel *kernel)
{
    struct input input;
    struct learn_sums plain[ROWS_MAX];
    struct learn_sums fast[ROWS_MAX];
    struct learn_sums plain_sums[256];
    struct learn_sums fast_sums[256];
    uint8_t other[ROWS_MAX];
    double values[256];
    double weights[ROWS_MAX];
    input_fill(&input);
    memset(plain_sums, 0, sizeof plain_sums); /* the last is summed by passes alone */
    memset(fast_sums, 0, sizeof fast_sums);
    for (size_t i = 0; i < ROWS_MAX; i++) {
        weights[i] = 0.1 * (double)(i % 23);
    }
    for (size_t b = 0; b < 256; b++) {
        values[b] = 0.01 * (double)b - 1.0;
    }
    for (size_t rows = 0; rows <= ROWS_MAX; rows += rows < 70 ? 1 : 89) {
        learn_kernel_plain.derivatives(input.scores, input.labels, NULL, rows, plain);
        kernel->derivatives(input.scores, input.labels, NULL, rows, fast);
        assert_memory_equal(plain, fast, rows * sizeof *plain);
        learn_kernel_plain.sums(input.codes, plain, rows, 255, plain_sums);
        kernel->sums(input.codes, fast, rows, 255, fast_sums);
        assert_memory_equal(plain_sums, fast_sums, sizeof plain_sums);
        struct input moved = input;
        struct learn_pass pass = {input.labels, NULL, rows, NULL, values, input.codes, 255};
        kernel->pass(&pass, moved.scores, fast_sums);
        assert_memory_equal(plain_sums, fast_sums, sizeof plain_sums);
        assert_memory_equal(moved.scores, input.scores, sizeof input.scores);
        for (size_t i = 0; i < rows; i++) {
            other[i] = (uint8_t)(255 - input.codes[i]);
            moved.scores[i] += values[input.codes[i]];
        }
        learn_kernel_plain.derivatives(moved.scores, input.labels, weights, rows, plain);
        learn_kernel_plain.sums(other, plain, rows, 256, plain_sums);
        struct input passed = input;
        pass = (struct learn_pass){input.labels, weights, rows, input.codes, values, other, 256};
        kernel->pass(&pass, passed.scores, fast_sums);
        assert_memory_equal(plain_sums, fast_sums, sizeof plain_sums);
        assert_memory_equal(passed.scores, moved.scores, sizeof moved.scores);
    }
}

static void every_instruction_set_gives_the_same_bits(void **state)
{
    (void)state;
    same_bits(learn_kernel_choose());
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2")) {
        same_bits(&learn_kernel_avx2);
    } else {
        print_message("no AVX2 here: that kernel is not tested\n");
    }
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl")) {
        same_bits(&learn_kernel_avx512);
    } else {
        print_message("no AVX-512 here: that kernel is not tested\n");
    }
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_follow_their_definition),
        cmocka_unit_test(sums_equal_a_plain_sum_to_rounding),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
