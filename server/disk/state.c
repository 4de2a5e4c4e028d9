/* SPDX-License-Identifier: Apache-2.0 */
#include "server/disk/state.h"

enum { SUM_BYTES = 16, FORMAT_MAGIC = 0x31534349 };
enum { SUMS_AT = DISK_STATE_SUMS_AT, SUMS_END = SUMS_AT + SUM_BYTES * DISK_STATE_SUMS_MAX };

static_assert(DISK_TABLE_COUNT <= DISK_STATE_SUMS_MAX,
              "the sums of all tables have room: a state with more of them is longer");
#define X(offset, bits, name, meaning)                                                             \
    static_assert((offset) >= 8 &&                                                                 \
                      ((offset) + (bits) / 8 <= SUMS_AT ||                                         \
                       ((offset) >= SUMS_END && (offset) + (bits) / 8 <= DISK_STATE_BYTES)) &&     \
                      (offset) % ((bits) / 8) == 0,                                                \
                  "state." #name " lies in its place");
#include "server/disk/state.def"
#undef X

void disk_state_encode(const struct disk_state *state, uint8_t bytes[DISK_STATE_BYTES])
{
    memset(bytes, 0, DISK_STATE_BYTES);
#define X(offset, bits, name, meaning) disk_set_u##bits(bytes + (offset), state->name);
#include "server/disk/state.def"
#undef X
    for (size_t i = 0; i < DISK_TABLE_COUNT; i++) {
        disk_set_u64(bytes + SUMS_AT + i * SUM_BYTES, state->sums[i].count);
        disk_set_u64(bytes + SUMS_AT + i * SUM_BYTES + 8, state->sums[i].digest);
    }
    disk_set_u64(bytes,
                 disk_check(DISK_TABLE_META, DISK_STATE_KEY, bytes + 8, DISK_STATE_BYTES - 8));
}

/* Of tables that the writer of a shorter state did not know there is nothing. */
static void sums_read(struct proto_span bytes, struct disk_state *state)
{
    size_t end = bytes.bytes < SUMS_END ? bytes.bytes : SUMS_END;
    for (size_t i = 0; i < DISK_TABLE_COUNT; i++) {
        bool known = SUMS_AT + (i + 1) * SUM_BYTES <= end;
        const uint8_t *sum = bytes.data + SUMS_AT + i * SUM_BYTES;
        state->sums[i].count = known ? disk_get_u64(sum) : 0;
        state->sums[i].digest = known ? disk_get_u64(sum + 8) : 0;
    }
}

/* Whether it has sums of tables that this build has not. */
static bool sums_beyond(struct proto_span bytes)
{
    uint8_t any = 0;
    for (size_t i = SUMS_AT + SUM_BYTES * DISK_TABLE_COUNT; i < bytes.bytes && i < SUMS_END; i++) {
        any |= bytes.data[i];
    }
    return any != 0;
}

bool disk_state_decode(struct proto_span bytes, uint64_t txn, struct disk_state *state,
                       struct proto_fault *fault)
{
    bool longer = bytes.bytes > DISK_STATE_BYTES && bytes.bytes <= DISK_PAGE_BYTES;
    bool unhistoried =
        bytes.bytes == DISK_STATE_BYTES_FIRST || bytes.bytes == DISK_STATE_BYTES_SECOND;
    bool shorter = unhistoried || bytes.bytes == DISK_STATE_BYTES_THIRD ||
                   bytes.bytes == DISK_STATE_BYTES_FOURTH;
    if ((bytes.bytes != DISK_STATE_BYTES && !shorter && !longer) ||
        disk_get_u64(bytes.data) !=
            disk_check(DISK_TABLE_META, DISK_STATE_KEY, bytes.data + 8, bytes.bytes - 8)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta",
                               "the state of the store does not match its checksum");
    }
#define X(offset, bits, name, meaning)                                                             \
    state->name =                                                                                  \
        (offset) + (bits) / 8 <= bytes.bytes ? disk_get_u##bits(bytes.data + (offset)) : 0;
#include "server/disk/state.def"
#undef X
    sums_read(bytes, state);
    if (unhistoried) {
        state->history_seq = state->seq;
    }
    if (longer || sums_beyond(bytes)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta",
                               "the store holds tables that this program does not know: a newer "
                               "one wrote it");
    }
    /* An older state under a newer root: a flipped bit in a meta page or a page number. */
    if (state->txn != txn) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta",
                               "the state of the store is of transaction %llu, the file of %llu",
                               (unsigned long long)state->txn, (unsigned long long)txn);
    }
    return true;
}

void disk_format_encode(const struct disk_format *format, uint8_t bytes[DISK_FORMAT_BYTES])
{
    memset(bytes, 0, DISK_FORMAT_BYTES);
    disk_set_u32(bytes + 8, FORMAT_MAGIC);
    disk_set_u32(bytes + 12, format->version);
    disk_set_u64(bytes + 16, format->seeds[0]);
    disk_set_u64(bytes + 24, format->seeds[1]);
    disk_set_u64(bytes + 32, (uint64_t)format->created_ms);
    disk_set_u64(bytes,
                 disk_check(DISK_TABLE_META, DISK_FORMAT_KEY, bytes + 8, DISK_FORMAT_BYTES - 8));
}

bool disk_format_decode(struct proto_span bytes, struct disk_format *format,
                        struct proto_fault *fault)
{
    if (bytes.bytes != DISK_FORMAT_BYTES || disk_get_u32(bytes.data + 8) != FORMAT_MAGIC ||
        disk_get_u64(bytes.data) !=
            disk_check(DISK_TABLE_META, DISK_FORMAT_KEY, bytes.data + 8, DISK_FORMAT_BYTES - 8)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta",
                               "this is not the format record of a store, or it is damaged");
    }
    uint32_t version = disk_get_u32(bytes.data + 12);
    if (version < DISK_FORMAT_FIRST || version > DISK_FORMAT_VERSION) {
        return proto_fault_set(fault, PROTO_CORRUPT, "meta",
                               "the store has format version %u, this program reads up to %u; "
                               "%s",
                               version, DISK_FORMAT_VERSION,
                               version > DISK_FORMAT_VERSION ? "it was written by a newer one"
                                                             : "it was written by an older one");
    }
    format->version = version;
    format->seeds[0] = disk_get_u64(bytes.data + 16);
    format->seeds[1] = disk_get_u64(bytes.data + 24);
    format->created_ms = (int64_t)disk_get_u64(bytes.data + 32);
    return true;
}
