/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct split {
    enum proto_frame_state state;
    struct proto_header header;
    struct proto_span payload;
    size_t used;
    struct proto_fault fault;
};

static struct split split_of(const uint8_t *data, size_t bytes, bool is_reply)
{
    struct split split = {.used = 999};
    split.state =
        proto_frame_split((struct proto_span){data, bytes}, PROTO_FRAME_BYTES_MAX, is_reply,
                          &split.header, &split.payload, &split.used, &split.fault);
    return split;
}

/* A frame with the payload "abc". */
static size_t frame_make(uint8_t out[64], uint8_t code, unsigned flags)
{
    struct proto_span payload = proto_span_text("abc");
    struct proto_header header = {
        .payload_bytes = 3,
        .version = PROTO_VERSION,
        .code = code,
        .flags = (uint16_t)flags,
        .request_id = 0x01020304,
        .checksum = (flags & PROTO_FLAG_CHECKSUM) != 0 ? proto_checksum(payload) : 0,
    };
    proto_header_encode(&header, out);
    memcpy(out + PROTO_HEADER_BYTES, payload.data, payload.bytes);
    return PROTO_HEADER_BYTES + payload.bytes;
}

static void frame_header_has_the_layout_that_the_protocol_states(void **state)
{
    (void)state;
    struct proto_header header = {0x04030201, 1, 0x40, 0x0003, 0x0d0c0b0a, 0x14131211};
    uint8_t bytes[PROTO_HEADER_BYTES];
    proto_header_encode(&header, bytes);
    static const uint8_t wanted[PROTO_HEADER_BYTES] = {
        1, 2, 3, 4, 1, 0x40, 3, 0, 0x0a, 0x0b, 0x0c, 0x0d, 0x11, 0x12, 0x13, 0x14};
    assert_memory_equal(bytes, wanted, sizeof(wanted));
    struct proto_header back;
    proto_header_decode(bytes, &back);
    assert_memory_equal(&back, &header, sizeof(header));
}

static void frame_splits_a_whole_request(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, 0);
    struct split split = split_of(frame, bytes + 5, false);
    assert_int_equal(split.state, PROTO_FRAME_WHOLE);
    assert_int_equal(split.used, bytes);
    assert_true(proto_span_is(split.payload, "abc"));
    assert_int_equal(split.header.code, PROTO_OP_SCORE);
    assert_int_equal(split.header.request_id, 0x01020304);
}

static void frame_asks_for_more_at_every_cut(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, PROTO_FLAG_CHECKSUM);
    for (size_t cut = 0; cut < bytes; cut++) {
        struct split split = split_of(frame, cut, false);
        assert_int_equal(split.state, PROTO_FRAME_PARTIAL);
        assert_int_equal(split.used, 0);
        assert_int_equal(split.header.payload_bytes, cut >= PROTO_HEADER_BYTES ? 3 : 0);
    }
    assert_int_equal(split_of(frame, bytes, false).state, PROTO_FRAME_WHOLE);
}

static void frame_accepts_an_empty_payload(void **state)
{
    (void)state;
    uint8_t frame[PROTO_HEADER_BYTES] = {0, 0, 0, 0, 1, PROTO_OP_PING};
    struct split split = split_of(frame, sizeof(frame), false);
    assert_int_equal(split.state, PROTO_FRAME_WHOLE);
    assert_int_equal(split.payload.bytes, 0);
    assert_int_equal(split.used, PROTO_HEADER_BYTES);
}

static void refused(const uint8_t *frame, size_t bytes, bool is_reply, enum proto_error code,
                    const char *field)
{
    struct split split = split_of(frame, bytes, is_reply);
    assert_int_equal(split.state, PROTO_FRAME_REFUSED);
    assert_int_equal(split.used, 0);
    assert_int_equal(split.fault.code, code);
    assert_string_equal(split.fault.field, field);
    assert_int_equal(split.header.request_id, 0x01020304);
}

static void frame_refuses_reserved_flags(void **state)
{
    (void)state;
    for (unsigned bit = 3; bit < 16; bit++) {
        uint8_t frame[64];
        (void)frame_make(frame, PROTO_OP_SCORE, 1U << bit);
        /* The header alone tells: nothing of the payload is waited for. */
        refused(frame, PROTO_HEADER_BYTES, false, PROTO_BAD_FRAME, "flags");
    }
}

static void frame_refuses_the_wrong_direction(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OK, PROTO_FLAG_REPLY);
    refused(frame, bytes, false, PROTO_BAD_FRAME, "flags");
    assert_int_equal(split_of(frame, bytes, true).state, PROTO_FRAME_WHOLE);
    bytes = frame_make(frame, PROTO_OP_SCORE, 0);
    refused(frame, bytes, true, PROTO_BAD_FRAME, "flags");
}

static void frame_refuses_more_flag_in_a_request(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, PROTO_FLAG_MORE);
    refused(frame, bytes, false, PROTO_BAD_FRAME, "flags");
    bytes = frame_make(frame, PROTO_OK, PROTO_FLAG_MORE | PROTO_FLAG_REPLY);
    assert_int_equal(split_of(frame, bytes, true).state, PROTO_FRAME_WHOLE);
}

static void frame_refuses_a_checksum_without_its_flag(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, 0);
    frame[12] = 1;
    refused(frame, bytes, false, PROTO_BAD_FRAME, "checksum");
}

static void frame_refuses_a_payload_over_the_limits(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, 0);
    struct split split = {.used = 9};
    split.state = proto_frame_split((struct proto_span){frame, bytes}, 2, false, &split.header,
                                    &split.payload, &split.used, &split.fault);
    assert_int_equal(split.state, PROTO_FRAME_REFUSED);
    assert_int_equal(split.fault.code, PROTO_TOO_LARGE);
    /* The limit of the format holds whatever the caller allows. */
    frame[3] = 0x7f;
    split.state = proto_frame_split((struct proto_span){frame, bytes}, SIZE_MAX, false,
                                    &split.header, &split.payload, &split.used, &split.fault);
    assert_int_equal(split.state, PROTO_FRAME_REFUSED);
    assert_int_equal(split.fault.code, PROTO_TOO_LARGE);
}

static void frame_spoilt_by_its_checksum_is_passed_over(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, PROTO_FLAG_CHECKSUM);
    assert_int_equal(split_of(frame, bytes, false).state, PROTO_FRAME_WHOLE);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        if (bit / 8 >= 12) { /* checksum and payload */
            frame[bit / 8] ^= (uint8_t)(1U << (bit % 8));
            struct split split = split_of(frame, bytes, false);
            assert_int_equal(split.state, PROTO_FRAME_SPOILT);
            assert_int_equal(split.fault.code, PROTO_BAD_CHECKSUM);
            assert_int_equal(split.used, bytes);
            frame[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
    }
}

static void frame_of_another_version_is_passed_over_whatever_its_flags(void **state)
{
    (void)state;
    uint8_t frame[64];
    size_t bytes = frame_make(frame, PROTO_OP_SCORE, 0xfff8);
    frame[4] = 2;
    struct split split = split_of(frame, bytes, false);
    assert_int_equal(split.state, PROTO_FRAME_SPOILT);
    assert_int_equal(split.fault.code, PROTO_BAD_VERSION);
    assert_string_equal(split.fault.field, "version");
    assert_int_equal(split.used, bytes);
    assert_int_equal(split_of(frame, bytes - 1, false).state, PROTO_FRAME_PARTIAL);
}

static void frame_checksum_is_the_low_half_of_xxh3(void **state)
{
    (void)state;
    /* XXH3-64 of the empty input is 0x2d06800538d394c2 (xxh3 specification, section test values).
     */
    assert_int_equal(proto_checksum((struct proto_span){NULL, 0}), 0x38d394c2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_header_has_the_layout_that_the_protocol_states),
        cmocka_unit_test(frame_splits_a_whole_request),
        cmocka_unit_test(frame_asks_for_more_at_every_cut),
        cmocka_unit_test(frame_accepts_an_empty_payload),
        cmocka_unit_test(frame_refuses_reserved_flags),
        cmocka_unit_test(frame_refuses_the_wrong_direction),
        cmocka_unit_test(frame_refuses_more_flag_in_a_request),
        cmocka_unit_test(frame_refuses_a_checksum_without_its_flag),
        cmocka_unit_test(frame_refuses_a_payload_over_the_limits),
        cmocka_unit_test(frame_spoilt_by_its_checksum_is_passed_over),
        cmocka_unit_test(frame_of_another_version_is_passed_over_whatever_its_flags),
        cmocka_unit_test(frame_checksum_is_the_low_half_of_xxh3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
