/* SPDX-License-Identifier: Apache-2.0 */
/* Writes MessagePack into a growing buffer, on msgpack-c's packer. Out of memory is sticky: write
 * on, check proto_writer_ok once. Frames: proto_writer_frame_begin reserves a header, _end fills it
 * in. Numbers take their smallest encoding; proto_write_f32 and _f64 keep their width. Ownership:
 * the writer owns its buffer until proto_writer_fini or proto_writer_take. Threads: one writer, one
 * thread. Cost: about 10 ns a scalar. */
#ifndef PROTO_WRITER_H
#define PROTO_WRITER_H

#include "proto/frame.h"

struct proto_writer {
    uint8_t *data; /* malloc'd */
    size_t bytes;
    size_t capacity;
    size_t frame_start; /* of the frame begun last; SIZE_MAX if there is none */
    bool failed;
    bool no_memory; /* that is why */
};

void proto_writer_init(struct proto_writer *writer);
void proto_writer_fini(struct proto_writer *writer);
void proto_writer_reset(struct proto_writer *writer); /* keeps the buffer */
/* Hands the buffer over (free it with free) with its length; the writer starts anew. NULL if the
 * writer failed or nothing was written. */
uint8_t *proto_writer_take(struct proto_writer *writer, size_t *bytes);
static inline bool proto_writer_ok(const struct proto_writer *writer)
{
    return !writer->failed;
}
static inline struct proto_span proto_writer_span(const struct proto_writer *writer)
{
    return (struct proto_span){writer->data, writer->bytes};
}
/* Makes room for `bytes` more and returns where they go, or NULL (sticky). The caller then adds
 * what it wrote to writer->bytes; for templates of hot replies. */
uint8_t *proto_writer_reserve(struct proto_writer *writer, size_t bytes);

void proto_write_nil(struct proto_writer *writer);
void proto_write_bool(struct proto_writer *writer, bool value);
void proto_write_uint(struct proto_writer *writer, uint64_t value);
void proto_write_int(struct proto_writer *writer, int64_t value);
void proto_write_f32(struct proto_writer *writer, float value);
void proto_write_f64(struct proto_writer *writer, double value);
void proto_write_str(struct proto_writer *writer, struct proto_span text);
void proto_write_text(struct proto_writer *writer, const char *text);
void proto_write_bin(struct proto_writer *writer, struct proto_span bytes);
void proto_write_array(struct proto_writer *writer, size_t count);
void proto_write_map(struct proto_writer *writer, size_t pairs);
void proto_write_raw(struct proto_writer *writer, struct proto_span encoded);

/* Begins a frame at the end of the buffer; frames do not nest. */
void proto_writer_frame_begin(struct proto_writer *writer);
/* Fills in the header of the frame begun last: code, flags and request id are the caller's; payload
 * bytes and, with PROTO_FLAG_CHECKSUM, the checksum are worked out here. A payload over
 * PROTO_FRAME_BYTES_MAX makes the writer fail. */
void proto_writer_frame_end(struct proto_writer *writer, uint8_t code, uint16_t flags,
                            uint32_t request_id);
/* Takes back the frame begun last, whole or not, and clears a failure that befell it: what was
 * written before it stands, and another frame (say, of an error) can take its place. */
void proto_writer_frame_cancel(struct proto_writer *writer);
/* A whole error reply with the keys of fault.def; PROTO_FLAG_REPLY is added to the flags. A code
 * that never travels (0, or the client library's own) goes out as PROTO_INTERNAL. */
void proto_write_fault(struct proto_writer *writer, const struct proto_fault *fault, uint16_t flags,
                       uint32_t request_id);

#endif
