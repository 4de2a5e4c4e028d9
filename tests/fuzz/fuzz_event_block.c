/* SPDX-License-Identifier: Apache-2.0 */
/* Input: bytes that claim to be a block of events. What is read to its end can be gone on with, and
 * then reads the same and one more. */
#include "server/event/event_block.h"
#include "tests/fuzz/fuzz.h"

static unsigned read_all(struct proto_span bytes, struct proto_fault *fault)
{
    struct event_block block;
    struct event event;
    unsigned count = 0;
    fault->code = PROTO_OK;
    if (event_block_open(&block, bytes, fault)) {
        while (event_block_next(&block, &event, fault)) {
            FUZZ_HOLDS(event_same(&event, &event) && event.source.bytes > 0);
            count++;
        }
        for (unsigned i = 0; (i = event_block_find(&block, i, bytes.bytes)) < block.events; i++) {
        }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static struct event_block_writer writer;
    struct proto_span input = {data, bytes};
    struct proto_fault fault = {.code = PROTO_OK};
    struct event more = {.type = EVENT_TOUCH,
                         .source = proto_span_text("s"),
                         .id = proto_span_text("1"),
                         .seq = UINT64_MAX,
                         .known_ms = 1};
    unsigned count = read_all(input, &fault);
    FUZZ_HOLDS(fault.code == PROTO_OK || fault.code == PROTO_CORRUPT);
    bool good = fault.code == PROTO_OK;
    FUZZ_HOLDS(event_block_resume(&writer, input, &fault) == good);
    if (!good) {
        return 0;
    }
    unsigned added = event_block_add(&writer, &more);
    uint8_t again[EVENT_BLOCK_BYTES_MAX];
    FUZZ_HOLDS(event_block_bytes(&writer) <= sizeof again);
    event_block_write(&writer, again);
    FUZZ_HOLDS(read_all((struct proto_span){again, event_block_bytes(&writer)}, &fault) ==
               count + added);
    FUZZ_HOLDS(fault.code == PROTO_OK);
    return 0;
}
