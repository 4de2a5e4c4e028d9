/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte that counts commands, the commands, then MessagePack. The commands choose which
 * reads are tried on it, whatever is there; then the whole is read with proto_read_any, and what it
 * accepts msgpack-c must accept and read alike. */
#include "proto/reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/proto/oracle.h"

static void span_check(struct proto_span span, struct proto_span within)
{
    FUZZ_HOLDS(span.bytes == 0 ||
               (span.data >= within.data && span.data + span.bytes <= within.data + within.bytes));
}

static void command_run(struct proto_reader *reader, uint8_t command, struct proto_span bytes)
{
    switch (command % 12) {
    case 0:
        proto_read_nil(reader);
        break;
    case 1:
        (void)proto_read_bool(reader);
        break;
    case 2:
        FUZZ_HOLDS(proto_read_uint(reader) <= INT64_MAX);
        break;
    case 3:
        (void)proto_read_int(reader);
        break;
    case 4: {
        double number = proto_read_number(reader);
        FUZZ_HOLDS(number - number == 0);
        break;
    }
    case 5:
        span_check(proto_read_str(reader), bytes);
        break;
    case 6:
        span_check(proto_read_bin(reader), bytes);
        break;
    case 7:
        FUZZ_HOLDS(proto_read_array(reader) <= bytes.bytes);
        break;
    case 8:
        FUZZ_HOLDS(proto_read_map(reader) <= bytes.bytes / 2);
        break;
    case 9:
        if (reader->depth > 0) {
            proto_reader_leave(reader);
        }
        break;
    case 10:
        span_check(proto_read_any(reader), bytes);
        break;
    default:
        span_check(proto_read_key(reader), bytes);
        break;
    }
}

static void commands_run(const uint8_t *commands, size_t count, struct proto_span bytes)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, bytes, &fault);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *before = reader.at;
        command_run(&reader, commands[i], bytes);
        FUZZ_HOLDS(reader.at >= before && reader.at <= reader.end);
        FUZZ_HOLDS(reader.depth <= PROTO_DEPTH_MAX);
        FUZZ_HOLDS(proto_reader_ok(&reader) == (fault.code == PROTO_OK));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0 || bytes < 1 + (size_t)data[0]) {
        return 0;
    }
    size_t commands = data[0];
    struct proto_span input = {data + 1 + commands, bytes - 1 - commands};
    commands_run(data + 1, commands, input);

    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_reader reader;
    proto_reader_init(&reader, input, &fault);
    struct proto_span value = proto_read_any(&reader);
    if (proto_reader_ok(&reader)) {
        FUZZ_HOLDS(value.data == input.data && value.bytes > 0 && value.bytes <= input.bytes);
        FUZZ_HOLDS(oracle_agrees(value));
        FUZZ_HOLDS(proto_reader_end(&reader) == (value.bytes == input.bytes));
    } else {
        FUZZ_HOLDS(value.bytes == 0);
        FUZZ_HOLDS(proto_utf8_valid(proto_span_text(fault.field)));
        FUZZ_HOLDS(proto_utf8_valid(proto_span_text(fault.message)));
        FUZZ_HOLDS(fault.message[0] != '\0');
    }
    return 0;
}
