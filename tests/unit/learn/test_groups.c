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

static void rows_that_repeat_an_account_are_grouped(void **state)
{
    (void)state;
    struct example *example =
        example_create(&(struct example_options){.rows = 900, .seed = 3, .copies = 9});
    /* Two fields must name the account: the noise number does, and so does a second one made of it.
     */
    for (size_t i = 0; i < example->rows; i++) {
        struct feature_value *values = example->values + i * EXAMPLE_FIELDS;
        values[EXAMPLE_EMPLOYEES] = values[EXAMPLE_NOISE];
    }
    struct learn_sample sample;
    struct proto_fault fault;
    uint32_t *groups = NULL;
    size_t count = 0;
    assert_true(learn_sample_read(&example->population, &example->options, &sample, &fault));
    assert_true(learn_groups_find(&sample, &groups, &count, &fault));
    assert_non_null(groups);
    assert_int_equal(count, 100);
    for (size_t i = 0; i < 900; i++) {
        assert_true(groups[i] < 100);
        assert_int_equal(groups[i], groups[i / 9 * 9]);
    }
    free(groups);
    learn_sample_fini(&sample);
    example_destroy(example);
}

static void rows_that_are_alike_by_chance_are_not_grouped(void **state)
{
    (void)state;
    static const uint16_t coarse[] = {EXAMPLE_INDUSTRY, EXAMPLE_COUNTRY, EXAMPLE_PUBLIC};
    struct example *example = example_create(&(struct example_options){.rows = 2000, .seed = 3});
    example->options.field_ids = coarse; /* 96 profiles, each some 20 times */
    example->options.field_count = 3;
    struct learn_sample sample;
    struct proto_fault fault;
    uint32_t *groups = NULL;
    size_t count = 0;
    assert_true(learn_sample_read(&example->population, &example->options, &sample, &fault));
    assert_true(learn_groups_find(&sample, &groups, &count, &fault));
    assert_null(groups);
    assert_int_equal(count, 96);
    learn_sample_fini(&sample);
    example_destroy(example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_repeat_an_account_are_grouped),
        cmocka_unit_test(rows_that_are_alike_by_chance_are_not_grouped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
