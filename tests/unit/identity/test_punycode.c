/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include "server/identity/punycode.h"

static const struct {
    const char *label;
    const char *encoded;
} labels[] = {
    {"acme", "acme"},
    {"m\xC3\xBCnchen", "xn--mnchen-3ya"},
    {"b\xC3\xBC"
     "cher",
     "xn--bcher-kva"},
    {"\xE4\xB8\xAD\xE5\x9B\xBD", "xn--fiqs8s"},
    {"\xD1\x80\xD1\x84", "xn--p1ai"},
    {"\xE4\xBB\x96\xE4\xBB\xAC\xE4\xB8\xBA\xE4\xBB\x80\xE4\xB9\x88\xE4\xB8\x8D\xE8\xAF\xB4\xE4\xB8"
     "\xAD\xE6\x96\x87",
     "xn--ihqwcrb4cv8a8dqg056pqjye"}, /* RFC 3492, section 7.1 (B) */
    {"", ""},
};

static void labels_are_encoded_as_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        char out[IDENTITY_LABEL_BYTES_MAX];
        size_t bytes = 0;
        assert_true(identity_punycode_label(proto_span_text(labels[i].label), out, &bytes));
        if (!proto_span_is((struct proto_span){(uint8_t *)out, bytes}, labels[i].encoded)) {
            fail_msg("%s gives %.*s", labels[i].encoded, (int)bytes, out);
        }
    }
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    char out[IDENTITY_LABEL_BYTES_MAX];
    static const uint8_t far[2][4] = {{0xF4, 0x8F, 0xBF, 0xBF}, {0xF0, 0x90, 0x80, 0x80}};
    char text[64 * 4 + 1];
    size_t bytes = 0;
    memset(text, 'a', sizeof text);
    assert_true(identity_punycode_label((struct proto_span){(uint8_t *)text, 63}, out, &bytes));
    assert_false(identity_punycode_label((struct proto_span){(uint8_t *)text, 64}, out, &bytes));
    for (size_t i = 0; i < 64; i++) {
        memcpy(text + 4 * i, far[i % 2], 4);
    }
    assert_false(identity_punycode_label((struct proto_span){(uint8_t *)text, 256}, out, &bytes));
    assert_false(identity_punycode_label(proto_span_text("\xFF"), out, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_encoded_as_the_rfc_says),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
