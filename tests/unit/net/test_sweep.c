/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

/* A clock that the test turns: however slow the machine, nothing is late before the test says so.
 */
static _Atomic uint64_t clock_ns;

static uint64_t clock_of_test(void *context)
{
    (void)context;
    return atomic_load(&clock_ns);
}

static void pass_ms(unsigned ms)
{
    atomic_fetch_add(&clock_ns, ms * UINT64_C(1000000));
}

/* Lets time pass in steps, for a worker may take note of when something was done after the test has
 * seen that it was. */
#define pass_until(ms, condition)                                                                  \
    do {                                                                                           \
        for (unsigned turns = 0; !(condition) && turns < 2000; turns++) {                          \
            pass_ms(ms);                                                                           \
            net_test_sleep_ms(5);                                                                  \
        }                                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static struct net_options options_by_the_clock(void)
{
    struct net_options options = net_test_options(1);
    atomic_store(&clock_ns, 1);
    options.now_ns = clock_of_test;
    return options;
}

static void sweep_closes_connections_that_say_nothing(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_by_the_clock();
    options.first_byte_ms = 60;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    net_test_ping(good, 1);
    int fd = net_test_connect(&echo);
    net_wait_for(net_test_counters(&echo).connections_open == 2);
    pass_until(61, net_test_counters(&echo).closed_first_byte == 1);
    assert_true(net_peer_closed(fd));
    net_test_ping(good, 2); /* who has spoken may be silent */
    assert_int_equal(net_test_counters(&echo).closed_first_byte, 1);
    close(fd);
    close(good);
    net_echo_stop(&echo, 1000);
}

/* Drips a byte every 10 ms of the clock until the server has had enough; `good`, if there is one,
 * asks in between. */
static void drip_until_closed(const struct net_echo *echo, int fd, int good)
{
    unsigned drops = 0;
    for (; drops < 200 && net_test_counters(echo).closed_frame == 0; drops++) {
        net_peer_send(fd, "x", 1); /* may fail: that is what we wait for */
        if (good >= 0) {
            net_test_ping(good, drops);
        }
        if (drops < 19) {
            assert_int_equal(net_test_counters(echo).closed_frame, 0);
        }
        pass_ms(10);
        net_test_sleep_ms(10);
    }
    net_wait_for(net_test_counters(echo).closed_frame == 1);
}

static void sweep_closes_a_peer_that_sends_a_frame_a_byte_at_a_time(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_by_the_clock();
    options.frame_ms = 200;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    int fd = net_test_connect(&echo);
    uint8_t frame[PROTO_HEADER_BYTES] = {0};
    net_peer_frame(frame, 2, 1, proto_span_text(""));
    frame[0] = 200; /* the payload takes long */
    assert_true(net_peer_send(fd, frame, sizeof frame));
    drip_until_closed(&echo, fd, good);
    assert_true(net_peer_closed(fd));
    close(fd);
    close(good);
    net_echo_stop(&echo, 1000);
}

static void sweep_closes_a_peer_that_drips_a_frame_answered_busy(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_by_the_clock();
    options.frame_ms = 200;
    options.bytes_max = 65536;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    static uint8_t bytes[100000];
    struct proto_header header = {.payload_bytes = 1 << 20, .version = PROTO_VERSION, .code = 2};
    proto_header_encode(&header, bytes);
    assert_true(net_peer_send(fd, bytes, sizeof bytes));
    net_test_expect(fd, PROTO_BUSY, 0);
    drip_until_closed(&echo, fd, -1);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void sweep_closes_the_idle_and_spares_those_who_wait(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_by_the_clock();
    options.idle_ms = 60;
    net_test_start(&echo, &options);
    int waiting = net_test_connect(&echo);
    assert_true(net_peer_request(waiting, NET_ECHO_HOLD, 5, proto_span_text("long")));
    net_wait_for(net_test_counters(&echo).requests_pending == 1);
    int idle = net_test_connect(&echo);
    net_test_ping(idle, 1);
    pass_until(100, net_test_counters(&echo).closed_idle == 1);
    assert_true(net_peer_closed(idle));
    net_test_sleep_ms(100); /* some sweeps more */
    net_echo_release(&echo);
    net_test_expect(waiting, PROTO_OK, 5);
    pass_until(100, net_test_counters(&echo).closed_idle == 2);
    assert_true(net_peer_closed(waiting)); /* and now it is idle */
    close(idle);
    close(waiting);
    net_echo_stop(&echo, 1000);
}

static void sweep_measures_by_the_clock_that_was_passed_in(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = options_by_the_clock();
    options.idle_ms = 80;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    net_test_ping(fd, 1);
    net_test_sleep_ms(200); /* many sweeps, no time */
    net_test_ping(fd, 2);
    pass_until(1000, net_test_counters(&echo).closed_idle == 1);
    assert_true(net_peer_closed(fd));
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void drain_answers_what_is_pending_and_turns_new_requests_away(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(2);
    options.pending_max = 3;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    int idle = net_test_connect(&echo);
    net_test_ping(idle, 1);
    uint8_t bytes[6 * PROTO_HEADER_BYTES];
    size_t count = 0;
    for (uint32_t id = 0; id < 6; id++) { /* three are taken, three are read and wait */
        count += net_peer_frame(bytes + count, NET_ECHO_HOLD, id, proto_span_text(""));
    }
    assert_true(net_peer_send(fd, bytes, count));
    net_wait_for(net_test_counters(&echo).requests_pending == 3);
    net_server_drain(echo.server, 20000);
    assert_true(net_peer_closed(idle));
    assert_true(net_peer_tcp(net_server_port(echo.server)) < 0); /* nobody listens any more */
    net_test_sleep_ms(100);
    assert_true(net_peer_request(fd, 2, 6, proto_span_text("too late")));
    net_echo_release(&echo);
    bool seen[7] = {false};
    for (unsigned i = 0; i < 7; i++) {
        struct proto_header header;
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_true(header.request_id < 7 && !seen[header.request_id]);
        seen[header.request_id] = true;
        assert_int_equal(header.code, header.request_id == 6 ? PROTO_SHUTTING_DOWN : PROTO_OK);
    }
    assert_true(net_peer_closed(fd));
    net_server_join(echo.server);
    struct net_counters counters = net_test_counters(&echo);
    assert_int_equal(counters.frames_draining, 1);
    assert_int_equal(counters.closed_drain, 2);
    assert_int_equal(counters.closed_cut, 0);
    close(fd);
    close(idle);
    net_echo_stop(&echo, 0);
}

static void drain_cuts_what_is_left_after_its_grace(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    assert_true(net_peer_request(fd, NET_ECHO_HOLD, 1, proto_span_text("")));
    net_wait_for(net_test_counters(&echo).requests_pending == 1);
    net_server_drain(echo.server, 100);
    assert_true(net_peer_closed(fd));
    net_server_join(echo.server);
    assert_int_equal(net_test_counters(&echo).closed_cut, 1);
    close(fd);
    net_echo_stop(&echo, 0);
}

static void drain_sends_what_a_slow_peer_has_not_read_yet(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_peer_tcp_small(net_server_port(echo.server), 4096);
    uint32_t bytes = 8 << 20;
    assert_true(net_peer_request(fd, NET_ECHO_LARGE, 1,
                                 (struct proto_span){(const uint8_t *)&bytes, sizeof bytes}));
    net_wait_for(net_test_counters(&echo).frames_out == 1);
    net_server_drain(echo.server, 20000);
    net_test_sleep_ms(100);
    struct proto_header header;
    assert_true(net_peer_reply(fd, &header, NULL));
    assert_int_equal(header.payload_bytes, bytes);
    assert_true(net_peer_closed(fd));
    close(fd);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sweep_closes_connections_that_say_nothing),
        cmocka_unit_test(sweep_closes_a_peer_that_sends_a_frame_a_byte_at_a_time),
        cmocka_unit_test(sweep_closes_a_peer_that_drips_a_frame_answered_busy),
        cmocka_unit_test(sweep_closes_the_idle_and_spares_those_who_wait),
        cmocka_unit_test(sweep_measures_by_the_clock_that_was_passed_in),
        cmocka_unit_test(drain_answers_what_is_pending_and_turns_new_requests_away),
        cmocka_unit_test(drain_cuts_what_is_left_after_its_grace),
        cmocka_unit_test(drain_sends_what_a_slow_peer_has_not_read_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
