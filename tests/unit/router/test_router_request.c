/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests, whole and in pieces; what two readers could read differently is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/router/router_request.h"

static void a_head_is_read_when_it_is_whole(void **state)
{
    static const char text[] = "POST /route?x=1 HTTP/1.1\r\nHost: a\r\ncontent-length:  12 \r\n"
                               "Expect: 100-continue\r\nConnection: close\r\n\r\n{}";
    struct router_request request;
    (void)state;
    for (size_t bytes = 0; bytes < sizeof text - 3; bytes++) {
        assert_int_equal(router_request_read(text, bytes, &request), 0);
    }
    assert_int_equal(router_request_read(text, sizeof text - 1, &request), 200);
    assert_true(request.post);
    assert_string_equal(request.target, "/route");
    assert_int_equal(request.head_bytes, sizeof text - 3);
    assert_int_equal(request.body_bytes, 12);
    assert_true(request.close);
    assert_true(request.wants_continue);
    assert_int_equal(router_request_read("GET / HTTP/1.0\n\n", 16, &request), 200);
    assert_true(request.close);
    assert_false(request.post);
    static const char coded[] = "GET /why/it%27s%20a%C3%A9?%00 HTTP/1.1\r\n\r\n";
    assert_int_equal(router_request_read(coded, sizeof coded - 1, &request), 200);
    assert_string_equal(request.target, "/why/it's a\xc3\xa9");
}

static void what_is_no_request_has_its_status(void **state)
{
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        {"GET /\r\n\r\n", 400},
        {"\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n\r\n", 400},
        {"PUT / HTTP/1.1\r\n\r\n", 405},
        {"POST / HTTP/1.1\r\n\r\n", 411},
        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", 411},
        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n", 413},
        {"GET /why/% HTTP/1.1\r\n\r\n", 400},
        {"GET /why/%2 HTTP/1.1\r\n\r\n", 400},
        {"GET /why/%2g HTTP/1.1\r\n\r\n", 400},
        {"GET /why/%00 HTTP/1.1\r\n\r\n", 400},
    };
    struct router_request request;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = router_request_read(cases[i].text, strlen(cases[i].text), &request);
        if (status != cases[i].status) {
            fail_msg("%s: %d", cases[i].text, status);
        }
    }
}

static void a_head_without_end_is_given_up(void **state)
{
    char *text = malloc(20000);
    struct router_request request;
    (void)state;
    memset(text, 'a', 20000);
    assert_int_equal(router_request_read(text, 16383, &request), 0);
    assert_int_equal(router_request_read(text, 16384, &request), 431);
    memcpy(text, "GET /", 5);
    memcpy(text + 1000, " HTTP/1.1\r\n\r\n", 13);
    assert_int_equal(router_request_read(text, 1013, &request), 414);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_read_when_it_is_whole),
        cmocka_unit_test(what_is_no_request_has_its_status),
        cmocka_unit_test(a_head_without_end_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
