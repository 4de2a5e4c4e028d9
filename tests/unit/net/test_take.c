/* SPDX-License-Identifier: Apache-2.0 */
/* Connections that were made otherwise: one end of a socket pair is served as any other. */
#include "tests/unit/net/net_fixture.h"

#include <fcntl.h>

static int taken(const struct net_echo *echo)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    assert_true(net_server_take(echo->server, ends[1]));
    int flags = fcntl(ends[0], F_GETFL);
    assert_int_equal(fcntl(ends[0], F_SETFL, flags & ~O_NONBLOCK), 0);
    return ends[0];
}

static bool answered(int fd, uint32_t id)
{
    struct proto_header header = {0};
    return net_peer_request(fd, 2, id, proto_span_text("p")) && net_peer_reply(fd, &header, NULL) &&
           header.request_id == id;
}

static void a_socket_that_is_taken_is_served_and_counted(void **state)
{
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    struct net_counters counters;
    (void)state;
    net_test_start(&echo, &options);
    int fd = taken(&echo);
    assert_true(answered(fd, 7));
    net_server_counters(echo.server, &counters);
    assert_int_equal(counters.connections_accepted, 1);
    assert_int_equal(counters.connections_open, 1);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void no_limit_keeps_it_out(void **state)
{
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    (void)state;
    options.connections_max = 1;
    net_test_start(&echo, &options);
    int first = net_peer_tcp(net_server_port(echo.server));
    assert_true(answered(first, 1));
    int fd = taken(&echo);
    assert_true(answered(fd, 2));
    close(first);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void one_that_comes_at_the_end_is_closed(void **state)
{
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    char byte;
    (void)state;
    net_test_start(&echo, &options);
    net_server_drain(echo.server, 0);
    net_server_join(echo.server);
    int fd = taken(&echo);
    net_echo_stop(&echo, 0);
    assert_int_equal(read(fd, &byte, 1), 0);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_that_is_taken_is_served_and_counted),
        cmocka_unit_test(no_limit_keeps_it_out),
        cmocka_unit_test(one_that_comes_at_the_end_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
