/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that are another one overwritten, and those that only look so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/learn/leakage_overwritten.h"
#include "server/math/random.h"

enum { ROWS = 4000, VALUES = 8, WRITER = 99 };

/* Field 0 is one of eight values; field 1 is it again, or WRITER. */
struct made {
    uint64_t hashes[2 * ROWS];
    uint8_t labels[ROWS];
    struct learn_overwritten found[2];
};

/* How often WRITER is written over a negative, and over a positive. */
static void make(struct made *made, uint64_t seed, double negatives, double positives)
{
    struct math_random random;
    math_random_init(&random, seed);
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t value = 1 + math_random_below(&random, VALUES);
        made->labels[i] = math_random_unit(&random) < 0.1 * (double)value;
        made->hashes[i] = value;
        bool over = math_random_unit(&random) < (made->labels[i] != 0 ? positives : negatives);
        made->hashes[ROWS + i] = over ? WRITER : value;
    }
}

static bool look(struct made *made)
{
    const struct learn_overwritten_cells cells = {2, ROWS, made->hashes, made->labels};
    assert_true(learn_leakage_overwritten(&cells, made->found));
    assert_int_equal(made->found[0].rows, 0); /* never the one that came first */
    return made->found[1].rows > 0;
}

static void what_is_written_over_with_the_outcome_is_found(void **state)
{
    (void)state;
    static struct made made;
    make(&made, 1, 0.5, 0.3);
    assert_true(look(&made));
    const struct learn_overwritten *found = &made.found[1];
    assert_int_equal(found->field, 0);
    assert_int_equal(found->rows, ROWS);
    assert_int_equal(found->same + found->over, ROWS);
    assert_int_equal(made.hashes[ROWS + found->row], WRITER);
    /* odds 0.3 : 0.7 against 0.5 : 0.5 */
    assert_true(found->odds_low < 0.4286 && found->odds_high > 0.4286);
    assert_true(found->odds > 0.3 && found->odds < 0.55);
    make(&made, 1, 0.2, 0.5); /* and the other way */
    assert_true(look(&made));
    assert_true(made.found[1].odds > 2.0);
}

/* Overwritten whatever the outcome: 40 seeds, chance of one 2e-5. */
static void what_is_written_over_anyhow_is_not(void **state)
{
    (void)state;
    static struct made made;
    for (uint64_t seed = 0; seed < 40; seed++) {
        make(&made, seed, 0.4, 0.4);
        assert_false(look(&made));
    }
}

/* Rare values that are gathered under one name say nothing that the other field does not. */
static void values_gathered_under_one_name_are_not(void **state)
{
    (void)state;
    static struct made made;
    make(&made, 3, 0.0, 0.0);
    for (size_t i = 0; i < ROWS; i++) {
        made.hashes[ROWS + i] = made.hashes[i] > 5 ? WRITER : made.hashes[i];
    }
    assert_false(look(&made));
}

/* One flag that implies another, with any outcome. */
static void flags_are_not(void **state)
{
    (void)state;
    static struct made made;
    make(&made, 4, 0.5, 0.2);
    for (size_t i = 0; i < ROWS; i++) {
        bool written = made.hashes[ROWS + i] == WRITER;
        made.hashes[i] = made.hashes[i] % 2 + 1;
        made.hashes[ROWS + i] = written ? 2 : made.hashes[i];
    }
    assert_false(look(&made));
}

/* Missing values agree with nothing, and another field is none. */
static void missing_and_unlike_fields_are_not(void **state)
{
    (void)state;
    static struct made made;
    make(&made, 5, 0.5, 0.3);
    for (size_t i = 0; i < ROWS; i++) {
        made.hashes[ROWS + i] = i % 50 == 0 ? made.hashes[ROWS + i] : LEARN_OVERWRITTEN_NONE;
    }
    assert_false(look(&made));
    make(&made, 6, 0.5, 0.3);
    for (size_t i = 0; i < ROWS; i++) {
        made.hashes[i] += 20;
    }
    assert_false(look(&made));
    const struct learn_overwritten_cells none = {0, 0, made.hashes, made.labels};
    assert_true(learn_leakage_overwritten(&none, made.found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_over_with_the_outcome_is_found),
        cmocka_unit_test(what_is_written_over_anyhow_is_not),
        cmocka_unit_test(values_gathered_under_one_name_are_not),
        cmocka_unit_test(flags_are_not),
        cmocka_unit_test(missing_and_unlike_fields_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
