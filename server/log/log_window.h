/* SPDX-License-Identifier: Apache-2.0 */
/* A moving window on a file, for readers that go through it once: a buffer that pread fills a
 * mebibyte at a time, more where one entry needs more.
 *
 * Ownership: the window owns its buffer and borrows descriptor and calls; what it returns is valid
 * until the next call. Errors: those of log_fault. Threads: one thread a window. Cost: the
 * copy out of the page cache. */
#ifndef LOG_LOG_WINDOW_H
#define LOG_LOG_WINDOW_H

#include "proto/fault.h"
#include "server/log/log_io.h"

#define LOG_WINDOW_BYTES ((size_t)1 << 20)

struct log_window {
    const struct log_io *io;
    int fd;
    uint8_t *data;
    size_t room;
    uint64_t at;  /* place in the file of data[0] */
    size_t bytes; /* of the file that data holds */
    bool begun;   /* something of the file was read */
};

void log_window_init(struct log_window *window, const struct log_io *io, int fd);
void log_window_fini(struct log_window *window);
/* Forgets what was read: the file has grown, or is another. */
void log_window_reset(struct log_window *window, int fd);
/* The bytes from `at` on, *got of them: at least `bytes` unless the file ends before. The caller
 * has bounded `bytes`. NULL with *fault. */
const uint8_t *log_window_get(struct log_window *window, uint64_t at, size_t bytes, size_t *got,
                              struct proto_fault *fault);

#endif
