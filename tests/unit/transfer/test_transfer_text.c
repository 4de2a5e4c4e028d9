/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and texts are written so that they read back as the same, and a write that fails shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/transfer/transfer_text.h"

static void begin(struct transfer_text *text, char *room, size_t bytes)
{
    *text = (struct transfer_text){.file = fmemopen(room, bytes, "w")};
    assert_non_null(text->file);
    math_sha256_begin(&text->sha);
}

static void numbers_read_back_as_the_same(void **state)
{
    static const double numbers[] = {0,
                                     -0.0,
                                     1,
                                     0.1,
                                     1.0 / 3,
                                     DBL_MAX,
                                     DBL_MIN,
                                     5e-324,
                                     -1234.5,
                                     1e15,
                                     1e16,
                                     1e17,
                                     123456789012345680.0,
                                     9007199254740993.0,
                                     -1e-300};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char room[64] = "";
        struct transfer_text text;
        begin(&text, room, sizeof room);
        transfer_text_number(&text, numbers[i]);
        fclose(text.file);
        double back = strtod(room, NULL);
        assert_memory_equal(&back, &numbers[i], sizeof back);
        begin(&text, room, sizeof room);
        transfer_text_float(&text, (float)(numbers[i] / 1e300));
        fclose(text.file);
        float small = strtof(room, NULL);
        float wanted = (float)(numbers[i] / 1e300);
        assert_memory_equal(&small, &wanted, sizeof small);
    }
}

static void whole_numbers_are_plain(void **state)
{
    char room[64] = "";
    struct transfer_text text;
    (void)state;
    begin(&text, room, sizeof room);
    transfer_text_number(&text, 120);
    transfer_text_raw(&text, " ");
    transfer_text_number(&text, -0.0);
    transfer_text_raw(&text, " ");
    transfer_text_int(&text, INT64_MIN);
    fclose(text.file);
    assert_string_equal(room, "120 -0.0 -9223372036854775808");
    assert_int_equal(text.bytes, strlen(room));
}

static void texts_are_escaped(void **state)
{
    char room[64] = "";
    struct transfer_text text;
    (void)state;
    begin(&text, room, sizeof room);
    transfer_text_string(&text, proto_span_text("a\"\\\n\t\r\x01\x7f☃"));
    fclose(text.file);
    assert_string_equal(room, "\"a\\\"\\\\\\n\\t\\r\\u0001\\u007f☃\"");
}

static void a_write_that_fails_is_remembered(void **state)
{
    struct transfer_text text = {.file = fopen("/dev/full", "w")};
    (void)state;
    assert_non_null(text.file);
    setvbuf(text.file, NULL, _IONBF, 0);
    math_sha256_begin(&text.sha);
    transfer_text_raw(&text, "some");
    assert_int_not_equal(text.failed, 0);
    assert_int_equal(text.bytes, 0);
    fclose(text.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_read_back_as_the_same),
        cmocka_unit_test(whole_numbers_are_plain),
        cmocka_unit_test(texts_are_escaped),
        cmocka_unit_test(a_write_that_fails_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
