/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/head.h"

#include <assert.h>

/* What follows the tags 0xc0 to 0xdf: the kind, and how many bytes of number stand behind the tag.
 */
struct wide_format {
    uint8_t kind;
    uint8_t width;
};

static const struct wide_format wide_formats[32] = {
    [0x00] = {PROTO_KIND_NIL, 0},  [0x01] = {PROTO_KIND_NONE, 0},  [0x02] = {PROTO_KIND_BOOL, 0},
    [0x03] = {PROTO_KIND_BOOL, 0}, [0x04] = {PROTO_KIND_BIN, 1},   [0x05] = {PROTO_KIND_BIN, 2},
    [0x06] = {PROTO_KIND_BIN, 4},  [0x07] = {PROTO_KIND_EXT, 1},   [0x08] = {PROTO_KIND_EXT, 2},
    [0x09] = {PROTO_KIND_EXT, 4},  [0x0a] = {PROTO_KIND_FLOAT, 4}, [0x0b] = {PROTO_KIND_FLOAT, 8},
    [0x0c] = {PROTO_KIND_INT, 1},  [0x0d] = {PROTO_KIND_INT, 2},   [0x0e] = {PROTO_KIND_INT, 4},
    [0x0f] = {PROTO_KIND_INT, 8},  [0x10] = {PROTO_KIND_INT, 1},   [0x11] = {PROTO_KIND_INT, 2},
    [0x12] = {PROTO_KIND_INT, 4},  [0x13] = {PROTO_KIND_INT, 8},   [0x14] = {PROTO_KIND_EXT, 0},
    [0x15] = {PROTO_KIND_EXT, 0},  [0x16] = {PROTO_KIND_EXT, 0},   [0x17] = {PROTO_KIND_EXT, 0},
    [0x18] = {PROTO_KIND_EXT, 0},  [0x19] = {PROTO_KIND_STR, 1},   [0x1a] = {PROTO_KIND_STR, 2},
    [0x1b] = {PROTO_KIND_STR, 4},  [0x1c] = {PROTO_KIND_ARRAY, 2}, [0x1d] = {PROTO_KIND_ARRAY, 4},
    [0x1e] = {PROTO_KIND_MAP, 2},  [0x1f] = {PROTO_KIND_MAP, 4},
};

enum proto_kind proto_head_kind(uint8_t tag)
{
    static const uint8_t by_half[16] = {
        [0x0] = PROTO_KIND_INT,   [0x1] = PROTO_KIND_INT, [0x2] = PROTO_KIND_INT,
        [0x3] = PROTO_KIND_INT,   [0x4] = PROTO_KIND_INT, [0x5] = PROTO_KIND_INT,
        [0x6] = PROTO_KIND_INT,   [0x7] = PROTO_KIND_INT, [0x8] = PROTO_KIND_MAP,
        [0x9] = PROTO_KIND_ARRAY, [0xa] = PROTO_KIND_STR, [0xb] = PROTO_KIND_STR,
        [0xe] = PROTO_KIND_INT,   [0xf] = PROTO_KIND_INT,
    };
    bool wide = (tag & 0xe0) == 0xc0;
    return (enum proto_kind)(wide ? wide_formats[tag & 0x1f].kind : by_half[tag >> 4]);
}

static double load_float(const uint8_t *at, unsigned width)
{
    uint64_t bits = proto_head_load(at, width);
    if (width == 4) {
        uint32_t low = (uint32_t)bits;
        float value;
        memcpy(&value, &low, sizeof(value));
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

/* An integer of the signed formats 0xd0 to 0xd3, widened to 64 bits. */
static uint64_t widen(uint64_t bits, unsigned width)
{
    assert(width >= 1 && width <= 8);
    unsigned shift = 64 - 8 * width;
    return (uint64_t)((int64_t)(bits << shift) >> shift);
}

bool proto_head_read_wide(const uint8_t *at, size_t left, struct proto_head *head)
{
    uint8_t tag = *at;
    struct wide_format format = wide_formats[tag & 0x1f];
    bool is_ext = format.kind == PROTO_KIND_EXT;
    head->kind = (enum proto_kind)format.kind;
    head->bytes = 1U + format.width + is_ext; /* the type of an ext is one byte more */
    if (format.kind == PROTO_KIND_NONE) {
        head->bytes = 1;
        return false;
    }
    if (head->bytes > left) {
        return false;
    }
    uint64_t bits = format.width > 0 ? proto_head_load(at + 1, format.width) : 0;
    switch (head->kind) {
    case PROTO_KIND_BOOL:
        head->bits = tag & 1;
        break;
    case PROTO_KIND_FLOAT:
        head->number = load_float(at + 1, format.width);
        break;
    case PROTO_KIND_INT:
        head->bits = tag >= 0xd0 ? widen(bits, format.width) : bits;
        head->negative = tag >= 0xd0 && (int64_t)head->bits < 0;
        break;
    case PROTO_KIND_EXT:
        head->size = tag >= 0xd4 ? 1U << (tag - 0xd4) : (uint32_t)bits; /* fixext 1, 2, 4, 8, 16 */
        head->bits = at[1 + format.width];
        break;
    default:
        head->size = (uint32_t)bits;
        break;
    }
    return true;
}

/* The end of the value at `at`, which is known to be well formed, without what is nested in it;
 * *nested grows by the number of values that are. */
static const uint8_t *head_skip(const uint8_t *at, const uint8_t *end, size_t *nested)
{
    uint8_t tag = *at;
    if (tag < 0x80 || tag >= 0xe0) {
        return at + 1;
    }
    if (tag >= 0xa0 && tag < 0xc0) {
        return at + 1 + (tag & 0x1f);
    }
    struct proto_head head = {.kind = PROTO_KIND_NIL};
    bool sound = proto_head_read(at, (size_t)(end - at), &head);
    assert(sound);
    at += head.bytes;
    if (head.kind == PROTO_KIND_STR || head.kind == PROTO_KIND_BIN) {
        return at + head.size;
    }
    *nested += head.kind == PROTO_KIND_ARRAY ? head.size
               : head.kind == PROTO_KIND_MAP ? 2 * (size_t)head.size
                                             : 0;
    return at;
}

const uint8_t *proto_skip(const uint8_t *at, const uint8_t *end)
{
    for (size_t pending = 1; pending > 0; pending--) {
        assert(at < end);
        at = head_skip(at, end, &pending);
    }
    assert(at <= end);
    return at;
}
