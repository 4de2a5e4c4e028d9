/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/net/net_echo.h"
#include "tests/unit/net/net_peer.h"

static void options_for_test(struct net_options *options, unsigned workers)
{
    net_options_default(options);
    options->port = 0;
    options->workers = workers;
}

static void server_echoes_one_frame(void **state)
{
    (void)state;
    struct net_echo echo;
    struct net_options options;
    struct proto_fault fault;
    options_for_test(&options, 1);
    assert_true(net_echo_start(&echo, &options, &fault));
    int fd = net_peer_tcp(net_server_port(echo.server));
    assert_true(fd >= 0);
    struct proto_header header;
    struct proto_span payload;
    assert_true(net_peer_request(fd, 2, 77, proto_span_text("hello")));
    assert_true(net_peer_reply(fd, &header, &payload));
    assert_int_equal(header.request_id, 77);
    assert_int_equal(header.code, PROTO_OK);
    assert_true(proto_span_is(payload, "hello"));
    free((uint8_t *)(uintptr_t)payload.data);
    assert_true(net_peer_request(fd, NET_ECHO_LATER, 78, proto_span_text("later")));
    assert_true(net_peer_reply(fd, &header, NULL));
    assert_int_equal(header.request_id, 78);
    net_echo_stop(&echo, 1000);
    assert_true(net_peer_closed(fd));
    close(fd);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_echoes_one_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
