/* SPDX-License-Identifier: Apache-2.0 */
/* What is written is read by another library as what was meant. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "client/router/router_text.h"

static json_t *read_back(const struct router_text *text)
{
    assert_false(text->failed);
    assert_int_equal(strlen(text->data), text->bytes);
    json_t *json = json_loadb(text->data, text->bytes, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return json;
}

static void commas_stand_between_members_and_elements(void **state)
{
    struct router_text text = {.data = NULL};
    (void)state;
    router_text_open(&text, '{');
    router_text_name(&text, "a");
    router_text_int(&text, INT64_MIN);
    router_text_name(&text, "b");
    router_text_open(&text, '[');
    router_text_close(&text, ']');
    router_text_name(&text, "c");
    router_text_open(&text, '[');
    router_text_flag(&text, true);
    router_text_string(&text, NULL);
    router_text_open(&text, '{');
    router_text_close(&text, '}');
    router_text_close(&text, ']');
    router_text_close(&text, '}');
    assert_string_equal(text.data, "{\"a\":-9223372036854775808,\"b\":[],\"c\":[true,null,{}]}");
    router_text_reset(&text);
    assert_int_equal(text.bytes, 0);
    router_text_fini(&text);
}

static void every_sign_comes_back(void **state)
{
    struct router_text text = {.data = NULL};
    char all[300] = "";
    (void)state;
    for (int sign = 1; sign < 128; sign++) {
        all[sign - 1] = (char)sign;
    }
    strcat(all, "Zo\u00eb \u2713 {[:,");
    for (int turn = 0; turn < 50; turn++) { /* the memory grows */
        router_text_reset(&text);
        router_text_open(&text, '[');
        for (int i = 0; i <= turn; i++) {
            router_text_string(&text, all);
        }
        router_text_close(&text, ']');
        json_t *json = read_back(&text);
        assert_int_equal(json_array_size(json), turn + 1);
        assert_string_equal(json_string_value(json_array_get(json, (size_t)turn)), all);
        json_decref(json);
    }
    router_text_fini(&text);
}

static void numbers_come_back_to_the_bit(void **state)
{
    static const double numbers[] = {0.1,     1.0 / 3, 71.2,    100,      -0.0,         1e300,
                                     -5e-324, DBL_MAX, DBL_MIN, 0.412345, 123456789.125};
    struct router_text text = {.data = NULL};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        router_text_reset(&text);
        router_text_real(&text, numbers[i]);
        json_t *json = read_back(&text);
        double back = json_real_value(json);
        assert_memory_equal(&back, &numbers[i], sizeof back);
        json_decref(json);
    }
    router_text_reset(&text);
    router_text_real(&text, 71.2);
    assert_string_equal(text.data, "71.2");
    router_text_reset(&text);
    router_text_real(&text, (double)NAN);
    assert_string_equal(text.data, "null");
    router_text_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_stand_between_members_and_elements),
        cmocka_unit_test(every_sign_comes_back),
        cmocka_unit_test(numbers_come_back_to_the_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
