/* SPDX-License-Identifier: Apache-2.0 */
/* Published values of Jaro and Jaro–Winkler (Winkler 1990, table of examples), and what must hold
 * of any two words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "server/identity/name_like.h"

static const struct {
    const char *a;
    const char *b;
    double jaro;
    double winkler;
} published[] = {
    {"MARTHA", "MARHTA", 0.9444, 0.9611},
    {"DIXON", "DICKSONX", 0.7667, 0.8133},
    {"DWAYNE", "DUANE", 0.8222, 0.84},
    {"JELLYFISH", "SMELLYFISH", 0.8963, 0.8963},
    {"JONES", "JOHNSON", 0.7905, 0.8324},
    {"ABROMS", "ABRAMS", 0.8889, 0.9222},
    {"DUNNINGHAM", "CUNNIGHAM", 0.8963, 0.8963},
    {"ITMAN", "SMITH", 0.4667, 0.4667},
    {"same", "same", 1, 1},
    {"abc", "xyz", 0, 0},
    {"", "", 1, 1},
    {"", "a", 0, 0},
    {"a", "a", 1, 1},
    {"トヨタ", "トヨク", 0.7778, 0.8222},
};

static void published_values_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        struct proto_span a = proto_span_text(published[i].a);
        struct proto_span b = proto_span_text(published[i].b);
        if (fabs(identity_jaro(a, b) - published[i].jaro) > 0.00006 ||
            fabs(identity_jaro_winkler(a, b) - published[i].winkler) > 0.00006 ||
            fabs(identity_jaro_winkler(b, a) - published[i].winkler) > 0.00006) {
            fail_msg("%s, %s: %.4f and %.4f", published[i].a, published[i].b, identity_jaro(a, b),
                     identity_jaro_winkler(a, b));
        }
    }
}

static void any_bytes_have_a_likeness_from_0_to_1(void **state)
{
    (void)state;
    uint32_t random = 7;
    for (size_t round = 0; round < 20000; round++) {
        uint8_t bytes[24];
        for (size_t i = 0; i < sizeof bytes; i++) {
            random = random * 1664525 + 1013904223;
            bytes[i] = (uint8_t)(random >> 24) & (round % 2 == 0 ? 0xFF : 0x63);
        }
        struct proto_span a = {bytes, random % 13};
        struct proto_span b = {bytes + 12, random / 13 % 13};
        double like = identity_jaro_winkler(a, b);
        assert_true(like >= 0 && like <= 1);
        assert_true(identity_jaro(a, a) == 1);
        assert_true(identity_jaro(a, b) <= like + 1e-12);
    }
}

static void long_words_are_compared_by_their_beginning(void **state)
{
    (void)state;
    uint8_t a[600];
    uint8_t b[600];
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    b[599] = 'y';
    assert_true(identity_jaro((struct proto_span){a, 600}, (struct proto_span){b, 600}) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_values_come_out),
        cmocka_unit_test(any_bytes_have_a_likeness_from_0_to_1),
        cmocka_unit_test(long_words_are_compared_by_their_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
