/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

static void serving_answers_one_read_with_one_write(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    char path[] = "/tmp/icp_serve_XXXXXX";
    assert_non_null(mkdtemp(path));
    char socket_path[64];
    snprintf(socket_path, sizeof socket_path, "%s/s", path);
    options.socket_path = socket_path; /* there one send is one read */
    net_test_start(&echo, &options);
    int fd = net_peer_local(socket_path);
    assert_true(fd >= 0);
    uint8_t bytes[100 * (PROTO_HEADER_BYTES + 4)];
    size_t count = 0;
    for (uint32_t id = 0; id < 100; id++) {
        count += net_peer_frame(bytes + count, 2, id, proto_span_text("once"));
    }
    for (unsigned round = 1; round <= 5; round++) {
        assert_true(net_peer_send(fd, bytes, count));
        for (uint32_t id = 0; id < 100; id++) {
            net_test_expect(fd, PROTO_OK, id);
        }
        struct net_counters counters = net_test_counters(&echo);
        assert_int_equal(counters.reads, round);
        assert_int_equal(counters.writes, round);
        assert_int_equal(counters.batches, round);
        assert_int_equal(counters.frames_in, round * 100);
    }
    close(fd);
    net_echo_stop(&echo, 1000);
    assert_int_equal(access(socket_path, F_OK), -1);
    assert_int_equal(rmdir(path), 0);
}

/* A frame that must be refused, and what the server says. */
struct hostile {
    const char *what;
    struct proto_header header;
    size_t payload_bytes;
    unsigned code;
    bool closes;
};

static const struct hostile HOSTILE[] = {
    {"a version of tomorrow", {4, 2, 2, 0, 0, 0}, 4, PROTO_BAD_VERSION, false},
    {"version 0", {4, 0, 2, 0, 0, 0}, 4, PROTO_BAD_VERSION, false},
    {"a wrong checksum", {4, 1, 2, PROTO_FLAG_CHECKSUM, 0, 12345}, 4, PROTO_BAD_CHECKSUM, false},
    {"a checksum without its flag", {4, 1, 2, 0, 0, 7}, 4, PROTO_BAD_FRAME, true},
    {"a reply", {4, 1, 0, PROTO_FLAG_REPLY, 0, 0}, 4, PROTO_BAD_FRAME, true},
    {"more frames of a request", {4, 1, 2, PROTO_FLAG_MORE, 0, 0}, 4, PROTO_BAD_FRAME, true},
    {"a reserved flag", {4, 1, 2, 0x8000, 0, 0}, 4, PROTO_BAD_FRAME, true},
    {"a payload of 4 GB", {UINT32_MAX, 1, 2, 0, 0, 0}, 4, PROTO_TOO_LARGE, true},
    {"one byte more than the limit", {1000001, 1, 2, 0, 0, 0}, 4, PROTO_TOO_LARGE, true},
};

static void send_hostile(int fd, const struct hostile *hostile, uint32_t id)
{
    uint8_t bytes[PROTO_HEADER_BYTES + 16] = {0};
    struct proto_header header = hostile->header;
    header.request_id = id;
    proto_header_encode(&header, bytes);
    assert_true(net_peer_send(fd, bytes, PROTO_HEADER_BYTES + hostile->payload_bytes));
}

static void serving_refuses_each_hostile_frame_by_name_while_good_clients_go_on(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.frame_bytes_max = 1000000;
    net_test_start(&echo, &options);
    int good = net_test_connect(&echo);
    size_t closing = 0;
    for (size_t i = 0; i < sizeof HOSTILE / sizeof *HOSTILE; i++) {
        const struct hostile *hostile = &HOSTILE[i];
        uint32_t id = (uint32_t)i + 1000;
        int fd = net_test_connect(&echo);
        net_test_ping(fd, 1);
        send_hostile(fd, hostile, id);
        net_test_expect(fd, hostile->code, id);
        closing += hostile->closes;
        if (hostile->closes) {
            assert_true(net_peer_closed(fd));
        } else {
            net_test_ping(fd, 2);
            assert_int_equal(net_test_counters(&echo).closed_framing, closing);
        }
        close(fd);
        net_test_ping(good, id);
    }
    net_wait_for(net_test_counters(&echo).closed_framing == closing);
    assert_int_equal(net_test_counters(&echo).frames_refused, closing);
    close(good);
    net_echo_stop(&echo, 1000);
}

static void serving_answers_what_came_before_the_framing_was_lost(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    uint8_t bytes[256];
    size_t count = net_peer_frame(bytes, 2, 1, proto_span_text("a"));
    count += net_peer_frame(bytes + count, NET_ECHO_HOLD, 2, proto_span_text("b"));
    memset(bytes + count, 0xff, 64);
    assert_true(net_peer_send(fd, bytes, count + 64));
    net_test_expect(fd, PROTO_OK, 1);
    net_test_expect(fd, PROTO_TOO_LARGE, UINT32_MAX);
    net_echo_release(&echo);
    net_test_expect(fd, PROTO_OK, 2); /* it was promised before */
    assert_true(net_peer_closed(fd));
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void serving_leaves_frames_unread_while_too_many_are_pending(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.pending_max = 4;
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    int good = net_test_connect(&echo);
    uint8_t bytes[200 * (PROTO_HEADER_BYTES + 4)];
    size_t count = 0;
    for (uint32_t id = 0; id < 200; id++) {
        count += net_peer_frame(bytes + count, id % 2 == 0 ? NET_ECHO_HOLD : 2, id,
                                proto_span_text("wait"));
    }
    assert_true(net_peer_send(fd, bytes, count));
    net_wait_for(net_test_counters(&echo).requests_pending == 4);
    net_test_ping(good, 9);
    assert_int_equal(net_test_counters(&echo).requests_pending, 4);
    assert_true(net_test_counters(&echo).frames_in < 20);
    assert_true(net_test_counters(&echo).reads_paused >= 1);
    net_echo_release(&echo);
    bool seen[200] = {false};
    for (unsigned i = 0; i < 200; i++) {
        struct proto_header header;
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_true(header.request_id < 200 && !seen[header.request_id]);
        seen[header.request_id] = true;
    }
    net_test_ping(fd, 7); /* it is read again */
    assert_int_equal(net_test_counters(&echo).requests_pending, 0);
    close(fd);
    close(good);
    net_echo_stop(&echo, 1000);
}

static void serving_gives_a_stopped_handler_the_rest_in_later_turns(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    uint8_t bytes[50 * (PROTO_HEADER_BYTES + 4)];
    size_t count = 0;
    for (uint32_t id = 0; id < 50; id++) {
        count += net_peer_frame(bytes + count, NET_ECHO_STOP, id, proto_span_text("rest"));
    }
    assert_true(net_peer_send(fd, bytes, count));
    for (uint32_t id = 0; id < 50; id++) {
        net_test_expect(fd, PROTO_OK, id);
    }
    net_test_ping(fd, 51);
    assert_int_equal(net_test_counters(&echo).frames_in, 51);
    assert_true(net_test_counters(&echo).batches >= 50);
    assert_true(atomic_load(&echo.turns) >= 49);
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void serving_survives_a_peer_that_leaves_while_its_handler_is_stopped(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    uint8_t bytes[500 * PROTO_HEADER_BYTES];
    size_t count = 0;
    for (uint32_t id = 0; id < 500; id++) {
        count += net_peer_frame(bytes + count, NET_ECHO_STOP, id, proto_span_text(""));
    }
    struct linger reset = {1, 0};
    for (unsigned round = 0; round < 20; round++) {
        int fd = net_test_connect(&echo);
        assert_true(net_peer_send(fd, bytes, count));
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        close(fd); /* with a reset, so that writes fail in the middle */
    }
    net_wait_for(net_test_counters(&echo).connections_accepted == 20);
    net_wait_for(net_test_counters(&echo).connections_open == 0);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serving_answers_one_read_with_one_write),
        cmocka_unit_test(serving_refuses_each_hostile_frame_by_name_while_good_clients_go_on),
        cmocka_unit_test(serving_answers_what_came_before_the_framing_was_lost),
        cmocka_unit_test(serving_leaves_frames_unread_while_too_many_are_pending),
        cmocka_unit_test(serving_gives_a_stopped_handler_the_rest_in_later_turns),
        cmocka_unit_test(serving_survives_a_peer_that_leaves_while_its_handler_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
