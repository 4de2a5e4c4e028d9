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
#include "tests/unit/proto/oracle.h"

#define VALUES 20000
#define MUTATIONS 200000
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
        bytes = (size_t)(stpcpy(text + bytes, word) - text);
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
    /* The control of the comparison itself: other values, and bytes that are no value. */
    static const uint8_t bytes[] = {0x82, 0xa1, 'a', 0x05, 0xa1, 'b', 0xc3};
    assert_true(oracle_agrees((struct proto_span){bytes, sizeof(bytes)}));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        uint8_t other[sizeof(bytes)];
        memcpy(other, bytes, sizeof(bytes));
        other[i] ^= 1;
        assert_false(oracle_same((struct proto_span){bytes, sizeof(bytes)},
                                 (struct proto_span){other, sizeof(other)}));
    }
    assert_false(oracle_agrees((struct proto_span){(const uint8_t *)"\xc1", 1}));
    assert_false(oracle_agrees((struct proto_span){bytes, sizeof(bytes) - 1}));
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
