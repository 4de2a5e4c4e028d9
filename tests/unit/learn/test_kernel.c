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
    learn_kernel_plain.derivatives(input.scores, input.labels, ROWS_MAX, out);
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
    learn_kernel_plain.derivatives(input.scores, input.labels, ROWS_MAX, out);
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
    struct learn_sums plain_sums[255];
    struct learn_sums fast_sums[255];
    input_fill(&input);
    for (size_t rows = 0; rows <= ROWS_MAX; rows += rows < 70 ? 1 : 89) {
        learn_kernel_plain.derivatives(input.scores, input.labels, rows, plain);
        kernel->derivatives(input.scores, input.labels, rows, fast);
        assert_memory_equal(plain, fast, rows * sizeof *plain);
        learn_kernel_plain.sums(input.codes, plain, rows, 255, plain_sums);
        kernel->sums(input.codes, fast, rows, 255, fast_sums);
        assert_memory_equal(plain_sums, fast_sums, sizeof plain_sums);
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
