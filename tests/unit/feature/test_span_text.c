/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include <math.h>
#include <stdio.h>

#include "server/feature/span_text.h"

static void numbers_read_as_the_c_library_reads_them(void **state)
{
    (void)state;
    uint64_t seed = 20261122;
    for (int round = 0; round < 200000; round++) {
        char text[64];
        uint64_t bits = fixture_random(&seed);
        double number = 0;
        double back = 0;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) {
            continue;
        }
        int digits = 1 + (int)(fixture_random(&seed) % 18);
        int bytes = round % 2 == 0
                        ? snprintf(text, sizeof text, "%.*g", digits, number)
                        : snprintf(text, sizeof text, "%.*f", digits % 7, fmod(number, 1e6));
        if (!isfinite(strtod(text, NULL))) {
            continue; /* rounding up at few digits leaves the range */
        }
        if (!feature_number_read((struct proto_span){(uint8_t *)text, (size_t)bytes}, &back) ||
            back != strtod(text, NULL)) {
            fail_msg("round %d: %s gives %.17g", round, text, back);
        }
    }
}

static void numbers_print_and_read_back(void **state)
{
    (void)state;
    uint64_t seed = 7;
    char text[FEATURE_NUMBER_TEXT_BYTES];
    for (int round = 0; round < 100000; round++) {
        uint64_t bits = fixture_random(&seed);
        double number = 0;
        double back = 0;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number)) {
            continue;
        }
        size_t bytes = feature_number_print(number, text);
        assert_true(bytes < sizeof text);
        assert_true(feature_number_read((struct proto_span){(uint8_t *)text, bytes}, &back));
        assert_true(back == number);
    }
    (void)feature_number_print(0.1, text);
    assert_string_equal(text, "0.1");
    (void)feature_number_print(250, text);
    assert_string_equal(text, "250");
}

/* Each blank before, behind and around, and letters that share bytes with them. */
static void blanks_of_all_kinds_are_trimmed(void **state)
{
    (void)state;
    static const char *const blanks[] = {" ",
                                         "\t",
                                         "\r\n",
                                         "\xC2\xA0",
                                         "\xE2\x80\xAF",
                                         "\xE2\x80\x89",
                                         "\xE3\x80\x80",
                                         "\xE2\x80\x8B",
                                         "\xE2\x80\x8F",
                                         "\xE2\x81\xA0",
                                         "\xEF\xBB\xBF"};
    static const char *const bare[] = {"a",
                                       "M\xC3\xBCller",
                                       "\xC3\xA9t\xC3\xA9",
                                       "\xE2\x82\xAC",
                                       "\xC2\xBFq\xC3\xBF",
                                       "\xE3\x80\x82",
                                       "\xC3\xA0",
                                       "\xC3\xAF"};
    for (size_t t = 0; t < sizeof bare / sizeof *bare; t++) {
        struct proto_span text = proto_span_text(bare[t]);
        assert_true(proto_span_is(feature_text_trim(text), bare[t]));
        for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
            char around[64];
            (void)snprintf(around, sizeof around, "%s%s%s", blanks[i], bare[t], blanks[i]);
            struct proto_span whole = proto_span_text(around);
            struct proto_span before = {whole.data, whole.bytes - strlen(blanks[i])};
            struct proto_span behind = {whole.data + strlen(blanks[i]), before.bytes};
            assert_true(proto_span_is(feature_text_trim(whole), bare[t]));
            assert_true(proto_span_is(feature_text_trim(before), bare[t]));
            assert_true(proto_span_is(feature_text_trim(behind), bare[t]));
            assert_false(feature_text_is_trim(whole) || feature_text_is_trim(before) ||
                         feature_text_is_trim(behind));
        }
    }
}

static void show_cuts_between_characters(void **state)
{
    (void)state;
    char out[8];
    assert_string_equal(feature_text_show(proto_span_text("M\xC3\xBCller"), out, sizeof out),
                        "M\xC3\xBCller");
    assert_string_equal(feature_text_show(proto_span_text("abcdefgh"), out, sizeof out),
                        "abcd\xE2\x80\xA6");
    assert_string_equal(
        feature_text_show(proto_span_text("abc\xC3\xBC\xC3\xBC\xC3\xBC"), out, sizeof out),
        "abc\xE2\x80\xA6");
    assert_string_equal(feature_text_show(proto_span_text("a\n\xFF\x7F"), out, sizeof out),
                        "a\?\?\?");
    assert_string_equal(feature_text_show(proto_span_text("abc"), out, 2), "");
}

static void distance_counts_slips(void **state)
{
    (void)state;
    struct proto_span country = proto_span_text("Country");
    assert_int_equal(feature_text_distance(country, proto_span_text("country"), 3), 0);
    assert_int_equal(feature_text_distance(country, proto_span_text("Contry"), 3), 1);
    assert_int_equal(feature_text_distance(country, proto_span_text("Cuontry"), 3), 1);
    assert_int_equal(feature_text_distance(country, proto_span_text("Countries"), 3), 3);
    assert_int_equal(feature_text_distance(country, proto_span_text("City"), 3), 4);
    assert_int_equal(feature_text_distance(country, proto_span_text(""), 9), 7);
}

static void parts_are_taken_up_to_a_sign(void **state)
{
    (void)state;
    struct proto_span text = proto_span_text(" north : Ann Lee,Bo ;;south");
    struct proto_span team = feature_text_part(&text, ';');
    assert_true(proto_span_is(feature_text_part(&team, ':'), "north"));
    assert_true(proto_span_is(feature_text_part(&team, ','), "Ann Lee"));
    assert_true(proto_span_is(feature_text_part(&team, ','), "Bo"));
    assert_int_equal(team.bytes, 0);
    assert_int_equal(feature_text_part(&team, ',').bytes, 0);
    assert_int_equal(feature_text_part(&text, ';').bytes, 0);
    assert_true(proto_span_is(feature_text_part(&text, ';'), "south"));
    assert_int_equal(text.bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_taken_up_to_a_sign),
        cmocka_unit_test(numbers_read_as_the_c_library_reads_them),
        cmocka_unit_test(numbers_print_and_read_back),
        cmocka_unit_test(blanks_of_all_kinds_are_trimmed),
        cmocka_unit_test(show_cuts_between_characters),
        cmocka_unit_test(distance_counts_slips),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
