/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of names, and of bytes that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/identity/name.h"

static const struct {
    const char *written;
    const char *normal;
    const char *form; /* "" if none */
} names[] = {
    {"Anvil", "anvil", ""},
    {"ANVIL, INC.", "anvil", "INC"},
    {"Anvil Corporation", "anvil", "INC"},
    {"The Anvil Company", "anvil", "INC"},
    {"Anvil Co., Ltd.", "anvil", "LTD"},
    {"Anvil Limited", "anvil", "LTD"},
    {"Anvil (UK) Ltd", "anvil", "LTD"},
    {"Anvil Pty. Ltd.", "anvil", "PRIVATE"},
    {"Anvil Public Limited Company", "anvil", "PLC"},
    {"Müller & Söhne GmbH & Co. KG", "muller sohne", "GMBH_KG"},
    {"Amboss Aktiengesellschaft", "amboss", "AG"},
    {"Bäckerei Groß e.K.", "backerei gross", "EK"},
    {"Enclume S.A.R.L.", "enclume", "SARL"},
    {"Société Anonyme Enclume", "enclume", "SA"},
    {"Incudine S.p.A.", "incudine", "SPA"},
    {"Yunque, S.A. de C.V.", "yunque", "SA"},
    {"Ambolt A/S", "ambolt", "AS"},
    {"Städ Aktiebolag (publ)", "stad", "AB"},
    {"Alasin Oy Ab", "alasin", "OY"},
    {"Kovadlina spol. s r.o.", "kovadlina", "SRO"},
    {"Kowadło Sp. z o.o.", "kowadlo", "ZOO"},
    {"ООО «Наковальня»", "наковальня", "OOO"},
    {"PT Landasan Tbk", "landasan", "PT"},
    {"株式会社トヨタ", "トヨタ", "KK"},
    {"トヨタ株式会社", "トヨタ", "KK"},
    {"北京铁砧有限公司", "北京铁砧", "LTD"},
    {"ＡＮＶＩＬ　Ｉｎｃ．", "anvil", "INC"},
    {"I.B.M. Intl., Inc.", "ibm international", "INC"},
    {"A. O. Smith", "ao smith", ""},
    {"AO Smith", "ao smith", ""},
    {"H&M", "hm", ""},
    {"O'Reilly’s", "oreillys", ""},
    {"Booking.com", "booking", ""},
    {"Bricks and Mortar", "bricks mortar", ""},
    {"Bricks & Mortar", "bricks mortar", ""},
    {"  anvil\t\xE2\x80\x8B works\n", "anvil works", ""},
    /* Nothing is taken away that would leave nothing. */
    {"The Company", "company", ""},
    {"The", "the", ""},
    {"Limited", "limited", ""},
    {"(Anvil)", "anvil", ""},
    {"AG", "ag", ""},
    /* What is no UTF-8 divides. */
    {"an\xFFvil", "an vil", ""},
    {"\xC3", "", ""},
};

static void what_is_a_names_own_is_left(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct identity_name name;
        bool some = identity_name_normal(proto_span_text(names[i].written), &name);
        if (strcmp(name.text, names[i].normal) != 0 ||
            strcmp(name.form != NULL ? name.form : "", names[i].form) != 0) {
            fail_msg("'%s' gives '%s' %s", names[i].written, name.text,
                     name.form != NULL ? name.form : "-");
        }
        assert_int_equal(some, names[i].normal[0] != '\0');
    }
}

static void a_name_that_is_too_long_is_cut_between_words(void **state)
{
    (void)state;
    struct identity_name name;
    char text[1024];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_true(identity_name_normal(proto_span_text(text), &name));
    assert_int_equal(name.token_count, 1);
    assert_int_equal(name.tokens[0].bytes, IDENTITY_NAME_BYTES - 1);
    for (size_t i = 0; i + 4 < sizeof text; i += 4) {
        memcpy(text + i, "xyz ", 4);
    }
    assert_true(identity_name_normal(proto_span_text(text), &name));
    assert_int_equal(name.token_count, IDENTITY_NAME_TOKENS);
    /* A word of exactly the room that there is, and another behind it. */
    memset(text, 'a', IDENTITY_NAME_BYTES - 1);
    memcpy(text + IDENTITY_NAME_BYTES - 1, " bcd", 5);
    assert_true(identity_name_normal(proto_span_text(text), &name));
    assert_int_equal(name.token_count, 1);
}

static void written_in_one_word_it_is_the_same_letters(void **state)
{
    (void)state;
    struct identity_name name;
    char joined[IDENTITY_NAME_BYTES];
    assert_true(identity_name_normal(proto_span_text("Face Book, Inc."), &name));
    assert_int_equal(identity_name_joined(&name, joined), 8);
    assert_memory_equal(joined, "facebook", 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_names_own_is_left),
        cmocka_unit_test(a_name_that_is_too_long_is_cut_between_words),
        cmocka_unit_test(written_in_one_word_it_is_the_same_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
