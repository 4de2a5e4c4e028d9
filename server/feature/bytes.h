/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian numbers at any address, for stored layouts. Ownership: borrows the bytes given.
 * Errors: none; the caller has checked that the bytes are there. Threads: pure. Cost: one load or
 * store each: compilers see through the copies. Source: static_assert below ties us to
 * little-endian machines, which is all that icpd is built for. */
#ifndef FEATURE_BYTES_H
#define FEATURE_BYTES_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored layouts are little-endian");
static_assert(sizeof(double) == 8 && sizeof(float) == 4, "IEEE 754 numbers are assumed");

#define FEATURE_BYTES_ACCESS(NAME, TYPE)                                                           \
    static inline TYPE feature_get_##NAME(const uint8_t *at)                                       \
    {                                                                                              \
        TYPE value;                                                                                \
        memcpy(&value, at, sizeof value);                                                          \
        return value;                                                                              \
    }                                                                                              \
    static inline void feature_put_##NAME(uint8_t *at, TYPE value)                                 \
    {                                                                                              \
        memcpy(at, &value, sizeof value);                                                          \
    }

FEATURE_BYTES_ACCESS(u16, uint16_t)
FEATURE_BYTES_ACCESS(u32, uint32_t)
FEATURE_BYTES_ACCESS(u64, uint64_t)
FEATURE_BYTES_ACCESS(i64, int64_t)
FEATURE_BYTES_ACCESS(f32, float)
FEATURE_BYTES_ACCESS(f64, double)
#undef FEATURE_BYTES_ACCESS

#endif
