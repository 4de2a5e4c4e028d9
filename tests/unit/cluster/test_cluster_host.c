/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses of a shared log: hosts one by one, and no passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "server/cluster/cluster_host.h"

static void hosts_come_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *where;
        unsigned count;
        const char *names[3], *ports[3];
    } cases[] = {
        {"postgresql://db1:5433,db2/icpd", 2, {"db1", "db2"}, {"5433", ""}},
        {"postgresql://a:1,b:2,c:3/icpd?sslmode=require", 3, {"a", "b", "c"}, {"1", "2", "3"}},
        {"host=x,y port=7 dbname=icpd", 2, {"x", "y"}, {"7", "7"}},
        {"postgresql:///icpd", 1, {""}, {""}},
        {"postgresql://[::1]:6,[::2]:8/icpd", 2, {"::1", "::2"}, {"6", "8"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (unsigned place = 0; place < cases[i].count; place++) {
            struct proto_fault fault = {.code = PROTO_OK};
            struct cluster_host host;
            assert_true(cluster_host_check(cases[i].where, &fault));
            assert_true(cluster_host_take(cases[i].where, place, &host, &fault));
            assert_int_equal(host.count, cases[i].count);
            assert_string_equal(host.name, cases[i].names[place]);
            assert_string_equal(host.port, cases[i].ports[place]);
        }
    }
}

static void what_is_no_address_is_refused_without_quoting_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {"postgresql://icpd:geheim@db/icpd",
                                        "password=geheim host=db",
                                        "postgresql://db/icpd?sslpassword=geheim",
                                        "postgresql://db/icpd?password=geheim",
                                        "host geheim",
                                        "postgresql://db/x?geheim=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        assert_false(cluster_host_check(wrong[i], &fault));
        assert_int_equal(fault.code, PROTO_BAD_CONFIG);
        assert_string_equal(fault.field, "cluster_log");
        assert_null(strstr(fault.message, "geheim"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_come_one_by_one),
        cmocka_unit_test(what_is_no_address_is_refused_without_quoting_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
