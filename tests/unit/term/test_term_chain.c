/* SPDX-License-Identifier: Apache-2.0 */
/* The chain against hashes that were worked out with Python's hashlib from its formula; digits as
 * they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/term/term_chain.h"

static void expect_hash(const struct term_hash *hash, const char *wanted)
{
    char hex[TERM_HASH_HEX + 1];
    term_hex_print(hash->bytes, sizeof hash->bytes, hex);
    assert_string_equal(hex, wanted);
}

static void a_chain_is_as_its_formula_says(void **state)
{
    struct term_hash hash = {{0}};
    (void)state;
    hash = term_chain_next(&hash, proto_span_text("{}"));
    expect_hash(&hash, "1f42ae262679597b1b25a082d99e368464d8a3243613e766350d1cee09893057");
    hash = term_chain_next(&hash, proto_span_text("{\"a\":1}"));
    expect_hash(&hash, "eb8a1679210c213a008c49118fb268621a4caaf18936c259440582c0aa8bc857");
    struct term_hash empty = term_hash_of((struct proto_span){NULL, 0});
    expect_hash(&empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void every_bit_before_changes_the_hash(void **state)
{
    struct term_hash before = {{1}};
    struct term_hash hash = term_chain_next(&before, proto_span_text("x"));
    (void)state;
    for (unsigned i = 0; i < 8 * TERM_HASH_BYTES; i++) {
        struct term_hash other = before;
        other.bytes[i / 8] ^= (uint8_t)(1U << (i % 8));
        struct term_hash next = term_chain_next(&other, proto_span_text("x"));
        assert_false(term_hash_equal(&hash, &next));
    }
}

static void digits_are_lower_case_and_all_there(void **state)
{
    uint8_t bytes[2];
    char hex[5];
    (void)state;
    assert_true(term_hex_read(proto_span_text("09af"), bytes, 2));
    term_hex_print(bytes, 2, hex);
    assert_string_equal(hex, "09af");
    static const char *const bad[] = {"", "09a", "09aff", "09aF", "0xaf", "09 f", "g9af"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(term_hex_read(proto_span_text(bad[i]), bytes, 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_as_its_formula_says),
        cmocka_unit_test(every_bit_before_changes_the_hash),
        cmocka_unit_test(digits_are_lower_case_and_all_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
