/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a document: what is refused and at which name, and that an object which could not be
 * completed is known for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/feature/json_text.h"

static void members_are_those_named_and_no_others(void **state)
{
    (void)state;
    static const char *const names[] = {"raw", "p"};
    static const struct {
        const char *text, *field, *message;
    } cases[] = {{"[]", "", "an object is wanted"},
                 {"{\"p\": 1}", "raw", "this member is missing"},
                 {"{\"raw\": 1}", "p", "this member is missing"},
                 {"{\"raw\": 1, \"p\": 1, \"pp\": 1}", "pp", "did you mean \"p\"?"}};
    struct proto_fault fault = {.code = PROTO_OK};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *json = json_loads(cases[i].text, 0, NULL);
        assert_false(feature_json_members_exact(json, names, 2, PROTO_BAD_DOCUMENT, &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        assert_string_equal(fault.field, cases[i].field);
        assert_non_null(strstr(fault.message, cases[i].message));
        json_decref(json);
    }
    json_t *whole = json_pack("{s:i, s:n}", "p", 1, "raw");
    assert_true(feature_json_members_exact(whole, names, 2, PROTO_BAD_DOCUMENT, &fault));
    json_decref(whole);
}

static void an_object_that_lacks_a_value_stays_known_for_it(void **state)
{
    (void)state;
    static const uint8_t broken[] = {0xff};
    bool ok = true;
    json_t *object = json_object();
    feature_json_put(object, "none", feature_json_string((struct proto_span){NULL, 0}), &ok);
    feature_json_put(object, "word", feature_json_string(proto_span_text("a word")), &ok);
    assert_true(ok);
    assert_string_equal(json_string_value(json_object_get(object, "none")), "");
    assert_string_equal(json_string_value(json_object_get(object, "word")), "a word");
    feature_json_put(object, "bad", feature_json_string((struct proto_span){broken, 1}), &ok);
    feature_json_put(object, "good", json_true(), &ok);
    assert_false(ok);
    json_decref(object);
    ok = true;
    feature_json_put(NULL, "good", json_integer(1), &ok);
    assert_false(ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_those_named_and_no_others),
        cmocka_unit_test(an_object_that_lacks_a_value_stays_known_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
