/* SPDX-License-Identifier: Apache-2.0 */
/* What a form sends, taken apart; and what is refused rather than read as something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/http/http_form.h"

static const char *read_text(struct http_form *form, char *room, const char *text)
{
    *form = (struct http_form){.count = 0};
    memcpy(room, text, strlen(text) + 1);
    return http_form_read(form, room, strlen(text));
}

static void names_and_values_are_told_apart(void **state)
{
    struct http_form form;
    char room[128];
    (void)state;
    assert_null(read_text(&form, room, "a=1&b=x+y%26%3d=&&c&=d&a=2"));
    assert_int_equal(form.count, 5);
    assert_string_equal(http_form_find(&form, "a"), "1");
    assert_string_equal(http_form_find(&form, "b"), "x y&==");
    assert_string_equal(http_form_find(&form, "c"), "");
    assert_string_equal(http_form_find(&form, ""), "d");
    assert_null(http_form_find(&form, "d"));
}

static void an_empty_text_has_no_fields(void **state)
{
    struct http_form form;
    char room[8];
    (void)state;
    assert_null(read_text(&form, room, ""));
    assert_null(read_text(&form, room, "&&&"));
    assert_int_equal(form.count, 0);
}

static void a_second_text_adds_to_the_first(void **state)
{
    struct http_form form;
    char room[8];
    char more[] = "b=2";
    (void)state;
    assert_null(read_text(&form, room, "a=1"));
    assert_null(http_form_read(&form, more, strlen(more)));
    assert_string_equal(http_form_find(&form, "b"), "2");
}

static void what_is_not_well_formed_is_refused(void **state)
{
    static const char *const bad[] = {"a=%", "a=%4", "a=%4g", "%zz=1", "a=1&b=%0", "a=%00", "%00"};
    struct http_form form;
    char room[64];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_non_null(read_text(&form, room, bad[i]));
    }
    memcpy(room, "a=\0b", 4);
    form.count = 0;
    assert_non_null(http_form_read(&form, room, 4));
}

static void more_fields_than_there_is_room_for_are_refused(void **state)
{
    struct http_form form = {.count = 0};
    char room[4 * (HTTP_FIELDS_MAX + 1) + 1];
    (void)state;
    for (size_t i = 0; i <= HTTP_FIELDS_MAX; i++) {
        memcpy(room + 4 * i, "a=1&", 4);
    }
    assert_null(http_form_read(&form, room, (size_t)4 * HTTP_FIELDS_MAX));
    form.count = 0;
    for (size_t i = 0; i <= HTTP_FIELDS_MAX; i++) {
        memcpy(room + 4 * i, "a=1&", 4);
    }
    assert_non_null(http_form_read(&form, room, (size_t)4 * (HTTP_FIELDS_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_told_apart),
        cmocka_unit_test(an_empty_text_has_no_fields),
        cmocka_unit_test(a_second_text_adds_to_the_first),
        cmocka_unit_test(what_is_not_well_formed_is_refused),
        cmocka_unit_test(more_fields_than_there_is_room_for_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
