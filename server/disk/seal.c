/* SPDX-License-Identifier: Apache-2.0 */
#include "server/disk/seal.h"

const char *disk_table_name(enum disk_table table)
{
    static const char *const names[DISK_TABLE_COUNT] = {
#define X(NAME, name, help) name,
#include "server/disk/tables.def"
#undef X
    };
    return names[table];
}

uint64_t disk_seal(enum disk_table table, uint64_t key, const struct disk_sealed *sealed,
                   uint8_t *out)
{
    disk_set_u64(out + 8, (uint64_t)sealed->time_ms);
    disk_set_u32(out + 16, sealed->a);
    disk_set_u32(out + 20, sealed->b);
    disk_set_u32(out + 24, (uint32_t)sealed->text.bytes);
    disk_set_u32(out + 28, 0);
    if (sealed->text.bytes > 0) {
        memcpy(out + DISK_SEAL_BYTES, sealed->text.data, sealed->text.bytes);
    }
    uint64_t check = disk_check(table, key, out + 8, disk_seal_bytes(sealed) - 8);
    disk_set_u64(out, check);
    return check;
}

bool disk_unseal(enum disk_table table, uint64_t key, struct proto_span value,
                 struct disk_sealed *sealed, struct proto_fault *fault)
{
    /* The length is compared before anything is hashed: a damaged length must not lead past the
     * map. */
    if (value.bytes < DISK_SEAL_BYTES ||
        disk_get_u32(value.data + 24) != value.bytes - DISK_SEAL_BYTES ||
        disk_get_u64(value.data) != disk_check(table, key, value.data + 8, value.bytes - 8)) {
        return proto_fault_set(fault, PROTO_CORRUPT, disk_table_name(table),
                               "entry %llu of table %s does not match its checksum",
                               (unsigned long long)key, disk_table_name(table));
    }
    sealed->time_ms = (int64_t)disk_get_u64(value.data + 8);
    sealed->a = disk_get_u32(value.data + 16);
    sealed->b = disk_get_u32(value.data + 20);
    sealed->text = (struct proto_span){value.data + DISK_SEAL_BYTES, value.bytes - DISK_SEAL_BYTES};
    return true;
}
