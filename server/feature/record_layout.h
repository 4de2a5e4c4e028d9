/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets of the record that record.h draws, for the two files that read and write it. */
#ifndef FEATURE_RECORD_LAYOUT_H
#define FEATURE_RECORD_LAYOUT_H

#include <assert.h>
#include <stdint.h>

#include "proto/table.h"

#define FEATURE_RECORD_MAGIC UINT32_C(0x31414349) /* "ICA1" read as a little-endian number */

/* Offsets of the header of 32 bytes. */
enum record_offset {
    AT_MAGIC = 0,
    AT_BYTES = 4,
    AT_CHECKSUM = 8,
    AT_CREATED = 16,
    AT_CHANGED = 20,
    AT_ID_BYTES = 24,
    AT_KEYS = 26,
    AT_SOURCES = 27,
    AT_VALUES = 28,
    AT_RESERVED = 30,
    AT_ID = 32,
};

/* Offsets of the head of a value. */
enum value_offset {
    AT_FIELD = 0,
    AT_TYPE = 2,
    AT_SOURCE = 3,
    AT_TIME = 4,
    AT_VALUE_BYTES = 12,
    AT_VALUE = 16,
};

static_assert(AT_CHECKSUM + 8 == AT_CREATED, "the checksum covers what follows it");
static_assert(AT_RESERVED + 2 == AT_ID && AT_VALUE_BYTES + 4 == AT_VALUE, "no gaps");
static_assert(PROTO_ID_BYTES_MAX <= UINT8_MAX && PROTO_KEYS_MAX <= UINT8_MAX &&
                  PROTO_SOURCES_MAX <= UINT8_MAX && PROTO_SOURCE_BYTES_MAX <= UINT8_MAX,
              "counts and lengths of one byte");
static_assert(PROTO_RECORD_BYTES_MAX <= UINT32_MAX, "lengths of four bytes");

#endif
