/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what is left of a log that cannot be opened: segment by segment, each up to its first bad
 * entry, nothing changed on disk. What follows `after` without a gap is handed on; what was read
 * behind a gap cannot be applied without what is missing, and is told of. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "server/log/log_parts.h"

struct salvage {
    struct log *log;
    const struct log_salvage *request;
    struct log_salvaged *salvaged;
    uint64_t before; /* last entry of the segment before; 0: not known */
    uint64_t chain;
    uint64_t most; /* last entry that was read at all */
};

static bool entry_give(struct salvage *salvage, const struct log_head *head, const uint8_t *data,
                       struct proto_fault *fault)
{
    struct log_salvaged *salvaged = salvage->salvaged;
    const struct log_entry entry = {.sequence = head->sequence,
                                    .time_ms = head->time_ms,
                                    .commands = head->commands,
                                    .flags = head->flags,
                                    .payload = {data + LOG_HEAD_BYTES, head->payload_bytes}};
    salvage->most = head->sequence;
    if (head->sequence <= salvage->request->after) {
        return true;
    }
    bool follows = head->sequence == salvaged->last + 1;
    salvaged->last += follows;
    salvaged->beyond += !follows;
    return salvage->request->each(salvage->request->context, &entry, follows, fault);
}

/* Entries of a segment up to scan->last. */
static bool entries_give(struct salvage *salvage, struct log_window *window,
                         const struct log_page *page, const struct log_scan *scan,
                         struct proto_fault *fault)
{
    for (uint64_t at = LOG_PAGE_BYTES; at < scan->end;) {
        struct log_head head;
        const uint8_t *data;
        enum log_kind kind;
        if (!log_scan_one(window, page, at, &head, &data, &kind, fault)) {
            return false;
        }
        if (kind != LOG_KIND_ENTRY) {
            return true;
        }
        if (!entry_give(salvage, &head, data, fault)) {
            return false;
        }
        at += log_entry_bytes(head.payload_bytes);
    }
    return true;
}

static bool segment_read(struct salvage *salvage, size_t index, int fd, struct proto_fault *fault)
{
    struct log *log = salvage->log;
    const struct log_segment *segment = &log->segments[index];
    struct log_window window;
    struct log_page page;
    struct log_scan scan;
    struct proto_fault bad = {.code = PROTO_OK};
    log_window_init(&window, log->io, fd);
    bool good = log_scan_page(&window, log->options.identity, segment->first, &page, &bad);
    bool linked =
        good && (index == 0 || (page.first == salvage->before + 1 && page.chain == salvage->chain));
    bool whole = good && log_scan_all(&window, &page, UINT64_MAX, &scan, &bad);
    bool ended = whole && (scan.closed || index + 1 == log->count);
    if (!ended || !linked) {
        salvage->salvaged->damaged = true;
    }
    if (bad.code != PROTO_OK && bad.code != PROTO_CORRUPT) {
        *fault = bad; /* no memory, a read that failed: nothing is known to be lost */
        log_window_fini(&window);
        return false;
    }
    salvage->before = good ? scan.last : 0;
    salvage->chain = good ? scan.chain : 0;
    good = !good || entries_give(salvage, &window, &page, &scan, fault);
    log_window_fini(&window);
    return good;
}

static bool segments_read(struct salvage *salvage, struct proto_fault *fault)
{
    struct log *log = salvage->log;
    for (size_t i = 0; i < log->count; i++) {
        char name[LOG_NAME_BYTES];
        log_segment_name(log->segments[i].first, name);
        int fd = log->io->open(log->io->context, log->folder, name, O_RDONLY);
        if (fd < 0) {
            return log_fault(errno, "opening a segment of the log", fault);
        }
        bool good = segment_read(salvage, i, fd, fault);
        close(fd);
        if (!good) {
            return false;
        }
    }
    return true;
}

bool log_salvage(const struct log_options *options, const struct log_salvage *request,
                 struct log_salvaged *salvaged, struct proto_fault *fault)
{
    *salvaged = (struct log_salvaged){.last = request->after};
    struct log *log = log_create(options);
    if (log == NULL) {
        return log_fault(ENOMEM, "reading the log", fault);
    }
    struct salvage salvage = {.log = log, .request = request, .salvaged = salvaged};
    bool good = log_folder_read(log, fault);
    if (good) {
        log_witness_open(log);
        good = segments_read(&salvage, fault);
    }
    salvaged->acknowledged = log->witnessed;
    salvaged->damaged |= salvage.most < log->witnessed || salvage.most < request->after;
    log_free(log);
    return good;
}
