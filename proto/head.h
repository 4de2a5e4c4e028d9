/* SPDX-License-Identifier: Apache-2.0 */
/* The head of one MessagePack value: its kind, and its value (scalars) or its size (the rest). For
 * the folder's own use: reader.h is the interface. Shapes: `size` is the body in bytes (str, bin,
 * ext) or the number of elements (array) or pairs (map), as claimed and not yet checked against
 * what is there. Ownership: borrows. Threads: pure. Cost: about 1 ns. Source:
 * https://github.com/msgpack/msgpack/blob/master/spec.md, section Formats. */
#ifndef PROTO_HEAD_H
#define PROTO_HEAD_H

#include <endian.h>

#include "proto/reader.h"

struct proto_head {
    enum proto_kind kind;
    uint32_t size;
    unsigned bytes; /* of the head itself; more than are left: the value is cut */
    bool negative;  /* the integer is (int64_t)bits */
    union {
        uint64_t bits; /* integer; bool as 0 or 1; ext: the type as an unsigned byte */
        double number;
    };
};

static inline uint64_t proto_head_load(const uint8_t *at, unsigned width)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (width) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, sizeof(two));
        return be16toh(two);
    case 4:
        memcpy(&four, at, sizeof(four));
        return be32toh(four);
    default:
        memcpy(&eight, at, sizeof(eight));
        return be64toh(eight);
    }
}

/* Decodes the formats 0xc0 to 0xdf; see proto_head_read. */
bool proto_head_read_wide(const uint8_t *at, size_t left, struct proto_head *head);

/* Decodes the head at `at`, of which `left` bytes (1 or more) are there. False if the byte is 0xc1,
 * which no value begins with, or if the head is cut (head->bytes > left). */
static inline bool proto_head_read(const uint8_t *at, size_t left, struct proto_head *head)
{
    uint8_t tag = *at;
    head->bytes = 1;
    if (tag < 0x80) {
        head->kind = PROTO_KIND_INT;
        head->negative = false;
        head->bits = tag;
        return true;
    }
    if (tag < 0xc0) {
        bool is_str = tag >= 0xa0;
        head->kind = is_str ? PROTO_KIND_STR : tag >= 0x90 ? PROTO_KIND_ARRAY : PROTO_KIND_MAP;
        head->size = tag & (is_str ? 0x1fU : 0x0fU);
        return true;
    }
    if (tag >= 0xe0) {
        head->kind = PROTO_KIND_INT;
        head->negative = true;
        head->bits = (uint64_t)(int8_t)tag;
        return true;
    }
    if (tag == 0xcb && left > 8) { /* f64 and str 8: what most numbers and long texts are sent as */
        uint64_t bits = proto_head_load(at + 1, 8);
        head->kind = PROTO_KIND_FLOAT;
        head->bytes = 9;
        memcpy(&head->number, &bits, sizeof(head->number));
        return true;
    }
    if (tag == 0xd9 && left > 1) {
        head->kind = PROTO_KIND_STR;
        head->bytes = 2;
        head->size = at[1];
        return true;
    }
    return proto_head_read_wide(at, left, head);
}

/* The kind of the value that begins with this byte, which is all that tells it. */
enum proto_kind proto_head_kind(uint8_t tag);

/* The end of the value at `at`, all that is nested in it included. It must have been read whole
 * before (proto_read_any). */
const uint8_t *proto_skip(const uint8_t *at, const uint8_t *end);

/* Fails the reader for what stands at its place instead of `wanted`. Returns false. */
bool proto_reader_refuse(struct proto_reader *reader, const char *wanted);

#endif
