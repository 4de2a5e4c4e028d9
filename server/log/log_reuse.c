/* SPDX-License-Identifier: Apache-2.0 */
/* Segments that were dropped become the next ones: a file that has its blocks need not be filled
 * with zeros, which would write every byte of the log twice. What stands in it is of another seed
 * and passes for nothing.
 *
 * A file may be written to only when its old name is gone on disk, or a crash would find an old
 * segment with new bytes; and only if nobody reads it, for a reader keeps a dropped segment by
 * having it open. So it goes: off the list, renamed, folder synced, and only then offered to the
 * preparer. Where any of that cannot be had, or room on the disk is short, the file is removed as
 * ever. What is left under these names by a crash means nothing and is removed by the next start.
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

bool log_reuse_offer(struct log *log, const char *name)
{
    char used[LOG_NAME_BYTES];
    size_t place = 0;
    pthread_mutex_lock(&log->mutex);
    while (place < LOG_USED_MAX && log->used_there[place]) {
        place++;
    }
    pthread_mutex_unlock(&log->mutex);
    used_name(place, used);
    if (place == LOG_USED_MAX || !log_room_is_ample(log, log->folder) ||
        log->io->rename(log->io->context, log->folder, name, used) != 0) {
        return false;
    }
    if (!log_io_sync_all(log->io, log->folder)) {
        return false; /* it lies under the other name, not to be written to, and means nothing */
    }
    pthread_mutex_lock(&log->mutex);
    log->used_there[place] = true;
    pthread_mutex_unlock(&log->mutex);
    return true;
}

/* Gives up a name; the caller has the file under another, or wants it gone. */
static bool used_take(struct log *log, char used[LOG_NAME_BYTES])
{
    bool there = false;
    pthread_mutex_lock(&log->mutex);
    for (size_t place = 0; place < LOG_USED_MAX && !there; place++) {
        there = log->used_there[place];
        if (there) {
            log->used_there[place] = false;
            used_name(place, used);
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return there;
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

int log_reuse_take(struct log *log)
{
    char used[LOG_NAME_BYTES];
    const struct log_io *io = log->io;
    while (used_take(log, used)) {
        if (log_room_is_ample(log, log->folder) &&
            io->rename(io->context, log->folder, used, LOG_SPARE_NAME) == 0) {
            int fd = io->open(io->context, log->folder, LOG_SPARE_NAME, O_RDWR);
            if (fd >= 0 && used_stretch(log, fd)) {
                return fd;
            }
            if (fd >= 0) {
                close(fd);
            }
        } else {
            (void)io->unlink(io->context, log->folder, used);
        }
    }
    return -1;
}

void log_reuse_clear(struct log *log)
{
    char used[LOG_NAME_BYTES];
    while (used_take(log, used)) {
    }
    for (size_t place = 0; place < LOG_USED_MAX; place++) {
        used_name(place, used);
        (void)log->io->unlink(log->io->context, log->folder, used);
    }
}
