/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "proto/reader.h"

static bool valid(const char *text, size_t bytes)
{
    return proto_utf8_valid((struct proto_span){(const uint8_t *)text, bytes});
}

/* The encoding of a code point by the book; for surrogates and beyond too. */
static size_t encode(uint32_t point, uint8_t out[4])
{
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    size_t bytes = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    static const uint8_t leads[5] = {0, 0, 0xc0, 0xe0, 0xf0};
    out[0] = (uint8_t)(leads[bytes] | point);
    return bytes;
}

static void utf8_accepts_every_code_point_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x140000; point++) {
        uint8_t bytes[4];
        size_t count = encode(point, bytes);
        bool wanted = point < 0x110000 && (point < 0xd800 || point > 0xdfff);
        assert_int_equal(proto_utf8_step(bytes, count), wanted ? count : 0);
        for (size_t cut = 1; cut < count; cut++) {
            assert_int_equal(proto_utf8_step(bytes, cut), 0);
        }
    }
}

static void utf8_refuses_overlong_forms(void **state)
{
    (void)state;
    assert_false(valid("\xc0\x80", 2));
    assert_false(valid("\xc1\xbf", 2));
    assert_false(valid("\xe0\x80\xaf", 3));
    assert_false(valid("\xe0\x9f\xbf", 3));
    assert_false(valid("\xf0\x8f\xbf\xbf", 4));
}

static void utf8_refuses_stray_and_missing_tails(void **state)
{
    (void)state;
    assert_false(valid("\x80", 1));
    assert_false(valid("a\xbf", 2));
    assert_false(valid("\xc3(", 2));
    assert_false(valid("\xe2\x82(", 3));
    assert_false(valid("\xf0\x9f\x98(", 4));
    assert_false(valid("\xf5\x80\x80\x80", 4));
    assert_false(valid("\xfe", 1));
    assert_false(valid("\xff", 1));
}

static void utf8_finds_one_bad_byte_at_any_place(void **state)
{
    (void)state;
    char text[40];
    for (size_t bytes = 1; bytes <= sizeof(text); bytes++) {
        memset(text, 'a', sizeof(text));
        assert_true(valid(text, bytes));
        for (size_t at = 0; at < bytes; at++) {
            text[at] = '\x80';
            assert_false(valid(text, bytes));
            text[at] = 'a';
        }
    }
}

static void utf8_accepts_the_empty_text(void **state)
{
    (void)state;
    assert_true(proto_utf8_valid((struct proto_span){NULL, 0}));
    assert_true(valid("Zürich — 東京 😀", strlen("Zürich — 東京 😀")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_accepts_every_code_point_but_surrogates),
        cmocka_unit_test(utf8_refuses_overlong_forms),
        cmocka_unit_test(utf8_refuses_stray_and_missing_tails),
        cmocka_unit_test(utf8_finds_one_bad_byte_at_any_place),
        cmocka_unit_test(utf8_accepts_the_empty_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
