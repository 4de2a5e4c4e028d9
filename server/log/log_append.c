/* SPDX-License-Identifier: Apache-2.0 */
/* A group is laid out in a buffer, entry behind entry, written, and synced; only then does the head
 * move on, and with it everything that readers and the next opening may rely on.
 *
 * A write or sync that fails leaves bytes behind the last good group that may or may not be on
 * disk. The segment is closed in front of them at once, so that no start finds a group that was
 * refused; if that fails too, `failed` is set, and closing is tried again before the next group. */
#include <errno.h>
#include <string.h>

#include "server/log/log_parts.h"

struct group {
    struct log *log;
    uint64_t at; /* place in the file of buffer[0] */
    size_t bytes;
};

static bool group_flush(struct group *group)
{
    const struct log *log = group->log;
    if (!log_io_write(log->io, log->fd, log->buffer, group->bytes, group->at)) {
        return false;
    }
    group->at += group->bytes;
    group->bytes = 0;
    return true;
}

static bool group_put(struct group *group, const void *bytes, size_t count)
{
    const uint8_t *from = bytes;
    while (count > 0) {
        if (group->bytes == LOG_WINDOW_BYTES && !group_flush(group)) {
            return false;
        }
        size_t part = LOG_WINDOW_BYTES - group->bytes;
        if (part > count) {
            part = count;
        }
        memcpy(group->log->buffer + group->bytes, from, part);
        group->bytes += part;
        from += part;
        count -= part;
    }
    return true;
}

static bool group_write(struct group *group, struct log_entry *entries, size_t count,
                        uint64_t *chain)
{
    static const uint8_t zeros[8];
    struct log *log = group->log;
    for (size_t i = 0; i < count; i++) {
        struct log_entry *entry = &entries[i];
        struct log_head head = {.sequence = log_head(log) + 1 + i,
                                .chain = *chain,
                                .time_ms = entry->time_ms,
                                .commands = entry->commands,
                                .flags = entry->flags,
                                .place = (uint32_t)i};
        size_t payload = entry->payload.bytes;
        memcpy(head.operation, entry->operation, sizeof head.operation);
        log_head_seal(&head, log->seed, entry->payload);
        if (!group_put(group, &head, sizeof head) ||
            !group_put(group, entry->payload.data, payload) ||
            !group_put(group, zeros, (size_t)(log_entry_bytes(payload) - sizeof head) - payload)) {
            return false;
        }
        entry->sequence = head.sequence;
        *chain = head.check;
    }
    return group_flush(group) && log_io_sync(log->io, log->fd);
}

static bool group_measure(const struct log_entry *entries, size_t count, uint64_t *bytes,
                          struct proto_fault *fault)
{
    *bytes = 0;
    for (size_t i = 0; i < count; i++) {
        if (entries[i].payload.bytes > LOG_PAYLOAD_BYTES_MAX) {
            return proto_fault_set(fault, PROTO_TOO_LARGE, "",
                                   "a batch of %zu bytes; an entry of the log has at most %zu",
                                   entries[i].payload.bytes, LOG_PAYLOAD_BYTES_MAX);
        }
        *bytes += log_entry_bytes(entries[i].payload.bytes);
    }
    return true;
}

/* An active segment with room for the group, if it was not the segment's first. */
static bool room_make(struct log *log, uint64_t bytes, struct proto_fault *fault)
{
    bool full = log->fd >= 0 && log->used > LOG_PAGE_BYTES &&
                log->used + bytes + LOG_HEAD_BYTES > log->options.segment_bytes;
    if ((log->cut || full) && !log_turn_close(log, fault)) {
        return false;
    }
    return log->fd >= 0 || log_turn_begin(log, fault);
}

static void group_give_up(struct log *log)
{
    struct proto_fault ignored;
    atomic_store(&log->failed, !log_turn_close(log, &ignored));
    pthread_mutex_lock(&log->mutex);
    log->stats.failures++;
    pthread_mutex_unlock(&log->mutex);
}

static bool group_append(struct log *log, struct log_entry *entries, size_t count, uint64_t bytes,
                         struct proto_fault *fault)
{
    if (!room_make(log, bytes, fault)) {
        return false;
    }
    atomic_store(&log->failed, false);
    struct group group = {.log = log, .at = log->used};
    uint64_t chain = log->chain;
    if (!group_write(&group, entries, count, &chain)) {
        log_fault(errno, "appending to the log", fault);
        group_give_up(log);
        return false;
    }
    log->used = group.at;
    log->chain = chain;
    pthread_mutex_lock(&log->mutex);
    log->segments[log->count - 1].last += count;
    log->segments[log->count - 1].bytes = log->used;
    log->stats.groups++;
    pthread_mutex_unlock(&log->mutex);
    atomic_store(&log->head, log_head(log) + count);
    log_witness_note(log);
    return true;
}

bool log_append(struct log *log, struct log_entry *entries, size_t count, struct proto_fault *fault)
{
    uint64_t bytes;
    assert(count > 0 && count <= UINT32_MAX);
    if (!group_measure(entries, count, &bytes, fault)) {
        return false;
    }
    bool good = group_append(log, entries, count, bytes, fault);
    /* What is kept for later gives way to what is written now. */
    if (!good && fault->code == PROTO_DISK_FULL && log_room_give(log)) {
        good = group_append(log, entries, count, bytes, fault);
    }
    return good;
}
