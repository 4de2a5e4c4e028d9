/* SPDX-License-Identifier: Apache-2.0 */
/* A member that is added to a map which is whole already, whatever its size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/reader.h"
#include "server/rpc/age_write.h"

/* A map of so many pairs, key and value their number, behind some other bytes. */
static void map_write(struct proto_writer *out, size_t count)
{
    proto_writer_init(out);
    proto_write_text(out, "before");
    proto_write_map(out, count);
    for (size_t i = 0; i < count; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "k%zu", i);
        proto_write_text(out, key);
        proto_write_uint(out, i);
    }
}

static void map_of_any_size_takes_one_more(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 14, 15, 16, 255, 256, 2000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct proto_writer out;
        struct proto_reader reader;
        struct proto_fault fault = {0};
        map_write(&out, counts[i]);
        rpc_map_widen(&out, 1 + sizeof "before" - 1);
        proto_write_text(&out, "age_ms");
        proto_write_uint(&out, 77);
        struct proto_span all = proto_writer_span(&out);
        proto_reader_init(&reader, all, &fault);
        assert_int_equal(proto_read_str(&reader).bytes, 6);
        assert_int_equal(proto_read_map(&reader), counts[i] + 1);
        for (size_t pair = 0; pair < counts[i]; pair++) {
            (void)proto_read_key(&reader);
            assert_int_equal(proto_read_uint(&reader), pair);
        }
        assert_int_equal(proto_read_key(&reader).bytes, 6);
        assert_int_equal(proto_read_uint(&reader), 77);
        proto_reader_leave(&reader);
        assert_true(proto_reader_end(&reader));
        proto_writer_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_of_any_size_takes_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
