/* SPDX-License-Identifier: Apache-2.0 */
/* Reading all that is kept, for a scrub: every segment from its header on, each entry checked and
 * linked, up to what the list says it holds. A segment that is damaged is told, and the next one is
 * read all the same; one that was trimmed meanwhile is passed over. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "server/log/log_parts.h"

struct verify {
    struct log *log;
    void (*on_bad)(void *context, const char *what);
    void *context;
    uint64_t bad;
    uint64_t next;  /* sequence behind the segment that was read last */
    uint64_t chain; /* of that segment; 0: not known */
};

/* A copy of the first segment from `first` on, and an open file of it. */
static bool next_open(struct log *log, uint64_t first, struct log_segment *segment, int *fd,
                      struct proto_fault *fault)
{
    char name[LOG_NAME_BYTES];
    bool found = false;
    pthread_mutex_lock(&log->mutex);
    for (size_t i = 0; i < log->count && !found; i++) {
        found = log->segments[i].first >= first;
        *segment = log->segments[i];
    }
    if (found) {
        log_segment_name(segment->first, name);
        *fd = log->io->open(log->io->context, log->folder, name, O_RDONLY);
        if (*fd < 0) {
            log_fault(errno, "opening a segment of the log", fault);
        } else {
            log->opened++;
        }
    }
    pthread_mutex_unlock(&log->mutex);
    return found;
}

static bool segment_verify(struct verify *verify, const struct log_segment *segment, int fd,
                           struct proto_fault *fault)
{
    struct log_page page;
    struct log_scan scan;
    struct log_window window;
    log_window_init(&window, verify->log->io, fd);
    if (segment->first != verify->next) {
        verify->chain = 0; /* those between were trimmed while the one before was read */
    }
    bool good = log_scan_page(&window, verify->log->options.identity, segment->first, &page, fault);
    if (good && verify->chain != 0 && page.chain != verify->chain) {
        good = proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "segment %020" PRIu64 ".seg does not follow the one before",
                               segment->first);
    }
    good = good && log_scan_all(&window, &page, segment->last, &scan, fault);
    if (good && scan.last < segment->last) {
        good = proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "entry %" PRIu64 " of the log, at byte %" PRIu64
                               " of segment %020" PRIu64 ".seg, is damaged",
                               scan.last + 1, scan.end, segment->first);
    }
    verify->chain = good ? scan.chain : 0;
    verify->next = segment->last + 1;
    log_window_fini(&window);
    return good;
}

uint64_t log_verify(struct log *log, void (*on_bad)(void *context, const char *what),
                    bool (*on_read)(void *context, uint64_t bytes), void *context,
                    struct proto_fault *fault)
{
    struct verify verify = {.log = log, .on_bad = on_bad, .context = context};
    struct log_segment segment = {0};
    int fd = -1;
    while (next_open(log, segment.first + 1, &segment, &fd, fault)) {
        struct proto_fault bad = {.code = PROTO_OK};
        bool good = fd >= 0 && segment_verify(&verify, &segment, fd, &bad);
        if (fd >= 0) {
            close(fd);
            log_let_go(log);
        } else {
            bad = *fault;
            verify.chain = 0;
        }
        if (!good && bad.code != PROTO_CORRUPT) {
            *fault = bad;
        }
        if (!good && bad.code == PROTO_NO_MEMORY) {
            break; /* says nothing of the log */
        }
        if (!good) {
            verify.bad++;
            on_bad(context, bad.message);
        }
        if (on_read != NULL && !on_read(context, segment.bytes)) {
            break;
        }
    }
    return verify.bad;
}
