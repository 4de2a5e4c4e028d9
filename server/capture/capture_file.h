/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a capture (docs/capture.md), little-endian: a header, blocks of records, a last block
 * that says what there is. Bytes in, bytes out; no I/O.
 *
 *  header   0  8 bytes "ICPCAP01"          block   0  u32  1 records, 2 the last block
 *           8  u32  version (1)                    4  u32  records in it
 *          12  u32  0                              8  u64  bytes of its body
 *          16  i64  started, ms since 1970        16  u64  number of the block, from 0
 *          24  32 bytes of 0                      24  u64  XXH3-64 of the body, seeded by the
 *          56  u64  XXH3-64 of bytes 0 to 55               XXH3-64 of bytes 0 to 23
 *
 *  record   0  u64  arrival, ns since the start    last    0  u64  records in the file
 *           8  u32  connection                    block    8  u64  of those, without their payload
 *          12  u32  payload bytes, as sent                16  u64  requests that were lost
 *          16  u8   opcode                                24  u64  duration, ns
 *          17  u8   1: the payload is left out
 *          18  u16  flags of the frame
 *          20  u32  0, then the payload
 *
 * Arrivals of one connection never go back; those of several are near each other's order.
 * Ownership: writers append to a proto_writer; records read point into the file's bytes. Errors: a
 * fault CORRUPT that says what and where. Threads: pure. Source: our own. */
#ifndef CAPTURE_FILE_H
#define CAPTURE_FILE_H

#include "proto/fault.h"
#include "proto/writer.h"

#define CAPTURE_HEADER_BYTES 64
#define CAPTURE_BLOCK_HEADER_BYTES 32
#define CAPTURE_RECORD_HEADER_BYTES 24
#define CAPTURE_LAST_BYTES 32
/* A block beyond this is damage: the writer closes one at 1 MiB, or after one frame more. */
#define CAPTURE_BLOCK_BYTES_MAX ((uint64_t)64 << 20)

struct capture_record {
    uint64_t at_ns;
    uint32_t connection;
    uint32_t payload_bytes; /* as sent, also if it is left out */
    uint8_t opcode;
    bool left_out;
    uint16_t flags;
    const uint8_t *payload; /* NULL if left out */
};

struct capture_totals {
    uint64_t records, left_out, lost, duration_ns;
};

void capture_write_header(struct proto_writer *out, int64_t started_ms);
/* Appends the record's header, and its payload unless it is left out. */
void capture_write_record(struct proto_writer *out, const struct capture_record *record);
/* The header of a block whose body, whole records, is `body`. */
void capture_write_block(struct proto_writer *out, struct proto_span body, uint32_t records,
                         uint64_t number);
void capture_write_last(struct proto_writer *out, const struct capture_totals *totals,
                        uint64_t number);

/* Reads a whole file that lies in memory. */
struct capture_reader {
    struct proto_span file;
    size_t at;        /* of the next record or block */
    size_t block_end; /* 0: none begun */
    uint32_t block_left;
    uint64_t block_number;
    uint64_t records, left_out;
    int64_t started_ms;
    struct capture_totals totals; /* set at the end */
    bool ended;
};

bool capture_reader_init(struct capture_reader *reader, struct proto_span file,
                         struct proto_fault *fault);
/* The next record. False at the end, where reader->ended is set and the totals agree with what was
 * read, or with a fault. */
bool capture_reader_next(struct capture_reader *reader, struct capture_record *record,
                         struct proto_fault *fault);

#endif
