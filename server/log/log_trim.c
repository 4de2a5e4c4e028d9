/* SPDX-License-Identifier: Apache-2.0 */
/* What the list says: how far the log reaches, what is kept, and how the oldest segments go.
 *
 * A segment leaves the list first, so that no new reader comes to it, then the folder, or it is
 * used again (log_reuse.c). One at a
 * time, each with a sync: names that vanish in another order after a crash would look like a gap.
 * A segment that cannot be removed is kept out of the list all the same; the next opening finds it
 * again. */
#include <errno.h>
#include <string.h>

#include "server/log/log_parts.h"

bool log_failed(const struct log *log)
{
    return atomic_load(&log->failed);
}

uint64_t log_head(const struct log *log)
{
    return atomic_load(&log->head);
}

uint64_t log_floor(const struct log *log)
{
    return atomic_load(&log->floor);
}

static uint64_t list_bytes(const struct log *log)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < log->count; i++) {
        bytes += log->segments[i].bytes;
    }
    return bytes;
}

/* Takes the oldest segment off the list; 0: it stays. *read: somebody may have it open. */
static uint64_t oldest_take(struct log *log, uint64_t folded, uint64_t bytes_max, bool *read)
{
    uint64_t first = 0;
    pthread_mutex_lock(&log->mutex);
    if (log->count > 1 && log->segments[0].last <= folded &&
        log->segments[1].last >= log->segments[1].first &&
        (list_bytes(log) > bytes_max || log->count > LOG_SEGMENTS_KEPT)) {
        first = log->segments[0].first;
        *read = log->opened > 0;
        log->count--;
        memmove(log->segments, log->segments + 1, log->count * sizeof *log->segments);
        atomic_store(&log->floor, log->segments[0].first);
    }
    pthread_mutex_unlock(&log->mutex);
    return first;
}

bool log_trim(struct log *log, uint64_t folded, uint64_t bytes_max, struct proto_fault *fault)
{
    for (;;) {
        char name[LOG_NAME_BYTES];
        bool read = false;
        uint64_t first = oldest_take(log, folded, bytes_max, &read);
        if (first == 0) {
            return true;
        }
        log_segment_name(first, name);
        if (!read && log_reuse_offer(log, name)) {
            continue;
        }
        if ((log->io->unlink(log->io->context, log->folder, name) != 0 && errno != ENOENT) ||
            !log_io_sync_all(log->io, log->folder)) {
            return log_fault(errno, "dropping a segment of the log", fault);
        }
    }
}

void log_let_go(struct log *log)
{
    pthread_mutex_lock(&log->mutex);
    log->opened--;
    pthread_mutex_unlock(&log->mutex);
}

void log_stats(struct log *log, struct log_stats *stats)
{
    pthread_mutex_lock(&log->mutex);
    *stats = log->stats;
    stats->bytes = list_bytes(log);
    stats->segments = log->count;
    pthread_mutex_unlock(&log->mutex);
}
