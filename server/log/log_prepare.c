/* SPDX-License-Identifier: Apache-2.0 */
/* The next segment is made before it is needed: a file of zeros, so that appending to it changes
 * nothing but its bytes. The zeros leave the page cache again: it holds what was written at once in
 * folios of hundreds of KiB, and would write a whole one for each append (437 bytes for each byte
 * of appends of 600, on ext4 of Linux 6.18; now pages of 4 KiB). A thread of the log's own does it,
 * one segment ahead of the appender, who waits where it is not done yet.
 *
 * Where a dropped segment is at hand it is used again instead: log_reuse.c. At a start the thread
 * waits a moment, unless the appender asks: 64 MiB of zeros take some 30 ms of a core, which is
 * better left to the first answers.
 *
 * A disk on which room is short is not filled with zeros: the last of it belongs to what is
 * appended, and to the tables. What fails here fails nothing: without room for all the zeros the
 * spare stays an empty file that grows with each append; without a thread, or without a file, the
 * turn makes one and has the fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "server/base/thread.h"
#include "server/log/log_parts.h"

/* -1 with errno. */
static int spare_make(struct log *log)
{
    const struct log_io *io = log->io;
    int fd = log_reuse_take(log);
    if (fd >= 0) {
        return fd;
    }
    do {
        fd = io->open(io->context, log->folder, LOG_SPARE_NAME, O_RDWR | O_CREAT | O_TRUNC);
    } while (fd < 0 && errno == EINTR);
    if (fd < 0 || (log_room_is_ample(log, fd) && log_zeros_write(log, fd, 0))) {
        return fd;
    }
    /* The room is better left to those who need it. */
    if (log_io_cut(io, fd, 0)) {
        return fd;
    }
    int code = errno;
    close(fd);
    errno = code;
    return -1;
}

enum { START_WAIT_MS = 300 };

/* Lets the start go first; the mutex is held. */
static void start_wait(struct log *log)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)START_WAIT_MS * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int code = 0;
    while (!log->stopping && !log->spare_urgent && code == 0) {
        code = pthread_cond_timedwait(&log->changed, &log->mutex, &until);
    }
}

static void *prepare_run(void *context)
{
    struct log *log = context;
    pthread_mutex_lock(&log->mutex);
    start_wait(log);
    while (!log->stopping) {
        if (!log->spare_wanted) {
            pthread_cond_wait(&log->changed, &log->mutex);
            continue;
        }
        pthread_mutex_unlock(&log->mutex);
        int fd = spare_make(log);
        pthread_mutex_lock(&log->mutex);
        log->spare = fd;
        log->spare_wanted = false;
        pthread_cond_broadcast(&log->changed);
    }
    pthread_mutex_unlock(&log->mutex);
    return NULL;
}

bool log_prepare_start(struct log *log, struct proto_fault *fault)
{
    log_reuse_clear(log);
    if (log->options.prepare_inline) {
        return true;
    }
    log->spare_wanted = true;
    int code = base_thread_start(&log->thread, prepare_run, log);
    log->thread_there = code == 0;
    return code == 0 || log_fault(code, "starting the thread of the log", fault);
}

void log_prepare_stop(struct log *log)
{
    if (log->thread_there) {
        pthread_mutex_lock(&log->mutex);
        log->stopping = true;
        pthread_cond_broadcast(&log->changed);
        pthread_mutex_unlock(&log->mutex);
        pthread_join(log->thread, NULL);
    }
    if (log->spare >= 0) {
        close(log->spare);
        (void)log->io->unlink(log->io->context, log->folder, LOG_SPARE_NAME);
    }
    log_reuse_clear(log);
}

void log_prepare_ask(struct log *log)
{
    pthread_mutex_lock(&log->mutex);
    log->spare_wanted = log->thread_there;
    pthread_cond_broadcast(&log->changed);
    pthread_mutex_unlock(&log->mutex);
}

int log_prepare_take(struct log *log, struct proto_fault *fault)
{
    int fd = -1;
    if (log->thread_there) {
        pthread_mutex_lock(&log->mutex);
        log->spare_urgent = true;
        pthread_cond_broadcast(&log->changed);
        while (log->spare_wanted) {
            pthread_cond_wait(&log->changed, &log->mutex);
        }
        fd = log->spare;
        log->spare = -1;
        pthread_mutex_unlock(&log->mutex);
    }
    if (fd < 0) {
        fd = spare_make(log);
        if (fd < 0) {
            log_fault(errno, "making a segment of the log", fault);
        }
    }
    return fd;
}
