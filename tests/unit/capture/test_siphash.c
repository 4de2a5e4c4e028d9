/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "server/capture/siphash.h"

/* The worked example of the paper: key 00 … 0f, message 00 … 0e. */
static void the_example_of_the_paper_comes_out(void **state)
{
    (void)state;
    uint8_t key[CAPTURE_KEY_BYTES];
    uint8_t message[15];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (uint8_t)i;
    }
    for (size_t i = 0; i < sizeof message; i++) {
        message[i] = (uint8_t)i;
    }
    struct proto_span span = {message, sizeof message};
    assert_true(capture_siphash(key, span) == UINT64_C(0xa129ca6149be45e5));
    /* And the first value of the reference's own table: no message at all. */
    assert_true(capture_siphash(key, (struct proto_span){message, 0}) ==
                UINT64_C(0x726fdb47dd0e0e31));
}

static void another_key_gives_another_hash(void **state)
{
    (void)state;
    uint8_t key[CAPTURE_KEY_BYTES] = {0};
    struct proto_span span = proto_span_text("domain:acme.com");
    uint64_t hash = capture_siphash(key, span);
    key[15] = 1;
    assert_true(capture_siphash(key, span) != hash);
    key[15] = 0;
    assert_true(capture_siphash(key, span) == hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_paper_comes_out),
        cmocka_unit_test(another_key_gives_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
