/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/client.h"

/* The payload as the bytes of one map, in a writer that the caller ends. */
static struct proto_span whole(const struct icp_payload *payload, struct proto_writer *writer)
{
    size_t pairs = 0;
    struct proto_span body;
    struct proto_fault fault = {0};
    assert_true(client_payload_finish(payload, &pairs, &body, &fault));
    proto_writer_init(writer);
    proto_write_map(writer, pairs);
    proto_write_raw(writer, body);
    return proto_writer_span(writer);
}

static enum proto_error refused(const struct icp_payload *payload)
{
    size_t pairs = 0;
    struct proto_span body;
    struct proto_fault fault = {0};
    assert_false(client_payload_finish(payload, &pairs, &body, &fault));
    assert_true(fault.message[0] != '\0');
    return fault.code;
}

static void payload_writes_the_smallest_headers(void **state)
{
    (void)state;
    struct icp_payload *payload = icp_payload_create();
    icp_payload_list_begin(payload, "a");
    icp_payload_map_begin(payload, NULL);
    icp_payload_text(payload, "k", "v");
    icp_payload_map_end(payload);
    icp_payload_uint(payload, NULL, 5);
    assert_int_equal(icp_payload_count(payload), 2);
    icp_payload_list_end(payload);
    struct proto_writer writer;
    struct proto_span bytes = whole(payload, &writer);
    static const uint8_t expected[] = {0x81, 0xa1, 'a', 0x92, 0x81, 0xa1, 'k', 0xa1, 'v', 5};
    assert_int_equal(bytes.bytes, sizeof expected);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    proto_writer_fini(&writer);
    icp_payload_destroy(payload);
}

static void payload_keeps_long_lists_whole(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 15, 16, 65535, 65536};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        struct icp_payload *payload = icp_payload_create();
        icp_payload_list_begin(payload, "l");
        for (size_t i = 0; i < counts[c]; i++) {
            icp_payload_uint(payload, NULL, i % 100);
        }
        icp_payload_list_end(payload);
        icp_payload_flag(payload, "after", true);
        struct proto_writer writer;
        struct proto_fault fault = {0};
        struct proto_reader reader;
        proto_reader_init(&reader, whole(payload, &writer), &fault);
        assert_int_equal(proto_read_map(&reader), 2);
        assert_true(proto_span_is(proto_read_str(&reader), "l"));
        assert_int_equal(proto_read_array(&reader), counts[c]);
        for (size_t i = 0; i < counts[c]; i++) {
            assert_int_equal(proto_read_uint(&reader), i % 100);
        }
        proto_reader_leave(&reader);
        assert_true(proto_span_is(proto_read_str(&reader), "after"));
        assert_true(proto_read_bool(&reader));
        proto_reader_leave(&reader);
        assert_true(proto_reader_end(&reader));
        proto_writer_fini(&writer);
        icp_payload_destroy(payload);
    }
}

static void payload_takes_another_as_a_map(void **state)
{
    (void)state;
    struct icp_payload *values = icp_payload_create();
    icp_payload_number(values, "n", 1.5);
    icp_payload_nil(values, "gone");
    struct icp_payload *payload = icp_payload_create();
    icp_payload_map(payload, "values", values);
    icp_payload_map(payload, "empty", NULL);
    icp_payload_int(payload, "i", -3);
    icp_payload_bytes(payload, "b", "\x01", 1);
    struct proto_writer writer;
    struct proto_span bytes = whole(payload, &writer);
    struct proto_fault fault = {0};
    struct proto_reader reader;
    proto_reader_init(&reader, bytes, &fault);
    assert_int_equal(proto_read_any(&reader).bytes, bytes.bytes);
    assert_true(proto_reader_end(&reader));
    proto_writer_fini(&writer);
    icp_payload_destroy(payload);
    icp_payload_destroy(values);
}

static void payload_refuses_a_value_without_a_key(void **state)
{
    (void)state;
    struct icp_payload *payload = icp_payload_create();
    icp_payload_uint(payload, NULL, 1);
    assert_int_equal(refused(payload), PROTO_USAGE);
    icp_payload_reset(payload);
    icp_payload_list_begin(payload, "l");
    icp_payload_uint(payload, "k", 1);
    assert_int_equal(refused(payload), PROTO_USAGE);
    icp_payload_reset(payload);
    struct proto_writer writer;
    assert_int_equal(whole(payload, &writer).bytes, 1);
    proto_writer_fini(&writer);
    icp_payload_destroy(payload);
}

static void payload_refuses_what_is_not_ended_or_not_open(void **state)
{
    (void)state;
    struct icp_payload *payload = icp_payload_create();
    icp_payload_map_begin(payload, "m");
    assert_int_equal(refused(payload), PROTO_USAGE);
    icp_payload_list_end(payload);
    assert_int_equal(refused(payload), PROTO_USAGE);
    icp_payload_reset(payload);
    icp_payload_map_end(payload);
    assert_int_equal(refused(payload), PROTO_USAGE);
    struct icp_payload *outer = icp_payload_create();
    icp_payload_map(outer, "inner", payload);
    assert_int_equal(refused(outer), PROTO_USAGE);
    icp_payload_destroy(outer);
    icp_payload_destroy(payload);
}

static void payload_refuses_deep_nesting_and_infinite_numbers(void **state)
{
    (void)state;
    struct icp_payload *payload = icp_payload_create();
    icp_payload_list_begin(payload, "l");
    for (int i = 0; i < 20; i++) {
        icp_payload_list_begin(payload, NULL);
    }
    assert_int_equal(refused(payload), PROTO_TOO_LARGE);
    icp_payload_reset(payload);
    icp_payload_number(payload, "n", 1e308 * 10);
    assert_int_equal(refused(payload), PROTO_USAGE);
    icp_payload_destroy(payload);
    icp_payload_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payload_writes_the_smallest_headers),
        cmocka_unit_test(payload_keeps_long_lists_whole),
        cmocka_unit_test(payload_takes_another_as_a_map),
        cmocka_unit_test(payload_refuses_a_value_without_a_key),
        cmocka_unit_test(payload_refuses_what_is_not_ended_or_not_open),
        cmocka_unit_test(payload_refuses_deep_nesting_and_infinite_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
