/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a file carry a magic, a check of their own bytes, and nothing that is not used. */
#include "server/backup/backup_layout.h"

#include <string.h>

static const char head_magic[8] = {'I', 'C', 'P', 'D', 'B', 'A', 'K', '1'};
static const char foot_magic[8] = {'I', 'C', 'P', 'D', 'E', 'N', 'D', '1'};
enum { CHECKED_BYTES = 56 };

static_assert(BACKUP_HEAD_BYTES == CHECKED_BYTES + 8 && BACKUP_FOOT_BYTES == CHECKED_BYTES + 8,
              "the check is the last of the bytes");

void backup_head_encode(const struct backup_head *head, uint8_t bytes[BACKUP_HEAD_BYTES])
{
    memset(bytes, 0, BACKUP_HEAD_BYTES);
    memcpy(bytes, head_magic, sizeof head_magic);
    disk_set_u32(bytes + 8, (uint32_t)head->kind);
    disk_set_u64(bytes + 16, head->identity);
    disk_set_u64(bytes + 24, head->after);
    disk_set_u64(bytes + 32, head->after_link);
    disk_set_u64(bytes + 40, (uint64_t)head->made_ms);
    disk_set_u64(bytes + CHECKED_BYTES, XXH3_64bits(bytes, CHECKED_BYTES));
}

bool backup_head_decode(const uint8_t bytes[BACKUP_HEAD_BYTES], struct backup_head *head,
                        struct proto_fault *fault)
{
    uint32_t kind = disk_get_u32(bytes + 8);
    if (memcmp(bytes, head_magic, sizeof head_magic) != 0 ||
        disk_get_u64(bytes + CHECKED_BYTES) != XXH3_64bits(bytes, CHECKED_BYTES) ||
        (kind != BACKUP_BASE && kind != BACKUP_LOG)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "it does not begin as a backup of icpd");
    }
    *head = (struct backup_head){.kind = (enum backup_kind)kind,
                                 .identity = disk_get_u64(bytes + 16),
                                 .after = disk_get_u64(bytes + 24),
                                 .after_link = disk_get_u64(bytes + 32),
                                 .made_ms = (int64_t)disk_get_u64(bytes + 40)};
    return true;
}

void backup_foot_encode(const struct backup_foot *foot, uint8_t bytes[BACKUP_FOOT_BYTES])
{
    memcpy(bytes, foot_magic, sizeof foot_magic);
    disk_set_u64(bytes + 8, foot->seq);
    disk_set_u64(bytes + 16, foot->link);
    disk_set_u64(bytes + 24, (uint64_t)foot->time_ms);
    disk_set_u64(bytes + 32, foot->entries);
    disk_set_u64(bytes + 40, foot->batches);
    disk_set_u64(bytes + 48, foot->digest);
    disk_set_u64(bytes + CHECKED_BYTES, XXH3_64bits(bytes, CHECKED_BYTES));
}

bool backup_foot_decode(const uint8_t bytes[BACKUP_FOOT_BYTES], struct backup_foot *foot,
                        struct proto_fault *fault)
{
    if (memcmp(bytes, foot_magic, sizeof foot_magic) != 0 ||
        disk_get_u64(bytes + CHECKED_BYTES) != XXH3_64bits(bytes, CHECKED_BYTES)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "", "it is cut off or damaged at its end");
    }
    *foot = (struct backup_foot){.seq = disk_get_u64(bytes + 8),
                                 .link = disk_get_u64(bytes + 16),
                                 .time_ms = (int64_t)disk_get_u64(bytes + 24),
                                 .entries = disk_get_u64(bytes + 32),
                                 .batches = disk_get_u64(bytes + 40),
                                 .digest = disk_get_u64(bytes + 48)};
    return true;
}
