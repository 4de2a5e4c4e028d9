/* SPDX-License-Identifier: Apache-2.0 */
/* The 16-byte frame header and the splitting of a byte stream into frames; no I/O.
 *
 *    0  u32  payload bytes                       all little-endian
 *    4  u8   protocol version (1)
 *    5  u8   opcode in a request; status in a reply (0 = ok, else an error code)
 *    6  u16  flags: 1 reply, 2 checksum present, 4 more frames of this reply follow
 *    8  u32  request id, chosen by the client, echoed
 *   12  u32  checksum: low 32 bits of XXH3-64 of the payload if flag 2, else 0
 *
 * Other flags are reserved: a frame that sets one is refused. Ownership: borrows the bytes given.
 * Threads: pure functions. Cost: a header 2 ns; a checksum about 0.05 ns a byte.
 * Source: XXH3, https://github.com/Cyan4973/xxHash (doc/xxhash_spec.md). */
#ifndef PROTO_FRAME_H
#define PROTO_FRAME_H

#include "proto/fault.h"
#include "proto/span.h"

#define PROTO_HEADER_BYTES 16

enum proto_flag {
    PROTO_FLAG_REPLY = 1,
    PROTO_FLAG_CHECKSUM = 2,
    PROTO_FLAG_MORE = 4,
};

struct proto_header {
    uint32_t payload_bytes;
    uint8_t version;
    uint8_t code; /* opcode or status */
    uint16_t flags;
    uint32_t request_id;
    uint32_t checksum;
};

/* One whole frame, borrowed from the bytes that it was split from. */
struct proto_frame {
    struct proto_header header;
    struct proto_span payload;
};

void proto_header_encode(const struct proto_header *header, uint8_t out[PROTO_HEADER_BYTES]);
void proto_header_decode(const uint8_t in[PROTO_HEADER_BYTES], struct proto_header *header);

enum proto_frame_state {
    PROTO_FRAME_WHOLE,   /* *header and *payload are set, *used is the frame's size in bytes */
    PROTO_FRAME_PARTIAL, /* more bytes are needed; *used is 0; *header is set if 16 are there */
    PROTO_FRAME_REFUSED, /* framing is lost: fault tells; the connection must close. *header is set
                          */
    PROTO_FRAME_SPOILT,  /* framing holds but the frame is bad (version, checksum): answer with
                          * fault under header->request_id and go on; *used is the frame's size */
};

/* Looks at the first frame of `bytes`. payload_bytes_max refuses earlier than the format's own
 * limit. is_reply says which direction is expected; the other direction is refused. */
enum proto_frame_state proto_frame_split(struct proto_span bytes, size_t payload_bytes_max,
                                         bool is_reply, struct proto_header *header,
                                         struct proto_span *payload, size_t *used,
                                         struct proto_fault *fault);

uint32_t proto_checksum(struct proto_span payload);

#endif
