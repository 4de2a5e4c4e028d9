/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/learn/groups.h"
#include "tests/unit/learn/learn_example.h"

static struct learn_groups groups_of(const struct example *example)
{
    struct learn_sample sample;
    struct learn_groups groups;
    struct proto_fault fault;
    assert_true(learn_sample_read(&example->population, &example->options, &sample, &fault));
    assert_true(learn_groups_find(&sample, &groups, &fault));
    /* By row of the population from here on: the sample has an order of its own. */
    if (groups.of_row != NULL) {
        uint32_t *by_row = calloc(sample.rows, sizeof *by_row);
        assert_non_null(by_row);
        for (size_t i = 0; i < sample.rows; i++) {
            by_row[sample.index[i]] = groups.of_row[i];
        }
        free(groups.of_row);
        groups.of_row = by_row;
    }
    learn_sample_fini(&sample);
    return groups;
}

/* Rows of a run have one group, rows of different runs have different ones. */
static void runs_are_groups(const struct learn_groups *groups, size_t rows, size_t copies)
{
    assert_non_null(groups->of_row);
    assert_int_equal(groups->count, rows / copies);
    assert_int_equal(groups->rows_repeated, rows);
    assert_int_equal(groups->largest, copies);
    for (size_t i = 0; i < rows; i++) {
        assert_true(groups->of_row[i] < groups->count);
        assert_int_equal(groups->of_row[i], groups->of_row[i / copies * copies]);
    }
}

static void rows_that_repeat_an_account_are_grouped(void **state)
{
    (void)state;
    static const size_t copies[] = {2, 3, 5, 9};
    for (size_t k = 0; k < 4; k++) {
        size_t rows = copies[k] * 120;
        struct example *example = example_create(
            &(struct example_options){.rows = rows, .seed = 3 + k, .copies = copies[k]});
        for (size_t i = 0; i < rows; i++) { /* a second number that is the account's own */
            struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
            values[EXAMPLE_EMPLOYEES] = values[EXAMPLE_NOISE];
            values[EXAMPLE_EMPLOYEES].number *= 3.0;
        }
        struct learn_groups groups = groups_of(example);
        runs_are_groups(&groups, rows, copies[k]);
        assert_true(groups.alike);
        learn_groups_fini(&groups);
        example_destroy(example);
    }
}

/* One field changes from row to row, as a date of contact or a count of visits does. */
static void one_field_that_varies_hides_no_account(void **state)
{
    (void)state;
    static const uint16_t fields[] = {0, 1, 2, 3, 4, 5, EXAMPLE_SERIAL, EXAMPLE_DAY};
    struct example *example =
        example_create(&(struct example_options){.rows = 600, .seed = 4, .copies = 3});
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
        values[EXAMPLE_SERIAL].number = values[EXAMPLE_NOISE].number * 7.0;
    }
    example->options.field_ids = fields;
    example->options.field_count = 8;
    struct learn_groups groups = groups_of(example);
    runs_are_groups(&groups, 600, 3);
    learn_groups_fini(&groups);
    example_destroy(example);
}

/* Nothing is learned from the name, and other values differ, but it is the same company. */
static void one_name_is_one_account(void **state)
{
    (void)state;
    static const uint16_t name[] = {EXAMPLE_TOKEN};
    struct example *example = example_create(&(struct example_options){.rows = 400, .seed = 5});
    for (size_t i = 0; i < example->rows; i++) { /* every two rows of the same one */
        example->values[i * EXAMPLE_FIELDS + EXAMPLE_TOKEN].text =
            example->values[i / 2 * 2 * EXAMPLE_FIELDS + EXAMPLE_TOKEN].text;
    }
    struct learn_groups without = groups_of(example);
    assert_null(without.of_row);
    assert_int_equal(without.count, 400);
    example->options.same_field_ids = name;
    example->options.same_field_count = 1;
    struct learn_groups groups = groups_of(example);
    runs_are_groups(&groups, 400, 2);
    assert_string_equal(groups.name, "token");
    learn_groups_fini(&groups);
    example_destroy(example);
}

static void names_of_fields_say_who(void **state)
{
    (void)state;
    assert_true(learn_groups_name_says_who("company"));
    assert_true(learn_groups_name_says_who("Account_Name"));
    assert_true(learn_groups_name_says_who("parent-company"));
    assert_false(learn_groups_name_says_who("company size"));
    assert_false(learn_groups_name_says_who("account owner"));
    assert_false(learn_groups_name_says_who("compan"));
    assert_false(learn_groups_name_says_who(""));
}

static void rows_that_are_alike_by_chance_are_not_grouped(void **state)
{
    (void)state;
    static const uint16_t coarse[] = {EXAMPLE_INDUSTRY, EXAMPLE_COUNTRY, EXAMPLE_PUBLIC};
    struct example *example = example_create(&(struct example_options){.rows = 2000, .seed = 3});
    example->options.field_ids = coarse; /* 96 profiles, each some 20 times */
    example->options.field_count = 3;
    struct learn_groups groups = groups_of(example);
    assert_null(groups.of_row);
    assert_int_equal(groups.count, 2000);
    example_destroy(example);
    /* Accounts of their own with numbers and names of values that repeat. */
    example = example_create(&(struct example_options){.rows = 3000, .seed = 6});
    groups = groups_of(example);
    assert_true(groups.rows_repeated < 10);
    learn_groups_fini(&groups);
    example_destroy(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_repeat_an_account_are_grouped),
        cmocka_unit_test(one_field_that_varies_hides_no_account),
        cmocka_unit_test(one_name_is_one_account),
        cmocka_unit_test(names_of_fields_say_who),
        cmocka_unit_test(rows_that_are_alike_by_chance_are_not_grouped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
