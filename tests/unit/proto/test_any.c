/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/reader.h"
#include "proto/writer.h"

#define BYTES(text) ((struct proto_span){(const uint8_t *)(text), sizeof(text) - 1})

static struct proto_span any_of(struct proto_span bytes, struct proto_fault *fault)
{
    struct proto_reader reader;
    proto_reader_init(&reader, bytes, fault);
    return proto_read_any(&reader);
}

static void refused(struct proto_span bytes, enum proto_error code, const char *field)
{
    struct proto_fault fault = {.code = PROTO_OK};
    assert_int_equal(any_of(bytes, &fault).bytes, 0);
    assert_int_equal(fault.code, code);
    assert_string_equal(fault.field, field);
}

static void any_returns_the_bytes_of_one_value_and_stops_there(void **state)
{
    (void)state;
    const struct proto_span cases[] = {
        BYTES("\xc0"),
        BYTES("\x05"),
        BYTES("\xa2hi"),
        BYTES("\x90"),
        BYTES("\x80"),
        BYTES("\x93\x01\x92\x02\x90\xa1x"),
        BYTES("\xc4\x01!"),
        BYTES("\x82\xa1\x61\x91\x81\xa1\x62\xc0\xa1\x62\xcb\x3f\xf8\x00\x00"
              "\x00\x00\x00\x00"),
        BYTES("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[64];
        memcpy(bytes, cases[i].data, cases[i].bytes);
        bytes[cases[i].bytes] = 0xc1;
        struct proto_fault fault;
        struct proto_reader reader;
        proto_reader_init(&reader, (struct proto_span){bytes, cases[i].bytes + 1}, &fault);
        struct proto_span value = proto_read_any(&reader);
        assert_true(proto_reader_ok(&reader));
        assert_true(proto_span_equal(value, cases[i]));
        assert_int_equal(reader.depth, 0);
    }
}

static void any_names_the_way_to_what_is_at_fault(void **state)
{
    (void)state;
    /* [{"values": {"employees": NaN}}] and the like */
    refused(BYTES("\x92\xc0\x81\xa6values\x81\xa9"
                  "employees\xca\x7f\xc0\x00\x00"),
            PROTO_BAD_FIELD, "[1].values.employees");
    refused(BYTES("\x81\xa1k\x93\x01\x02\xd4\x05\x00"), PROTO_BAD_FIELD, "k[2]");
    refused(BYTES("\x81\xa1k\x92\x01\xa1\xff"), PROTO_BAD_FIELD, "k[1]");
    refused(BYTES("\x91\x91\x91\xc1"), PROTO_BAD_PAYLOAD, "[0][0][0]");
    refused(BYTES("\xc1"), PROTO_BAD_PAYLOAD, "");
    /* A key that is no string: the map that holds it is named. */
    refused(BYTES("\x81\xa1k\x82\xa1x\xc0\x01\x02"), PROTO_BAD_PAYLOAD, "k");
    refused(BYTES("\x81\xc0\xc0"), PROTO_BAD_PAYLOAD, "");
    refused(BYTES("\x81\xa1\xff\xc0"), PROTO_BAD_PAYLOAD, "");
}

static void any_refuses_a_key_that_stands_twice_and_names_it(void **state)
{
    (void)state;
    refused(BYTES("\x82\xa1x\x01\xa1x\x01"), PROTO_DUPLICATE_KEY, "x");
    refused(BYTES("\x91\x81\xa6values\x83\xa1\x61\x01\xa1\x62\x02\xa1\x61\x03"),
            PROTO_DUPLICATE_KEY, "[0].values.a");
    /* The same text in another width of head is the same key. */
    refused(BYTES("\x82\xa1x\x01\xd9\x01x\x01"), PROTO_DUPLICATE_KEY, "x");
    struct proto_fault fault;
    /* One key on two levels, or in two maps, is no duplicate. */
    assert_int_not_equal(any_of(BYTES("\x82\xa1x\x81\xa1x\x01\xa1y\x81\xa1x\x01"), &fault).bytes,
                         0);
}

static void any_refuses_an_empty_key_twice(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_int_equal(any_of(BYTES("\x82\xa0\x01\xa0\x01"), &fault).bytes, 0);
    assert_int_equal(fault.code, PROTO_DUPLICATE_KEY);
}

static void any_counts_depth_from_where_the_reader_stands(void **state)
{
    (void)state;
    struct proto_fault fault;
    assert_int_equal(any_of(BYTES("\x91\x91\x91\x91\x91\x91\x91\x90"), &fault).bytes, 8);
    refused(BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x90"), PROTO_TOO_LARGE,
            "[0][0][0][0][0][0][0][0]");
    struct proto_reader reader;
    proto_reader_init(&reader, BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x90"), &fault);
    assert_int_equal(proto_read_array(&reader), 1);
    assert_int_equal(proto_read_any(&reader).bytes, 0);
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
}

/* A map of `count` keys k0, k1 … whose key at `twice` repeats the one before (0: none does). */
static void map_write(struct proto_writer *writer, size_t count, size_t twice)
{
    proto_write_map(writer, count);
    for (size_t i = 0; i < count; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "k%zu", twice != 0 && i == twice ? i - 1 : i);
        proto_write_text(writer, key);
        if (i % 3 == 0) { /* keys inside values must not be mistaken for keys of the map */
            proto_write_map(writer, 1);
            proto_write_text(writer, "k1");
            proto_write_array(writer, 1);
            proto_write_text(writer, "k2");
        } else {
            proto_write_uint(writer, i);
        }
    }
}

static void any_finds_duplicates_in_maps_of_every_size(void **state)
{
    (void)state;
    static const size_t counts[] = {2, 7, 8, 9, 10, 50, 1024, PROTO_MAP_KEYS_MAX};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        size_t twice[] = {0, 1, counts[i] / 2, counts[i] - 1};
        for (size_t j = 0; j < sizeof(twice) / sizeof(twice[0]); j++) {
            struct proto_writer writer;
            proto_writer_init(&writer);
            map_write(&writer, counts[i], twice[j]);
            struct proto_fault fault = {.code = PROTO_OK};
            struct proto_span value = any_of(proto_writer_span(&writer), &fault);
            assert_int_equal(value.bytes, twice[j] == 0 ? writer.bytes : 0);
            assert_int_equal(fault.code, twice[j] == 0 ? PROTO_OK : PROTO_DUPLICATE_KEY);
            proto_writer_fini(&writer);
        }
    }
}

static void any_refuses_a_map_over_the_limit_of_keys(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    proto_write_array(&writer, 1);
    map_write(&writer, PROTO_MAP_KEYS_MAX + 1, 0);
    refused(proto_writer_span(&writer), PROTO_TOO_LARGE, "[0]");
    proto_writer_fini(&writer);
}

static void any_shows_a_hostile_key_harmlessly(void **state)
{
    (void)state;
    struct proto_writer writer;
    proto_writer_init(&writer);
    char key[3000];
    memset(key, 'k', sizeof(key));
    static const char escape[] = {'\x1b', '[', '2', 'J'};
    memcpy(key, escape, sizeof(escape));
    proto_write_map(&writer, 1);
    proto_write_str(&writer, (struct proto_span){(const uint8_t *)key, sizeof(key)});
    proto_write_raw(&writer, BYTES("\xc1"));
    struct proto_fault fault;
    assert_int_equal(any_of(proto_writer_span(&writer), &fault).bytes, 0);
    assert_memory_equal(fault.field, "?[2Jkkkk", 8);
    assert_int_equal(strlen(fault.field), sizeof(fault.field) - 1);
    proto_writer_fini(&writer);
}

/* {"a": {n keys}, "b": {n keys}, "a" or "c": nil}: keys of maps within do not mix with those around
 * them, whether there was room to gather them or not. */
static void any_keeps_the_keys_of_each_map_apart(void **state)
{
    (void)state;
    static const unsigned counts[] = {0, 1, 8, 9, 200, 253, 254, 255, 256, 300};
    for (size_t c = 0; c < 2 * sizeof counts / sizeof *counts; c++) {
        bool twice = c % 2 == 1;
        struct proto_fault fault = {.code = PROTO_OK};
        struct proto_writer writer;
        proto_writer_init(&writer);
        proto_write_map(&writer, 3);
        for (unsigned map = 0; map < 2; map++) {
            proto_write_text(&writer, map == 0 ? "a" : "b");
            proto_write_map(&writer, counts[c / 2]);
            for (unsigned i = 0; i < counts[c / 2]; i++) {
                char key[16];
                snprintf(key, sizeof key, "%u", i);
                proto_write_text(&writer, i == 0 ? "a" : key);
                proto_write_uint(&writer, i);
            }
        }
        proto_write_text(&writer, twice ? "a" : "c");
        proto_write_nil(&writer);
        struct proto_span value = any_of(proto_writer_span(&writer), &fault);
        assert_int_equal(fault.code, twice ? PROTO_DUPLICATE_KEY : PROTO_OK);
        assert_int_equal(value.bytes, twice ? 0 : writer.bytes);
        proto_writer_fini(&writer);
    }
}

/* What was read whole is passed over: the same end, whatever is in it. */
static void any_passes_over_what_was_checked(void **state)
{
    (void)state;
    const struct proto_span value =
        BYTES("\x86\xa1\x61\x93\x05\xe0\xd1\x01\x02\xa1\x62\x81\xa1x\xc3"
              "\xa1\x63\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00\xa1\x64"
              "\xc4\x02!!\xa1\x65\xd9\x03xyz\xa1\x66\xdc\x00\x01\xc0");
    struct proto_fault fault;
    struct proto_reader reader;
    uint8_t bytes[80];
    assert_int_equal(any_of(value, &fault).bytes, value.bytes);
    memcpy(bytes, value.data, value.bytes);
    bytes[value.bytes] = 0xc1;
    proto_reader_init(&reader, (struct proto_span){bytes, value.bytes + 1}, &fault);
    reader.checked = true;
    assert_true(proto_span_equal(proto_read_any(&reader), value));
    assert_true(proto_reader_ok(&reader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_returns_the_bytes_of_one_value_and_stops_there),
        cmocka_unit_test(any_names_the_way_to_what_is_at_fault),
        cmocka_unit_test(any_refuses_a_key_that_stands_twice_and_names_it),
        cmocka_unit_test(any_refuses_an_empty_key_twice),
        cmocka_unit_test(any_counts_depth_from_where_the_reader_stands),
        cmocka_unit_test(any_finds_duplicates_in_maps_of_every_size),
        cmocka_unit_test(any_keeps_the_keys_of_each_map_apart),
        cmocka_unit_test(any_passes_over_what_was_checked),
        cmocka_unit_test(any_refuses_a_map_over_the_limit_of_keys),
        cmocka_unit_test(any_shows_a_hostile_key_harmlessly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
