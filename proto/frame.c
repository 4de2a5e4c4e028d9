/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#include <endian.h>
#include <xxhash.h>

static void store_u16(uint8_t *at, uint16_t value)
{
    value = htole16(value);
    memcpy(at, &value, sizeof(value));
}

static void store_u32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof(value));
}

static uint16_t load_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof(value));
    return le16toh(value);
}

static uint32_t load_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

void proto_header_encode(const struct proto_header *header, uint8_t out[PROTO_HEADER_BYTES])
{
    store_u32(out, header->payload_bytes);
    out[4] = header->version;
    out[5] = header->code;
    store_u16(out + 6, header->flags);
    store_u32(out + 8, header->request_id);
    store_u32(out + 12, header->checksum);
}

void proto_header_decode(const uint8_t in[PROTO_HEADER_BYTES], struct proto_header *header)
{
    header->payload_bytes = load_u32(in);
    header->version = in[4];
    header->code = in[5];
    header->flags = load_u16(in + 6);
    header->request_id = load_u32(in + 8);
    header->checksum = load_u32(in + 12);
}

uint32_t proto_checksum(struct proto_span payload)
{
    return (uint32_t)XXH3_64bits(payload.data, payload.bytes);
}

/* Tells whether the flags and the checksum field make sense together; they are judged only in a
 * frame of our own version, since another may give them another meaning. */
static bool header_sound(const struct proto_header *header, bool is_reply,
                         struct proto_fault *fault)
{
    unsigned known = PROTO_FLAG_REPLY | PROTO_FLAG_CHECKSUM | PROTO_FLAG_MORE;
    unsigned flags = header->flags;
    if ((flags & ~known) != 0) {
        return proto_fault_set(fault, PROTO_BAD_FRAME, "flags",
                               "reserved flags 0x%04x are set; they must be 0", flags & ~known);
    }
    if (((flags & PROTO_FLAG_REPLY) != 0) != is_reply) {
        return proto_fault_set(fault, PROTO_BAD_FRAME, "flags",
                               is_reply ? "expected a reply (flag 1), found a request"
                                        : "expected a request, found a reply (flag 1)");
    }
    if (!is_reply && (flags & PROTO_FLAG_MORE) != 0) {
        return proto_fault_set(fault, PROTO_BAD_FRAME, "flags",
                               "a request is one frame; flag 4 is for replies alone");
    }
    if ((flags & PROTO_FLAG_CHECKSUM) == 0 && header->checksum != 0) {
        return proto_fault_set(fault, PROTO_BAD_FRAME, "checksum",
                               "the checksum must be 0 without flag 2");
    }
    return true;
}

enum proto_frame_state proto_frame_split(struct proto_span bytes, size_t payload_bytes_max,
                                         bool is_reply, struct proto_header *header,
                                         struct proto_span *payload, size_t *used,
                                         struct proto_fault *fault)
{
    *used = 0;
    if (bytes.bytes < PROTO_HEADER_BYTES) {
        return PROTO_FRAME_PARTIAL;
    }
    proto_header_decode(bytes.data, header);
    size_t limit = payload_bytes_max < PROTO_FRAME_BYTES_MAX ? payload_bytes_max
                                                             : (size_t)PROTO_FRAME_BYTES_MAX;
    if (header->payload_bytes > limit) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "",
                        "a payload of %u bytes is over the limit of %zu (frame_bytes_max)",
                        header->payload_bytes, limit);
        return PROTO_FRAME_REFUSED;
    }
    bool is_ours = header->version == PROTO_VERSION;
    if (is_ours && !header_sound(header, is_reply, fault)) {
        return PROTO_FRAME_REFUSED;
    }
    if (bytes.bytes - PROTO_HEADER_BYTES < header->payload_bytes) {
        return PROTO_FRAME_PARTIAL;
    }
    *used = PROTO_HEADER_BYTES + (size_t)header->payload_bytes;
    *payload = (struct proto_span){bytes.data + PROTO_HEADER_BYTES, header->payload_bytes};
    if (!is_ours) {
        proto_fault_set(fault, PROTO_BAD_VERSION, "version",
                        "protocol version %u is not spoken here; expected %d", header->version,
                        PROTO_VERSION);
        return PROTO_FRAME_SPOILT;
    }
    if ((header->flags & PROTO_FLAG_CHECKSUM) != 0 &&
        proto_checksum(*payload) != header->checksum) {
        proto_fault_set(fault, PROTO_BAD_CHECKSUM, "checksum",
                        "the payload's checksum is 0x%08x, the header says 0x%08x",
                        proto_checksum(*payload), header->checksum);
        return PROTO_FRAME_SPOILT;
    }
    return PROTO_FRAME_WHOLE;
}
