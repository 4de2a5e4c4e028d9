/* SPDX-License-Identifier: Apache-2.0 */
/* Input: one byte, an opcode, then a payload to be masked; or "ICPCAP01" …, a file to be read. A
 * file that a fuzzer makes fails its checksums, so the records of the payload are also written to a
 * file here, which must then read back as written. */
#include <stdlib.h>

#include "proto/reader.h"
#include "server/capture/capture_file.h"
#include "server/capture/mask.h"
#include "tests/fuzz/fuzz.h"

static const uint8_t key[CAPTURE_KEY_BYTES] = "a key for fuzz";

static void file_read(struct proto_span file)
{
    struct capture_reader reader;
    struct capture_record record;
    struct proto_fault fault = {0};
    uint64_t count = 0;
    if (!capture_reader_init(&reader, file, &fault)) {
        FUZZ_HOLDS(fault.code == PROTO_CORRUPT);
        return;
    }
    while (capture_reader_next(&reader, &record, &fault)) {
        count++;
        FUZZ_HOLDS(record.left_out == (record.payload == NULL));
    }
    FUZZ_HOLDS(reader.ended ? reader.totals.records == count : fault.code == PROTO_CORRUPT);
}

static void round_trip(uint8_t opcode, struct proto_span payload)
{
    struct proto_writer file;
    struct proto_writer body;
    struct capture_reader reader;
    struct capture_record record = {.at_ns = 7,
                                    .payload_bytes = (uint32_t)payload.bytes,
                                    .opcode = opcode,
                                    .payload = payload.data};
    const struct capture_totals totals = {.records = 1};
    struct proto_fault fault = {0};
    proto_writer_init(&file);
    proto_writer_init(&body);
    capture_write_header(&file, 1);
    capture_write_record(&body, &record);
    capture_write_block(&file, proto_writer_span(&body), 1, 0);
    proto_write_raw(&file, proto_writer_span(&body));
    capture_write_last(&file, &totals, 1);
    FUZZ_HOLDS(proto_writer_ok(&file) && proto_writer_ok(&body));
    FUZZ_HOLDS(capture_reader_init(&reader, proto_writer_span(&file), &fault));
    FUZZ_HOLDS(capture_reader_next(&reader, &record, &fault));
    FUZZ_HOLDS(record.opcode == opcode && record.payload_bytes == payload.bytes);
    FUZZ_HOLDS(payload.bytes == 0 || memcmp(record.payload, payload.data, payload.bytes) == 0);
    FUZZ_HOLDS(!capture_reader_next(&reader, &record, &fault) && reader.ended);
    proto_writer_fini(&file);
    proto_writer_fini(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct capture_lookup lookup;
    if (bytes == 0) {
        return 0;
    }
    file_read((struct proto_span){data, bytes});
    size_t payload_bytes = bytes - 1;
    uint8_t *payload = malloc(payload_bytes + 1);
    if (payload == NULL) {
        return 0;
    }
    memcpy(payload, data + 1, payload_bytes);
    round_trip(data[0], (struct proto_span){payload, payload_bytes});
    if (capture_mask(key, &lookup, proto_op_find(data[0]), payload, payload_bytes, 1) &&
        payload_bytes > 0) {
        /* What was masked is as well-formed as it was. Two short keys can become one: the reader's
         * search for duplicates is the only thing that may object. */
        struct proto_reader reader;
        struct proto_fault fault = {0};
        proto_reader_init(&reader, (struct proto_span){payload, payload_bytes}, &fault);
        (void)proto_read_any(&reader);
        FUZZ_HOLDS(proto_reader_end(&reader) || fault.code == PROTO_DUPLICATE_KEY);
    }
    free(payload);
    return 0;
}
