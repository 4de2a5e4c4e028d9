/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/reader.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(text) ((struct proto_span){(const uint8_t *)(text), sizeof(text) - 1})

struct fixture {
    struct proto_reader reader;
    struct proto_fault fault;
};

static struct proto_reader *over(struct fixture *fixture, struct proto_span bytes)
{
    memset(fixture, 0, sizeof(*fixture));
    proto_reader_init(&fixture->reader, bytes, &fixture->fault);
    return &fixture->reader;
}

static void failed_with(const struct fixture *fixture, enum proto_error code, const char *part)
{
    assert_false(proto_reader_ok(&fixture->reader));
    assert_int_equal(fixture->fault.code, code);
    if (strstr(fixture->fault.message, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", fixture->fault.message, part);
    }
}

static void reader_reads_a_uint_of_every_width(void **state)
{
    (void)state;
    const struct {
        struct proto_span bytes;
        uint64_t value;
    } cases[] = {
        {BYTES("\x00"), 0},
        {BYTES("\x7f"), 127},
        {BYTES("\xcc\xff"), 255},
        {BYTES("\xcc\x05"), 5},
        {BYTES("\xcd\x01\x02"), 258},
        {BYTES("\xce\xff\x00\x00\x01"), 0xff000001},
        {BYTES("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
        {BYTES("\xd0\x7f"), 127},
        {BYTES("\xd1\x7f\xff"), 32767},
        {BYTES("\xd2\x7f\xff\xff\xff"), INT32_MAX},
        {BYTES("\xd3\x7f\xff\xff\xff\xff\xff\xff\xff"), INT64_MAX},
        {BYTES("\xca\x40\x40\x00\x00"), 3},
        {BYTES("\xcb\x40\x08\x00\x00\x00\x00\x00\x00"), 3},
        {BYTES("\xcb\x80\x00\x00\x00\x00\x00\x00\x00"), 0},
        {BYTES("\xcb\x43\xdf\xff\xff\xff\xff\xff\xff"), 0x7ffffffffffffc00},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        assert_int_equal(proto_read_uint(over(&fixture, cases[i].bytes)), cases[i].value);
        assert_true(proto_reader_end(&fixture.reader));
        assert_int_equal(proto_read_int(over(&fixture, cases[i].bytes)), cases[i].value);
        assert_true(proto_reader_end(&fixture.reader));
        double number = proto_read_number(over(&fixture, cases[i].bytes));
        assert_true(number == (double)cases[i].value);
        assert_true(proto_reader_end(&fixture.reader));
    }
}

static void reader_reads_a_negative_int_of_every_width(void **state)
{
    (void)state;
    const struct {
        struct proto_span bytes;
        int64_t value;
    } cases[] = {
        {BYTES("\xff"), -1},
        {BYTES("\xe0"), -32},
        {BYTES("\xd0\x80"), -128},
        {BYTES("\xd1\x80\x00"), INT16_MIN},
        {BYTES("\xd2\x80\x00\x00\x00"), INT32_MIN},
        {BYTES("\xd3\x80\x00\x00\x00\x00\x00\x00\x00"), INT64_MIN},
        {BYTES("\xca\xc0\x40\x00\x00"), -3},
        {BYTES("\xcb\xc3\xe0\x00\x00\x00\x00\x00\x00"), INT64_MIN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        assert_true(proto_read_int(over(&fixture, cases[i].bytes)) == cases[i].value);
        assert_true(proto_reader_end(&fixture.reader));
        assert_int_equal(proto_read_uint(over(&fixture, cases[i].bytes)), 0);
        failed_with(&fixture, PROTO_BAD_FIELD, "found a negative number");
        assert_true(proto_read_number(over(&fixture, cases[i].bytes)) == (double)cases[i].value);
    }
}

static void reader_refuses_numbers_out_of_range(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_span large = BYTES("\xcf\x80\x00\x00\x00\x00\x00\x00\x00");
    assert_int_equal(proto_read_uint(over(&fixture, large)), 0);
    failed_with(&fixture, PROTO_BAD_FIELD, "found a larger number");
    assert_int_equal(proto_read_int(over(&fixture, large)), 0);
    failed_with(&fixture, PROTO_BAD_FIELD, "found a larger number");
    assert_true(proto_read_number(over(&fixture, large)) == 0x1p63);
    assert_true(proto_reader_ok(&fixture.reader));
    struct proto_span two63 = BYTES("\xcb\x43\xe0\x00\x00\x00\x00\x00\x00");
    (void)proto_read_uint(over(&fixture, two63));
    failed_with(&fixture, PROTO_BAD_FIELD, "found a larger number");
    (void)proto_read_int(over(&fixture, two63));
    failed_with(&fixture, PROTO_BAD_FIELD, "found a larger number");
    (void)proto_read_int(over(&fixture, BYTES("\xcb\xc3\xe0\x00\x00\x00\x00\x00\x01")));
    failed_with(&fixture, PROTO_BAD_FIELD, "found a smaller number");
}

static void reader_refuses_a_fraction_where_a_whole_number_is_meant(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_span half = BYTES("\xca\x3f\x00\x00\x00");
    (void)proto_read_uint(over(&fixture, half));
    failed_with(&fixture, PROTO_BAD_FIELD, "found a fraction");
    (void)proto_read_int(over(&fixture, half));
    failed_with(&fixture, PROTO_BAD_FIELD, "found a fraction");
    assert_true(proto_read_number(over(&fixture, half)) == 0.5);
}

static void reader_refuses_nan_and_infinity_by_name(void **state)
{
    (void)state;
    const struct {
        struct proto_span bytes;
        const char *name;
    } cases[] = {
        {BYTES("\xca\x7f\xc0\x00\x00"), "found NaN"},
        {BYTES("\xca\xff\x80\x00\x00"), "found infinity"},
        {BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), "found infinity"},
        {BYTES("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x01"), "found NaN"},
        {BYTES("\xcb\xff\xf8\x00\x00\x00\x00\x00\x00"), "found NaN"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        assert_true(proto_read_number(over(&fixture, cases[i].bytes)) == 0);
        failed_with(&fixture, PROTO_BAD_FIELD, cases[i].name);
        assert_int_equal(proto_read_uint(over(&fixture, cases[i].bytes)), 0);
        failed_with(&fixture, PROTO_BAD_FIELD, cases[i].name);
        assert_int_equal(proto_read_int(over(&fixture, cases[i].bytes)), 0);
        failed_with(&fixture, PROTO_BAD_FIELD, cases[i].name);
        (void)proto_read_any(over(&fixture, cases[i].bytes));
        failed_with(&fixture, PROTO_BAD_FIELD, cases[i].name);
    }
}

static void reader_reads_nil_bool_str_and_bin(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader =
        over(&fixture, BYTES("\xc0\xc2\xc3\xa2hi\xd9\x01x\xda\x00\x01y\xdb\x00\x00\x00\x01z\xa0"
                             "\xc4\x01\xff\xc5\x00\x00\xc6\x00\x00\x00\x02\x00\x01"));
    proto_read_nil(reader);
    assert_false(proto_read_bool(reader));
    assert_true(proto_read_bool(reader));
    assert_true(proto_span_is(proto_read_str(reader), "hi"));
    assert_true(proto_span_is(proto_read_str(reader), "x"));
    assert_true(proto_span_is(proto_read_str(reader), "y"));
    assert_true(proto_span_is(proto_read_key(reader), "z"));
    assert_int_equal(proto_read_str(reader).bytes, 0);
    assert_int_equal(proto_read_bin(reader).data[0], 0xff);
    assert_int_equal(proto_read_bin(reader).bytes, 0);
    assert_int_equal(proto_read_bin(reader).bytes, 2);
    assert_true(proto_reader_end(reader));
}

static void reader_enters_arrays_and_maps_of_every_width(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader =
        over(&fixture, BYTES("\x92\xdc\x00\x01\x01\xdd\x00\x00\x00\x01\x02"
                             "\x81\xa1k\xde\x00\x01\xa1l\xdf\x00\x00\x00\x00"));
    assert_int_equal(proto_read_array(reader), 2);
    assert_int_equal(proto_read_array(reader), 1);
    assert_int_equal(proto_read_uint(reader), 1);
    proto_reader_leave(reader);
    assert_int_equal(proto_read_array(reader), 1);
    assert_int_equal(proto_read_uint(reader), 2);
    proto_reader_leave(reader);
    proto_reader_leave(reader);
    assert_int_equal(reader->depth, 0);
    assert_int_equal(proto_read_map(reader), 1);
    assert_true(proto_span_is(proto_read_key(reader), "k"));
    assert_int_equal(proto_read_map(reader), 1);
    assert_true(proto_span_is(proto_read_key(reader), "l"));
    assert_int_equal(proto_read_map(reader), 0);
    assert_int_equal(reader->depth, 3);
    assert_true(proto_reader_end(reader));
}

static void reader_refuses_a_count_larger_than_the_bytes_left(void **state)
{
    (void)state;
    const struct proto_span cases[] = {
        BYTES("\x91"),
        BYTES("\xdc\xff\xff\xc0"),
        BYTES("\xdd\xff\xff\xff\xff"),
        BYTES("\xdd\x00\x00\x00\x03\xc0\xc0"),
        BYTES("\x81\xa0"),
        BYTES("\xde\x00\x02\xa0\xc0\xa0"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        bool is_map = i >= 4;
        over(&fixture, cases[i]);
        assert_int_equal(
            is_map ? proto_read_map(&fixture.reader) : proto_read_array(&fixture.reader), 0);
        failed_with(&fixture, PROTO_BAD_PAYLOAD, "claims");
    }
}

static void reader_refuses_a_map_over_the_limit_of_keys(void **state)
{
    (void)state;
    struct fixture fixture;
    assert_int_equal(proto_read_map(over(&fixture, BYTES("\xdf\xff\xff\xff\xff\xa0"))), 0);
    failed_with(&fixture, PROTO_TOO_LARGE, "map_keys_max");
    assert_int_equal(proto_read_map(over(&fixture, BYTES("\xde\x08\x01\xa0"))), 0);
    failed_with(&fixture, PROTO_TOO_LARGE, "2049");
}

static void reader_refuses_depth_nine(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader = over(&fixture, BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"));
    for (int depth = 1; depth <= PROTO_DEPTH_MAX; depth++) {
        assert_int_equal(proto_read_array(reader), 1);
    }
    assert_true(proto_reader_ok(reader));
    assert_int_equal(proto_read_array(reader), 0);
    failed_with(&fixture, PROTO_TOO_LARGE, "depth_max");
}

static void reader_refuses_what_is_cut(void **state)
{
    (void)state;
    const struct proto_span values[] = {
        BYTES("\xcc\x01"),
        BYTES("\xcd\x01\x02"),
        BYTES("\xce\x01\x02\x03\x04"),
        BYTES("\xcf\x01\x02\x03\x04\x05\x06\x07\x08"),
        BYTES("\xd0\x01"),
        BYTES("\xd1\x01\x02"),
        BYTES("\xd2\x01\x02\x03\x04"),
        BYTES("\xd3\x01\x02\x03\x04\x05\x06\x07\x08"),
        BYTES("\xca\x01\x02\x03\x04"),
        BYTES("\xcb\x01\x02\x03\x04\x05\x06\x07\x08"),
        BYTES("\xa3"
              "abc"),
        BYTES("\xd9\x02"
              "ab"),
        BYTES("\xda\x00\x02"
              "ab"),
        BYTES("\xdb\x00\x00\x00\x02"
              "ab"),
        BYTES("\xc4\x02"
              "ab"),
        BYTES("\xc5\x00\x02"
              "ab"),
        BYTES("\xc6\x00\x00\x00\x02"
              "ab"),
        BYTES("\x92\x01\x02"),
        BYTES("\xdc\x00\x01\x02"),
        BYTES("\xdd\x00\x00\x00\x01\x02"),
        BYTES("\x81\xa1x\x02"),
        BYTES("\xde\x00\x01\xa1x\x02"),
        BYTES("\xdf\x00\x00\x00\x01\xa1x\x02"),
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct fixture fixture;
        (void)proto_read_any(over(&fixture, values[i]));
        assert_true(proto_reader_end(&fixture.reader));
        for (size_t cut = 0; cut < values[i].bytes; cut++) {
            over(&fixture, (struct proto_span){values[i].data, cut});
            assert_int_equal(proto_read_any(&fixture.reader).bytes, 0);
            failed_with(&fixture, PROTO_BAD_PAYLOAD, "");
        }
    }
}

static void reader_refuses_the_byte_that_begins_no_value(void **state)
{
    (void)state;
    struct fixture fixture;
    (void)proto_read_any(over(&fixture, BYTES("\xc1")));
    failed_with(&fixture, PROTO_BAD_PAYLOAD, "0xc1");
    (void)proto_read_uint(over(&fixture, BYTES("\xc1")));
    failed_with(&fixture, PROTO_BAD_PAYLOAD, "0xc1");
    assert_int_equal(proto_reader_peek(over(&fixture, BYTES("\xc1"))), PROTO_KIND_NONE);
}

static void reader_refuses_ext_types_by_name(void **state)
{
    (void)state;
    const struct {
        struct proto_span bytes;
        const char *name;
    } cases[] = {
        {BYTES("\xd4\x05\x00"), "extension type 5"},
        {BYTES("\xd5\x05\x00\x00"), "extension type 5"},
        {BYTES("\xd6\xff\x00\x00\x00\x00"), "extension type -1"},
        {BYTES("\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x00"), "extension type -1"},
        {BYTES("\xd8\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
         "extension type 1"},
        {BYTES("\xc7\x00\x07"), "extension type 7"},
        {BYTES("\xc8\x00\x01\x80\x00"), "extension type -128"},
        {BYTES("\xc9\x00\x00\x00\x00\x7f"), "extension type 127"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        assert_int_equal(proto_reader_peek(over(&fixture, cases[i].bytes)), PROTO_KIND_EXT);
        (void)proto_read_any(&fixture.reader);
        failed_with(&fixture, PROTO_BAD_FIELD, cases[i].name);
        (void)proto_read_str(over(&fixture, cases[i].bytes));
        failed_with(&fixture, PROTO_BAD_FIELD, cases[i].name);
    }
}

static void reader_refuses_strings_that_are_not_utf8(void **state)
{
    (void)state;
    const struct proto_span cases[] = {
        BYTES("\xa2\xc0\xaf"),         /* overlong */
        BYTES("\xa3\xe0\x80\xaf"),     /* overlong */
        BYTES("\xa3\xed\xa0\x80"),     /* surrogate */
        BYTES("\xa3\xed\xbf\xbf"),     /* surrogate */
        BYTES("\xa4\xf4\x90\x80\x80"), /* past U+10FFFF */
        BYTES("\xa1\xff"),
        BYTES("\xa2\xe2\x82"), /* cut */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture fixture;
        assert_int_equal(proto_read_str(over(&fixture, cases[i])).bytes, 0);
        failed_with(&fixture, PROTO_BAD_FIELD, "UTF-8");
        (void)proto_read_key(over(&fixture, cases[i]));
        failed_with(&fixture, PROTO_BAD_PAYLOAD, "UTF-8");
    }
}

static void reader_names_what_was_expected_and_what_was_there(void **state)
{
    (void)state;
    struct fixture fixture;
    (void)proto_read_str(over(&fixture, BYTES("\x05")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected a string, found an integer");
    (void)proto_read_bool(over(&fixture, BYTES("\xc0")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected a boolean, found nil");
    proto_read_nil(over(&fixture, BYTES("\x90")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected nil, found an array");
    (void)proto_read_bin(over(&fixture, BYTES("\xa1x")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected binary data, found a string");
    (void)proto_read_number(over(&fixture, BYTES("\xa1"
                                                 "1")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected a finite number, found a string");
    (void)proto_read_array(over(&fixture, BYTES("\x80")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected an array, found a map");
    (void)proto_read_map(over(&fixture, BYTES("\xcb\x00\x00\x00\x00\x00\x00\x00\x00")));
    failed_with(&fixture, PROTO_BAD_FIELD, "expected a map, found a float");
    (void)proto_read_key(over(&fixture, BYTES("\xc3")));
    failed_with(&fixture, PROTO_BAD_PAYLOAD, "key of a map: expected a string, found a boolean");
}

static void reader_error_is_sticky_and_every_read_gives_nothing(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader = over(&fixture, BYTES("\xc0\x01\xa1x\xc3\x91\x01"));
    assert_int_equal(proto_read_uint(reader), 0);
    assert_false(proto_reader_ok(reader));
    struct proto_fault first = fixture.fault;
    assert_int_equal(proto_read_uint(reader), 0);
    assert_int_equal(proto_read_int(reader), 0);
    assert_true(proto_read_number(reader) == 0);
    assert_int_equal(proto_read_str(reader).bytes, 0);
    assert_int_equal(proto_read_key(reader).bytes, 0);
    assert_int_equal(proto_read_bin(reader).bytes, 0);
    assert_false(proto_read_bool(reader));
    proto_read_nil(reader);
    assert_int_equal(proto_read_array(reader), 0);
    assert_int_equal(proto_read_map(reader), 0);
    proto_reader_leave(reader);
    assert_int_equal(proto_read_any(reader).bytes, 0);
    assert_int_equal(proto_reader_peek(reader), PROTO_KIND_NONE);
    assert_false(proto_reader_end(reader));
    assert_false(proto_reader_fail(reader, PROTO_IO, "late", "later"));
    assert_memory_equal(&fixture.fault, &first, sizeof(first));
}

static void reader_fail_keeps_the_callers_fault(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader = over(&fixture, BYTES("\x01"));
    assert_false(proto_reader_fail(reader, PROTO_LIMIT, "keys", "%d keys", 65));
    failed_with(&fixture, PROTO_LIMIT, "65 keys");
    assert_string_equal(fixture.fault.field, "keys");
}

static void reader_end_refuses_trailing_bytes(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader = over(&fixture, BYTES("\x01\x02"));
    (void)proto_read_uint(reader);
    assert_false(proto_reader_end(reader));
    failed_with(&fixture, PROTO_BAD_PAYLOAD, "1 bytes are left over");
}

static void reader_over_no_bytes_finds_the_end(void **state)
{
    (void)state;
    struct fixture fixture;
    struct proto_reader *reader = over(&fixture, (struct proto_span){NULL, 0});
    assert_int_equal(proto_reader_peek(reader), PROTO_KIND_NONE);
    assert_true(proto_reader_end(reader));
    (void)proto_read_uint(reader);
    failed_with(&fixture, PROTO_BAD_PAYLOAD, "the end of the data");
}

static void reader_peek_tells_every_kind(void **state)
{
    (void)state;
    static const enum proto_kind high[] = {
        PROTO_KIND_NIL,   PROTO_KIND_NONE,  PROTO_KIND_BOOL, PROTO_KIND_BOOL,  PROTO_KIND_BIN,
        PROTO_KIND_BIN,   PROTO_KIND_BIN,   PROTO_KIND_EXT,  PROTO_KIND_EXT,   PROTO_KIND_EXT,
        PROTO_KIND_FLOAT, PROTO_KIND_FLOAT, PROTO_KIND_INT,  PROTO_KIND_INT,   PROTO_KIND_INT,
        PROTO_KIND_INT,   PROTO_KIND_INT,   PROTO_KIND_INT,  PROTO_KIND_INT,   PROTO_KIND_INT,
        PROTO_KIND_EXT,   PROTO_KIND_EXT,   PROTO_KIND_EXT,  PROTO_KIND_EXT,   PROTO_KIND_EXT,
        PROTO_KIND_STR,   PROTO_KIND_STR,   PROTO_KIND_STR,  PROTO_KIND_ARRAY, PROTO_KIND_ARRAY,
        PROTO_KIND_MAP,   PROTO_KIND_MAP,
    };
    for (unsigned tag = 0; tag < 256; tag++) {
        uint8_t byte = (uint8_t)tag;
        enum proto_kind wanted = tag < 0x80   ? PROTO_KIND_INT
                                 : tag < 0x90 ? PROTO_KIND_MAP
                                 : tag < 0xa0 ? PROTO_KIND_ARRAY
                                 : tag < 0xc0 ? PROTO_KIND_STR
                                 : tag < 0xe0 ? high[tag - 0xc0]
                                              : PROTO_KIND_INT;
        struct fixture fixture;
        over(&fixture, (struct proto_span){&byte, 1});
        assert_int_equal(proto_reader_peek(&fixture.reader), wanted);
        assert_ptr_equal(fixture.reader.at, &byte);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_a_uint_of_every_width),
        cmocka_unit_test(reader_reads_a_negative_int_of_every_width),
        cmocka_unit_test(reader_refuses_numbers_out_of_range),
        cmocka_unit_test(reader_refuses_a_fraction_where_a_whole_number_is_meant),
        cmocka_unit_test(reader_refuses_nan_and_infinity_by_name),
        cmocka_unit_test(reader_reads_nil_bool_str_and_bin),
        cmocka_unit_test(reader_enters_arrays_and_maps_of_every_width),
        cmocka_unit_test(reader_refuses_a_count_larger_than_the_bytes_left),
        cmocka_unit_test(reader_refuses_a_map_over_the_limit_of_keys),
        cmocka_unit_test(reader_refuses_depth_nine),
        cmocka_unit_test(reader_refuses_what_is_cut),
        cmocka_unit_test(reader_refuses_the_byte_that_begins_no_value),
        cmocka_unit_test(reader_refuses_ext_types_by_name),
        cmocka_unit_test(reader_refuses_strings_that_are_not_utf8),
        cmocka_unit_test(reader_names_what_was_expected_and_what_was_there),
        cmocka_unit_test(reader_error_is_sticky_and_every_read_gives_nothing),
        cmocka_unit_test(reader_fail_keeps_the_callers_fault),
        cmocka_unit_test(reader_end_refuses_trailing_bytes),
        cmocka_unit_test(reader_over_no_bytes_finds_the_end),
        cmocka_unit_test(reader_peek_tells_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
