/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include "server/feature/json_place.h"

static const char document[] = "\n {\"a\": {\"ü\\\"\": 1, \"b\": [1, [2, 3], {\"c\": \"]}\"}]},\n"
                               "  \"d\": []}";

static void is_at(const char *path, size_t line, size_t column)
{
    struct feature_json_place place = feature_json_place(proto_span_text(document), path);
    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

static void a_path_leads_to_the_name_of_the_member(void **state)
{
    (void)state;
    is_at("", 2, 2);
    is_at("a", 2, 3);
    is_at("a.b", 2, 19);
    is_at("a.b[1][1]", 2, 32);
    is_at("a.b[2].c", 2, 37);
    is_at("d", 3, 3);
}

static void a_path_that_leads_nowhere_ends_at_what_is_there(void **state)
{
    (void)state;
    is_at("x", 2, 2);
    is_at("a.x.y", 2, 3);
    is_at("a.b[3]", 2, 19);
    is_at("d[0]", 3, 3);
    is_at("a.b[99999999999999999999999]", 2, 19);
    is_at("..[", 2, 2);
    struct proto_span none = {NULL, 0};
    assert_int_equal(feature_json_place(none, "a[0]").column, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_the_name_of_the_member),
        cmocka_unit_test(a_path_that_leads_nowhere_ends_at_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
