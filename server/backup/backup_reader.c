/* SPDX-License-Identifier: Apache-2.0 */
/* Head and foot are read first; then the body record by record through zstd, each length held
 * against its limit before room is made for it. The end is an end only if nothing follows, and
 * digest and counts are those of the foot. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "server/backup/backup_layout.h"

struct backup_reader {
    int fd;
    ZSTD_DCtx *zstd;
    XXH3_state_t *hash;
    uint8_t *room; /* compressed */
    size_t room_bytes;
    ZSTD_inBuffer in;
    bool ended;    /* the frame is whole */
    uint64_t left; /* of the file, before the foot, not yet read */
    uint8_t *value;
    size_t value_room;
    struct backup_foot foot;
    uint64_t entries, batches, seq;
    char name[64];
};

static bool damaged(const struct backup_reader *reader, const char *how, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_CORRUPT, "", "%s: %s", reader->name, how);
}

static bool ends_read(int fd, const char *name, struct backup_head *head, struct backup_foot *foot,
                      uint64_t *bytes, struct proto_fault *fault)
{
    uint8_t first[BACKUP_HEAD_BYTES];
    uint8_t last[BACKUP_FOOT_BYTES];
    struct stat file;
    struct proto_fault why = {.code = PROTO_OK};
    if (fstat(fd, &file) != 0) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", name, strerror(errno));
    }
    bool good =
        file.st_size > BACKUP_HEAD_BYTES + BACKUP_FOOT_BYTES &&
        pread(fd, first, sizeof first, 0) == (ssize_t)sizeof first &&
        pread(fd, last, sizeof last, file.st_size - BACKUP_FOOT_BYTES) == (ssize_t)sizeof last;
    if (!good) {
        proto_fault_set(&why, PROTO_CORRUPT, "", "it is too short to be a backup");
    }
    good = good && backup_head_decode(first, head, &why) && backup_foot_decode(last, foot, &why);
    if (!good) {
        return proto_fault_set(fault, why.code, "", "%s: %s", name, why.message);
    }
    *bytes = (uint64_t)file.st_size - BACKUP_HEAD_BYTES - BACKUP_FOOT_BYTES;
    return true;
}

static int file_open(int folder, const char *name, struct proto_fault *fault)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        proto_fault_set(fault, errno == ENOENT ? PROTO_NOT_FOUND : PROTO_IO, "", "%s: %s", name,
                        strerror(errno));
    }
    return fd;
}

bool backup_peek(int folder, const char *name, struct backup_head *head, struct backup_foot *foot,
                 struct proto_fault *fault)
{
    uint64_t bytes;
    int fd = file_open(folder, name, fault);
    if (fd < 0) {
        return false;
    }
    bool good = ends_read(fd, name, head, foot, &bytes, fault);
    close(fd);
    return good;
}

struct backup_reader *backup_reader_open(int folder, const char *name, struct proto_fault *fault)
{
    struct backup_head head;
    struct backup_reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL) {
        reader->fd = -1;
        reader->room_bytes = ZSTD_DStreamInSize();
        reader->room = malloc(reader->room_bytes);
        reader->zstd = ZSTD_createDCtx();
        reader->hash = XXH3_createState();
        snprintf(reader->name, sizeof reader->name, "%s", name);
    }
    if (reader == NULL || reader->room == NULL || reader->zstd == NULL || reader->hash == NULL ||
        XXH3_64bits_reset(reader->hash) != XXH_OK) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to read a backup");
        backup_reader_close(reader);
        return NULL;
    }
    reader->fd = file_open(folder, name, fault);
    if (reader->fd >= 0 &&
        ends_read(reader->fd, name, &head, &reader->foot, &reader->left, fault) &&
        lseek(reader->fd, BACKUP_HEAD_BYTES, SEEK_SET) == BACKUP_HEAD_BYTES) {
        return reader;
    }
    backup_reader_close(reader);
    return NULL;
}

void backup_reader_close(struct backup_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->fd >= 0) {
        close(reader->fd);
    }
    ZSTD_freeDCtx(reader->zstd);
    XXH3_freeState(reader->hash);
    free(reader->room);
    free(reader->value);
    free(reader);
}

static bool refill(struct backup_reader *reader, struct proto_fault *fault)
{
    size_t want = reader->left < reader->room_bytes ? (size_t)reader->left : reader->room_bytes;
    if (want == 0) {
        return damaged(reader, "it ends within a record", fault);
    }
    ssize_t got = read(reader->fd, reader->room, want);
    if (got < 0 && errno == EINTR) {
        return true; /* nothing came: asked again */
    }
    if (got <= 0) {
        return proto_fault_set(fault, PROTO_IO, "", "%s: %s", reader->name,
                               got == 0 ? "it became shorter" : strerror(errno));
    }
    reader->left -= (uint64_t)got;
    reader->in = (ZSTD_inBuffer){reader->room, (size_t)got, 0};
    return true;
}

static bool body(struct backup_reader *reader, uint8_t *to, size_t bytes, struct proto_fault *fault)
{
    ZSTD_outBuffer out = {to, bytes, 0};
    while (out.pos < out.size) {
        if (reader->ended) {
            return damaged(reader, "it ends within a record", fault);
        }
        size_t before = out.pos;
        size_t code = ZSTD_decompressStream(reader->zstd, &out, &reader->in);
        if (ZSTD_isError(code)) {
            return damaged(reader, ZSTD_getErrorName(code), fault);
        }
        reader->ended = code == 0;
        if (out.pos == before && !reader->ended && reader->in.pos == reader->in.size &&
            !refill(reader, fault)) {
            return false;
        }
    }
    XXH3_64bits_update(reader->hash, to, bytes);
    return true;
}

/* After the record of the end zstd still owes the end of its frame, and its own checksum. */
static bool end_check(struct backup_reader *reader, struct proto_fault *fault)
{
    uint8_t more;
    while (!reader->ended) {
        ZSTD_outBuffer out = {&more, 1, 0};
        size_t code = ZSTD_decompressStream(reader->zstd, &out, &reader->in);
        if (ZSTD_isError(code)) {
            return damaged(reader, ZSTD_getErrorName(code), fault);
        }
        if (out.pos > 0) {
            return damaged(reader, "something follows its end", fault);
        }
        reader->ended = code == 0;
        if (!reader->ended && reader->in.pos == reader->in.size && !refill(reader, fault)) {
            return false;
        }
    }
    if (reader->left > 0 || reader->in.pos < reader->in.size) {
        return damaged(reader, "something follows its end", fault);
    }
    const struct backup_foot *foot = &reader->foot;
    if (foot->digest != XXH3_64bits_digest(reader->hash) || foot->entries != reader->entries ||
        foot->batches != reader->batches || (reader->batches > 0 && foot->seq != reader->seq)) {
        return damaged(reader, "its contents are not those that it says", fault);
    }
    return true;
}

/* Room for the value, then the value. */
static bool value_read(struct backup_reader *reader, uint32_t bytes, struct proto_fault *fault)
{
    if (bytes > BACKUP_VALUE_BYTES_MAX) {
        return damaged(reader, "a record is longer than any can be", fault);
    }
    if (bytes > reader->value_room) {
        size_t room = (size_t)bytes * 2;
        uint8_t *value = realloc(reader->value, room);
        if (value == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a value");
        }
        reader->value = value;
        reader->value_room = room;
    }
    return body(reader, reader->value, bytes, fault);
}

static enum backup_got entry_read(struct backup_reader *reader, const uint8_t *head,
                                  struct backup_record *record, struct proto_fault *fault)
{
    uint32_t bytes = disk_get_u32(head + 4);
    if (head[1] >= DISK_TABLE_COUNT) {
        return damaged(reader, "it has a table that this program does not know", fault),
               BACKUP_GOT_FAULT;
    }
    if (!value_read(reader, bytes, fault)) {
        return BACKUP_GOT_FAULT;
    }
    reader->entries++;
    record->entry = (struct store_entry){
        (enum disk_table)head[1], disk_get_u64(head + 8), {reader->value, bytes}};
    return BACKUP_GOT_ENTRY;
}

static enum backup_got batch_read(struct backup_reader *reader, const uint8_t *head,
                                  struct backup_record *record, struct proto_fault *fault)
{
    uint8_t more[BACKUP_BATCH_BYTES - BACKUP_ENTRY_BYTES];
    uint32_t bytes = disk_get_u32(head + 4);
    if (!body(reader, more, sizeof more, fault) || !value_read(reader, bytes, fault)) {
        return BACKUP_GOT_FAULT;
    }
    reader->batches++;
    reader->seq = disk_get_u64(head + 8);
    record->logged = (struct store_logged){.seq = reader->seq,
                                           .time_ms = (int64_t)disk_get_u64(more),
                                           .commands = disk_get_u32(more + 8),
                                           .text = {reader->value, bytes}};
    return BACKUP_GOT_BATCH;
}

enum backup_got backup_reader_next(struct backup_reader *reader, struct backup_record *record,
                                   struct proto_fault *fault)
{
    uint8_t head[BACKUP_ENTRY_BYTES];
    if (!body(reader, head, sizeof head, fault)) {
        return BACKUP_GOT_FAULT;
    }
    switch (head[0]) {
    case BACKUP_RECORD_ENTRY:
        return entry_read(reader, head, record, fault);
    case BACKUP_RECORD_BATCH:
        return batch_read(reader, head, record, fault);
    case BACKUP_RECORD_END:
        return end_check(reader, fault) ? BACKUP_GOT_END : BACKUP_GOT_FAULT;
    default:
        damaged(reader, "it has a record of no known kind", fault);
        return BACKUP_GOT_FAULT;
    }
}
