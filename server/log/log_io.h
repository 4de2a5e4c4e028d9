/* SPDX-License-Identifier: Apache-2.0 */
/* Every call by which the log touches its folder, so that a test can make each fail in turn.
 * Meaning, results and errno as in section 2 of the manual; names are within `folder`. Ownership:
 * none. Threads: safe from any thread (the log's own thread writes zeros while others append). */
#ifndef LOG_LOG_IO_H
#define LOG_LOG_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/fault.h"

struct log_io {
    void *context;
    int (*open)(void *context, int folder, const char *name, int flags);
    int (*rename)(void *context, int folder, const char *from, const char *to);
    int (*unlink)(void *context, int folder, const char *name);
    ssize_t (*pread)(void *context, int fd, void *bytes, size_t count, off_t at);
    ssize_t (*pwrite)(void *context, int fd, const void *bytes, size_t count, off_t at);
    int (*ftruncate)(void *context, int fd, off_t bytes);
    int (*fallocate)(void *context, int fd, off_t bytes);
    int (*fdatasync)(void *context, int fd);
    int (*fsync)(void *context, int fd);
};

/* The system's own. */
const struct log_io *log_io_system(void);

/* All of it, however often the calls are interrupted or short. False with errno. */
bool log_io_write(const struct log_io *io, int fd, const void *bytes, size_t count, uint64_t at);
bool log_io_sync(const struct log_io *io, int fd);     /* the bytes */
bool log_io_sync_all(const struct log_io *io, int fd); /* length and names too */
bool log_io_cut(const struct log_io *io, int fd, uint64_t bytes);
/* What errno says, as a fault; `doing` names the step. Returns false. */
bool log_fault(int code, const char *doing, struct proto_fault *fault);
/* As much as there is, up to count; -1 with errno. */
ssize_t log_io_read(const struct log_io *io, int fd, void *bytes, size_t count, uint64_t at);

#endif
