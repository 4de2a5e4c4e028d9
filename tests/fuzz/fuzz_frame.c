/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte of choices (bit 0: a stream of replies; bit 1: a small limit), then the stream.
 */
#include "proto/frame.h"
#include "tests/fuzz/fuzz.h"

#define SMALL_LIMIT 32

struct split {
    enum proto_frame_state state;
    struct proto_header header;
    struct proto_span payload;
    size_t used;
    struct proto_fault fault;
};

static struct split split_of(struct proto_span bytes, uint8_t choices)
{
    struct split split = {.state = PROTO_FRAME_PARTIAL};
    split.state =
        proto_frame_split(bytes, (choices & 2) != 0 ? SMALL_LIMIT : SIZE_MAX, (choices & 1) != 0,
                          &split.header, &split.payload, &split.used, &split.fault);
    return split;
}

static void whole_check(struct proto_span bytes, const struct split *split)
{
    uint8_t header[PROTO_HEADER_BYTES];
    proto_header_encode(&split->header, header);
    FUZZ_HOLDS(memcmp(header, bytes.data, sizeof(header)) == 0);
    FUZZ_HOLDS(split->used == PROTO_HEADER_BYTES + split->payload.bytes);
    FUZZ_HOLDS(split->used <= bytes.bytes);
    FUZZ_HOLDS(split->payload.data == bytes.data + PROTO_HEADER_BYTES);
    if (split->state == PROTO_FRAME_WHOLE) {
        FUZZ_HOLDS(split->header.version == PROTO_VERSION);
        FUZZ_HOLDS((split->header.flags & ~7U) == 0);
        FUZZ_HOLDS(split->header.checksum == ((split->header.flags & PROTO_FLAG_CHECKSUM) != 0
                                                  ? proto_checksum(split->payload)
                                                  : 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    uint8_t choices = data[0];
    struct proto_span left = {data + 1, bytes - 1};
    for (;;) {
        struct split split = split_of(left, choices);
        if (split.state == PROTO_FRAME_PARTIAL || split.state == PROTO_FRAME_REFUSED) {
            FUZZ_HOLDS(split.used == 0);
            FUZZ_HOLDS(split.state == PROTO_FRAME_PARTIAL || split.fault.message[0] != '\0');
            return 0;
        }
        whole_check(left, &split);
        /* The same frame without its last byte, and its header alone, wait for the rest. */
        FUZZ_HOLDS(split_of((struct proto_span){left.data, split.used - 1}, choices).state ==
                   PROTO_FRAME_PARTIAL);
        left = (struct proto_span){left.data + split.used, left.bytes - split.used};
    }
}
