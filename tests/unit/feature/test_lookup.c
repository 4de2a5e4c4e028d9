/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <stdio.h>

#include "server/feature/lookup.h"

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct feature_lookup lookup = {0};
    assert_int_equal(feature_lookup_find(&lookup, proto_span_text("a")), FEATURE_LOOKUP_NONE);
    feature_lookup_fini(&lookup);
}

static void every_key_is_found_and_no_other(void **state)
{
    (void)state;
    static char keys[20000][8];
    struct feature_lookup lookup = {0};
    for (uint32_t i = 0; i < 20000; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%u", (unsigned)i);
        bool was_there = true;
        if (i % 2 == 0) {
            assert_true(feature_lookup_add(&lookup, proto_span_text(keys[i]), i, &was_there));
            assert_false(was_there);
        }
    }
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(feature_lookup_find(&lookup, proto_span_text(keys[i])),
                         i % 2 == 0 ? i : FEATURE_LOOKUP_NONE);
    }
    bool was_there = false;
    assert_true(feature_lookup_add(&lookup, proto_span_text("k4"), 99, &was_there));
    assert_true(was_there);
    assert_int_equal(feature_lookup_find(&lookup, proto_span_text("k4")), 4);
    feature_lookup_fini(&lookup);
}

static void the_empty_text_is_a_key_too(void **state)
{
    (void)state;
    struct feature_lookup lookup = {0};
    assert_true(feature_lookup_add(&lookup, proto_span_text(""), 3, NULL));
    assert_int_equal(feature_lookup_find(&lookup, (struct proto_span){0}), 3);
    feature_lookup_fini(&lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(every_key_is_found_and_no_other),
        cmocka_unit_test(the_empty_text_is_a_key_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
