/* SPDX-License-Identifier: Apache-2.0 */
/* Zeros ahead of what will be appended: written and synced, so that an append moves no length, and
 * out of the page cache again, whose large folios an append would write whole. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "server/log/log_parts.h"

enum { ROOM_SEGMENTS = 4 }; /* free room, in segments, below which none is taken ahead */

bool log_room_is_ample(const struct log *log, int fd)
{
    struct statvfs disk;
    return fstatvfs(fd, &disk) == 0 &&
           disk.f_bavail * disk.f_frsize / ROOM_SEGMENTS >= log->options.segment_bytes;
}

bool log_zeros_write(const struct log *log, int fd, uint64_t from)
{
    uint64_t bytes = log->options.segment_bytes;
    uint8_t *zeros = calloc(1, LOG_WINDOW_BYTES);
    bool good = zeros != NULL;
    (void)log->io->fallocate(log->io->context, fd, (off_t)bytes); /* a help: one long extent */
    for (uint64_t at = from; good && at < bytes; at += LOG_WINDOW_BYTES) {
        size_t count = bytes - at < LOG_WINDOW_BYTES ? (size_t)(bytes - at) : LOG_WINDOW_BYTES;
        good = log_io_write(log->io, fd, zeros, count, at);
    }
    free(zeros);
    good = good && log_io_sync(log->io, fd);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return good;
}
