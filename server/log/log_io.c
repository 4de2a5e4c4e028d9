/* SPDX-License-Identifier: Apache-2.0 */
/* The system's calls behind the table, and the two loops that carry on after a signal or a short
 * result. A write that makes no progress at all is an error: it would not end. */
#include "server/log/log_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int system_open(void *context, int folder, const char *name, int flags)
{
    (void)context;
    return openat(folder, name, flags | O_CLOEXEC, 0600);
}

static int system_rename(void *context, int folder, const char *from, const char *to)
{
    (void)context;
    return renameat(folder, from, folder, to);
}

static int system_unlink(void *context, int folder, const char *name)
{
    (void)context;
    return unlinkat(folder, name, 0);
}

static ssize_t system_pread(void *context, int fd, void *bytes, size_t count, off_t at)
{
    (void)context;
    return pread(fd, bytes, count, at);
}

static ssize_t system_pwrite(void *context, int fd, const void *bytes, size_t count, off_t at)
{
    (void)context;
    return pwrite(fd, bytes, count, at);
}

static int system_ftruncate(void *context, int fd, off_t bytes)
{
    (void)context;
    return ftruncate(fd, bytes);
}

static int system_fallocate(void *context, int fd, off_t bytes)
{
    (void)context;
    return fallocate(fd, 0, 0, bytes);
}

static int system_fdatasync(void *context, int fd)
{
    (void)context;
    return fdatasync(fd);
}

static int system_fsync(void *context, int fd)
{
    (void)context;
    return fsync(fd);
}

const struct log_io *log_io_system(void)
{
    static const struct log_io system = {
        .open = system_open,
        .rename = system_rename,
        .unlink = system_unlink,
        .pread = system_pread,
        .pwrite = system_pwrite,
        .ftruncate = system_ftruncate,
        .fallocate = system_fallocate,
        .fdatasync = system_fdatasync,
        .fsync = system_fsync,
    };
    return &system;
}

bool log_io_write(const struct log_io *io, int fd, const void *bytes, size_t count, uint64_t at)
{
    const uint8_t *from = bytes;
    while (count > 0) {
        ssize_t done = io->pwrite(io->context, fd, from, count, (off_t)at);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            if (done == 0) {
                errno = EIO;
            }
            return false;
        }
        from += done;
        at += (uint64_t)done;
        count -= (size_t)done;
    }
    return true;
}

/* A signal is not a failed sync: what was to be written still is. Any other error is final. */
bool log_io_sync(const struct log_io *io, int fd)
{
    while (io->fdatasync(io->context, fd) != 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool log_io_sync_all(const struct log_io *io, int fd)
{
    while (io->fsync(io->context, fd) != 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool log_io_cut(const struct log_io *io, int fd, uint64_t bytes)
{
    while (io->ftruncate(io->context, fd, (off_t)bytes) != 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

ssize_t log_io_read(const struct log_io *io, int fd, void *bytes, size_t count, uint64_t at)
{
    uint8_t *to = bytes;
    size_t got = 0;
    while (got < count) {
        ssize_t done = io->pread(io->context, fd, to + got, count - got, (off_t)(at + got));
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -1;
        }
        if (done == 0) {
            break;
        }
        got += (size_t)done;
    }
    return (ssize_t)got;
}

bool log_fault(int code, const char *doing, struct proto_fault *fault)
{
    enum proto_error error = PROTO_IO;
    if (code == ENOSPC || code == EDQUOT || code == EFBIG) {
        error = PROTO_DISK_FULL;
    } else if (code == ENOMEM || code == EAGAIN) {
        error = PROTO_NO_MEMORY;
    }
    return proto_fault_set(fault, error, "", "%s: %s", doing, strerror(code));
}
