/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server over a real socket on loopback: what it answers, and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/http.h"

struct fixture {
    struct http_server *server;
    char reply[16384];
    bool fail_page;
};

static unsigned answer_page(void *context, FILE *out)
{
    struct fixture *fixture = context;
    (void)fputs("a page\n", out);
    return fixture->fail_page ? 503 : 200;
}

static bool allowed(void *context, struct proto_span token)
{
    (void)context;
    return proto_span_is(token, "s3cret");
}

static const struct http_route routes[] = {
    {"/open", "text/plain; charset=utf-8", "for everyone", true, answer_page},
    {"/closed", "text/html; charset=utf-8", "with a token", false, answer_page},
};

static struct http_options options_of(struct fixture *fixture, uint16_t port)
{
    return (struct http_options){.host = "127.0.0.1",
                                 .port = port,
                                 .routes = routes,
                                 .route_count = sizeof routes / sizeof *routes,
                                 .allowed = allowed,
                                 .context = fixture};
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct proto_fault fault;
    assert_non_null(fixture);
    const struct http_options options = options_of(fixture, 0);
    fixture->server = http_create(&options, &fault);
    assert_non_null(fixture->server);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    http_destroy(fixture->server);
    free(fixture);
    return 0;
}

/* Sends a request as it is given and reads up to the end of the connection. */
static const char *ask(struct fixture *fixture, const char *request)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(http_port(fixture->server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    size_t bytes = 0;
    ssize_t got;
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while (bytes + 1 < sizeof fixture->reply &&
           (got = recv(fd, fixture->reply + bytes, sizeof fixture->reply - 1 - bytes, 0)) > 0) {
        bytes += (size_t)got;
    }
    fixture->reply[bytes] = '\0';
    close(fd);
    return fixture->reply;
}

#define GET(path, more)                                                                            \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" more "\r\n"

static void a_route_is_answered_whole(void **state)
{
    const char *reply = ask(*state, GET("/open", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 200 "));
    assert_non_null(strstr(reply, "Content-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(reply, "X-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(reply, "\r\n\r\na page\n"));
}

static void the_query_is_not_looked_at(void **state)
{
    assert_non_null(strstr(ask(*state, GET("/open?verbose=1", "")), "HTTP/1.1 200 "));
}

static void head_has_no_body(void **state)
{
    const char *reply =
        ask(*state, "HEAD /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(reply, "HTTP/1.1 200 "));
    assert_non_null(strstr(reply, "Content-Length: 7\r\n"));
    assert_null(strstr(reply, "a page"));
}

static void the_status_is_the_routes_own(void **state)
{
    struct fixture *fixture = *state;
    fixture->fail_page = true;
    assert_non_null(strstr(ask(fixture, GET("/open", "")), "HTTP/1.1 503 "));
}

static void a_closed_route_wants_a_token_that_may_read(void **state)
{
    const char *reply = ask(*state, GET("/closed", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 401 "));
    assert_non_null(strstr(reply, "WWW-Authenticate: Bearer"));
    reply = ask(*state, GET("/closed", "Authorization: Bearer wrong\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 401 "));
    reply = ask(*state, GET("/closed", "Authorization: Basic s3cret\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 401 "));
    reply = ask(*state, GET("/closed", "Authorization: bearer s3cret\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 200 "));
}

static void an_unknown_path_is_told_what_there_is(void **state)
{
    const char *reply = ask(*state, GET("/metric", ""));
    assert_non_null(strstr(reply, "HTTP/1.1 404 "));
    assert_non_null(strstr(reply, "/closed    with a token\n"));
}

static void another_method_is_refused(void **state)
{
    const char *reply =
        ask(*state, "POST /open HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    "Content-Length: 3\r\n\r\nabc");
    assert_non_null(strstr(reply, "HTTP/1.1 405 "));
    assert_non_null(strstr(reply, "Allow: GET, HEAD\r\n"));
}

static void a_host_of_a_stranger_is_refused(void **state)
{
    const char *reply =
        ask(*state, "GET /open HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(reply, "HTTP/1.1 400 "));
}

static void nonsense_ends_the_connection_and_nothing_else(void **state)
{
    (void)ask(*state, "\x16\x03\x01\x02\x01 this is not HTTP\r\n\r\n");
    assert_non_null(strstr(ask(*state, GET("/open", "")), "HTTP/1.1 200 "));
}

static void a_port_that_is_taken_is_a_fault_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    const struct http_options options = options_of(fixture, http_port(fixture->server));
    assert_null(http_create(&options, &fault));
    assert_int_equal(fault.code, PROTO_LOCKED);
    assert_string_equal(fault.field, "http_port");
}

static void an_address_that_is_none_is_a_fault_by_name(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct http_options options = options_of(fixture, 0);
    options.host = "300.1.2.3.4";
    assert_null(http_create(&options, &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    assert_string_equal(fault.field, "http_host");
}

static void loopback_is_told_from_other_hosts(void **state)
{
    static const char *const ours[] = {"localhost", "LocalHost:4274", "127.0.0.1", "127.8.9.1:80",
                                       "[::1]",     "[::1]:4274",     "::1"};
    static const char *const others[] = {"",
                                         "localhost.evil.example",
                                         "evil.example:4274",
                                         "128.0.0.1",
                                         "[::1",
                                         "[::1]x",
                                         "0.0.0.0",
                                         "[]",
                                         ":4274"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        assert_true(http_host_is_loopback(ours[i]));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_false(http_host_is_loopback(others[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_route_is_answered_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(the_query_is_not_looked_at, setup, teardown),
        cmocka_unit_test_setup_teardown(head_has_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(the_status_is_the_routes_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_closed_route_wants_a_token_that_may_read, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_unknown_path_is_told_what_there_is, setup, teardown),
        cmocka_unit_test_setup_teardown(another_method_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_of_a_stranger_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(nonsense_ends_the_connection_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_port_that_is_taken_is_a_fault_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_that_is_none_is_a_fault_by_name, setup,
                                        teardown),
        cmocka_unit_test(loopback_is_told_from_other_hosts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
