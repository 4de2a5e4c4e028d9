/* SPDX-License-Identifier: Apache-2.0 */
/* Records go through a hash and a zstd stream into a file that has no name yet but a passing one;
 * at the end come the foot, a sync, the name, and a sync of the directory. Whatever fails on the
 * way (no room, a write, a sync) is kept and told by every later call, and the file is removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>

#include "server/backup/backup_layout.h"

enum { LEVEL = 3 };
static const char part_name[] = "unfinished.part";

struct backup_writer {
    int folder;
    int fd;
    ZSTD_CCtx *zstd;
    XXH3_state_t *hash;
    uint8_t *room;
    size_t room_bytes;
    uint64_t written;
    struct backup_foot foot;
    struct proto_fault fault; /* the first; code PROTO_OK */
};

static bool failed(struct backup_writer *writer, struct proto_fault *fault)
{
    if (writer->fault.code == PROTO_OK) {
        return false;
    }
    *fault = writer->fault;
    return true;
}

static void fail(struct backup_writer *writer, const char *doing)
{
    if (writer->fault.code == PROTO_OK) {
        proto_fault_set(&writer->fault,
                        errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? PROTO_DISK_FULL
                                                                             : PROTO_IO,
                        "", "%s the backup: %s", doing, strerror(errno));
    }
}

static void bytes_write(struct backup_writer *writer, const uint8_t *data, size_t bytes)
{
    while (bytes > 0 && writer->fault.code == PROTO_OK) {
        ssize_t wrote = write(writer->fd, data, bytes);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            errno = wrote == 0 ? ENOSPC : errno;
            fail(writer, "cannot write");
            return;
        }
        data += wrote;
        bytes -= (size_t)wrote;
        writer->written += (uint64_t)wrote;
    }
}

static void stream(struct backup_writer *writer, const void *data, size_t bytes, bool last)
{
    ZSTD_inBuffer in = {data, bytes, 0};
    size_t left = 1;
    while (writer->fault.code == PROTO_OK && (last ? left > 0 : in.pos < in.size)) {
        ZSTD_outBuffer out = {writer->room, writer->room_bytes, 0};
        left = ZSTD_compressStream2(writer->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left)) {
            proto_fault_set(&writer->fault, PROTO_NO_MEMORY, "", "cannot compress: %s",
                            ZSTD_getErrorName(left));
            return;
        }
        bytes_write(writer, writer->room, out.pos);
    }
}

static void body(struct backup_writer *writer, const void *data, size_t bytes)
{
    XXH3_64bits_update(writer->hash, data, bytes);
    stream(writer, data, bytes, false);
}

static bool parts_make(struct backup_writer *writer)
{
    writer->room_bytes = ZSTD_CStreamOutSize();
    writer->room = malloc(writer->room_bytes);
    writer->zstd = ZSTD_createCCtx();
    writer->hash = XXH3_createState();
    return writer->room != NULL && writer->zstd != NULL && writer->hash != NULL &&
           XXH3_64bits_reset(writer->hash) == XXH_OK &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(writer->zstd, ZSTD_c_checksumFlag, 1));
}

struct backup_writer *backup_writer_open(int folder, const struct backup_head *head,
                                         struct proto_fault *fault)
{
    uint8_t bytes[BACKUP_HEAD_BYTES];
    struct backup_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a backup");
        return NULL;
    }
    writer->folder = folder;
    writer->fd = -1;
    if (!parts_make(writer)) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a backup");
        backup_writer_abort(writer);
        return NULL;
    }
    writer->fd = openat(folder, part_name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (writer->fd < 0) {
        fail(writer, "cannot begin");
    }
    backup_head_encode(head, bytes);
    bytes_write(writer, bytes, sizeof bytes);
    if (!failed(writer, fault)) {
        return writer;
    }
    backup_writer_abort(writer);
    return NULL;
}

bool backup_write_entry(struct backup_writer *writer, const struct store_entry *entry,
                        struct proto_fault *fault)
{
    uint8_t head[BACKUP_ENTRY_BYTES] = {BACKUP_RECORD_ENTRY, (uint8_t)entry->table};
    disk_set_u32(head + 4, (uint32_t)entry->value.bytes);
    disk_set_u64(head + 8, entry->key);
    body(writer, head, sizeof head);
    body(writer, entry->value.data, entry->value.bytes);
    writer->foot.entries++;
    return !failed(writer, fault);
}

bool backup_write_batch(struct backup_writer *writer, const struct store_logged *logged,
                        struct proto_fault *fault)
{
    uint8_t head[BACKUP_BATCH_BYTES] = {BACKUP_RECORD_BATCH};
    disk_set_u32(head + 4, (uint32_t)logged->text.bytes);
    disk_set_u64(head + 8, logged->seq);
    disk_set_u64(head + 16, (uint64_t)logged->time_ms);
    disk_set_u32(head + 24, logged->commands);
    body(writer, head, sizeof head);
    body(writer, logged->text.data, logged->text.bytes);
    writer->foot.batches++;
    writer->foot.seq = logged->seq;
    writer->foot.time_ms = logged->time_ms;
    writer->foot.link = store_log_link(logged);
    return !failed(writer, fault);
}

static void name_give(struct backup_writer *writer, const char *name)
{
    if (writer->fault.code == PROTO_OK && fsync(writer->fd) != 0) {
        fail(writer, "cannot sync");
    }
    if (writer->fault.code == PROTO_OK &&
        renameat(writer->folder, part_name, writer->folder, name) != 0) {
        fail(writer, "cannot name");
    }
    if (writer->fault.code == PROTO_OK && fsync(writer->folder) != 0) {
        fail(writer, "cannot sync the directory of");
    }
}

bool backup_writer_finish(struct backup_writer *writer, struct backup_foot *foot, const char *name,
                          uint64_t *file_bytes, struct proto_fault *fault)
{
    const uint8_t end[BACKUP_ENTRY_BYTES] = {BACKUP_RECORD_END};
    uint8_t bytes[BACKUP_FOOT_BYTES];
    if (writer->foot.batches > 0) {
        foot->seq = writer->foot.seq;
        foot->link = writer->foot.link;
        foot->time_ms = writer->foot.time_ms;
    }
    foot->entries = writer->foot.entries;
    foot->batches = writer->foot.batches;
    body(writer, end, sizeof end);
    stream(writer, NULL, 0, true);
    foot->digest = XXH3_64bits_digest(writer->hash);
    backup_foot_encode(foot, bytes);
    bytes_write(writer, bytes, sizeof bytes);
    name_give(writer, name);
    *file_bytes = writer->written;
    bool good = !failed(writer, fault);
    if (good) {
        close(writer->fd);
        writer->fd = -1;
    }
    backup_writer_abort(writer);
    return good;
}

void backup_writer_abort(struct backup_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    if (writer->fd >= 0) {
        close(writer->fd);
        unlinkat(writer->folder, part_name, 0);
    }
    ZSTD_freeCCtx(writer->zstd);
    XXH3_freeState(writer->hash);
    free(writer->room);
    free(writer);
}
