/* SPDX-License-Identifier: Apache-2.0 */
/* A turn: the active segment gets its end mark and its length, synced; the spare gets its header,
 * synced, then its name, and the folder is synced.
 *
 * Cut short by a crash, the last segment is closed with none behind it, or the next one is there
 * and empty; both are what an opening expects. A step that fails leaves the appender without an
 * active segment, or with one that must be closed first: each append begins there. A header under
 * its name without an entry is replaced by the next try, which takes the same name. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "server/log/log_parts.h"

static bool is_full(int code)
{
    return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

bool log_segment_close(const struct log *log, int fd, uint64_t seed, const struct log_scan *scan,
                       struct proto_fault *fault)
{
    struct log_head mark;
    uint64_t bytes = scan->end + LOG_HEAD_BYTES;
    log_end_seal(&mark, seed, scan->last, scan->chain);
    if (!log_io_write(log->io, fd, &mark, sizeof mark, scan->end)) {
        /* Without room for the mark the length must do: an opening then reads the whole segment. */
        if (!is_full(errno)) {
            return log_fault(errno, "closing a segment of the log", fault);
        }
        bytes = scan->end;
    }
    return (log_io_cut(log->io, fd, bytes) && log_io_sync_all(log->io, fd)) ||
           log_fault(errno, "closing a segment of the log", fault);
}

bool log_list_add(struct log *log, const struct log_segment *segment, struct proto_fault *fault)
{
    if (log->count > 0 && log->segments[log->count - 1].first == segment->first) {
        log->count--;
    }
    if (log->count == log->room) {
        size_t room = log->room * 2 + 16;
        struct log_segment *segments = realloc(log->segments, room * sizeof *segments);
        if (segments == NULL) {
            return log_fault(ENOMEM, "keeping the list of segments of the log", fault);
        }
        log->segments = segments;
        log->room = room;
    }
    log->segments[log->count++] = *segment;
    return true;
}

bool log_turn_close(struct log *log, struct proto_fault *fault)
{
    struct log_scan scan = {.end = log->used, .last = log_head(log), .chain = log->chain};
    log->cut = true; /* until it is closed, whatever of it failed */
    if (!log_segment_close(log, log->fd, log->seed, &scan, fault)) {
        return false;
    }
    close(log->fd);
    log->fd = -1;
    log->cut = false;
    return true;
}

static bool page_write(struct log *log, int fd, uint64_t seed)
{
    struct log_page page = {.seed = seed,
                            .identity = log->options.identity,
                            .first = log_head(log) + 1,
                            .chain = log->chain};
    log_page_seal(&page);
    return log_io_write(log->io, fd, &page, sizeof page, 0) && log_io_sync(log->io, fd);
}

/* From here on an opening finds it. */
static bool page_name(struct log *log)
{
    char name[LOG_NAME_BYTES];
    log_segment_name(log_head(log) + 1, name);
    while (log->io->rename(log->io->context, log->folder, LOG_SPARE_NAME, name) != 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return log_io_sync_all(log->io, log->folder);
}

bool log_turn_begin(struct log *log, struct proto_fault *fault)
{
    uint64_t seed = 0;
    struct log_segment segment = {
        .first = log_head(log) + 1, .last = log_head(log), .bytes = LOG_PAGE_BYTES};
    if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
        return log_fault(errno, "drawing a seed for the log", fault);
    }
    int fd = log_prepare_take(log, fault);
    if (fd < 0) {
        return false;
    }
    bool good = (page_write(log, fd, seed) && page_name(log)) ||
                log_fault(errno, "beginning a segment of the log", fault);
    if (good) {
        pthread_mutex_lock(&log->mutex);
        good = log_list_add(log, &segment, fault);
        pthread_mutex_unlock(&log->mutex);
    }
    if (!good) {
        close(fd);
        return false;
    }
    log->fd = fd;
    log->seed = seed;
    log->used = LOG_PAGE_BYTES;
    log_prepare_ask(log);
    return true;
}
