/* SPDX-License-Identifier: Apache-2.0 */
/* Who is held out is what sha256sum says, at the share that was asked for; a sample is the lowest
 * hashes whatever the order of accounts, and every account is as likely to be in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/listing/listing_draw.h"

static void a_draw_is_what_sha256sum_says(void **state)
{
    (void)state;
    /* printf %s monday:a17 | sha256sum | cut -c1-16 */
    assert_int_equal(listing_draw_of(proto_span_text("monday"), proto_span_text("a17")),
                     UINT64_C(0x914ffadb49be81dd));
    assert_int_equal(listing_draw_of(proto_span_text("monday"), proto_span_text("a18")),
                     UINT64_C(0x576e480bd31aba07));
    assert_int_equal(listing_draw_bound(0.5), UINT64_C(1) << 63);
    assert_int_equal(listing_draw_bound(0), 0);
}

static void a_tenth_is_about_a_tenth_and_depends_on_the_seed(void **state)
{
    unsigned held = 0;
    unsigned both = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "a%d", i);
        bool one =
            listing_draw_of(proto_span_text("one"), proto_span_text(id)) < listing_draw_bound(.1);
        bool two =
            listing_draw_of(proto_span_text("two"), proto_span_text(id)) < listing_draw_bound(.1);
        held += one;
        both += one && two;
    }
    assert_in_range(held, 910, 1090);
    assert_in_range(both, 60, 140);
}

static void a_sample_does_not_depend_on_the_order(void **state)
{
    struct listing_sample up;
    struct listing_sample down;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    assert_true(listing_sample_init(&up, 50, proto_span_text("seed"), &fault));
    assert_true(listing_sample_init(&down, 50, proto_span_text("seed"), &fault));
    for (uint32_t slot = 0; slot < 1000; slot++) {
        listing_sample_offer(&up, slot, slot);
        listing_sample_offer(&down, 999 - slot, 0);
    }
    listing_sample_sort(&up);
    listing_sample_sort(&down);
    assert_int_equal(up.count, 50);
    assert_int_equal(down.count, 50);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(up.items[i].slot, down.items[i].slot);
        assert_true(i == 0 || up.items[i - 1].hash <= up.items[i].hash);
    }
    listing_sample_fini(&up);
    listing_sample_fini(&down);
}

static void everybody_is_as_likely(void **state)
{
    unsigned early = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    for (int run = 0; run < 200; run++) {
        char seed[16];
        struct listing_sample sample;
        (void)snprintf(seed, sizeof seed, "s%d", run);
        assert_true(listing_sample_init(&sample, 10, proto_span_text(seed), &fault));
        for (uint32_t slot = 0; slot < 100; slot++) {
            listing_sample_offer(&sample, slot, 0);
        }
        for (size_t i = 0; i < sample.count; i++) {
            early += sample.items[i].slot < 50;
        }
        listing_sample_fini(&sample);
    }
    assert_in_range(early, 900, 1100); /* of 2,000; deviation 21 */
}

static void a_sample_of_fewer_is_all_and_of_none_is_none(void **state)
{
    struct listing_sample sample;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    assert_true(listing_sample_init(&sample, 10, proto_span_text("s"), &fault));
    for (uint32_t slot = 0; slot < 4; slot++) {
        listing_sample_offer(&sample, slot, 0);
    }
    assert_int_equal(sample.count, 4);
    listing_sample_fini(&sample);
    assert_true(listing_sample_init(&sample, 0, proto_span_text("s"), &fault));
    listing_sample_offer(&sample, 1, 0);
    assert_int_equal(sample.count, 0);
    listing_sample_fini(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_draw_is_what_sha256sum_says),
        cmocka_unit_test(a_tenth_is_about_a_tenth_and_depends_on_the_seed),
        cmocka_unit_test(a_sample_does_not_depend_on_the_order),
        cmocka_unit_test(everybody_is_as_likely),
        cmocka_unit_test(a_sample_of_fewer_is_all_and_of_none_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
