/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: the names in the folder give the segments in order; each one's header and end mark must
 * continue the one before. The last may lack its end mark: it is read entry by entry, what a crash
 * left behind the last good one is cut off, and it is closed. So an opened log has closed segments
 * alone, and the first group begins a new one.
 *
 * What does not fit is refused, and nothing on disk was changed by then. A last segment without an
 * entry is left lying: the next one takes its name. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/log/log_parts.h"

/* A folder that is made must itself be in its folder after a crash. */
static bool folder_open(struct log *log, struct proto_fault *fault)
{
    const char *path = log->options.path;
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST) {
        return log_fault(errno, "making the folder of the log", fault);
    }
    log->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->folder < 0) {
        return log_fault(errno, "opening the folder of the log", fault);
    }
    if (!made) {
        return true;
    }
    int above = openat(log->folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good = (above >= 0 && log_io_sync_all(log->io, above)) ||
                log_fault(errno, "syncing the folder of the log", fault);
    if (above >= 0) {
        close(above);
    }
    return good;
}

/* The first sequence that a name speaks of; 0: it is not a segment's. */
static uint64_t name_read(const char *name)
{
    char again[LOG_NAME_BYTES];
    uint64_t first = strtoull(name, NULL, 10);
    log_segment_name(first, again);
    return strcmp(name, again) == 0 ? first : 0;
}

static int segment_order(const void *a, const void *b)
{
    const struct log_segment *left = a;
    const struct log_segment *right = b;
    return left->first < right->first ? -1 : left->first > right->first;
}

bool log_there(const char *path)
{
    bool found = false;
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return false;
    }
    for (const struct dirent *item = readdir(folder); item != NULL && !found;
         item = readdir(folder)) {
        found = name_read(item->d_name) != 0;
    }
    closedir(folder);
    return found;
}

static bool names_read(struct log *log, struct proto_fault *fault)
{
    DIR *folder = opendir(log->options.path);
    bool good = folder != NULL;
    if (!good) {
        return log_fault(errno, "reading the folder of the log", fault);
    }
    for (;;) {
        errno = 0;
        const struct dirent *item = readdir(folder);
        if (item == NULL) {
            break;
        }
        uint64_t first = name_read(item->d_name);
        if (first == 0) {
            continue;
        }
        struct log_segment segment = {.first = first, .last = first - 1};
        good = log_list_add(log, &segment, fault);
        if (!good) {
            break;
        }
    }
    if (good && errno != 0) {
        good = log_fault(errno, "reading the folder of the log", fault);
    }
    closedir(folder);
    if (good && log->count > 0) {
        qsort(log->segments, log->count, sizeof *log->segments, segment_order);
    }
    return good;
}

/* The last group that was found may be in the cache alone, if a process left after its sync had
 * failed: written again it is either on disk, or the sync says so. */
static bool group_again(const struct log *log, struct log_window *window,
                        const struct log_scan *scan, struct proto_fault *fault)
{
    for (uint64_t at = scan->group_at; at < scan->end;) {
        size_t got;
        size_t want =
            scan->end - at < LOG_WINDOW_BYTES ? (size_t)(scan->end - at) : LOG_WINDOW_BYTES;
        const uint8_t *bytes = log_window_get(window, at, want, &got, fault);
        if (bytes == NULL) {
            return false;
        }
        if (got < want) {
            return log_fault(EIO, "reading the log again", fault);
        }
        if (!log_io_write(log->io, window->fd, bytes, want, at)) {
            return log_fault(errno, "writing the last group of the log again", fault);
        }
        at += want;
    }
    return true;
}

/* Finds the end of a segment; of the last one, mends it. */
static bool segment_examine(struct log *log, struct log_window *window, struct log_segment *segment,
                            bool is_last, struct proto_fault *fault)
{
    struct log_page page;
    struct log_scan scan;
    struct stat file;
    if (fstat(window->fd, &file) != 0) {
        return log_fault(errno, "examining a segment of the log", fault);
    }
    uint64_t bytes = (uint64_t)file.st_size;
    if (!log_scan_page(window, log->options.identity, segment->first, &page, fault)) {
        return false;
    }
    if (segment != log->segments &&
        (page.chain != log->chain || page.first != (segment - 1)->last + 1)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "entry %" PRIu64 " of the log is not followed by what is there: "
                               "segment %020" PRIu64 ".seg begins with entry %" PRIu64,
                               (segment - 1)->last, page.first, page.first);
    }
    /* What cannot be read there is read again, with its fault. */
    struct proto_fault ignored;
    bool closed = log_scan_end(window, &page, bytes, &scan, &ignored);
    if (!closed && !log_scan_all(window, &page, UINT64_MAX, &scan, fault)) {
        return false;
    }
    segment->last = scan.last;
    segment->bytes = scan.end;
    log->chain = scan.chain;
    if (closed || !is_last) {
        return true;
    }
    if (!log_witness_agrees(log, scan.last, scan.chain, fault)) {
        return false;
    }
    log->stats.cut_bytes = bytes > scan.end && !scan.closed ? bytes - scan.end : 0;
    return group_again(log, window, &scan, fault) &&
           log_segment_close(log, window->fd, page.seed, &scan, fault);
}

static bool segment_open(struct log *log, struct log_segment *segment, struct proto_fault *fault)
{
    struct log_window window;
    char name[LOG_NAME_BYTES];
    log_segment_name(segment->first, name);
    int fd = log->io->open(log->io->context, log->folder, name, O_RDWR);
    if (fd < 0) {
        return log_fault(errno, "opening a segment of the log", fault);
    }
    log_window_init(&window, log->io, fd);
    bool is_last = segment == &log->segments[log->count - 1];
    bool good = segment_examine(log, &window, segment, is_last, fault);
    log_window_fini(&window);
    close(fd);
    return good;
}

static bool segments_open(struct log *log, struct proto_fault *fault)
{
    uint64_t head = log->options.first - 1;
    for (size_t i = 0; i < log->count; i++) {
        if (!segment_open(log, &log->segments[i], fault)) {
            return false;
        }
        head = log->segments[i].last;
    }
    if (log->count > 0 &&
        log->segments[log->count - 1].last < log->segments[log->count - 1].first) {
        log->count--;
    }
    if (!log_witness_agrees(log, head, log->chain, fault)) {
        return false;
    }
    if (head < log->options.head_min) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "the log ends with entry %" PRIu64
                               ", but the tables hold what entry "
                               "%" PRIu64 " did",
                               head, log->options.head_min);
    }
    atomic_store(&log->head, head);
    atomic_store(&log->floor, log->count > 0 ? log->segments[0].first : head + 1);
    return true;
}

struct log *log_create(const struct log_options *options)
{
    struct log *log = calloc(1, sizeof *log);
    if (log == NULL) {
        return NULL;
    }
    log->options = *options;
    if (log->options.segment_bytes == 0) {
        log->options.segment_bytes = LOG_SEGMENT_BYTES;
    }
    if (log->options.first == 0) {
        log->options.first = 1;
    }
    log->io = options->io != NULL ? options->io : log_io_system();
    log->folder = log->fd = log->spare = log->witness = -1;
    log->buffer = malloc(LOG_WINDOW_BYTES);
    if (log->buffer == NULL) {
        free(log);
        return NULL;
    }
    pthread_mutex_init(&log->mutex, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&log->changed, &clock);
    pthread_condattr_destroy(&clock);
    return log;
}

void log_free(struct log *log)
{
    log_witness_close(log);
    if (log->fd >= 0) {
        close(log->fd);
    }
    if (log->folder >= 0) {
        close(log->folder);
    }
    pthread_cond_destroy(&log->changed);
    pthread_mutex_destroy(&log->mutex);
    free(log->segments);
    free(log->buffer);
    free(log);
}

bool log_folder_read(struct log *log, struct proto_fault *fault)
{
    return folder_open(log, fault) && names_read(log, fault);
}

struct log *log_open(const struct log_options *options, struct proto_fault *fault)
{
    struct log *log = log_create(options);
    if (log == NULL) {
        log_fault(ENOMEM, "opening the log", fault);
        return NULL;
    }
    bool good = log_folder_read(log, fault);
    if (good) {
        log_witness_open(log);
        good = segments_open(log, fault) && log_prepare_start(log, fault);
    }
    if (!good) {
        log_free(log);
        return NULL;
    }
    return log;
}

void log_close(struct log *log)
{
    struct proto_fault ignored;
    if (log == NULL) {
        return;
    }
    if (log->fd >= 0) {
        (void)log_turn_close(log, &ignored); /* the next opening does it, if this fails */
    }
    log_prepare_stop(log);
    log_free(log);
}
