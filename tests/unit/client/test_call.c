/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/icp.h"
#include "tests/unit/client/fake_server.h"

struct fixture {
    struct fake_server server;
    struct icp_client *client;
    struct icp_fault fault;
    struct icp_reply reply;
};

static void begin(struct fixture *fixture, const fake_script *scripts, size_t count,
                  const struct icp_options *options)
{
    *fixture = (struct fixture){0};
    fake_start(&fixture->server, true, scripts, count);
    fixture->client = icp_connect(fixture->server.uri, options, &fixture->fault);
    assert_non_null(fixture->client);
}

static void end(struct fixture *fixture)
{
    icp_reply_fini(&fixture->reply);
    icp_close(fixture->client);
    assert_true(fake_stop(&fixture->server));
}

static bool serve_pings(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    while (fake_read(fd, &request)) {
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping)) {
            return false;
        }
    }
    return true;
}

/* Answers nothing before it has two requests. */
static bool serve_pairs(int fd)
{
    struct fake_request first;
    struct fake_request second;
    return fake_greet(fd) && fake_read(fd, &first) && fake_read(fd, &second) &&
           fake_reply(fd, first.header.request_id, PROTO_OK, 0, fake_fill_ping) &&
           fake_reply(fd, second.header.request_id, PROTO_OK, 0, fake_fill_ping);
}

static void flush_waits_for_no_reply(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pairs};
    const struct icp_options options = {.call_timeout_ms = 10000};
    struct fixture f;
    begin(&f, scripts, 1, &options);
    for (int i = 0; i < 2; i++) {
        assert_true(icp_send(f.client, ICP_OP_PING, NULL, &f.fault) != 0);
        assert_true(icp_flush(f.client, &f.fault)); /* the first would time out */
    }
    assert_int_equal(icp_in_flight(f.client), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(icp_receive(f.client, 0, 0, &f.reply));
    }
    end(&f);
}

static void call_gets_the_reply_of_its_request(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    for (int i = 0; i < 100; i++) {
        assert_true(icp_call_PING(f.client, NULL, &f.reply));
        assert_int_equal(icp_reply_int(&f.reply, "time", 0), 1234);
    }
    assert_int_equal(icp_in_flight(f.client), 0);
    end(&f);
}

/* Reads 100 requests, then answers the last one first, in pieces of 7 bytes. */
static bool serve_backwards_in_pieces(int fd)
{
    struct fake_request request;
    uint32_t ids[100];
    if (!fake_greet(fd)) {
        return false;
    }
    for (size_t i = 0; i < 100; i++) {
        if (!fake_read(fd, &request)) {
            return false;
        }
        ids[i] = request.header.request_id;
    }
    struct proto_writer writer;
    proto_writer_init(&writer);
    for (size_t i = 100; i-- > 0;) {
        fake_frame(&writer, ids[i], PROTO_OK, 0, fake_fill_ping);
    }
    bool sent = true;
    for (size_t at = 0; sent && at < writer.bytes; at += 7) {
        sent = fake_send(fd, writer.data + at, writer.bytes - at < 7 ? writer.bytes - at : 7);
    }
    proto_writer_fini(&writer);
    return sent && fake_until_closed(fd);
}

static void receive_matches_replies_out_of_order(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_backwards_in_pieces, serve_backwards_in_pieces};
    struct fixture f;
    begin(&f, scripts, 2, NULL);
    uint32_t ids[100];
    for (size_t i = 0; i < 100; i++) {
        ids[i] = icp_send(f.client, ICP_OP_PING, NULL, &f.fault);
    }
    assert_int_equal(icp_in_flight(f.client), 100);
    for (size_t i = 0; i < 100; i++) {
        assert_true(icp_receive(f.client, ids[i], 0, &f.reply));
        assert_int_equal(f.reply.request_id, ids[i]);
    }
    assert_int_equal(icp_in_flight(f.client), 0);
    /* The same without naming them: they come as the server sent them. */
    assert_true(icp_reconnect(f.client, &f.fault));
    for (size_t i = 0; i < 100; i++) {
        ids[i] = icp_send(f.client, ICP_OP_PING, NULL, &f.fault);
    }
    for (size_t i = 100; i-- > 0;) {
        assert_true(icp_receive(f.client, 0, 0, &f.reply));
        assert_int_equal(f.reply.request_id, ids[i]);
    }
    assert_false(icp_receive(f.client, 0, 0, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_USAGE);
    assert_false(icp_receive(f.client, ids[0], 0, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_USAGE);
    end(&f);
}

/* Answers the first ping only after the second has come. */
static bool serve_late(int fd)
{
    struct fake_request first;
    struct fake_request second;
    return fake_greet(fd) && fake_read(fd, &first) && fake_read(fd, &second) &&
           fake_reply(fd, first.header.request_id, PROTO_OK, 0, fake_fill_ping) &&
           fake_reply(fd, second.header.request_id, PROTO_OK, 0, fake_fill_ping) &&
           fake_until_closed(fd);
}

static void call_past_its_deadline_costs_only_itself(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_late};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    assert_false(icp_call_within(f.client, ICP_OP_PING, NULL, 30, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_TIMEOUT);
    uint32_t first = f.reply.request_id;
    assert_int_equal(icp_in_flight(f.client), 0);
    assert_true(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(f.reply.request_id, first + 1);
    end(&f);
}

static bool serve_slowly(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd) || !fake_read(fd, &request)) {
        return false;
    }
    fake_sleep_ms(60);
    return fake_reply(fd, request.header.request_id, PROTO_OK, 0, fake_fill_ping) &&
           fake_until_closed(fd);
}

static void receive_can_wait_again_after_a_timeout(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_slowly};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    uint32_t id = icp_send(f.client, ICP_OP_PING, NULL, &f.fault);
    assert_true(icp_flush(f.client, &f.fault));
    int timeouts = 0;
    while (!icp_receive(f.client, id, 1, &f.reply)) {
        assert_int_equal(f.reply.fault.code, ICP_TIMEOUT);
        assert_int_equal(icp_in_flight(f.client), 1);
        timeouts++;
    }
    assert_int_equal(icp_reply_int(&f.reply, "time", 0), 1234);
    end(&f);
}

static bool serve_half_a_reply(int fd)
{
    struct fake_request request = {0};
    struct proto_writer writer;
    proto_writer_init(&writer);
    bool served = fake_greet(fd) && fake_read(fd, &request);
    fake_frame(&writer, request.header.request_id, PROTO_OK, 0, fake_fill_ping);
    served = served && fake_send(fd, writer.data, writer.bytes - 3);
    proto_writer_fini(&writer);
    return served;
}

static void call_tells_of_a_connection_closed_in_the_middle(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_half_a_reply, serve_pings};
    struct fixture f;
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    begin(&f, scripts, 2, &options);
    assert_false(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_CLOSED);
    assert_non_null(strstr(f.reply.fault.message, "middle of a reply"));
    /* The next call opens the connection again. */
    assert_true(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    end(&f);
}

/* Two whole replies, then an end: both must be delivered before the loss is told. */
static bool serve_two_of_three(int fd)
{
    struct fake_request request = {0};
    struct proto_writer writer;
    proto_writer_init(&writer);
    bool served = fake_greet(fd);
    for (int i = 0; i < 3; i++) {
        served = served && fake_read(fd, &request);
        if (i < 2) {
            fake_frame(&writer, request.header.request_id, PROTO_OK, 0, fake_fill_ping);
        }
    }
    served = served && fake_send(fd, writer.data, writer.bytes);
    proto_writer_fini(&writer);
    return served;
}

static void receive_delivers_what_came_before_the_end(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_two_of_three};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    uint32_t last = 0;
    for (int i = 0; i < 3; i++) {
        last = icp_send(f.client, ICP_OP_PING, NULL, &f.fault);
    }
    assert_true(icp_receive(f.client, 0, 0, &f.reply));
    assert_true(icp_receive(f.client, 0, 0, &f.reply));
    assert_false(icp_receive(f.client, 0, 0, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_CLOSED);
    assert_int_equal(f.reply.request_id, last);
    assert_false(icp_receive(f.client, 0, 0, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_USAGE);
    end(&f);
}

static bool serve_hugeness(int fd)
{
    static const uint8_t huge[PROTO_HEADER_BYTES] = {0xff, 0xff, 0xff, 0x7f, 1, 0, 1, 0, 2};
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) && fake_send(fd, huge, sizeof huge) &&
           fake_until_closed(fd);
}

static void call_refuses_a_huge_length_at_once(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_hugeness};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    assert_false(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_BAD_REPLY);
    end(&f);
}

static bool serve_garbage(int fd)
{
    uint8_t garbage[4096];
    memset(garbage, 0xa5, sizeof garbage);
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request) && fake_send(fd, garbage, sizeof garbage) &&
           fake_until_closed(fd);
}

static void call_refuses_garbage_and_never_repeats_after_it(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_garbage};
    struct icp_options options = {ICP_OPTIONS};
    struct fixture f;
    begin(&f, scripts, 1, &options);
    assert_false(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_BAD_REPLY);
    end(&f);
}

/* Takes a request of any kind and hangs up. */
static bool serve_and_hang_up(int fd)
{
    struct fake_request request;
    return fake_greet(fd) && fake_read(fd, &request);
}

static void call_repeats_what_is_safe(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up, serve_and_hang_up, serve_pings};
    struct fixture f;
    begin(&f, scripts, 3, NULL);
    assert_true(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    end(&f);
}

static void call_is_sent_three_times_at_most(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up, serve_and_hang_up, serve_and_hang_up};
    struct fixture f;
    begin(&f, scripts, 3, NULL);
    assert_false(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_CLOSED);
    end(&f);
}

static void call_never_repeats_what_is_unsafe(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up};
    struct icp_options options = {ICP_OPTIONS};
    struct fixture f;
    begin(&f, scripts, 1, &options);
    assert_int_equal(proto_op_find(PROTO_OP_ICP_REVERT)->retry, PROTO_RETRY_UNSAFE);
    assert_false(icp_call(f.client, ICP_OP_ICP_REVERT, NULL, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_CLOSED);
    end(&f);
}

static void call_repeats_nothing_when_told_so(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up};
    struct fixture f;
    const struct icp_options options = {ICP_OPTIONS, .no_retry = true};
    begin(&f, scripts, 1, &options);
    assert_false(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_CLOSED);
    end(&f);
}

/* Two requests are in flight when the connection goes; the reconnecting call must not swallow the
 * news of the other one. */
static void reconnecting_answers_the_other_requests_with_closed(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_and_hang_up, serve_pings};
    struct icp_options options = {ICP_OPTIONS};
    struct fixture f;
    begin(&f, scripts, 2, &options);
    uint32_t other = icp_send(f.client, ICP_OP_PING, NULL, &f.fault);
    assert_true(icp_call(f.client, ICP_OP_PING, NULL, &f.reply));
    assert_int_equal(icp_in_flight(f.client), 1);
    assert_false(icp_receive(f.client, other, 0, &f.reply));
    assert_int_equal(f.reply.fault.code, ICP_CLOSED);
    assert_int_equal(f.reply.request_id, other);
    assert_int_equal(f.reply.op, ICP_OP_PING);
    end(&f);
}

static void fill_progress(struct proto_writer *writer)
{
    proto_write_map(writer, 3);
    proto_write_text(writer, "job");
    proto_write_uint(writer, 5);
    proto_write_text(writer, "done");
    proto_write_f64(writer, 0.5);
    proto_write_text(writer, "stage");
    proto_write_text(writer, "fitting");
}

static bool serve_job(int fd)
{
    struct fake_request request;
    if (!fake_greet(fd)) {
        return false;
    }
    while (fake_read(fd, &request)) {
        for (int i = 0; i < 3; i++) {
            if (!fake_reply(fd, request.header.request_id, PROTO_OK, PROTO_FLAG_MORE,
                            fill_progress)) {
                return false;
            }
        }
        if (!fake_reply(fd, request.header.request_id, PROTO_OK, 0, fill_progress)) {
            return false;
        }
    }
    return true;
}

static void receive_gives_progress_frames_and_call_passes_over_them(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_job};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    uint32_t id = icp_send(f.client, ICP_OP_ICP_LEARN, NULL, &f.fault);
    for (int i = 0; i < 3; i++) {
        assert_true(icp_receive(f.client, id, 0, &f.reply));
        assert_true(f.reply.more);
        assert_true(icp_reply_number(&f.reply, "done", 0) == 0.5);
    }
    assert_true(icp_receive(f.client, id, 0, &f.reply));
    assert_false(f.reply.more);
    assert_true(icp_call(f.client, ICP_OP_ICP_LEARN, NULL, &f.reply));
    assert_false(f.reply.more);
    end(&f);
}

static void send_refuses_what_cannot_be_sent(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings};
    struct icp_options options = {.in_flight_max = 2};
    struct fixture f;
    begin(&f, scripts, 1, &options);
    struct icp_payload *payload = icp_payload_create();
    icp_payload_list_begin(payload, "open");
    assert_int_equal(icp_send(f.client, ICP_OP_PING, payload, &f.fault), 0);
    assert_int_equal(f.fault.code, ICP_USAGE);
    assert_int_equal(icp_send(f.client, (enum icp_op)250, NULL, &f.fault), 0);
    assert_int_equal(f.fault.code, ICP_USAGE);
    assert_int_not_equal(icp_send(f.client, ICP_OP_PING, NULL, &f.fault), 0);
    assert_int_not_equal(icp_send(f.client, ICP_OP_PING, NULL, &f.fault), 0);
    assert_int_equal(icp_send(f.client, ICP_OP_PING, NULL, &f.fault), 0);
    assert_int_equal(f.fault.code, ICP_LIMIT);
    icp_forget(f.client, 0);
    assert_int_equal(icp_in_flight(f.client), 2);
    icp_payload_destroy(payload);
    end(&f);
}

/* Far more than the socket buffers hold, before anything is received: sending must read meanwhile,
 * or both sides would wait for each other for ever. */
static void send_does_not_deadlock_with_a_server_that_answers_at_once(void **state)
{
    (void)state;
    static const fake_script scripts[] = {serve_pings};
    struct fixture f;
    begin(&f, scripts, 1, NULL);
    for (int i = 0; i < 40000; i++) {
        assert_int_not_equal(icp_send(f.client, ICP_OP_PING, NULL, &f.fault), 0);
    }
    for (int i = 0; i < 40000; i++) {
        assert_true(icp_receive(f.client, 0, 0, &f.reply));
    }
    assert_int_equal(icp_in_flight(f.client), 0);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flush_waits_for_no_reply),
        cmocka_unit_test(call_gets_the_reply_of_its_request),
        cmocka_unit_test(receive_matches_replies_out_of_order),
        cmocka_unit_test(call_past_its_deadline_costs_only_itself),
        cmocka_unit_test(receive_can_wait_again_after_a_timeout),
        cmocka_unit_test(call_tells_of_a_connection_closed_in_the_middle),
        cmocka_unit_test(receive_delivers_what_came_before_the_end),
        cmocka_unit_test(call_refuses_a_huge_length_at_once),
        cmocka_unit_test(call_refuses_garbage_and_never_repeats_after_it),
        cmocka_unit_test(call_repeats_what_is_safe),
        cmocka_unit_test(call_is_sent_three_times_at_most),
        cmocka_unit_test(call_never_repeats_what_is_unsafe),
        cmocka_unit_test(call_repeats_nothing_when_told_so),
        cmocka_unit_test(reconnecting_answers_the_other_requests_with_closed),
        cmocka_unit_test(receive_gives_progress_frames_and_call_passes_over_them),
        cmocka_unit_test(send_refuses_what_cannot_be_sent),
        cmocka_unit_test(send_does_not_deadlock_with_a_server_that_answers_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
