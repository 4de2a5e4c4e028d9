/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#define KIB ((size_t)1024)

static void request_large(int fd, uint8_t code, uint32_t id, uint32_t bytes)
{
    uint8_t payload[4];
    memcpy(payload, &bytes, sizeof payload);
    assert_true(net_peer_request(fd, code, id, (struct proto_span){payload, sizeof payload}));
}

/* Asks for `count` replies of `bytes` each and reads none. */
static int connect_never_reader(const struct net_echo *echo, uint8_t code, uint32_t count,
                                uint32_t bytes)
{
    int fd = net_peer_tcp_small(net_server_port(echo->server), 4096);
    assert_true(fd >= 0);
    for (uint32_t id = 0; id < count; id++) {
        request_large(fd, code, id, bytes);
    }
    return fd;
}

static void writer_stops_reading_peers_that_do_not_read_and_holds_little_for_them(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.out_bytes_high = 64 * KIB;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    int fds[20];
    for (unsigned i = 0; i < 20; i++) {
        fds[i] = connect_never_reader(&echo, NET_ECHO_LARGE, 400, 100000); /* 40 MB each */
    }
    uint64_t held_most = 0;
    for (uint32_t i = 0; i < 200; i++) {
        net_test_ping(good, i);
        uint64_t held = net_test_counters(&echo).bytes_held;
        held_most = held > held_most ? held : held_most;
    }
    net_wait_for(net_test_counters(&echo).reads_paused >= 20);
    print_message("20 peers asked for 800 MB and read nothing: %llu bytes held at most\n",
                  (unsigned long long)held_most);
    /* The mark, the reply that went over it, and the requests that were read before. */
    assert_true(held_most < 20 * (64 * KIB + 110000 + 80 * KIB));
    for (unsigned i = 0; i < 20; i++) {
        close(fds[i]);
    }
    net_wait_for(net_test_counters(&echo).connections_open == 1);
    close(good);
    net_echo_stop(&echo, 1000);
}

static void writer_sends_everything_once_the_peer_reads_again(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.out_bytes_high = 64 * KIB;
    net_test_start(&echo, &options);
    int fd = connect_never_reader(&echo, NET_ECHO_LARGE, 100, 100000);
    net_wait_for(net_test_counters(&echo).reads_paused >= 1);
    for (uint32_t id = 0; id < 100; id++) {
        struct proto_header header;
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_int_equal(header.request_id, id);
        assert_int_equal(header.payload_bytes, 100000);
    }
    net_test_ping(fd, 100);
    net_wait_for(net_test_counters(&echo).bytes_held < 2048);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void writer_closes_a_peer_that_takes_nothing_for_too_long(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.out_bytes_high = 64 * KIB;
    options.write_ms = 150;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    int fd = connect_never_reader(&echo, NET_ECHO_LARGE, 100, 100000);
    net_wait_for(net_test_counters(&echo).closed_slow_reader == 1);
    net_wait_for(net_test_counters(&echo).connections_open == 1);
    net_test_ping(good, 1);
    assert_true(net_test_counters(&echo).bytes_held < 2048);
    close(fd);
    close(good);
    net_echo_stop(&echo, 1000);
}

static void writer_closes_a_peer_when_posts_pass_the_limit(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.out_bytes_high = 64 * KIB;
    options.out_bytes_max = 8 << 20;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    int fd = connect_never_reader(&echo, NET_ECHO_LARGE_LATER, 40, 1 << 20);
    net_wait_for(net_test_counters(&echo).closed_over_limit == 1);
    net_wait_for(net_test_counters(&echo).connections_open == 1);
    net_wait_for(net_test_counters(&echo).requests_pending == 0);
    net_wait_for(net_test_counters(&echo).bytes_held < 2048);
    net_test_ping(good, 1);
    close(fd);
    close(good);
    net_echo_stop(&echo, 1000);
}

static void writer_chokes_earlier_when_memory_in_all_is_short(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.out_bytes_high = 4 << 20;
    options.bytes_max = 1 << 20;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    int fds[30];
    for (unsigned i = 0; i < 30; i++) {
        fds[i] = connect_never_reader(&echo, NET_ECHO_LARGE, 1000, 10000);
    }
    net_wait_for(net_test_counters(&echo).reads_paused >= 30);
    for (uint32_t i = 0; i < 100; i++) {
        net_test_ping(good, i);
    }
    uint64_t held = net_test_counters(&echo).bytes_held;
    print_message("30 peers, bytes_max 1 MiB: %llu bytes held\n", (unsigned long long)held);
    /* Without the bound in all it would be 30 times 4 MiB. */
    assert_true(held < options.bytes_max + ((size_t)4 << 20) + 30 * (96 * KIB));
    for (unsigned i = 0; i < 29; i++) {
        close(fds[i]);
    }
    for (uint32_t id = 0; id < 1000; id++) {
        net_test_expect(fds[29], PROTO_OK, id); /* the crowd has gone: the last one goes on */
    }
    close(fds[29]);
    close(good);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_stops_reading_peers_that_do_not_read_and_holds_little_for_them),
        cmocka_unit_test(writer_sends_everything_once_the_peer_reads_again),
        cmocka_unit_test(writer_closes_a_peer_that_takes_nothing_for_too_long),
        cmocka_unit_test(writer_closes_a_peer_when_posts_pass_the_limit),
        cmocka_unit_test(writer_chokes_earlier_when_memory_in_all_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
