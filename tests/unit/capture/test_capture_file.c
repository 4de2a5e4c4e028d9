/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/capture/capture_file.h"

/* Two blocks: two records, one of them without its payload, then one without bytes. */
static void file_make(struct proto_writer *file)
{
    struct proto_writer body;
    const struct capture_record records[] = {
        {.at_ns = 5,
         .connection = 7,
         .payload_bytes = 3,
         .opcode = 64,
         .flags = 2,
         .payload = (const uint8_t *)"abc"},
        {.at_ns = 6, .connection = 8, .payload_bytes = 9, .opcode = 1, .left_out = true},
        {.at_ns = 9, .connection = 7, .opcode = 2, .payload = (const uint8_t *)""},
    };
    const struct capture_totals totals = {3, 1, 4, 10};
    proto_writer_init(file);
    proto_writer_init(&body);
    capture_write_header(file, 1700000000000);
    capture_write_record(&body, &records[0]);
    capture_write_record(&body, &records[1]);
    capture_write_block(file, proto_writer_span(&body), 2, 0);
    proto_write_raw(file, proto_writer_span(&body));
    proto_writer_reset(&body);
    capture_write_record(&body, &records[2]);
    capture_write_block(file, proto_writer_span(&body), 1, 1);
    proto_write_raw(file, proto_writer_span(&body));
    capture_write_last(file, &totals, 2);
    proto_writer_fini(&body);
    assert_true(proto_writer_ok(file));
}

/* Reads all; the number of records, or -1 with the fault. */
static int read_all(struct proto_span file, struct capture_reader *reader,
                    struct proto_fault *fault)
{
    struct capture_record record;
    int count = 0;
    *fault = (struct proto_fault){0};
    if (!capture_reader_init(reader, file, fault)) {
        return -1;
    }
    while (capture_reader_next(reader, &record, fault)) {
        count++;
    }
    return reader->ended ? count : -1;
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct proto_writer file;
    struct capture_reader reader;
    struct capture_record record;
    struct proto_fault fault = {0};
    file_make(&file);
    assert_true(capture_reader_init(&reader, proto_writer_span(&file), &fault));
    assert_true(reader.started_ms == 1700000000000);
    assert_true(capture_reader_next(&reader, &record, &fault));
    assert_true(record.at_ns == 5 && record.connection == 7 && record.opcode == 64);
    assert_int_equal(record.flags, 2);
    assert_memory_equal(record.payload, "abc", 3);
    assert_true(capture_reader_next(&reader, &record, &fault));
    assert_true(record.left_out && record.payload == NULL && record.payload_bytes == 9);
    assert_true(capture_reader_next(&reader, &record, &fault));
    assert_true(record.opcode == 2 && record.payload_bytes == 0 && !record.left_out);
    assert_false(capture_reader_next(&reader, &record, &fault));
    assert_true(reader.ended && fault.code == PROTO_OK);
    assert_true(reader.totals.lost == 4 && reader.totals.duration_ns == 10);
    assert_false(capture_reader_next(&reader, &record, &fault)); /* and stays at its end */
    proto_writer_fini(&file);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct proto_writer file;
    struct capture_reader reader;
    struct proto_fault fault;
    file_make(&file);
    for (size_t bit = 0; bit < file.bytes * 8; bit++) {
        file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(read_all(proto_writer_span(&file), &reader, &fault), -1);
        assert_int_equal(fault.code, PROTO_CORRUPT);
        file.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_int_equal(read_all(proto_writer_span(&file), &reader, &fault), 3); /* control */
    proto_writer_fini(&file);
}

static void every_shorter_and_longer_file_is_refused(void **state)
{
    (void)state;
    struct proto_writer file;
    struct capture_reader reader;
    struct proto_fault fault;
    file_make(&file);
    for (size_t bytes = 0; bytes < file.bytes; bytes++) {
        assert_int_equal(read_all((struct proto_span){file.data, bytes}, &reader, &fault), -1);
        assert_int_equal(fault.code, PROTO_CORRUPT);
    }
    proto_write_nil(&file);
    assert_int_equal(read_all(proto_writer_span(&file), &reader, &fault), -1);
    assert_non_null(strstr(fault.message, "follow the last block"));
    proto_writer_fini(&file);
}

static void totals_that_lie_are_refused(void **state)
{
    (void)state;
    struct proto_writer file;
    struct capture_reader reader;
    struct proto_fault fault;
    const struct capture_totals totals = {2, 0, 0, 10};
    proto_writer_init(&file);
    capture_write_header(&file, 1);
    capture_write_last(&file, &totals, 0);
    assert_int_equal(read_all(proto_writer_span(&file), &reader, &fault), -1);
    assert_non_null(strstr(fault.message, "0 records are there, 2 should be"));
    proto_writer_fini(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(every_shorter_and_longer_file_is_refused),
        cmocka_unit_test(totals_that_lie_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
