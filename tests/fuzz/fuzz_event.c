/* SPDX-License-Identifier: Apache-2.0 */
/* Input: bytes that claim to be an event. What is decoded must encode to the same bytes, and be the
 * same as itself. */
#include "server/event/event.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct event event;
    struct proto_fault fault = {0};
    uint8_t again[EVENT_BYTES_MAX];
    if (!event_decode((struct proto_span){data, bytes}, &event, &fault)) {
        FUZZ_HOLDS(fault.code == PROTO_CORRUPT);
        return 0;
    }
    FUZZ_HOLDS(event_bytes(&event) == bytes && event_encode(&event, again) == bytes);
    FUZZ_HOLDS(memcmp(again, data, bytes) == 0);
    FUZZ_HOLDS(event_same(&event, &event));
    (void)event_check(&event, 0, &fault);
    return 0;
}
