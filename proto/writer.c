/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/writer.h"

#include <assert.h>
#include <msgpack/pack.h>
#include <stdlib.h>

#define CAPACITY_FIRST 256
#define NO_FRAME SIZE_MAX
/* Codes from here up are the client library's own (error.def). */
#define CODE_LOCAL_FIRST 200

void proto_writer_init(struct proto_writer *writer)
{
    *writer = (struct proto_writer){.frame_start = NO_FRAME};
}

void proto_writer_fini(struct proto_writer *writer)
{
    free(writer->data);
    proto_writer_init(writer);
}

void proto_writer_reset(struct proto_writer *writer)
{
    writer->bytes = 0;
    writer->frame_start = NO_FRAME;
    writer->failed = writer->no_memory = false;
}

uint8_t *proto_writer_take(struct proto_writer *writer, size_t *bytes)
{
    uint8_t *data = NULL;
    *bytes = 0;
    if (!writer->failed && writer->bytes > 0) {
        data = writer->data;
        *bytes = writer->bytes;
        writer->data = NULL;
    }
    proto_writer_fini(writer);
    return data;
}

/* Whether `bytes` more leave the open frame within what a frame may hold. */
static bool frame_holds(const struct proto_writer *writer, size_t bytes)
{
    size_t frame_bytes_max = (size_t)PROTO_HEADER_BYTES + PROTO_FRAME_BYTES_MAX;
    return writer->frame_start == NO_FRAME ||
           (bytes <= frame_bytes_max &&
            writer->bytes - writer->frame_start <= frame_bytes_max - bytes);
}

uint8_t *proto_writer_reserve(struct proto_writer *writer, size_t bytes)
{
    if (writer->failed) {
        return NULL;
    }
    if (!frame_holds(writer, bytes) || bytes > SIZE_MAX / 4 - writer->bytes) {
        writer->failed = true;
        return NULL;
    }
    size_t wanted = writer->bytes + bytes;
    if (wanted > writer->capacity || writer->data == NULL) {
        size_t capacity = writer->capacity < CAPACITY_FIRST ? CAPACITY_FIRST : writer->capacity;
        while (capacity < wanted) {
            capacity *= 2;
        }
        uint8_t *data = realloc(writer->data, capacity);
        if (data == NULL) {
            writer->failed = writer->no_memory = true;
            return NULL;
        }
        writer->data = data;
        writer->capacity = capacity;
    }
    return writer->data + writer->bytes;
}

static void bytes_add(struct proto_writer *writer, const void *data, size_t bytes)
{
    uint8_t *room = proto_writer_reserve(writer, bytes);
    if (room != NULL && bytes > 0) {
        memcpy(room, data, bytes);
        writer->bytes += bytes;
    }
}

/* The packer hands each piece over here; failure is kept in the writer, so it never hears of one.
 */
static int on_packed(void *data, const char *piece, size_t bytes)
{
    bytes_add(data, piece, bytes);
    return 0;
}

static msgpack_packer packer_of(struct proto_writer *writer)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, writer, on_packed);
    return packer;
}

void proto_write_nil(struct proto_writer *writer)
{
    msgpack_packer packer = packer_of(writer);
    (void)msgpack_pack_nil(&packer);
}

void proto_write_bool(struct proto_writer *writer, bool value)
{
    msgpack_packer packer = packer_of(writer);
    (void)(value ? msgpack_pack_true(&packer) : msgpack_pack_false(&packer));
}

void proto_write_uint(struct proto_writer *writer, uint64_t value)
{
    msgpack_packer packer = packer_of(writer);
    (void)msgpack_pack_uint64(&packer, value);
}

void proto_write_int(struct proto_writer *writer, int64_t value)
{
    msgpack_packer packer = packer_of(writer);
    (void)msgpack_pack_int64(&packer, value);
}

void proto_write_f32(struct proto_writer *writer, float value)
{
    msgpack_packer packer = packer_of(writer);
    (void)msgpack_pack_float(&packer, value);
}

void proto_write_f64(struct proto_writer *writer, double value)
{
    msgpack_packer packer = packer_of(writer);
    (void)msgpack_pack_double(&packer, value);
}

/* The format holds lengths and counts of 32 bits, and the packer would cut a larger one. */
static bool size_fits(struct proto_writer *writer, size_t size)
{
    if (size > UINT32_MAX) {
        writer->failed = true;
    }
    return !writer->failed;
}

void proto_write_str(struct proto_writer *writer, struct proto_span text)
{
    if (size_fits(writer, text.bytes)) {
        msgpack_packer packer = packer_of(writer);
        (void)msgpack_pack_str(&packer, text.bytes);
        bytes_add(writer, text.data, text.bytes);
    }
}

void proto_write_text(struct proto_writer *writer, const char *text)
{
    proto_write_str(writer, proto_span_text(text));
}

void proto_write_bin(struct proto_writer *writer, struct proto_span bytes)
{
    if (size_fits(writer, bytes.bytes)) {
        msgpack_packer packer = packer_of(writer);
        (void)msgpack_pack_bin(&packer, bytes.bytes);
        bytes_add(writer, bytes.data, bytes.bytes);
    }
}

void proto_write_array(struct proto_writer *writer, size_t count)
{
    if (size_fits(writer, count)) {
        msgpack_packer packer = packer_of(writer);
        (void)msgpack_pack_array(&packer, count);
    }
}

void proto_write_map(struct proto_writer *writer, size_t pairs)
{
    if (size_fits(writer, pairs)) {
        msgpack_packer packer = packer_of(writer);
        (void)msgpack_pack_map(&packer, pairs);
    }
}

void proto_write_raw(struct proto_writer *writer, struct proto_span encoded)
{
    bytes_add(writer, encoded.data, encoded.bytes);
}

void proto_writer_frame_begin(struct proto_writer *writer)
{
    static const uint8_t blank[PROTO_HEADER_BYTES] = {0};
    assert(writer->failed || writer->frame_start == NO_FRAME);
    if (!writer->failed) {
        writer->frame_start = writer->bytes;
        bytes_add(writer, blank, sizeof(blank));
    }
}

void proto_writer_frame_end(struct proto_writer *writer, uint8_t code, uint16_t flags,
                            uint32_t request_id)
{
    if (writer->failed) {
        return;
    }
    assert(writer->frame_start != NO_FRAME);
    uint8_t *start = writer->data + writer->frame_start;
    struct proto_span payload = {start + PROTO_HEADER_BYTES,
                                 writer->bytes - writer->frame_start - PROTO_HEADER_BYTES};
    if (payload.bytes > PROTO_FRAME_BYTES_MAX) { /* a template may have been added past the limit */
        writer->failed = true;
        return;
    }
    struct proto_header header = {
        .payload_bytes = (uint32_t)payload.bytes,
        .version = PROTO_VERSION,
        .code = code,
        .flags = flags,
        .request_id = request_id,
        .checksum = (flags & PROTO_FLAG_CHECKSUM) != 0 ? proto_checksum(payload) : 0,
    };
    proto_header_encode(&header, start);
    writer->frame_start = NO_FRAME;
}

void proto_writer_frame_cancel(struct proto_writer *writer)
{
    if (writer->frame_start != NO_FRAME) {
        writer->bytes = writer->frame_start;
        writer->frame_start = NO_FRAME;
        writer->failed = writer->no_memory = false;
    }
}

void proto_write_fault(struct proto_writer *writer, const struct proto_fault *fault, uint16_t flags,
                       uint32_t request_id)
{
    unsigned code = (unsigned)fault->code;
    if (code == PROTO_OK || code >= CODE_LOCAL_FIRST) {
        code = PROTO_INTERNAL;
    }
    const struct proto_error_info *info = proto_error_find(code);
    size_t count = 0;
    const struct proto_field_info *fields = proto_fault_fields(&count);
    proto_writer_frame_begin(writer);
    proto_write_map(writer, fault->retry_after_ms > 0 ? count : count - 1);
    proto_write_text(writer, fields[PROTO_F_CODE].name);
    proto_write_uint(writer, (uint64_t)info->code);
    proto_write_text(writer, fields[PROTO_F_ERROR].name);
    proto_write_text(writer, info->name);
    proto_write_text(writer, fields[PROTO_F_MESSAGE].name);
    proto_write_text(writer, fault->message);
    proto_write_text(writer, fields[PROTO_F_FIELD].name);
    proto_write_text(writer, fault->field);
    proto_write_text(writer, fields[PROTO_F_RETRYABLE].name);
    proto_write_bool(writer, info->retryable);
    if (fault->retry_after_ms > 0) {
        proto_write_text(writer, fields[PROTO_F_RETRY_AFTER_MS].name);
        proto_write_uint(writer, fault->retry_after_ms);
    }
    proto_writer_frame_end(writer, (uint8_t)info->code, flags | PROTO_FLAG_REPLY, request_id);
}
