/* SPDX-License-Identifier: Apache-2.0 */
/* Values get places in the order in which they are met, and keep them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/dispute/dispute_column.h"
#include "server/dispute/dispute_words.h"

static uint32_t place(struct dispute_words *words, const char *text)
{
    struct proto_fault fault = {0};
    struct feature_value value = {.present = text != NULL, .type = FEATURE_CATEGORY};
    uint32_t at = 0;
    if (text != NULL) {
        value.text = proto_span_text(text);
    }
    assert_true(dispute_words_place(words, &value, &at, &fault));
    return at;
}

static void values_keep_their_places(void **state)
{
    (void)state;
    struct dispute_words words = {0};
    assert_int_equal(place(&words, NULL), DISPUTE_MISSING);
    assert_int_equal(place(&words, "ann"), DISPUTE_WORD_FIRST);
    assert_int_equal(place(&words, "bob"), DISPUTE_WORD_FIRST + 1);
    assert_int_equal(place(&words, "ann"), DISPUTE_WORD_FIRST);
    assert_string_equal(words.list[1], "bob");
    dispute_words_fini(&words);
}

static void too_many_values_share_the_last_place(void **state)
{
    (void)state;
    struct dispute_words words = {0};
    char text[16];
    for (unsigned i = 0; i < DISPUTE_WORDS_MAX + 100; i++) {
        snprintf(text, sizeof text, "v%u", i);
        uint32_t at = place(&words, text);
        uint32_t right = i < DISPUTE_WORDS_MAX - 1 ? i : DISPUTE_WORDS_MAX - 1;
        assert_int_equal(at, DISPUTE_WORD_FIRST + right);
    }
    assert_int_equal(words.count, DISPUTE_WORDS_MAX);
    assert_string_equal(words.list[DISPUTE_WORDS_MAX - 1], "(other values)");
    assert_int_equal(place(&words, "v7"), DISPUTE_WORD_FIRST + 7);
    assert_int_equal(place(&words, "v2000"), DISPUTE_WORD_FIRST + DISPUTE_WORDS_MAX - 1);
    dispute_words_fini(&words);
}

static void flags_are_words_too(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct dispute_words words = {0};
    struct feature_value value = {.present = true, .type = FEATURE_FLAG, .flag = true};
    uint32_t at = 0;
    assert_true(dispute_words_place(&words, &value, &at, &fault));
    assert_string_equal(words.list[at - DISPUTE_WORD_FIRST], "true");
    dispute_words_fini(&words);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_keep_their_places),
        cmocka_unit_test(too_many_values_share_the_last_place),
        cmocka_unit_test(flags_are_words_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
