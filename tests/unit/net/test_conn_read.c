/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#define PIPELINED ((size_t)10000)

static void reader_takes_frames_that_come_byte_by_byte(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    uint8_t bytes[3 * (PROTO_HEADER_BYTES + 8)];
    size_t count = net_peer_frame(bytes, 2, 1, proto_span_text("drip"));
    count += net_peer_frame(bytes + count, 2, 2, proto_span_text(""));
    count += net_peer_frame(bytes + count, 2, 3, proto_span_text("drop"));
    for (size_t i = 0; i < count; i++) {
        assert_true(net_peer_send(fd, bytes + i, 1));
        net_test_sleep_ms(1);
    }
    for (uint32_t id = 1; id <= 3; id++) {
        net_test_expect(fd, PROTO_OK, id);
    }
    assert_true(net_test_counters(&echo).reads > 20); /* they did come in pieces */
    close(fd);
    net_echo_stop(&echo, 1000);
}

struct sender {
    int fd;
    uint8_t *bytes;
    size_t count;
    bool ok;
};

static void *send_all(void *argument)
{
    struct sender *sender = argument;
    sender->ok = net_peer_send(sender->fd, sender->bytes, sender->count);
    return NULL;
}

static void reader_answers_ten_thousand_pipelined_frames_in_order(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    struct sender sender = {.fd = net_test_connect(&echo)};
    sender.bytes = net_test_alloc(PIPELINED * (PROTO_HEADER_BYTES + 64));
    static const uint8_t fill[64] = {1, 2, 3};
    for (uint32_t id = 0; id < PIPELINED; id++) {
        sender.count += net_peer_frame(sender.bytes + sender.count, 2, id,
                                       (struct proto_span){fill, id % sizeof fill});
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_all, &sender), 0);
    for (uint32_t id = 0; id < PIPELINED; id++) {
        struct proto_header header;
        struct proto_span payload;
        assert_true(net_peer_reply(sender.fd, &header, &payload));
        assert_int_equal(header.request_id, id);
        assert_true(proto_span_equal(payload, (struct proto_span){fill, id % sizeof fill}));
        free((uint8_t *)(uintptr_t)payload.data);
    }
    pthread_join(thread, NULL);
    assert_true(sender.ok);
    struct net_counters counters = net_test_counters(&echo);
    print_message("%zu frames: %llu reads, %llu writes, %llu batches, largest %u\n", PIPELINED,
                  (unsigned long long)counters.reads, (unsigned long long)counters.writes,
                  (unsigned long long)counters.batches, atomic_load(&echo.batch_largest));
    assert_int_equal(counters.frames_in, PIPELINED);
    free(sender.bytes);
    close(sender.fd);
    net_echo_stop(&echo, 1000);
}

/* Small frames before and after the largest, all with the code. */
static void largest_is_answered(uint8_t code, unsigned taken)
{
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    size_t payload_bytes = PROTO_FRAME_BYTES_MAX;
    struct sender sender = {.fd = net_test_connect(&echo)};
    sender.bytes = net_test_alloc(payload_bytes + (size_t)3 * PROTO_HEADER_BYTES);
    uint8_t *fill = net_test_alloc(payload_bytes);
    for (size_t i = 0; i < payload_bytes; i++) {
        fill[i] = (uint8_t)(i * 31 >> 3);
    }
    sender.count = net_peer_frame(sender.bytes, code, 1, proto_span_text(""));
    sender.count += net_peer_frame(sender.bytes + sender.count, code, 2,
                                   (struct proto_span){fill, payload_bytes});
    sender.count += net_peer_frame(sender.bytes + sender.count, code, 3, proto_span_text(""));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_all, &sender), 0);
    net_test_expect(sender.fd, PROTO_OK, 1);
    struct proto_header header;
    struct proto_span payload;
    assert_true(net_peer_reply(sender.fd, &header, &payload));
    assert_int_equal(header.request_id, 2);
    assert_true(proto_span_equal(payload, (struct proto_span){fill, payload_bytes}));
    free((uint8_t *)(uintptr_t)payload.data);
    net_test_expect(sender.fd, PROTO_OK, 3);
    pthread_join(thread, NULL);
    assert_true(sender.ok);
    net_wait_for(net_test_counters(&echo).bytes_held < 2048); /* the connection itself */
    assert_int_equal(atomic_load(&echo.taken), taken);
    free(sender.bytes);
    free(fill);
    close(sender.fd);
    net_echo_stop(&echo, 1000);
}

static void reader_takes_the_largest_frame_and_gives_its_memory_back(void **state)
{
    (void)state;
    largest_is_answered(2, 0);
}

static void reader_gives_the_memory_of_a_large_frame_away(void **state)
{
    (void)state;
    largest_is_answered(NET_ECHO_TAKE, 1);
}

static void reader_answers_busy_and_passes_over_a_frame_that_memory_forbids(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    options.bytes_max = 100000;
    net_test_start(&echo, &options);
    struct sender sender = {.fd = net_test_connect(&echo)};
    size_t payload_bytes = (size_t)4 << 20;
    sender.bytes = net_test_alloc(payload_bytes + (size_t)2 * PROTO_HEADER_BYTES);
    uint8_t *fill = net_test_alloc(payload_bytes);
    sender.count = net_peer_frame(sender.bytes, 2, 41, (struct proto_span){fill, payload_bytes});
    sender.count += net_peer_frame(sender.bytes + sender.count, 2, 42, proto_span_text(""));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_all, &sender), 0);
    net_test_expect(sender.fd, PROTO_BUSY, 41);
    net_test_expect(sender.fd, PROTO_OK, 42);
    pthread_join(thread, NULL);
    assert_true(sender.ok);
    net_test_ping(sender.fd, 43);
    assert_int_equal(net_test_counters(&echo).frames_busy, 1);
    assert_true(net_test_counters(&echo).bytes_held < options.bytes_max);
    free(sender.bytes);
    free(fill);
    close(sender.fd);
    net_echo_stop(&echo, 1000);
}

static void reader_answers_what_a_peer_sent_before_it_ended_its_half(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    for (uint32_t id = 0; id < 20; id++) {
        assert_true(net_peer_request(fd, id % 2 == 0 ? NET_ECHO_HOLD : NET_ECHO_LATER, id,
                                     proto_span_text("half")));
    }
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    for (uint32_t i = 0; i < 10; i++) {
        net_test_expect(fd, PROTO_OK, i * 2 + 1);
    }
    net_echo_release(&echo);
    bool seen[20] = {false};
    for (uint32_t i = 0; i < 10; i++) {
        struct proto_header header;
        assert_true(net_peer_reply(fd, &header, NULL));
        assert_true(header.request_id < 20 && !seen[header.request_id]);
        seen[header.request_id] = true;
    }
    assert_true(net_peer_closed(fd));
    close(fd);
    net_echo_stop(&echo, 1000);
}

static void reader_drops_a_partial_frame_when_its_peer_leaves(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fd = net_test_connect(&echo);
    uint8_t frame[PROTO_HEADER_BYTES + 8];
    net_peer_frame(frame, 2, 1, proto_span_text("whole"));
    assert_true(net_peer_send(fd, frame, PROTO_HEADER_BYTES + 2));
    net_wait_for(net_test_counters(&echo).bytes_in == PROTO_HEADER_BYTES + 2);
    close(fd);
    net_wait_for(net_test_counters(&echo).closed_peer == 1);
    net_wait_for(net_test_counters(&echo).bytes_held == 0);
    assert_int_equal(net_test_counters(&echo).frames_in, 0);
    net_echo_stop(&echo, 1000);
}

enum { CROWD = 16, CROWD_ROUNDS = 5000 };

/* Whether requests meet in one turn is a matter of luck, so they are sent until they did. */
static void reader_peeks_at_what_many_sent_and_answers_each_once(void **state)
{
    (void)state;
    static struct net_echo echo;
    struct net_options options = net_test_options(1);
    net_test_start(&echo, &options);
    int fds[CROWD];
    for (unsigned i = 0; i < CROWD; i++) {
        fds[i] = net_test_connect(&echo);
    }
    uint32_t round = 0;
    for (; round < CROWD_ROUNDS && atomic_load(&echo.peeked) < 100; round++) {
        for (unsigned i = 0; i < CROWD; i++) {
            assert_true(net_peer_request(fds[i], 2, round * CROWD + i, proto_span_text("ping")));
        }
        for (unsigned i = 0; i < CROWD; i++) {
            net_test_expect(fds[i], PROTO_OK, round * CROWD + i);
        }
    }
    assert_true(atomic_load(&echo.peeked) >= 100);
    assert_int_equal(net_test_counters(&echo).frames_in, round * CROWD);
    for (unsigned i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
    net_wait_for(net_test_counters(&echo).bytes_held == 0);
    net_echo_stop(&echo, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_takes_frames_that_come_byte_by_byte),
        cmocka_unit_test(reader_answers_ten_thousand_pipelined_frames_in_order),
        cmocka_unit_test(reader_takes_the_largest_frame_and_gives_its_memory_back),
        cmocka_unit_test(reader_gives_the_memory_of_a_large_frame_away),
        cmocka_unit_test(reader_answers_busy_and_passes_over_a_frame_that_memory_forbids),
        cmocka_unit_test(reader_answers_what_a_peer_sent_before_it_ended_its_half),
        cmocka_unit_test(reader_drops_a_partial_frame_when_its_peer_leaves),
        cmocka_unit_test(reader_peeks_at_what_many_sent_and_answers_each_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
