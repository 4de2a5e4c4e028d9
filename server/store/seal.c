/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/seal.h"

const char *store_table_name(enum store_table table)
{
    static const char *const names[STORE_TABLE_COUNT] = {
#define X(NAME, name, help) name,
#include "server/store/tables.def"
#undef X
    };
    return names[table];
}

uint64_t store_seal(enum store_table table, uint64_t key, const struct store_sealed *sealed,
                    uint8_t *out)
{
    store_set_u64(out + 8, (uint64_t)sealed->time_ms);
    store_set_u32(out + 16, sealed->a);
    store_set_u32(out + 20, sealed->b);
    store_set_u32(out + 24, (uint32_t)sealed->text.bytes);
    store_set_u32(out + 28, 0);
    if (sealed->text.bytes > 0)
        memcpy(out + STORE_SEAL_BYTES, sealed->text.data, sealed->text.bytes);
    uint64_t check = store_check(table, key, out + 8, store_seal_bytes(sealed) - 8);
    store_set_u64(out, check);
    return check;
}

bool store_unseal(enum store_table table, uint64_t key, struct proto_span value,
                  struct store_sealed *sealed, struct proto_fault *fault)
{
    /* The length is compared before anything is hashed: a damaged length must not lead past the
     * map. */
    if (value.bytes < STORE_SEAL_BYTES ||
        store_get_u32(value.data + 24) != value.bytes - STORE_SEAL_BYTES ||
        store_get_u64(value.data) != store_check(table, key, value.data + 8, value.bytes - 8))
        return proto_fault_set(fault, PROTO_CORRUPT, store_table_name(table),
                               "entry %llu of table %s does not match its checksum",
                               (unsigned long long)key, store_table_name(table));
    sealed->time_ms = (int64_t)store_get_u64(value.data + 8);
    sealed->a = store_get_u32(value.data + 16);
    sealed->b = store_get_u32(value.data + 20);
    sealed->text =
        (struct proto_span){value.data + STORE_SEAL_BYTES, value.bytes - STORE_SEAL_BYTES};
    return true;
}
