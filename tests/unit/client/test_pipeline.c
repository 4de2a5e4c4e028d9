/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/pipeline.h"

static const struct client_request ping = {.op = PROTO_OP_PING};

static void ping_frame(struct proto_writer *writer, uint32_t id, uint64_t time, uint16_t flags)
{
    proto_writer_frame_begin(writer);
    proto_write_map(writer, 1);
    proto_write_text(writer, "time");
    proto_write_uint(writer, time);
    proto_writer_frame_end(writer, PROTO_OK, (uint16_t)(PROTO_FLAG_REPLY | flags), id);
}

static void feed(struct client_pipeline *pipeline, const void *data, size_t bytes)
{
    const uint8_t *at = data;
    while (bytes > 0) {
        size_t room_bytes = 0;
        uint8_t *room = client_pipeline_room(pipeline, &room_bytes);
        assert_non_null(room);
        size_t part = bytes < room_bytes ? bytes : room_bytes;
        memcpy(room, at, part);
        client_pipeline_received(pipeline, part);
        at += part;
        bytes -= part;
    }
}

static uint32_t ping_send(struct client_pipeline *pipeline)
{
    struct proto_fault fault = {0};
    uint32_t id = client_pipeline_request(pipeline, &ping, &fault);
    assert_int_not_equal(id, 0);
    return id;
}

static void pipeline_writes_frames_that_split_again(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t first = ping_send(&pipeline);
    uint32_t second = ping_send(&pipeline);
    struct proto_span output = client_pipeline_output(&pipeline);
    struct proto_header header;
    struct proto_span payload;
    size_t used = 0;
    struct proto_fault fault = {0};
    assert_int_equal(proto_frame_split(output, 100, false, &header, &payload, &used, &fault),
                     PROTO_FRAME_WHOLE);
    assert_int_equal(header.request_id, first);
    assert_int_equal(header.code, PROTO_OP_PING);
    assert_int_equal(header.flags, PROTO_FLAG_CHECKSUM);
    /* What has left in part goes on from there. */
    client_pipeline_sent(&pipeline, used + 3);
    client_pipeline_sent(&pipeline, output.bytes - used - 3);
    assert_int_equal(client_pipeline_output(&pipeline).bytes, 0);
    assert_int_equal(second, first + 1);
    client_pipeline_fini(&pipeline);
}

static void pipeline_matches_replies_that_come_out_of_order(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, false);
    uint32_t ids[500];
    for (size_t i = 0; i < 500; i++) {
        ids[i] = ping_send(&pipeline);
    }
    struct proto_writer writer;
    proto_writer_init(&writer);
    for (size_t i = 500; i-- > 0;) {
        ping_frame(&writer, ids[i * 7 % 500], ids[i * 7 % 500] + 1000, 0);
    }
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    for (size_t i = 500; i-- > 0;) {
        assert_true(client_pipeline_next(&pipeline, &reply));
        assert_int_equal(reply.id, ids[i * 7 % 500]);
        assert_int_equal(reply.op, PROTO_OP_PING);
        assert_int_equal(reply.fault.code, PROTO_OK);
    }
    assert_false(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(client_pipeline_waiting(&pipeline), 0);
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_takes_replies_byte_by_byte(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t id = ping_send(&pipeline);
    struct proto_writer writer;
    proto_writer_init(&writer);
    ping_frame(&writer, id, 9, PROTO_FLAG_CHECKSUM);
    struct client_reply reply;
    for (size_t i = 0; i < writer.bytes; i++) {
        assert_false(client_pipeline_next(&pipeline, &reply));
        feed(&pipeline, writer.data + i, 1);
    }
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.id, id);
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_drops_the_late_reply_of_a_forgotten_request(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t late = ping_send(&pipeline);
    uint32_t next = ping_send(&pipeline);
    client_pipeline_forget(&pipeline, late);
    client_pipeline_forget(&pipeline, late);
    assert_null(client_pipeline_find(&pipeline, late));
    assert_int_equal(client_pipeline_waiting(&pipeline), 1);
    struct proto_writer writer;
    proto_writer_init(&writer);
    ping_frame(&writer, late, 1, PROTO_FLAG_MORE);
    ping_frame(&writer, late, 1, 0);
    ping_frame(&writer, next, 2, 0);
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.id, next);
    assert_false(pipeline.lost);
    assert_int_equal(pipeline.pending_count, 0);
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_gives_progress_until_the_last_frame(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t id = ping_send(&pipeline);
    struct proto_writer writer;
    proto_writer_init(&writer);
    ping_frame(&writer, id, 1, PROTO_FLAG_MORE);
    ping_frame(&writer, id, 2, 0);
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_true(reply.more);
    assert_non_null(client_pipeline_find(&pipeline, id));
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_false(reply.more);
    assert_null(client_pipeline_find(&pipeline, id));
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_is_lost_by_a_reply_to_nobody(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    (void)ping_send(&pipeline);
    struct proto_writer writer;
    proto_writer_init(&writer);
    ping_frame(&writer, 77, 1, 0);
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    assert_false(client_pipeline_next(&pipeline, &reply));
    assert_true(pipeline.lost);
    assert_int_equal(pipeline.loss.code, PROTO_BAD_REPLY);
    assert_non_null(strstr(pipeline.loss.message, "77"));
    struct proto_fault fault = {0};
    assert_int_equal(client_pipeline_request(&pipeline, &ping, &fault), 0);
    assert_int_equal(fault.code, PROTO_BAD_REPLY);
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_is_lost_by_garbage_and_huge_lengths(void **state)
{
    (void)state;
    static const uint8_t bad[][PROTO_HEADER_BYTES] = {
        "HTTP/1.1 400 Bad",
        {0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 0, 1, 2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0},    /* a request, not a reply */
        {0, 0, 0, 0, 1, 0, 1, 0x80, 1, 0, 0, 0, 0, 0, 0, 0}, /* a reserved flag */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct client_pipeline pipeline;
        client_pipeline_init(&pipeline, 0, 0, true);
        (void)ping_send(&pipeline);
        feed(&pipeline, bad[i], sizeof bad[i]);
        struct client_reply reply;
        assert_false(client_pipeline_next(&pipeline, &reply));
        assert_true(pipeline.lost);
        assert_int_equal(pipeline.loss.code, PROTO_BAD_REPLY);
        assert_true(pipeline.input_capacity < 1 << 20);
        client_pipeline_fini(&pipeline);
    }
}

static void pipeline_tells_a_spoilt_reply_to_its_request_and_goes_on(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t spoilt = ping_send(&pipeline);
    uint32_t sound = ping_send(&pipeline);
    struct proto_writer writer;
    proto_writer_init(&writer);
    ping_frame(&writer, spoilt, 1, PROTO_FLAG_CHECKSUM);
    writer.data[PROTO_HEADER_BYTES] ^= 1;
    ping_frame(&writer, sound, 1, PROTO_FLAG_CHECKSUM);
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.id, spoilt);
    assert_int_equal(reply.fault.code, PROTO_BAD_CHECKSUM);
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.id, sound);
    assert_int_equal(reply.fault.code, PROTO_OK);
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_checks_replies_against_the_table(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t id = ping_send(&pipeline);
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_writer_frame_begin(&writer);
    proto_write_map(&writer, 0);
    proto_writer_frame_end(&writer, PROTO_OK, PROTO_FLAG_REPLY, id);
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.fault.code, PROTO_BAD_REPLY);
    assert_non_null(strstr(reply.fault.message, "ping"));
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_reads_error_replies_even_without_a_payload(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t told = ping_send(&pipeline);
    uint32_t bare = ping_send(&pipeline);
    struct proto_writer writer;
    proto_writer_init(&writer);
    struct proto_fault fault = {0};
    proto_fault_set(&fault, PROTO_BUSY, "x.y", "come again");
    proto_write_fault(&writer, &fault, PROTO_FLAG_REPLY, told);
    proto_writer_frame_begin(&writer);
    proto_writer_frame_end(&writer, PROTO_DENIED, PROTO_FLAG_REPLY, bare);
    feed(&pipeline, writer.data, writer.bytes);
    struct client_reply reply;
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.fault.code, PROTO_BUSY);
    assert_string_equal(reply.fault.field, "x.y");
    assert_string_equal(reply.fault.message, "come again");
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.fault.code, PROTO_DENIED);
    assert_true(reply.fault.message[0] != '\0');
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_bounds_requests_in_flight(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 3, 0, true);
    uint32_t first = ping_send(&pipeline);
    (void)ping_send(&pipeline);
    (void)ping_send(&pipeline);
    client_pipeline_forget(&pipeline, first);
    struct proto_fault fault = {0};
    assert_int_equal(client_pipeline_request(&pipeline, &ping, &fault), 0);
    assert_int_equal(fault.code, PROTO_LIMIT);
    struct proto_span huge = {(const uint8_t *)"", PROTO_FRAME_BYTES_MAX};
    client_pipeline_restart(&pipeline);
    assert_int_equal(client_pipeline_request(
                         &pipeline,
                         &(struct client_request){.op = PROTO_OP_PING, .pairs = 1, .body = huge},
                         &fault),
                     0);
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    client_pipeline_fini(&pipeline);
}

/* A connection is not given up for its silence while one is under way: the server reads nothing
 * behind it before it has had its turn. */
static void pipeline_counts_requests_that_have_a_lane_of_their_own(void **state)
{
    (void)state;
    static uint8_t body[PROTO_LOOP_BYTES_MAX + 1];
    struct proto_fault fault = {0};
    struct client_pipeline pipeline;
    const struct client_request large = {.op = PROTO_OP_PING, .body = {body, sizeof body}};
    client_pipeline_init(&pipeline, 0, 0, false);
    (void)ping_send(&pipeline);
    assert_int_equal(pipeline.large_count, 0);
    uint32_t id = client_pipeline_request(&pipeline, &large, &fault);
    assert_int_not_equal(id, 0);
    assert_int_equal(pipeline.large_count, 1);
    struct proto_writer reply;
    struct client_reply got;
    proto_writer_init(&reply);
    ping_frame(&reply, id, 1, 0);
    feed(&pipeline, proto_writer_span(&reply).data, proto_writer_span(&reply).bytes);
    assert_true(client_pipeline_next(&pipeline, &got));
    assert_int_equal(pipeline.large_count, 0);
    assert_int_not_equal(client_pipeline_request(&pipeline, &large, &fault), 0);
    client_pipeline_restart(&pipeline);
    assert_int_equal(pipeline.large_count, 0);
    proto_writer_fini(&reply);
    client_pipeline_fini(&pipeline);
}

static void pipeline_passes_over_ids_in_use_when_they_wrap(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    assert_int_equal(ping_send(&pipeline), 1);
    *pipeline.ids = UINT32_MAX;
    assert_int_equal(ping_send(&pipeline), UINT32_MAX);
    assert_int_equal(ping_send(&pipeline), 2);
    client_pipeline_fini(&pipeline);
}

static void pipeline_says_when_a_reply_was_cut(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, true);
    uint32_t first = ping_send(&pipeline);
    uint32_t second = ping_send(&pipeline);
    feed(&pipeline, "\x05", 1);
    client_pipeline_lose(&pipeline, PROTO_CLOSED, "the server closed the connection");
    assert_non_null(strstr(pipeline.loss.message, "middle of a reply"));
    uint8_t op = 0;
    assert_int_equal(client_pipeline_abandon(&pipeline, &op), first);
    assert_int_equal(op, PROTO_OP_PING);
    assert_int_equal(client_pipeline_abandon(&pipeline, &op), second);
    assert_int_equal(client_pipeline_abandon(&pipeline, &op), 0);
    client_pipeline_fini(&pipeline);
}

/* After a loss every request is handed out once, in order, also where the ids lie far apart. */
static void pipeline_abandons_many_requests_in_order(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, false);
    uint32_t old = ping_send(&pipeline);
    *pipeline.ids = 3000000000;
    uint32_t first = ping_send(&pipeline);
    for (int i = 1; i < 60000; i++) {
        (void)ping_send(&pipeline);
    }
    client_pipeline_forget(&pipeline, first + 1);
    client_pipeline_lose(&pipeline, PROTO_CLOSED, "closed");
    uint8_t op = 0;
    assert_int_equal(client_pipeline_abandon(&pipeline, &op), old);
    assert_int_equal(client_pipeline_abandon(&pipeline, &op), first);
    uint32_t id = first + 1;
    uint32_t next;
    while ((next = client_pipeline_abandon(&pipeline, &op)) != 0) {
        assert_int_equal(next, ++id);
    }
    assert_int_equal(id, first + 59999);
    assert_int_equal(client_pipeline_waiting(&pipeline), 0);
    client_pipeline_fini(&pipeline);
}

/* The table of pending requests against a plain list, over many random steps. */
static void pipeline_keeps_track_over_random_orders(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    client_pipeline_init(&pipeline, 0, 0, false);
    uint32_t live[200];
    size_t count = 0;
    uint32_t random = 12345;
    struct proto_writer writer;
    proto_writer_init(&writer);
    for (int step = 0; step < 20000; step++) {
        random = random * 1664525 + 1013904223;
        if (count < 200 && (random >> 16) % 2 == 0) {
            live[count++] = ping_send(&pipeline);
            client_pipeline_sent(&pipeline, client_pipeline_output(&pipeline).bytes);
        } else if (count > 0) {
            size_t place = (random >> 17) % count;
            uint32_t id = live[place];
            live[place] = live[--count];
            proto_writer_reset(&writer);
            ping_frame(&writer, id, 1, 0);
            feed(&pipeline, writer.data, writer.bytes);
            struct client_reply reply;
            assert_true(client_pipeline_next(&pipeline, &reply));
            assert_int_equal(reply.id, id);
        }
        assert_int_equal(client_pipeline_waiting(&pipeline), count);
    }
    for (size_t i = 0; i < count; i++) {
        assert_non_null(client_pipeline_find(&pipeline, live[i]));
    }
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

static void pipeline_tells_a_spoilt_progress_frame_and_nothing_after_it(void **state)
{
    (void)state;
    struct client_pipeline pipeline;
    struct client_reply reply;
    struct proto_writer writer;
    client_pipeline_init(&pipeline, 0, 0, false);
    uint32_t id = ping_send(&pipeline);
    proto_writer_init(&writer);
    proto_writer_frame_begin(&writer); /* lacks its time */
    proto_write_map(&writer, 0);
    proto_writer_frame_end(&writer, PROTO_OK, PROTO_FLAG_REPLY | PROTO_FLAG_MORE, id);
    ping_frame(&writer, id, 1, PROTO_FLAG_MORE);
    ping_frame(&writer, id, 2, 0);
    feed(&pipeline, writer.data, writer.bytes);
    assert_true(client_pipeline_next(&pipeline, &reply));
    assert_int_equal(reply.fault.code, PROTO_BAD_REPLY);
    assert_false(reply.more);
    assert_false(client_pipeline_next(&pipeline, &reply));
    assert_false(pipeline.lost);
    assert_int_equal(pipeline.pending_count, 0);
    proto_writer_fini(&writer);
    client_pipeline_fini(&pipeline);
}

/* Garbage that promises megabytes must not be waited for. */
static void pipeline_refuses_a_head_under_an_id_that_was_never_sent(void **state)
{
    (void)state;
    static const uint8_t head[PROTO_HEADER_BYTES] = {0xff, 0xff, 0, 0, 1, 0, 1, 0, 77};
    static const uint8_t notice[PROTO_HEADER_BYTES] = {0xff, 0xff, 0, 0, 1, 20, 1, 0, 0};
    const uint8_t *const heads[] = {head, notice};
    for (size_t i = 0; i < 2; i++) {
        struct client_pipeline pipeline;
        struct client_reply reply;
        client_pipeline_init(&pipeline, 0, 0, false);
        (void)ping_send(&pipeline);
        feed(&pipeline, heads[i], PROTO_HEADER_BYTES - 1);
        assert_false(client_pipeline_next(&pipeline, &reply));
        assert_false(pipeline.lost);
        feed(&pipeline, heads[i] + PROTO_HEADER_BYTES - 1, 1);
        assert_false(client_pipeline_next(&pipeline, &reply));
        assert_true(pipeline.lost);
        client_pipeline_fini(&pipeline);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipeline_writes_frames_that_split_again),
        cmocka_unit_test(pipeline_matches_replies_that_come_out_of_order),
        cmocka_unit_test(pipeline_takes_replies_byte_by_byte),
        cmocka_unit_test(pipeline_drops_the_late_reply_of_a_forgotten_request),
        cmocka_unit_test(pipeline_gives_progress_until_the_last_frame),
        cmocka_unit_test(pipeline_is_lost_by_a_reply_to_nobody),
        cmocka_unit_test(pipeline_is_lost_by_garbage_and_huge_lengths),
        cmocka_unit_test(pipeline_tells_a_spoilt_reply_to_its_request_and_goes_on),
        cmocka_unit_test(pipeline_checks_replies_against_the_table),
        cmocka_unit_test(pipeline_reads_error_replies_even_without_a_payload),
        cmocka_unit_test(pipeline_bounds_requests_in_flight),
        cmocka_unit_test(pipeline_counts_requests_that_have_a_lane_of_their_own),
        cmocka_unit_test(pipeline_passes_over_ids_in_use_when_they_wrap),
        cmocka_unit_test(pipeline_says_when_a_reply_was_cut),
        cmocka_unit_test(pipeline_abandons_many_requests_in_order),
        cmocka_unit_test(pipeline_keeps_track_over_random_orders),
        cmocka_unit_test(pipeline_tells_a_spoilt_progress_frame_and_nothing_after_it),
        cmocka_unit_test(pipeline_refuses_a_head_under_an_id_that_was_never_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
