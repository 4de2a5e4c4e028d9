/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that were dropped become the next ones: a file that has its blocks need not be filled
 * with zeros, which would write every byte of the log twice. What stands in it is of another seed
 * and passes for nothing.
 *
 * A file may be written to only when its old name is gone on disk, or a crash would find an old
 * segment with new bytes; and only if nobody reads it, for a reader keeps a dropped segment by
 * having it open. So it goes: off the list, renamed, folder synced, and only then offered to the
 * preparer. Where any of that cannot be had, or room on the disk is short, the file is removed as
 * ever; those that are kept go too once room is short, or an append or a fold found none. A name is
 * one thread's while its file is on the way, so that a segment that comes never takes the place of
 * one that goes. What is left under these names by a crash means nothing and is removed by the next
 * start.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log/log_parts.h"

static void used_name(size_t place, char name[LOG_NAME_BYTES])
{
    snprintf(name, LOG_NAME_BYTES, "used%zu.tmp", place);
}

/* A name in one state, which is in another from then on; LOG_USED_MAX: there is none. */
static size_t used_move(struct log *log, enum log_used from, enum log_used to)
{
    size_t place = 0;
    pthread_mutex_lock(&log->mutex);
    while (place < LOG_USED_MAX && log->used_names[place] != from) {
        place++;
    }
    if (place < LOG_USED_MAX) {
        log->used_names[place] = to;
    }
    pthread_mutex_unlock(&log->mutex);
    return place;
}

static void used_set(struct log *log, size_t place, enum log_used state)
{
    pthread_mutex_lock(&log->mutex);
    log->used_names[place] = state;
    pthread_mutex_unlock(&log->mutex);
}

bool log_reuse_offer(struct log *log, const char *name)
{
    char used[LOG_NAME_BYTES];
    if (!log_room_is_ample(log, log->folder)) {
        (void)log_room_give(log);
        return false;
    }
    size_t place = used_move(log, LOG_USED_FREE, LOG_USED_COMING);
    if (place == LOG_USED_MAX) {
        return false;
    }
    used_name(place, used);
    bool renamed = log->io->rename(log->io->context, log->folder, name, used) == 0;
    bool good = renamed && log_io_sync_all(log->io, log->folder);
    if (renamed && !good) {
        (void)log->io->unlink(log->io->context, log->folder, used); /* it is not to be written to */
    }
    used_set(log, place, good ? LOG_USED_THERE : LOG_USED_FREE);
    return good;
}

bool log_room_give(struct log *log)
{
    char used[LOG_NAME_BYTES];
    size_t place;
    bool any = false;
    while ((place = used_move(log, LOG_USED_THERE, LOG_USED_GOING)) < LOG_USED_MAX) {
        used_name(place, used);
        any |= log->io->unlink(log->io->context, log->folder, used) == 0;
        used_set(log, place, LOG_USED_FREE);
    }
    return any;
}

void log_room_look(struct log *log)
{
    if (!log_room_is_ample(log, log->folder)) {
        (void)log_room_give(log);
    }
}

/* As long as a segment is before its first entry, and out of the page cache: see log_prepare.c. */
static bool used_stretch(const struct log *log, int fd)
{
    struct stat file;
    uint64_t bytes = log->options.segment_bytes;
    if (fstat(fd, &file) != 0 || (uint64_t)file.st_size > bytes ||
        (uint64_t)file.st_size < bytes / 2) {
        return false; /* of one large group, or of a start or a failure: not worth it */
    }
    return log_zeros_write(log, fd, (uint64_t)file.st_size);
}

/* Makes the spare of it; -1: it cannot be. */
static int used_open(struct log *log, const char *used)
{
    const struct log_io *io = log->io;
    if (!log_room_is_ample(log, log->folder) ||
        io->rename(io->context, log->folder, used, LOG_SPARE_NAME) != 0) {
        (void)io->unlink(io->context, log->folder, used);
        return -1;
    }
    int fd = io->open(io->context, log->folder, LOG_SPARE_NAME, O_RDWR);
    if (fd >= 0 && !used_stretch(log, fd)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int log_reuse_take(struct log *log)
{
    char used[LOG_NAME_BYTES];
    size_t place;
    int fd = -1;
    while (fd < 0 && (place = used_move(log, LOG_USED_THERE, LOG_USED_GOING)) < LOG_USED_MAX) {
        used_name(place, used);
        fd = used_open(log, used);
        used_set(log, place, LOG_USED_FREE);
    }
    return fd;
}

void log_reuse_clear(struct log *log)
{
    char used[LOG_NAME_BYTES];
    for (size_t place = 0; place < LOG_USED_MAX; place++) {
        used_name(place, used);
        (void)log->io->unlink(log->io->context, log->folder, used);
        used_set(log, place, LOG_USED_FREE);
    }
}
