/* SPDX-License-Identifier: Apache-2.0 */
/* A reader follows the segments by itself: it looks into the list only where the segment at hand
 * has no more entries that were durable when it last looked, and reads nothing behind the head.
 *
 * A segment is opened while the list is locked, so that trimming cannot take it away in between;
 * once open it can be read to its end whatever becomes of its name. A bad entry below the head is
 * damage: it was good when it was acknowledged. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/log/log_parts.h"

struct log_reader {
    struct log *log;
    struct log_window window; /* fd -1: no segment yet */
    struct log_page page;
    uint64_t after; /* the next entry to give is the one after this */
    uint64_t upto;  /* last entry that the segment at hand is known to hold */
    uint64_t at;    /* place of the entry behind `passed` */
    uint64_t passed;
    uint64_t chain;
};

struct log_reader *log_reader_open(struct log *log, uint64_t after, struct proto_fault *fault)
{
    struct log_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        log_fault(ENOMEM, "reading the log", fault);
        return NULL;
    }
    reader->log = log;
    reader->after = after;
    log_window_init(&reader->window, log->io, -1);
    return reader;
}

void log_reader_close(struct log_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->window.fd >= 0) {
        close(reader->window.fd);
        log_let_go(reader->log);
    }
    log_window_fini(&reader->window);
    free(reader);
}

/* The segment with the entry after `after`, with the list locked. NULL: trimmed away. */
static const struct log_segment *segment_find(const struct log *log, uint64_t after)
{
    for (size_t i = log->count; i > 0; i--) {
        const struct log_segment *segment = &log->segments[i - 1];
        if (segment->first <= after + 1) {
            return segment->last > after ? segment : NULL;
        }
    }
    return NULL;
}

/* Opens the segment that goes on, unless it is the one at hand. */
static bool reader_place(struct log_reader *reader, const struct log_segment *segment,
                         struct proto_fault *fault)
{
    char name[LOG_NAME_BYTES];
    struct log *log = reader->log;
    reader->upto = segment->last;
    if (reader->window.fd >= 0 && reader->page.first == segment->first) {
        log_window_reset(&reader->window, reader->window.fd);
        return true;
    }
    log_segment_name(segment->first, name);
    int fd = log->io->open(log->io->context, log->folder, name, O_RDONLY);
    if (fd < 0) {
        return log_fault(errno, "opening a segment of the log", fault);
    }
    if (reader->window.fd >= 0) {
        close(reader->window.fd);
    } else {
        log->opened++;
    }
    log_window_reset(&reader->window, fd);
    reader->page.first = 0;
    return true;
}

static bool reader_turn(struct log_reader *reader, struct proto_fault *fault)
{
    struct log *log = reader->log;
    pthread_mutex_lock(&log->mutex);
    const struct log_segment *segment = segment_find(log, reader->after);
    uint64_t first = segment != NULL ? segment->first : 0;
    bool good = segment != NULL && reader_place(reader, segment, fault);
    pthread_mutex_unlock(&log->mutex);
    if (first == 0) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "entry %" PRIu64 " of the log is not kept any more",
                               reader->after + 1);
    }
    if (!good || reader->page.first == first) {
        return good;
    }
    if (!log_scan_page(&reader->window, log->options.identity, first, &reader->page, fault)) {
        reader->page.first = 0;
        return false;
    }
    reader->at = LOG_PAGE_BYTES;
    reader->passed = first - 1;
    reader->chain = reader->page.chain;
    return true;
}

/* The entry behind `passed`, which the segment holds. */
static bool reader_step(struct log_reader *reader, struct log_head *head, const uint8_t **data,
                        struct proto_fault *fault)
{
    enum log_kind kind;
    char name[LOG_NAME_BYTES];
    if (!log_scan_one(&reader->window, &reader->page, reader->at, head, data, &kind, fault)) {
        return false;
    }
    if (kind != LOG_KIND_ENTRY || head->sequence != reader->passed + 1 ||
        head->chain != reader->chain) {
        log_segment_name(reader->page.first, name);
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "entry %" PRIu64 " of the log, at byte %" PRIu64
                               " of segment %s, is damaged",
                               reader->passed + 1, reader->at, name);
    }
    reader->at += log_entry_bytes(head->payload_bytes);
    reader->passed = head->sequence;
    reader->chain = head->check;
    return true;
}

enum log_got log_reader_next(struct log_reader *reader, struct log_entry *entry,
                             struct proto_fault *fault)
{
    struct log_head head;
    const uint8_t *data;
    if (reader->after >= log_head(reader->log)) {
        return LOG_GOT_NONE;
    }
    if ((reader->page.first == 0 || reader->after >= reader->upto) && !reader_turn(reader, fault)) {
        return LOG_GOT_FAULT;
    }
    do {
        if (!reader_step(reader, &head, &data, fault)) {
            return LOG_GOT_FAULT;
        }
    } while (reader->passed <= reader->after);
    reader->after = head.sequence;
    *entry = (struct log_entry){.sequence = head.sequence,
                                .time_ms = head.time_ms,
                                .commands = head.commands,
                                .flags = head.flags,
                                .payload = {data + LOG_HEAD_BYTES, head.payload_bytes}};
    memcpy(entry->operation, head.operation, sizeof head.operation);
    return LOG_GOT_ENTRY;
}
