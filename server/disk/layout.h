/* SPDX-License-Identifier: Apache-2.0 */
/* What every table of the disk format is made of: little-endian numbers, hashes, and the constants
 * of docs/disk-format.md. Shapes: all offsets in bytes. Ownership: nothing. Errors: none. Threads:
 * pure. Cost: a load, or a hash of the bytes given (XXH3: about 10 ns and 30 GB/s). Source: XXH3 of
 * xxHash. */
#ifndef DISK_LAYOUT_H
#define DISK_LAYOUT_H

#define XXH_INLINE_ALL /* short hashes of known length cost half of a call to the library */
#include <assert.h>
#include <xxhash.h>

#include "proto/fault.h"
#include "proto/span.h"
#include "server/base/hash.h"

/* Integer keys are compared by LMDB in the order of the machine. */
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the disk format is little-endian");
static_assert(sizeof(size_t) == 8, "integer keys are 8 bytes");

#define DISK_FORMAT_VERSION 2u
#define DISK_FORMAT_FIRST 1u /* the oldest that can be brought up to it */
#define DISK_PAGE_BYTES 4096u

/* The tables of tables.def, in order. */
enum disk_table {
#define X(NAME, name, help) DISK_TABLE_##NAME,
#include "server/disk/tables.def"
#undef X
    DISK_TABLE_COUNT
};

static inline uint16_t disk_get_u16(const uint8_t *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t disk_get_u32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t disk_get_u64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void disk_set_u16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void disk_set_u32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void disk_set_u64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

/* The check of a value: over its bytes, the table it is in and its key, so that a value found in
 * another place does not pass. The constant is odd, so that no two tables share a seed for one key.
 */
static inline uint64_t disk_check_seed(enum disk_table table, uint64_t key)
{
    return (key + 1) * UINT64_C(0x9E3779B97F4A7C15) + (uint64_t)table;
}

static inline uint64_t disk_check(enum disk_table table, uint64_t key, const uint8_t *bytes,
                                  size_t count)
{
    uint64_t seed = disk_check_seed(table, key);
    return count > BASE_HASH_SHORT ? base_hash(bytes, count, seed)
                                   : XXH3_64bits_withSeed(bytes, count, seed);
}

#endif
