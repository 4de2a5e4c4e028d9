/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#include <netinet/in.h>

static _Atomic uint64_t clock_ns;

static uint64_t clock_of_test(void *context)
{
    (void)context;
    return atomic_load(&clock_ns);
}

static struct net_options options_of_strangers(void)
{
    struct net_options options = net_test_options(1);
    atomic_store(&clock_ns, 1);
    options.now_ns = clock_of_test;
    options.strangers = true;
    return options;
}

/* One request of `bytes` zeros and its reply; what the reply says. */
static enum proto_error ask(int fd, uint8_t code, uint32_t id, size_t bytes)
{
    uint8_t *payload = net_test_alloc(bytes + 1);
    struct proto_header header = {0};
    bool good = net_peer_request(fd, code, id, (struct proto_span){payload, bytes}) &&
                net_peer_reply(fd, &header, NULL);
    free(payload);
    assert_true(good);
    return (enum proto_error)header.code;
}

static void stranger_may_say_little_and_who_is_known_as_much_as_ever(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    assert_int_equal(ask(fd, 1, 1, 4096), PROTO_OK);
    assert_int_equal(net_test_counters(&echo).strangers_open, 1);
    assert_int_equal(ask(fd, 1, 2, 4097), PROTO_TOO_LARGE);
    assert_true(net_peer_closed(fd));
    close(fd);
    fd = net_test_connect(&echo);
    assert_int_equal(ask(fd, NET_ECHO_KNOWN, 1, 10), PROTO_OK);
    assert_int_equal(ask(fd, 1, 2, 1 << 20), PROTO_OK);
    assert_int_equal(net_test_counters(&echo).strangers_open, 0);
    close(fd);
    net_echo_stop(&echo, 1000);
}

/* The server's end of a connection: it lies in this process. */
static int other_end(int fd)
{
    struct sockaddr_in own = {0};
    socklen_t bytes = sizeof own;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &bytes), 0);
    for (int other = 3; other < 1024; other++) {
        struct sockaddr_in peer = {0};
        bytes = sizeof peer;
        if (other != fd && getpeername(other, (struct sockaddr *)&peer, &bytes) == 0 &&
            peer.sin_family == AF_INET && peer.sin_port == own.sin_port) {
            return other;
        }
    }
    fail_msg("no socket has this one as its peer");
    return -1;
}

static int kernel_bytes(int fd, int option)
{
    int value = 0;
    socklen_t bytes = sizeof value;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, option, &value, &bytes), 0);
    return value;
}

static void the_kernel_keeps_little_for_a_stranger(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    assert_int_equal(ask(fd, 1, 1, 10), PROTO_OK);
    int server = other_end(fd);
    assert_true(kernel_bytes(server, SO_SNDBUF) <= 8192);
    assert_true(kernel_bytes(server, SO_RCVBUF) <= 8192);
    assert_int_equal(ask(fd, NET_ECHO_KNOWN, 2, 10), PROTO_OK);
    assert_true(kernel_bytes(server, SO_SNDBUF) > 8192);
    assert_true(kernel_bytes(server, SO_RCVBUF) > 8192);
    assert_int_equal(ask(fd, 1, 3, 1 << 20), PROTO_OK);
    close(fd);
    net_echo_stop(&echo, 1000);
}

/* A client need not wait for the reply to its token before it sends what is large. */
static void large_request_right_behind_the_token_is_taken(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    enum { LARGE = 20000 };
    uint8_t *bytes = net_test_alloc(LARGE + 100);
    uint8_t *payload = net_test_alloc(LARGE);
    size_t used = net_peer_frame(bytes, NET_ECHO_KNOWN, 1, (struct proto_span){payload, 8});
    used += net_peer_frame(bytes + used, 1, 2, (struct proto_span){payload, LARGE});
    assert_true(net_peer_send(fd, bytes, used));
    struct proto_header header;
    for (uint32_t id = 1; id <= 2; id++) {
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_int_equal(header.request_id, id);
        assert_int_equal(header.code, PROTO_OK);
    }
    free(bytes);
    free(payload);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void stranger_is_closed_in_time_and_who_is_known_stays(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    options.stranger_ms = 5000;
    options.first_byte_ms = options.idle_ms = 0;
    net_test_start(&echo, &options);
    int known = net_test_connect(&echo);
    assert_int_equal(ask(known, NET_ECHO_KNOWN, 1, 10), PROTO_OK);
    int fd = net_test_connect(&echo);
    assert_int_equal(ask(fd, 1, 1, 10), PROTO_OK);
    atomic_fetch_add(&clock_ns, UINT64_C(5001000000));
    net_wait_for(net_test_counters(&echo).closed_stranger == 1);
    assert_true(net_peer_closed(fd));
    assert_int_equal(ask(known, 1, 2, 10), PROTO_OK);
    close(fd);
    close(known);
    net_echo_stop(&echo, 1000);
}

static void strangers_never_keep_out_who_is_known(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    options.connections_max = 8;
    net_test_start(&echo, &options);
    int known[7];
    int strangers[20];
    for (size_t i = 0; i < 20; i++) { /* more than there is room for: the first make room */
        strangers[i] = net_test_connect(&echo);
        net_wait_for(net_test_counters(&echo).connections_accepted == i + 1);
    }
    net_wait_for(net_test_counters(&echo).connections_open == 8);
    assert_int_equal(net_test_counters(&echo).closed_stranger, 12);
    for (size_t i = 0; i < 7; i++) {
        known[i] = net_test_connect(&echo);
        assert_int_equal(ask(known[i], NET_ECHO_KNOWN, 1, 10), PROTO_OK);
    }
    assert_int_equal(net_test_counters(&echo).strangers_open, 1);
    assert_int_equal(net_test_counters(&echo).connections_refused, 0);
    assert_int_equal(ask(strangers[19], NET_ECHO_KNOWN, 1, 10), PROTO_OK);
    int late = net_test_connect(&echo); /* none is left that could make room */
    struct proto_header header;
    assert_true(net_peer_reply(late, &header, NULL));
    assert_int_equal(header.code, PROTO_BUSY);
    close(late);
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(ask(known[i], 1, 2, 10), PROTO_OK);
        close(known[i]);
    }
    for (size_t i = 0; i < 20; i++) {
        close(strangers[i]);
    }
    net_echo_stop(&echo, 1000);
}

static void wrong_token_costs_a_pause_and_three_the_connection(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    options.stranger_ms = 0;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    for (uint32_t i = 1; i <= 2; i++) {
        assert_int_equal(ask(fd, NET_ECHO_WRONG, i, 10), PROTO_OK);
        assert_true(net_peer_request(fd, 1, 100 + i, (struct proto_span){(const uint8_t *)"x", 1}));
        net_test_sleep_ms(300); /* sweeps pass, but the clock stands */
        assert_int_equal(net_test_counters(&echo).frames_in, 2 * i - 1);
        atomic_fetch_add(&clock_ns, UINT64_C(1001000000));
        struct proto_header header;
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_int_equal(header.request_id, 100 + i);
    }
    assert_int_equal(ask(fd, NET_ECHO_WRONG, 3, 10), PROTO_OK);
    assert_true(net_peer_closed(fd));
    close(fd);
    net_wait_for(net_test_counters(&echo).closed_stranger == 1);
    net_echo_stop(&echo, 1000);
}

static void stranger_that_does_not_read_is_not_read_on(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_of_strangers();
    net_test_start(&echo, &options);
    int fd = net_peer_tcp_small(net_server_port(echo.server), 4096);
    assert_true(fd >= 0);
    uint32_t bytes = 4 << 20; /* more than the kernel takes */
    uint8_t payload[4];
    memcpy(payload, &bytes, sizeof payload);
    assert_true(net_peer_request(fd, NET_ECHO_LARGE, 1, (struct proto_span){payload, 4}));
    net_wait_for(net_test_counters(&echo).frames_in == 1);
    assert_true(net_peer_request(fd, 1, 2, (struct proto_span){payload, 4}));
    net_test_sleep_ms(100);
    assert_int_equal(net_test_counters(&echo).frames_in, 1);
    close(fd);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stranger_may_say_little_and_who_is_known_as_much_as_ever),
        cmocka_unit_test(the_kernel_keeps_little_for_a_stranger),
        cmocka_unit_test(large_request_right_behind_the_token_is_taken),
        cmocka_unit_test(stranger_is_closed_in_time_and_who_is_known_stays),
        cmocka_unit_test(strangers_never_keep_out_who_is_known),
        cmocka_unit_test(wrong_token_costs_a_pause_and_three_the_connection),
        cmocka_unit_test(stranger_that_does_not_read_is_not_read_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
