/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers patched into replies that stand ready: MessagePack's markers, and its big-endian bodies
 * at any alignment. Ownership: the caller's bytes, 4 or 8 of them. Errors: none. Threads:
 * pure. Cost: a swap and a store. */
#ifndef RPC_PATCH_NUMBER_H
#define RPC_PATCH_NUMBER_H

#include <stdint.h>
#include <string.h>

/* Markers of the widths that replies are made ready with. */
enum {
    RPC_MARK_FALSE = 0xc2, /* true is the byte behind it */
    RPC_MARK_F64 = 0xcb,
    RPC_MARK_U32 = 0xce,
    RPC_MARK_U64 = 0xcf,
    RPC_MARK_I64 = 0xd3,
    RPC_MARK_STR1 = 0xa1,
    RPC_MARK_STR8 = 0xd9,
    RPC_MARK_ARRAY16 = 0xdc,
    RPC_MARK_MAP16 = 0xde,
};

static inline void rpc_patch_u32(uint8_t *at, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(at, &value, sizeof value);
}

static inline void rpc_patch_u64(uint8_t *at, uint64_t value)
{
    value = __builtin_bswap64(value);
    memcpy(at, &value, sizeof value);
}

static inline void rpc_patch_f64(uint8_t *at, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    rpc_patch_u64(at, bits);
}

#endif
