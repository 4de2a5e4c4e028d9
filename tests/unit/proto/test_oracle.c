/* SPDX-License-Identifier: Apache-2.0 */
/* msgpack-c as the independent judge of the reader: what it packs we read alike, and what we accept
 * it accepts. Failures print the seed. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <msgpack.h>

#include "proto/reader.h"

#define VALUES 20000
#define MUTATIONS 200000
/* msgpack-c reserves what an array claims; only inputs that we accepted are given to it, so that no
 * count is larger than the input and this is never reached. */
#define ZONE_CHUNK_BYTES 8192

static uint64_t random_next(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15U; /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

static void random_text(msgpack_packer *packer, uint64_t *random, unsigned unique)
{
    char text[400];
    static const char *const words[] = {"a", "é", "東", "😀", "score", "", "\x7f", "x y"};
    size_t bytes = (size_t)snprintf(text, sizeof(text), "%u", unique);
    for (uint64_t left = random_next(random) % 40; left > 0; left--) {
        const char *word = words[random_next(random) % 8];
        memcpy(text + bytes, word, strlen(word));
        bytes += strlen(word);
    }
    msgpack_pack_str_with_body(packer, text, bytes);
}

static void random_number(msgpack_packer *packer, uint64_t *random)
{
    uint64_t bits = random_next(random) >> (random_next(random) % 64);
    switch (random_next(random) % 8) {
    case 0:
        msgpack_pack_fix_uint8(packer, (uint8_t)bits);
        break;
    case 1:
        msgpack_pack_fix_uint32(packer, (uint32_t)bits);
        break;
    case 2:
        msgpack_pack_fix_int16(packer, (int16_t)bits);
        break;
    case 3:
        msgpack_pack_fix_int64(packer, (int64_t)bits);
        break;
    case 4:
        msgpack_pack_float(packer, (float)(int32_t)bits / 7.0F);
        break;
    case 5:
        msgpack_pack_double(packer, (double)(int64_t)bits / 3.0);
        break;
    case 6:
        msgpack_pack_int64(packer, -(int64_t)(bits >> 1));
        break;
    default:
        msgpack_pack_uint64(packer, bits);
        break;
    }
}

/* One random value at most `depth` levels deep. */
static void random_value(msgpack_packer *packer, uint64_t *random, unsigned depth)
{
    static const char blob[70000];
    unsigned kinds = depth == 0 ? 5 : 8;
    unsigned kind = (unsigned)(random_next(random) % kinds);
    size_t count = random_next(random) % (random_next(random) % 50 == 0 ? 80 : 6);
    switch (kind) {
    case 0:
        msgpack_pack_nil(packer);
        break;
    case 1:
        (void)(count % 2 == 0 ? msgpack_pack_true(packer) : msgpack_pack_false(packer));
        break;
    case 2:
        msgpack_pack_bin_with_body(packer, blob, random_next(random) % (count == 5 ? 70000 : 300));
        break;
    case 3:
        random_text(packer, random, 0);
        break;
    case 4:
        random_number(packer, random);
        break;
    case 5:
        msgpack_pack_array(packer, count);
        for (size_t i = 0; i < count; i++) {
            random_value(packer, random, depth - 1);
        }
        break;
    default:
        msgpack_pack_map(packer, count);
        for (size_t i = 0; i < count; i++) {
            random_text(packer, random, (unsigned)i);
            random_value(packer, random, depth - 1);
        }
        break;
    }
}

static bool same(struct proto_reader *reader, const msgpack_object *object);

static bool same_children(struct proto_reader *reader, const msgpack_object *object)
{
    bool is_map = object->type == MSGPACK_OBJECT_MAP;
    uint32_t count = is_map ? object->via.map.size : object->via.array.size;
    bool is_same = (is_map ? proto_read_map(reader) : proto_read_array(reader)) == count;
    for (uint32_t i = 0; is_same && i < count; i++) {
        is_same = is_map ? same(reader, &object->via.map.ptr[i].key) &&
                               same(reader, &object->via.map.ptr[i].val)
                         : same(reader, &object->via.array.ptr[i]);
    }
    proto_reader_leave(reader);
    return is_same;
}

/* Reads one value and compares it with what msgpack-c made of it. */
static bool same(struct proto_reader *reader, const msgpack_object *object)
{
    struct proto_span span;
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        proto_read_nil(reader);
        return proto_reader_ok(reader);
    case MSGPACK_OBJECT_BOOLEAN:
        return proto_read_bool(reader) == object->via.boolean && proto_reader_ok(reader);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        if (object->via.u64 > INT64_MAX) {
            return proto_read_number(reader) == (double)object->via.u64;
        }
        return proto_read_uint(reader) == object->via.u64 && proto_reader_ok(reader);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return proto_read_int(reader) == object->via.i64 && proto_reader_ok(reader);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return proto_read_number(reader) == object->via.f64 && proto_reader_ok(reader);
    case MSGPACK_OBJECT_STR:
        span = proto_read_str(reader);
        return proto_span_equal(
            span, (struct proto_span){(const uint8_t *)object->via.str.ptr, object->via.str.size});
    case MSGPACK_OBJECT_BIN:
        span = proto_read_bin(reader);
        return proto_span_equal(
            span, (struct proto_span){(const uint8_t *)object->via.bin.ptr, object->via.bin.size});
    case MSGPACK_OBJECT_ARRAY:
    case MSGPACK_OBJECT_MAP:
        return same_children(reader, object);
    default:
        return false;
    }
}

/* Has msgpack-c unpack the whole of `bytes`, and compares. */
static bool oracle_agrees(struct proto_span bytes)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t offset = 0;
    assert_true(msgpack_zone_init(&zone, ZONE_CHUNK_BYTES));
    msgpack_unpack_return verdict =
        msgpack_unpack((const char *)bytes.data, bytes.bytes, &offset, &zone, &object);
    bool is_same = verdict == MSGPACK_UNPACK_SUCCESS && offset == bytes.bytes;
    if (is_same) {
        struct proto_fault fault;
        struct proto_reader reader;
        proto_reader_init(&reader, bytes, &fault);
        is_same = same(&reader, &object) && proto_reader_end(&reader);
    }
    msgpack_zone_destroy(&zone);
    return is_same;
}

static void reader_reads_what_msgpack_c_packs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= VALUES; seed++) {
        uint64_t random = seed;
        msgpack_sbuffer buffer;
        msgpack_packer packer;
        msgpack_sbuffer_init(&buffer);
        msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
        random_value(&packer, &random, (unsigned)(seed % 5));
        struct proto_span bytes = {(const uint8_t *)buffer.data, buffer.size};
        struct proto_fault fault = {.code = PROTO_OK};
        struct proto_reader reader;
        proto_reader_init(&reader, bytes, &fault);
        if (proto_read_any(&reader).bytes != bytes.bytes || !oracle_agrees(bytes)) {
            fail_msg("seed %" PRIu64 ": %s: %s", seed, fault.field, fault.message);
        }
        msgpack_sbuffer_destroy(&buffer);
    }
}

/* Random bytes that lean towards the heads of values, so that a share of them is well formed. */
static size_t random_bytes(uint8_t *out, size_t capacity, uint64_t *random)
{
    static const uint8_t heads[] = {0x80, 0x81, 0x82, 0x90, 0x91, 0x93, 0xa0, 0xa1, 0xc0, 0xc2,
                                    0xc4, 0xca, 0xcb, 0xcc, 0xcd, 0xd0, 0xd3, 0xd9, 0xdc, 0xde,
                                    0xdf, 0xd4, 0xc7, 0xc1, 0x00, 0x01, 0x02, 0xff};
    size_t bytes = random_next(random) % capacity;
    for (size_t i = 0; i < bytes; i++) {
        uint64_t draw = random_next(random);
        out[i] = draw % 4 == 0 ? (uint8_t)(draw >> 8) : heads[(draw >> 8) % sizeof(heads)];
    }
    return bytes;
}

static void reader_accepts_no_bytes_that_msgpack_c_refuses(void **state)
{
    (void)state;
    size_t accepted = 0;
    for (uint64_t seed = 1; seed <= MUTATIONS; seed++) {
        uint64_t random = seed;
        uint8_t data[24];
        struct proto_span bytes = {data, random_bytes(data, sizeof(data), &random)};
        struct proto_fault fault = {.code = PROTO_OK};
        struct proto_reader reader;
        proto_reader_init(&reader, bytes, &fault);
        struct proto_span value = proto_read_any(&reader);
        assert_int_equal(proto_reader_ok(&reader), fault.code == PROTO_OK);
        if (proto_reader_ok(&reader)) {
            accepted++;
            if (!oracle_agrees(value)) {
                fail_msg("seed %" PRIu64 ": accepted, yet msgpack-c disagrees", seed);
            }
        }
    }
    /* The control: with too few accepted the test would say nothing. */
    assert_true(accepted > MUTATIONS / 20);
}

static void oracle_notices_a_difference(void **state)
{
    (void)state;
    /* The control of the comparison itself: another value, and bytes that are no value. */
    msgpack_object object = {.type = MSGPACK_OBJECT_POSITIVE_INTEGER, .via = {.u64 = 6}};
    struct proto_fault fault;
    struct proto_reader reader;
    proto_reader_init(&reader, (struct proto_span){(const uint8_t *)"\x05", 1}, &fault);
    assert_false(same(&reader, &object));
    assert_false(oracle_agrees((struct proto_span){(const uint8_t *)"\xc1", 1}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_reads_what_msgpack_c_packs),
        cmocka_unit_test(reader_accepts_no_bytes_that_msgpack_c_refuses),
        cmocka_unit_test(oracle_notices_a_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
