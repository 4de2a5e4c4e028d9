/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/load/load_wire.h"
#include "proto/writer.h"

/* Fed byte by byte, then whole: no byte is needed twice, no reply comes early. */
static void splits_anywhere(const struct load_wire *wire, const uint8_t *data, size_t bytes,
                            uint32_t count, uint8_t status)
{
    struct load_split *split = calloc(1, sizeof *split);
    uint32_t seen = 0;
    size_t from = 0;
    assert_non_null(split);
    for (size_t end = 1; end <= bytes; end++) {
        /* An allocation of its own size: a sanitizer sees every read beyond it. */
        uint8_t *copy = malloc(end - from);
        assert_non_null(copy);
        memcpy(copy, data + from, end - from);
        from += wire->split(copy, end - from, 10, split);
        free(copy);
        assert_false(split->broken);
        seen += split->count;
        for (uint32_t i = 0; i < split->count; i++) {
            assert_int_equal(split->status[i], status);
        }
    }
    assert_int_equal(seen, count);
    assert_int_equal(from, bytes);
    assert_int_equal(wire->split(data, bytes, 10, split), bytes);
    assert_int_equal(split->count, count);
    free(split);
}

static void split_text(const struct load_wire *wire, const char *text, uint32_t count,
                       uint8_t status)
{
    splits_anywhere(wire, (const uint8_t *)text, strlen(text), count, status);
}

static void icp_replies_give_status_and_id(void **state)
{
    (void)state;
    struct proto_writer out;
    struct load_split *split = calloc(1, sizeof *split);
    assert_non_null(split);
    proto_writer_init(&out);
    for (uint32_t i = 0; i < 3; i++) {
        proto_writer_frame_begin(&out);
        proto_write_map(&out, 0);
        proto_writer_frame_end(&out, 0, PROTO_FLAG_REPLY, 70 + i);
    }
    splits_anywhere(&load_wire_icp, out.data, out.bytes, 3, 0);
    load_wire_icp.split(out.data, out.bytes, 0, split);
    assert_int_equal(split->id[2], 72);
    out.data[5] = PROTO_NOT_FOUND;
    load_wire_icp.split(out.data, out.bytes, 0, split);
    assert_int_equal(split->status[0], PROTO_NOT_FOUND);
    proto_writer_fini(&out);
    free(split);
}

static void what_is_no_icp_reply_is_broken(void **state)
{
    (void)state;
    const uint8_t zeros[32] = {0};
    struct load_split *split = calloc(1, sizeof *split);
    assert_non_null(split);
    load_wire_icp.split(zeros, sizeof zeros, 0, split);
    assert_true(split->broken);
    free(split);
}

static void echo_replies_have_one_size(void **state)
{
    (void)state;
    split_text(&load_wire_echo, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeee", 3, 0);
}

static void redis_replies_of_every_kind(void **state)
{
    (void)state;
    split_text(&load_wire_redis, "+OK\r\n:42\r\n$3\r\nabc\r\n:-1\r\n", 4, 0);
    split_text(&load_wire_redis, "*2\r\n$1\r\na\r\n$2\r\nbc\r\n*0\r\n", 2, 0);
    split_text(&load_wire_redis, "$-1\r\n-ERR no\r\n*1\r\n$-1\r\n", 3, 1);
}

static void memcached_hits_misses_and_sets(void **state)
{
    (void)state;
    split_text(&load_wire_memcached, "VALUE k 0 3\r\nabc\r\nEND\r\nSTORED\r\n", 2, 0);
    split_text(&load_wire_memcached, "END\r\nERROR\r\n", 2, 1);
}

static void tarantool_replies_give_status_and_id(void **state)
{
    (void)state;
    const uint8_t reply[] = {0xce, 0, 0, 0, 24, 0x83, 0x00, 0xce, 0,    0, 0, 0, 0x01, 0xcf, 0,
                             0,    0, 0, 0, 0,  1,    2,    0x05, 0xce, 0, 0, 0, 1,    0x80};
    struct load_split *split = calloc(1, sizeof *split);
    assert_non_null(split);
    splits_anywhere(&load_wire_tarantool, reply, sizeof reply, 1, 0);
    load_wire_tarantool.split(reply, sizeof reply, 0, split);
    assert_int_equal(split->id[0], 258);
    free(split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(icp_replies_give_status_and_id),
        cmocka_unit_test(what_is_no_icp_reply_is_broken),
        cmocka_unit_test(echo_replies_have_one_size),
        cmocka_unit_test(redis_replies_of_every_kind),
        cmocka_unit_test(memcached_hits_misses_and_sets),
        cmocka_unit_test(tarantool_replies_give_status_and_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
