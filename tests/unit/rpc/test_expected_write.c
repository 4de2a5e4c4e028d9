/* SPDX-License-Identifier: Apache-2.0 */
/* A map that has been written grows by members that are written behind it, whatever its head is and
 * must become, and what stands before it stays as it was. The control: without the new head the
 * reply ends too early. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proto/reader.h"
#include "proto/writer.h"
#include "server/rpc/expected_write.h"

enum { NAME_BYTES = 16 };

/* An array of a number and of a map with members from..to, each its number under "m<number>". */
static void members_write(struct proto_writer *out, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "m%u", i);
        proto_write_text(out, name);
        proto_write_uint(out, i);
    }
}

/* Whether that is what has been written, to the last byte. */
static bool members_read(const struct proto_writer *out, unsigned count)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, proto_writer_span(out), &fault);
    bool good = proto_read_array(&reader) == 2 && proto_read_uint(&reader) == 77 &&
                proto_read_map(&reader) == count;
    for (unsigned i = 0; good && i < count; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "m%u", i);
        good = proto_span_is(proto_read_key(&reader), name) && proto_read_uint(&reader) == i;
    }
    proto_reader_leave(&reader); /* the map */
    proto_reader_leave(&reader);
    return good && proto_reader_end(&reader) && fault.code == PROTO_OK;
}

static void grown(unsigned before, unsigned more, bool headed)
{
    struct proto_writer out;
    proto_writer_init(&out);
    proto_write_array(&out, 2);
    proto_write_uint(&out, 77);
    size_t start = out.bytes;
    proto_write_map(&out, before);
    members_write(&out, 0, before);
    if (headed) {
        rpc_map_grow(&out, start, more);
    }
    members_write(&out, before, before + more);
    assert_true(proto_writer_ok(&out));
    assert_int_equal(members_read(&out, before + more), headed || more == 0);
    proto_writer_fini(&out);
}

static void a_map_grows_within_and_beyond_its_short_head(void **unused)
{
    (void)unused;
    static const unsigned sizes[] = {0, 1, 8, 9, 10, 14, 15, 16, 17, 255, 256, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (unsigned more = 0; more <= 17; more++) {
            grown(sizes[i], more, true);
        }
        grown(sizes[i], RPC_EXPECTED_MEMBERS, false);
    }
}

static void a_writer_that_failed_is_left_alone(void **unused)
{
    (void)unused;
    struct proto_writer out;
    proto_writer_init(&out);
    proto_write_map(&out, 1);
    out.failed = true;
    rpc_map_grow(&out, 0, RPC_EXPECTED_MEMBERS);
    assert_int_equal(out.bytes, 1);
    assert_int_equal(out.data[0], 0x81);
    proto_writer_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_grows_within_and_beyond_its_short_head),
        cmocka_unit_test(a_writer_that_failed_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
