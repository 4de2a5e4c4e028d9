/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <math.h>

static void pack_sorts_and_makes_unique(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    uint8_t out[64];
    struct proto_span texts[] = {proto_span_text("b"), proto_span_text("ab"), proto_span_text("b"),
                                 proto_span_text("a")};
    size_t bytes = feature_tags_pack(texts, 4, out, sizeof out, &fault);
    struct proto_span tags = {out, bytes};
    assert_int_equal(bytes, 3 + 4 + 3);
    assert_int_equal(feature_tags_count(tags), 3);
    size_t at = 0;
    struct proto_span tag;
    assert_true(feature_tags_next(tags, &at, &tag) && proto_span_is(tag, "a"));
    assert_true(feature_tags_next(tags, &at, &tag) && proto_span_is(tag, "ab"));
    assert_true(feature_tags_next(tags, &at, &tag) && proto_span_is(tag, "b"));
    assert_false(feature_tags_next(tags, &at, &tag));
    assert_true(feature_tags_has(tags, proto_span_text("ab")));
    assert_false(feature_tags_has(tags, proto_span_text("c")));
    struct feature_value value = {.present = true, .type = FEATURE_TAGS, .tags = tags};
    assert_true(feature_value_valid(&value));
}

static void pack_refuses_what_breaks_a_limit(void **state)
{
    (void)state;
    static uint8_t out[PROTO_CATEGORY_BYTES_MAX + 8];
    static struct proto_span many[PROTO_TAGS_MAX + 1];
    struct proto_fault fault = {0};
    struct proto_span one = proto_span_text("abc");
    struct proto_span none = {0};
    struct proto_span longest = {out, PROTO_CATEGORY_BYTES_MAX + 1};
    assert_int_equal(feature_tags_pack(&one, 1, out, 4, &fault), 0);
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    assert_int_equal(feature_tags_pack(&one, 1, out, 5, &fault), 5);
    fault.code = PROTO_OK;
    assert_int_equal(feature_tags_pack(&none, 1, out, sizeof out, &fault), 0);
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_int_equal(feature_tags_pack(&longest, 1, out, sizeof out, &fault), 0);
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    fault.code = PROTO_OK;
    assert_int_equal(feature_tags_pack(many, PROTO_TAGS_MAX + 1, out, sizeof out, &fault), 0);
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    fault.code = PROTO_OK;
    assert_int_equal(feature_tags_pack(NULL, 0, out, sizeof out, &fault), 0);
    assert_int_equal(fault.code, PROTO_OK);
}

static bool tags_are_valid(const char *bytes, size_t count)
{
    struct feature_value value = {
        .present = true, .type = FEATURE_TAGS, .tags = {(const uint8_t *)bytes, count}};
    return feature_value_valid(&value);
}

static void valid_refuses_lists_that_are_broken(void **state)
{
    (void)state;
    assert_true(tags_are_valid("\1\0a\1\0b", 6)); /* control */
    assert_true(tags_are_valid("", 0));
    assert_false(tags_are_valid("\1\0b\1\0a", 6)); /* order */
    assert_false(tags_are_valid("\1\0a\1\0a", 6)); /* twice */
    assert_false(tags_are_valid("\0\0", 2));       /* empty */
    assert_false(tags_are_valid("\1\0a\1", 4));    /* cut off */
    assert_false(tags_are_valid("\2\0a", 3));
    assert_false(tags_are_valid("\1\0\xFF", 3)); /* not UTF-8 */
}

static void valid_refuses_numbers_and_vectors_that_are_not_finite(void **state)
{
    (void)state;
    float vector[2] = {1, 2};
    struct feature_value value = {.present = true, .type = FEATURE_VECTOR, .vector = {NULL, 8}};
    value.vector.data = (const uint8_t *)vector;
    assert_true(feature_value_valid(&value));
    vector[1] = NAN;
    assert_false(feature_value_valid(&value));
    value.vector.bytes = 3;
    assert_false(feature_value_valid(&value));
    value.vector.bytes = 0;
    assert_false(feature_value_valid(&value));
    value = (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = HUGE_VAL};
    assert_false(feature_value_valid(&value));
    value = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = {(const uint8_t *)"a\0b", 3}};
    assert_false(feature_value_valid(&value));
    value.text.bytes = 0;
    assert_false(feature_value_valid(&value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pack_sorts_and_makes_unique),
        cmocka_unit_test(pack_refuses_what_breaks_a_limit),
        cmocka_unit_test(valid_refuses_lists_that_are_broken),
        cmocka_unit_test(valid_refuses_numbers_and_vectors_that_are_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
