/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/uri.h"

/* The first host of what is parsed. */
static bool parse(const char *text, struct client_uri *uri, struct proto_fault *fault)
{
    struct client_uri uris[CLIENT_HOSTS_MAX];
    size_t count = 0;
    bool parsed = client_uri_parse(text, uris, &count, fault);
    if (parsed) {
        *uri = uris[0];
    }
    return parsed && count == 1;
}

static void uri_reads_host_and_port(void **state)
{
    (void)state;
    struct client_uri uri;
    struct proto_fault fault = {0};
    assert_true(parse("icp://db.example.com:99", &uri, &fault));
    assert_string_equal(uri.host, "db.example.com");
    assert_int_equal(uri.port, 99);
    assert_true(parse("icp://127.0.0.1/", &uri, &fault));
    assert_int_equal(uri.port, PROTO_PORT);
    assert_true(parse("icp://[::1]:65535", &uri, &fault));
    assert_string_equal(uri.host, "::1");
    assert_int_equal(uri.port, 65535);
    assert_true(parse("icp+unix:/run/icpd.sock", &uri, &fault));
    assert_true(uri.is_unix);
    assert_string_equal(uri.path, "/run/icpd.sock");
}

static void uri_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "http://x",      "127.0.0.1:4273", "icp://",   "icp://:4273",
        "icp://h:0",  "icp://h:65536", "icp://h:12x",    "icp://h:", "icp://h/path",
        "icp://[::1", "icp://[]:1",    "icp://[::1]x",   "icp+unix:"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct client_uri uri;
        struct proto_fault fault = {0};
        assert_false(parse(bad[i], &uri, &fault));
        assert_int_equal(fault.code, PROTO_USAGE);
        assert_true(fault.message[0] != '\0');
    }
}

static void uri_refuses_what_is_too_long(void **state)
{
    (void)state;
    char text[600] = "icp+unix:";
    memset(text + strlen(text), 'p', CLIENT_PATH_BYTES_MAX + 1);
    struct client_uri uri;
    struct proto_fault fault = {0};
    assert_false(parse(text, &uri, &fault));
    memset(text, 0, sizeof text);
    memcpy(text, "icp://", 6);
    memset(text + 6, 'h', CLIENT_HOST_BYTES_MAX + 1);
    assert_false(parse(text, &uri, &fault));
    text[6 + CLIENT_HOST_BYTES_MAX] = '\0';
    assert_true(parse(text, &uri, &fault));
}

static void uri_reads_several_hosts_in_order(void **state)
{
    (void)state;
    struct client_uri uris[CLIENT_HOSTS_MAX];
    struct proto_fault fault = {0};
    size_t count = 0;
    assert_true(client_uri_parse("icp://a,b:99,[::1]:7/", uris, &count, &fault));
    assert_int_equal(count, 3);
    assert_string_equal(uris[0].host, "a");
    assert_int_equal(uris[0].port, PROTO_PORT);
    assert_string_equal(uris[1].host, "b");
    assert_int_equal(uris[1].port, 99);
    assert_string_equal(uris[2].host, "::1");
    assert_int_equal(uris[2].port, 7);
    static const char *const bad[] = {"icp://a,", "icp://,a", "icp://a,,b", "icp://a:1,b:x",
                                      "icp://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(client_uri_parse(bad[i], uris, &count, &fault));
        assert_int_equal(fault.code, PROTO_USAGE);
    }
}

static void uri_asks_for_tls_at_a_port_of_its_own(void **state)
{
    (void)state;
    struct client_uri uri;
    struct proto_fault fault = {0};
    assert_true(parse("icps://host", &uri, &fault));
    assert_true(uri.is_secure);
    assert_int_equal(uri.port, PROTO_TLS_PORT);
    assert_true(parse("icps://[::1]:5000", &uri, &fault));
    assert_string_equal(uri.host, "::1");
    assert_int_equal(uri.port, 5000);
    assert_true(parse("icp://host", &uri, &fault));
    assert_false(uri.is_secure);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uri_reads_host_and_port),
        cmocka_unit_test(uri_refuses_what_it_does_not_know),
        cmocka_unit_test(uri_refuses_what_is_too_long),
        cmocka_unit_test(uri_reads_several_hosts_in_order),
        cmocka_unit_test(uri_asks_for_tls_at_a_port_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
