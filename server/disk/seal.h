/* SPDX-License-Identifier: Apache-2.0 */
/* Sealed values: a header of 32 bytes before the text of a log entry, a schema, an ICP or a switch.
 *
 *    0 u64 check, over the rest, the table and the key    8 i64 time, ms since 1970
 *   16 u32 a   20 u32 b   24 u32 text bytes   28 u32 reserved (0)   32 text
 *
 *   log      a = commands, b = 0             text = commands (command.h)
 *   schema   a = b = 0                       text = document
 *   icp      a = b = 0                       text = document
 *   tal      a = bytes of document, b = slots  text = document, then slots u32 in order of rank
 *   switch   a = version, b = version before text = reason
 *
 * Ownership: spans borrow. Errors: PROTO_CORRUPT. Threads: pure. Cost: one XXH3 of the value. */
#ifndef DISK_SEAL_H
#define DISK_SEAL_H

#include "server/disk/layout.h"

#define DISK_SEAL_BYTES 32

struct disk_sealed {
    int64_t time_ms;
    uint32_t a;
    uint32_t b;
    struct proto_span text;
};

static inline size_t disk_seal_bytes(const struct disk_sealed *sealed)
{
    return DISK_SEAL_BYTES + sealed->text.bytes;
}
/* Writes disk_seal_bytes; returns the check. */
uint64_t disk_seal(enum disk_table table, uint64_t key, const struct disk_sealed *sealed,
                   uint8_t *out);
bool disk_unseal(enum disk_table table, uint64_t key, struct proto_span value,
                 struct disk_sealed *sealed, struct proto_fault *fault);
const char *disk_table_name(enum disk_table table);

#endif
