/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "server/learn/split.h"

enum { ROWS = 1000 };

static void labels_fill(uint8_t *labels)
{
    for (size_t i = 0; i < ROWS; i++) {
        labels[i] = i % 5 == 0;
    }
}

static void random_split_takes_its_share_of_either_class(void **state)
{
    (void)state;
    uint8_t labels[ROWS];
    bool held[ROWS];
    bool again[ROWS];
    bool other[ROWS];
    labels_fill(labels);
    struct learn_split_rows rows = {.rows = ROWS, .labels = labels};
    assert_true(learn_split_random(&rows, 0.3, 7, held));
    assert_true(learn_split_random(&rows, 0.3, 7, again));
    assert_true(learn_split_random(&rows, 0.3, 8, other));
    size_t positives = 0;
    size_t negatives = 0;
    size_t moved = 0;
    for (size_t i = 0; i < ROWS; i++) {
        positives += held[i] && labels[i];
        negatives += held[i] && !labels[i];
        assert_true(held[i] == again[i]);
        moved += held[i] != other[i];
    }
    assert_int_equal(positives, 60);
    assert_int_equal(negatives, 240);
    assert_true(moved > 200);
}

static void folds_are_of_equal_size_and_equal_rate(void **state)
{
    (void)state;
    uint8_t labels[ROWS];
    uint8_t folds[ROWS];
    labels_fill(labels);
    struct learn_split_rows rows = {.rows = ROWS, .labels = labels};
    assert_true(learn_split_folds(&rows, 8, 7, folds));
    size_t sizes[8] = {0};
    size_t positives[8] = {0};
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(folds[i] < 8);
        sizes[folds[i]]++;
        positives[folds[i]] += labels[i];
    }
    for (size_t k = 0; k < 8; k++) {
        assert_int_equal(sizes[k], 125);
        assert_int_equal(positives[k], 25);
    }
}

static void groups_are_never_divided(void **state)
{
    (void)state;
    uint8_t labels[ROWS];
    uint32_t groups[ROWS];
    bool held[ROWS];
    uint8_t folds[ROWS];
    labels_fill(labels);
    for (uint32_t i = 0; i < ROWS; i++) {
        groups[i] = i % 50;
    }
    struct learn_split_rows rows = {ROWS, labels, groups, 50};
    assert_true(learn_split_random(&rows, 0.3, 7, held));
    assert_true(learn_split_folds(&rows, 8, 7, folds));
    size_t taken = 0;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(held[i] == held[i % 50]);
        assert_int_equal(folds[i], folds[i % 50]);
        taken += held[i];
    }
    assert_int_equal(taken, 300);
}

static void split_by_time_holds_out_the_latest(void **state)
{
    (void)state;
    double times[ROWS];
    bool held[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        times[i] = (double)(i * 7919 % ROWS);
    }
    assert_true(learn_split_time(times, ROWS, 0.3, held));
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(held[i] == (times[i] >= 700.0));
    }
}

static void rows_without_time_or_at_the_same_time_are_learned_from(void **state)
{
    (void)state;
    double times[10] = {1, 2, 3, 4, 5, 5, 5, 5, 9, (double)NAN};
    bool held[10];
    assert_true(learn_split_time(times, 10, 0.3, held)); /* 30 % of nine: three, of which two tie */
    for (size_t i = 0; i < 10; i++) {
        assert_true(held[i] == (i == 8));
    }
    for (size_t i = 0; i < 10; i++) {
        times[i] = (double)NAN;
    }
    assert_true(learn_split_time(times, 10, 0.3, held));
    for (size_t i = 0; i < 10; i++) {
        assert_false(held[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_split_takes_its_share_of_either_class),
        cmocka_unit_test(folds_are_of_equal_size_and_equal_rate),
        cmocka_unit_test(groups_are_never_divided),
        cmocka_unit_test(split_by_time_holds_out_the_latest),
        cmocka_unit_test(rows_without_time_or_at_the_same_time_are_learned_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
