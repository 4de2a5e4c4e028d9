/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 against the examples of FIPS 180-4, whole and in parts of every length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/math/sha256.h"

static void sum(const char *text, size_t part, char hex[MATH_SHA256_HEX_BYTES])
{
    struct math_sha256 sha;
    size_t bytes = strlen(text);
    math_sha256_begin(&sha);
    for (size_t at = 0; at < bytes; at += part) {
        math_sha256_add(&sha, text + at, bytes - at < part ? bytes - at : part);
    }
    math_sha256_hex(&sha, hex);
}

static void known_texts_have_their_sums(void **state)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
         "lmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t part = 1; part < 130; part++) {
            char hex[MATH_SHA256_HEX_BYTES];
            sum(cases[i].text, part, hex);
            assert_string_equal(hex, cases[i].hex);
        }
    }
}

static void a_million_letters_have_their_sum(void **state)
{
    char letters[1000];
    char hex[MATH_SHA256_HEX_BYTES];
    struct math_sha256 sha;
    (void)state;
    memset(letters, 'a', sizeof letters);
    math_sha256_begin(&sha);
    for (int i = 0; i < 1000; i++) {
        math_sha256_add(&sha, letters, sizeof letters);
    }
    math_sha256_hex(&sha, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_sums),
        cmocka_unit_test(a_million_letters_have_their_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
