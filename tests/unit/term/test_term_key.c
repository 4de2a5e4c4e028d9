/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 against the first three vectors of RFC 8032, 7.1; a key survives its file; what is no
 * key's signature is not taken for one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/term/term_chain.h"
#include "server/term/term_key.h"

static const struct {
    const char *seed, *key, *text, *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6594a7c15e9716ed28dc027beceea1ec40a"},
};

static struct proto_span text_of(size_t i, uint8_t room[8])
{
    size_t count = strlen(vectors[i].text) / 2;
    assert_true(term_hex_read(proto_span_text(vectors[i].text), room, count));
    return (struct proto_span){room, count};
}

static void signatures_are_those_of_the_standard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct proto_fault fault = {0};
        uint8_t seed[TERM_KEY_BYTES];
        uint8_t public[TERM_KEY_BYTES];
        uint8_t signature[TERM_SIGNATURE_BYTES];
        uint8_t room[8];
        char hex[2 * TERM_SIGNATURE_BYTES + 1];
        bool good = false;
        struct proto_span text = text_of(i, room);
        assert_true(term_hex_read(proto_span_text(vectors[i].seed), seed, sizeof seed));
        struct term_key *key = term_key_of(seed, &fault);
        assert_non_null(key);
        assert_true(term_key_public(key, public, &fault));
        term_hex_print(public, sizeof public, hex);
        assert_string_equal(hex, vectors[i].key);
        assert_true(term_key_sign(key, text, signature, &fault));
        term_hex_print(signature, sizeof signature, hex);
        assert_string_equal(hex, vectors[i].signature);
        assert_true(term_key_verify(public, text, signature, &good, &fault));
        assert_true(good);
        term_key_destroy(key);
    }
}

static void what_was_not_signed_is_not_good(void **state)
{
    struct proto_fault fault = {0};
    uint8_t public[TERM_KEY_BYTES];
    uint8_t signature[TERM_SIGNATURE_BYTES];
    bool good = true;
    (void)state;
    struct term_key *key = term_key_make(&fault);
    assert_non_null(key);
    assert_true(term_key_public(key, public, &fault));
    assert_true(term_key_sign(key, proto_span_text("the list"), signature, &fault));
    assert_true(term_key_verify(public, proto_span_text("the list"), signature, &good, &fault));
    assert_true(good);
    assert_true(term_key_verify(public, proto_span_text("a list"), signature, &good, &fault));
    assert_false(good);
    for (unsigned i = 0; i < TERM_SIGNATURE_BYTES; i++) {
        signature[i] ^= 4;
        assert_true(term_key_verify(public, proto_span_text("the list"), signature, &good, &fault));
        assert_false(good);
        signature[i] ^= 4;
    }
    term_key_destroy(key);
}

static void a_key_survives_its_file_and_another_file_is_none(void **state)
{
    struct proto_fault fault = {0};
    uint8_t before[TERM_KEY_BYTES];
    uint8_t after[TERM_KEY_BYTES];
    (void)state;
    FILE *file = tmpfile();
    assert_non_null(file);
    struct term_key *key = term_key_make(&fault);
    assert_non_null(key);
    assert_true(term_key_public(key, before, &fault));
    assert_true(term_key_write(key, file, &fault));
    term_key_destroy(key);
    rewind(file);
    key = term_key_read(file, &fault);
    assert_non_null(key);
    assert_true(term_key_public(key, after, &fault));
    assert_memory_equal(before, after, sizeof before);
    term_key_destroy(key);
    assert_null(term_key_read(file, &fault));
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_standard),
        cmocka_unit_test(what_was_not_signed_is_not_good),
        cmocka_unit_test(a_key_survives_its_file_and_another_file_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
