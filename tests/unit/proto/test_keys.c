/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/table.h"

#define COUNT 300

struct text {
    char data[12];
};

static void keys_make(struct text *texts, struct proto_span *keys, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        /* Lengths differ, and prefixes of one another occur: "1", "10", "100". */
        (void)snprintf(texts[i].data, sizeof(texts[i].data), "%zu", (i * 7919) % 100003);
        keys[i] = proto_span_text(texts[i].data);
    }
}

static void keys_both_ways_find_the_one_that_stands_twice(void **state)
{
    (void)state;
    struct text texts[COUNT];
    struct proto_span keys[COUNT];
    struct proto_span twice;
    for (size_t a = 0; a < COUNT; a += 37) {
        for (size_t b = a + 1; b < COUNT; b += 41) {
            keys_make(texts, keys, COUNT);
            struct proto_span same = keys[a];
            keys[b] = same;
            assert_int_equal(proto_keys_differ_hashed(keys, COUNT, SIZE_MAX, &twice),
                             PROTO_KEYS_TWICE);
            assert_true(proto_span_equal(twice, same));
            assert_false(proto_keys_differ_sorted(keys, COUNT, &twice));
            assert_true(proto_span_equal(twice, same));
        }
    }
}

static void keys_both_ways_pass_keys_that_differ(void **state)
{
    (void)state;
    struct text texts[COUNT];
    struct proto_span keys[COUNT];
    struct proto_span twice;
    for (size_t count = 0; count <= COUNT; count++) {
        keys_make(texts, keys, count);
        assert_int_equal(proto_keys_differ_hashed(keys, count, SIZE_MAX, &twice),
                         PROTO_KEYS_DIFFER);
        assert_true(proto_keys_differ_sorted(keys, count, &twice));
    }
}

static void keys_sort_leaves_them_in_order(void **state)
{
    (void)state;
    struct text texts[COUNT];
    struct proto_span keys[COUNT];
    struct proto_span twice;
    keys_make(texts, keys, COUNT);
    assert_true(proto_keys_differ_sorted(keys, COUNT, &twice));
    for (size_t i = 1; i < COUNT; i++) {
        assert_true(keys[i - 1].bytes < keys[i].bytes ||
                    (keys[i - 1].bytes == keys[i].bytes &&
                     memcmp(keys[i - 1].data, keys[i].data, keys[i].bytes) < 0));
    }
}

static void keys_hash_gives_up_when_its_probes_run_out(void **state)
{
    (void)state;
    struct text texts[COUNT];
    struct proto_span keys[COUNT];
    struct proto_span twice;
    keys_make(texts, keys, COUNT);
    assert_int_equal(proto_keys_differ_hashed(keys, COUNT, 0, &twice), PROTO_KEYS_UNDECIDED);
}

static void keys_hash_needs_few_probes_on_honest_keys(void **state)
{
    (void)state;
    static struct text texts[PROTO_MAP_KEYS_MAX];
    static struct proto_span keys[PROTO_MAP_KEYS_MAX];
    struct proto_span twice;
    keys_make(texts, keys, PROTO_MAP_KEYS_MAX);
    assert_int_equal(
        proto_keys_differ_hashed(keys, PROTO_MAP_KEYS_MAX, 2 * (size_t)PROTO_MAP_KEYS_MAX, &twice),
        PROTO_KEYS_DIFFER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_both_ways_find_the_one_that_stands_twice),
        cmocka_unit_test(keys_both_ways_pass_keys_that_differ),
        cmocka_unit_test(keys_sort_leaves_them_in_order),
        cmocka_unit_test(keys_hash_gives_up_when_its_probes_run_out),
        cmocka_unit_test(keys_hash_needs_few_probes_on_honest_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
