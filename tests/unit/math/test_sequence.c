/* SPDX-License-Identifier: Apache-2.0 */
/* Confidence sequences against an implementation by scipy, and what they promise: looked at after
 * every value they miss the mean in few runs. The control is an ordinary interval looked at as
 * often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>

#include "server/math/random.h"
#include "server/math/sequence.h"

enum { VALUES = 1000, RUNS = 200, LOOKS_FROM = 20, LOOKS_EACH = 20 };

static const struct math_sequence_options options = {.width = 1, .best = 100, .alpha = 0.05};

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9;
}

static void intervals_are_those_of_the_formula(void **state)
{
    (void)state;
    double x[VALUES];
    for (int i = 0; i < VALUES; i++) {
        x[i] = (i * 37) % 101 / 101.0 - 0.48;
    }
    struct math_sequence all = math_sequence_mean(x, VALUES, &options);
    assert_true(near(all.mean, 0.015148514851485158));
    assert_true(near(all.low, -0.017209247015929782));
    assert_true(near(all.high, 0.047506276718900106));
    struct math_sequence few = math_sequence_mean(x, 5, &options);
    assert_true(near(few.mean, -0.14732673267326732));
    assert_true(near(few.low, -1.6297993856089241));
    assert_true(near(few.high, 1.3351459202623894));
    struct math_sequence none = math_sequence_mean(x, 0, &options);
    assert_true(none.low == -1 && none.high == 1);
}

/* Values of another range are the same values scaled. */
static void the_range_only_scales(void **state)
{
    (void)state;
    double x[200];
    double wide[200];
    struct math_sequence_options wider = options;
    wider.width = 7;
    for (int i = 0; i < 200; i++) {
        x[i] = (i * 29) % 97 / 97.0 - 0.5;
        wide[i] = 7 * x[i];
    }
    struct math_sequence a = math_sequence_mean(x, 200, &options);
    struct math_sequence b = math_sequence_mean(wide, 200, &wider);
    assert_true(near(7 * a.low, b.low) && near(7 * a.high, b.high));
}

static bool misses_plainly(const double *x, size_t count)
{
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        sum += x[i];
        squares += x[i] * x[i];
    }
    double n = (double)count;
    double error = sqrt((squares / n - sum / n * (sum / n)) / n);
    return fabs(sum / n) > 1.96 * error;
}

static void it_may_be_looked_at_again_and_again(void **state)
{
    (void)state;
    int missed = 0;
    int missed_plainly = 0;
    struct math_random random;
    math_random_init(&random, 9);
    for (int run = 0; run < RUNS; run++) {
        double x[VALUES];
        bool ours = false;
        bool plainly = false;
        for (int i = 0; i < VALUES; i++) {
            x[i] =
                math_random_below(&random, 4) == 0 ? 0.6 : -0.2; /* mean 0, within a range of 1 */
        }
        for (size_t n = LOOKS_FROM; n <= VALUES; n += LOOKS_EACH) {
            struct math_sequence seen = math_sequence_mean(x, n, &options);
            ours = ours || seen.low > 0 || seen.high < 0;
            plainly = plainly || misses_plainly(x, n);
        }
        missed += ours;
        missed_plainly += plainly;
    }
    assert_true(missed <= RUNS / 20);
    assert_true(missed_plainly > RUNS / 10); /* the control */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_are_those_of_the_formula),
        cmocka_unit_test(the_range_only_scales),
        cmocka_unit_test(it_may_be_looked_at_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
