/* SPDX-License-Identifier: Apache-2.0 */
/* MessagePack that stands ready and is patched: markers of its formats, its big-endian bodies at
 * any alignment, and the keys of requests and replies as their bytes, made from field.def.
 *
 * For whoever knows the bytes of a message before it comes: a template with numbers patched in, a
 * request that is told by its first bytes. Everything else goes through reader.h and writer.h.
 * Ownership: the caller's bytes, 4 or 8 of them. Errors: none. Threads: pure. Cost: a swap and a
 * store. Source: https://github.com/msgpack/msgpack/blob/master/spec.md, section Formats. */
#ifndef PROTO_MARK_H
#define PROTO_MARK_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

/* Formats by their first byte; the size of the fixed ones is in their low bits. */
enum {
    PROTO_MARK_FIXMAP = 0x80,
    PROTO_MARK_FIXARRAY = 0x90,
    PROTO_MARK_FIXSTR = 0xa0,
    PROTO_MARK_NIL = 0xc0,
    PROTO_MARK_FALSE = 0xc2, /* true is the byte behind it */
    PROTO_MARK_F64 = 0xcb,
    PROTO_MARK_U32 = 0xce,
    PROTO_MARK_U64 = 0xcf,
    PROTO_MARK_I64 = 0xd3,
    PROTO_MARK_STR8 = 0xd9,
    PROTO_MARK_ARRAY16 = 0xdc,
    PROTO_MARK_MAP16 = 0xde,
};
#define PROTO_FIXINT_MAX 0x7f
#define PROTO_FIXSTR_BYTES_MAX 31
#define PROTO_FIX_COUNT_MAX 15 /* of a map or array */

static inline void proto_patch_u32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

static inline void proto_patch_u64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
}

static inline void proto_patch_f64(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    proto_patch_u64(at, bits);
}

/* The key of a request's field as it stands in the map: PROTO_KEY_SCORE_REASONS are the bytes
 * a7 "reasons". */
#define OP(OP)
#define A(OP, NAME, name, ...)
#define Q(OP, NAME, name, ...)                                                                     \
    static_assert(sizeof(name) - 1 <= PROTO_FIXSTR_BYTES_MAX, "a key is a fixstr");                \
    static const struct {                                                                          \
        uint8_t mark;                                                                              \
        char text[sizeof(name) - 1];                                                               \
    } PROTO_KEY_##OP##_##NAME = {(uint8_t)(PROTO_MARK_FIXSTR | (sizeof(name) - 1)), name};
#include "proto/field.def"
#undef Q
#undef A
#undef OP

/* Whether that key stands at `at`, where `left` bytes are there. */
#define PROTO_KEY_IS(at, left, key)                                                                \
    ((left) >= sizeof(PROTO_KEY_##key) &&                                                          \
     memcmp((at), &PROTO_KEY_##key, sizeof(PROTO_KEY_##key)) == 0)

#endif
