/* SPDX-License-Identifier: Apache-2.0 */
/* Leads are read by member; what is none is told by line and column, or by its member. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "client/router/router_lead.h"

static void members_are_read(void **state)
{
    static const char text[] =
        "{\"id\":\"L1\",\"email\":\"a@b@Acme.COM\",\"owner\":\"bo\",\"values\":"
        "{\"country\":\"DE\",\"employees\":9,\"trial\":true,\"tech\":[\"x\"],\"none\":null}}";
    struct router_lead lead;
    struct router_fault fault;
    (void)state;
    assert_true(router_lead_read(text, sizeof text - 1, &lead, &fault));
    assert_string_equal(lead.id, "L1");
    assert_string_equal(lead.domain, "acme.com");
    assert_string_equal(lead.owner, "bo");
    assert_null(lead.account);
    assert_string_equal(router_lead_value(&lead, "country"), "DE");
    assert_string_equal(router_lead_value(&lead, "employees"), "");
    router_lead_fini(&lead);
}

static void what_is_no_lead_is_told(void **state)
{
    static const struct {
        const char *text;
        size_t line, column;
        const char *words;
    } cases[] = {
        {"{\n\"id\":]", 2, 6, "no JSON"},
        {"", 1, 1, "no JSON"},
        {"[]", 0, 0, "must be an object"},
        {"{}", 0, 0, "\"id\" is missing"},
        {"{\"id\":1}", 0, 0, "\"id\" must be a text"},
        {"{\"id\":\"\"}", 0, 0, "\"id\" must be a text"},
        {"{\"id\":\"a\\nb\"}", 0, 0, "in one line"},
        {"{\"id\":\"a\",\"id\":\"b\"}", 1, 0, "no JSON"},
        {"{\"id\":\"a\",\"country\":\"DE\"}", 0, 0, "stands in \"values\""},
        {"{\"id\":\"a\",\"values\":[]}", 0, 0, "must be an object"},
        {"{\"id\":\"a\",\"values\":{\"x\":{}}}", 0, 0, "\"values.x\" must be"},
        {"{\"id\":\"a\",\"values\":{\"x\":[1]}}", 0, 0, "\"values.x\" must be"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct router_lead lead;
        struct router_fault fault;
        assert_false(router_lead_read(cases[i].text, strlen(cases[i].text), &lead, &fault));
        if (fault.line != cases[i].line ||
            (cases[i].column > 0 && fault.column != cases[i].column) ||
            strstr(fault.message, cases[i].words) == NULL) {
            fail_msg("%s: %zu:%zu: %s", cases[i].text, fault.line, fault.column, fault.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read),
        cmocka_unit_test(what_is_no_lead_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
