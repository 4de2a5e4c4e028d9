/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/request.h"

#define BYTES(text) ((struct proto_span){(const uint8_t *)(text), sizeof(text) - 1})

/* The linker puts these in the place of realloc (CMakeLists.txt). */
static int reallocs_left = -1; /* that succeed; below 0: all */
void *__real_realloc(void *data, size_t bytes);
void *__wrap_realloc(void *data, size_t bytes);

void *__wrap_realloc(void *data, size_t bytes)
{
    if (reallocs_left == 0) {
        return NULL;
    }
    reallocs_left -= reallocs_left > 0;
    return __real_realloc(data, bytes);
}

static void wrote(struct proto_writer *writer, struct proto_span wanted)
{
    assert_true(proto_writer_ok(writer));
    assert_int_equal(writer->bytes, wanted.bytes);
    assert_memory_equal(writer->data, wanted.data, wanted.bytes);
    proto_writer_reset(writer);
}

static void writer_takes_the_smallest_encoding_of_numbers(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_uint(&writer, 127);
    wrote(&writer, BYTES("\x7f"));
    proto_write_uint(&writer, 128);
    wrote(&writer, BYTES("\xcc\x80"));
    proto_write_uint(&writer, 65536);
    wrote(&writer, BYTES("\xce\x00\x01\x00\x00"));
    proto_write_uint(&writer, UINT64_MAX);
    wrote(&writer, BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
    proto_write_int(&writer, 5);
    wrote(&writer, BYTES("\x05"));
    proto_write_int(&writer, -33);
    wrote(&writer, BYTES("\xd0\xdf"));
    proto_write_int(&writer, INT64_MIN);
    wrote(&writer, BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"));
    proto_write_f32(&writer, 1.5F);
    wrote(&writer, BYTES("\xca\x3f\xc0\x00\x00"));
    proto_write_f64(&writer, 1.5);
    wrote(&writer, BYTES("\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00"));
    proto_writer_fini(&writer);
}

static void writer_writes_every_other_kind(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_map(&writer, 1);
    proto_write_text(&writer, "k");
    proto_write_array(&writer, 5);
    proto_write_nil(&writer);
    proto_write_bool(&writer, true);
    proto_write_bool(&writer, false);
    proto_write_bin(&writer, BYTES("\x01\x02"));
    proto_write_str(&writer, (struct proto_span){NULL, 0});
    proto_write_raw(&writer, BYTES("\xc0"));
    wrote(&writer, BYTES("\x81\xa1k\x95\xc0\xc3\xc2\xc4\x02\x01\x02\xa0\xc0"));
    proto_writer_fini(&writer);
}

static void writer_grows_and_keeps_what_was_written(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_array(&writer, 100000);
    for (uint64_t i = 0; i < 100000; i++) {
        proto_write_uint(&writer, i);
    }
    struct proto_fault fault;
    struct proto_reader reader;
    proto_reader_init(&reader, proto_writer_span(&writer), &fault);
    assert_int_equal(proto_read_array(&reader), 100000);
    for (uint64_t i = 0; i < 100000; i++) {
        assert_int_equal(proto_read_uint(&reader), i);
    }
    proto_reader_leave(&reader);
    assert_true(proto_reader_end(&reader));
    proto_writer_fini(&writer);
}

static void writer_frames_follow_one_another(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    for (unsigned i = 0; i < 2; i++) {
        proto_writer_frame_begin(&writer);
        proto_write_map(&writer, 0);
        proto_writer_frame_end(&writer, PROTO_OP_PING, i == 1 ? PROTO_FLAG_CHECKSUM : 0, 7 + i);
    }
    assert_true(proto_writer_ok(&writer));
    assert_int_equal(writer.bytes, 2 * (PROTO_HEADER_BYTES + 1));
    struct proto_span left = proto_writer_span(&writer);
    for (unsigned i = 0; i < 2; i++) {
        struct proto_header header;
        struct proto_span payload;
        size_t used = 0;
        struct proto_fault fault;
        assert_int_equal(proto_frame_split(left, 100, false, &header, &payload, &used, &fault),
                         PROTO_FRAME_WHOLE);
        assert_int_equal(header.request_id, 7 + i);
        assert_int_equal(header.code, PROTO_OP_PING);
        assert_int_equal(payload.bytes, 1);
        left = (struct proto_span){left.data + used, left.bytes - used};
    }
    proto_writer_fini(&writer);
}

static void writer_fault_is_a_whole_reply_that_decodes_again(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    struct proto_fault sent;
    proto_fault_set(&sent, PROTO_BUSY, "queue", "the queue is full");
    proto_write_fault(&writer, &sent, PROTO_FLAG_CHECKSUM, 99);
    struct proto_header header;
    struct proto_span payload;
    size_t used = 0;
    struct proto_fault fault;
    assert_int_equal(proto_frame_split(proto_writer_span(&writer), SIZE_MAX, true, &header,
                                       &payload, &used, &fault),
                     PROTO_FRAME_WHOLE);
    assert_int_equal(header.code, PROTO_BUSY);
    assert_int_equal(header.request_id, 99);
    assert_int_equal(header.flags, PROTO_FLAG_REPLY | PROTO_FLAG_CHECKSUM);
    struct proto_fault got;
    assert_true(proto_fault_decode(payload, &got, &fault));
    assert_int_equal(got.code, sent.code);
    assert_string_equal(got.field, sent.field);
    assert_string_equal(got.message, sent.message);
    size_t count = 0;
    struct proto_arg args[PROTO_F_COUNT];
    const struct proto_field_info *fields = proto_fault_fields(&count);
    assert_true(proto_fields_decode(fields, count, payload, args, &fault));
    assert_true(args[PROTO_F_RETRYABLE].flag);
    assert_true(proto_span_is(args[PROTO_F_ERROR].text, "busy"));
    proto_writer_fini(&writer);
}

static void writer_fault_never_sends_codes_that_do_not_travel(void **state)
{
    (void)state;
    static const enum proto_error codes[] = {PROTO_OK, PROTO_CONNECT, PROTO_USAGE};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct proto_writer writer;
        proto_writer_init(&writer);
        struct proto_fault sent;
        proto_fault_set(&sent, codes[i], "", "x");
        proto_write_fault(&writer, &sent, 0, 1);
        assert_int_equal(writer.data[5], PROTO_INTERNAL);
        proto_writer_fini(&writer);
    }
}

static void writer_refuses_a_frame_over_the_limit_and_can_take_it_back(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_writer_frame_begin(&writer);
    proto_writer_frame_end(&writer, PROTO_OK, PROTO_FLAG_REPLY, 1);
    size_t before = writer.bytes;
    size_t bytes = 1U << 20;
    uint8_t *block = calloc(1, bytes);
    assert_non_null(block);
    proto_writer_frame_begin(&writer);
    for (int i = 0; i < 15; i++) {
        proto_write_raw(&writer, (struct proto_span){block, bytes});
    }
    assert_true(proto_writer_ok(&writer));
    proto_write_raw(&writer, (struct proto_span){block, bytes});
    assert_true(proto_writer_ok(&writer)); /* the limit itself is allowed */
    proto_write_nil(&writer);
    assert_false(proto_writer_ok(&writer));
    proto_writer_frame_end(&writer, PROTO_OK, PROTO_FLAG_REPLY, 2);
    assert_false(proto_writer_ok(&writer));
    assert_null(proto_writer_reserve(&writer, 1));
    proto_writer_frame_cancel(&writer);
    assert_true(proto_writer_ok(&writer));
    assert_int_equal(writer.bytes, before);
    proto_writer_frame_begin(&writer);
    proto_writer_frame_end(&writer, PROTO_OK, PROTO_FLAG_REPLY, 3);
    assert_true(proto_writer_ok(&writer));
    free(block);
    proto_writer_fini(&writer);
}

static void writer_refuses_sizes_that_the_format_cannot_hold(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_array(&writer, (size_t)UINT32_MAX + 1);
    assert_false(proto_writer_ok(&writer));
    proto_writer_reset(&writer);
    proto_write_str(&writer, (struct proto_span){NULL, (size_t)UINT32_MAX + 1});
    assert_false(proto_writer_ok(&writer));
    assert_int_equal(writer.bytes, 0);
    proto_writer_reset(&writer);
    assert_null(proto_writer_reserve(&writer, SIZE_MAX));
    assert_false(proto_writer_ok(&writer));
    proto_writer_fini(&writer);
}

static void writer_fails_for_good_when_memory_runs_out(void **state)
{
    (void)state;
    struct proto_writer writer;
    for (int granted = 0; granted < 3; granted++) {
        proto_writer_init(&writer);
        reallocs_left = granted;
        for (int i = 0; i < 2000; i++) {
            proto_write_nil(&writer);
        }
        reallocs_left = -1;
        assert_false(proto_writer_ok(&writer));
        assert_int_equal(writer.bytes, granted == 0 ? 0 : 256 << (granted - 1));
        proto_write_uint(&writer, 1);
        assert_null(proto_writer_reserve(&writer, 1));
        size_t bytes = 9;
        assert_null(proto_writer_take(&writer, &bytes));
        assert_int_equal(bytes, 0);
        assert_null(writer.data);
    }
}

static void writer_hands_its_buffer_over(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_text(&writer, "abc");
    size_t bytes = 0;
    uint8_t *data = proto_writer_take(&writer, &bytes);
    assert_int_equal(bytes, 4);
    assert_memory_equal(data,
                        "\xa3"
                        "abc",
                        4);
    free(data);
    assert_int_equal(writer.bytes, 0);
    assert_null(writer.data);
    proto_write_nil(&writer);
    assert_true(proto_writer_ok(&writer));
    proto_writer_fini(&writer);
}

static void writer_reserves_room_for_templates(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    uint8_t *room = proto_writer_reserve(&writer, 1000);
    assert_non_null(room);
    memset(room, 0xc0, 1000);
    writer.bytes += 1000;
    assert_int_equal(proto_writer_span(&writer).bytes, 1000);
    assert_true(proto_writer_ok(&writer));
    proto_writer_fini(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writer_takes_the_smallest_encoding_of_numbers),
        cmocka_unit_test(writer_writes_every_other_kind),
        cmocka_unit_test(writer_grows_and_keeps_what_was_written),
        cmocka_unit_test(writer_frames_follow_one_another),
        cmocka_unit_test(writer_fault_is_a_whole_reply_that_decodes_again),
        cmocka_unit_test(writer_fault_never_sends_codes_that_do_not_travel),
        cmocka_unit_test(writer_refuses_a_frame_over_the_limit_and_can_take_it_back),
        cmocka_unit_test(writer_refuses_sizes_that_the_format_cannot_hold),
        cmocka_unit_test(writer_fails_for_good_when_memory_runs_out),
        cmocka_unit_test(writer_hands_its_buffer_over),
        cmocka_unit_test(writer_reserves_room_for_templates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
