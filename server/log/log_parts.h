/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the log share. The contract is commit_log.h.
 *
 *   appender ── log_append ──▶ active segment ──(full, or cut)──▶ closed, in the list of segments
 *   preparer ── zeros, or a dropped segment ──▶ spare segment ──(turn: header, sync, name, sync of
 * the folder)──▶ active readers ◀── list of segments, head
 *
 * A segment has its name only once its header is on disk, and the next one has its name only once
 * the one before is closed on disk. So of all segments only the last may end in something torn.
 * Threads: members say whose they are. */
#ifndef LOG_LOG_PARTS_H
#define LOG_LOG_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/log/log_scan.h"

#define LOG_USED_MAX 4 /* dropped segments kept for use: as many as a fold drops, of 64 MiB */

/* A name that a dropped segment may have. Those on their way are one thread's, outside of the
 * mutex: nobody else touches the file. */
enum log_used {
    LOG_USED_FREE,
    LOG_USED_COMING, /* it gets the name, and that is not on disk yet */
    LOG_USED_THERE,  /* it may be written over */
    LOG_USED_GOING,  /* it becomes the spare, or is removed */
};

struct log_segment {
    uint64_t first;
    uint64_t last;  /* first - 1: no entry yet */
    uint64_t bytes; /* as far as it is written */
};

struct log {
    struct log_options options;
    const struct log_io *io;
    int folder;
    _Atomic uint64_t head;
    _Atomic uint64_t floor;
    _Atomic bool failed;

    pthread_mutex_t mutex;        /* of the list, the spare and the figures */
    struct log_segment *segments; /* oldest first; the last one may be active */
    size_t count, room;
    struct log_stats stats;
    pthread_cond_t changed;
    pthread_t thread;
    bool thread_there;
    bool spare_wanted; /* the preparer is at work, or has yet to begin */
    bool spare_urgent; /* the appender waits for it */
    bool stopping;
    size_t opened; /* segments that readers have open */
    enum log_used used_names[LOG_USED_MAX];
    int spare; /* descriptor; -1: none */

    /* The appender's own. */
    int fd; /* of the active segment; -1: the next group begins one */
    uint64_t seed;
    uint64_t chain;     /* check of the last entry */
    uint64_t used;      /* place of the next one */
    uint64_t limit;     /* bytes that the active segment should not exceed */
    int witness;        /* descriptor of head.check; -1: none */
    uint64_t witnessed; /* at the opening; 0: it says nothing */
    uint64_t witnessed_check;
    bool cut; /* what stands behind `used` must be cut off before anything is written */
    uint8_t *buffer;
};

/* log_prepare.c: the thread that has the next segment filled with zeros in time. */
bool log_prepare_start(struct log *log, struct proto_fault *fault);
void log_prepare_stop(struct log *log);
/* The one before is in use: the next may be made. */
void log_prepare_ask(struct log *log);
/* The spare segment, for the caller to close; -1 with *fault. */
int log_prepare_take(struct log *log, struct proto_fault *fault);
#define LOG_SPARE_NAME "spare.tmp"
/* log_zeros.c */
/* Whether room on the disk is not short: then some of it may be taken ahead. */
bool log_room_is_ample(const struct log *log, int fd);
/* From byte `from` to the length of a segment; synced, and out of the page cache, all of it. */
bool log_zeros_write(const struct log *log, int fd, uint64_t from);

/* log_reuse.c: dropped segments become the next ones. */
/* Takes a segment that is off the list and open to nobody; its name is gone on disk then. False:
 * the caller has yet to remove it and to sync the folder. Any thread. */
bool log_reuse_offer(struct log *log, const char *name);
/* One of them as the spare; -1: there is none. By the preparer. */
int log_reuse_take(struct log *log);
/* Removes what is there, also from before. Nobody else is at work. */
void log_reuse_clear(struct log *log);

/* log_trim.c: a reader has closed the segment that it counted in `opened`. */
void log_let_go(struct log *log);

/* log_open.c: a log of which nothing was read, and one whose list has the names of its segments. */
struct log *log_create(const struct log_options *options);
bool log_folder_read(struct log *log, struct proto_fault *fault);
void log_free(struct log *log);

/* log_witness.c */
void log_witness_open(struct log *log);
/* Whether a log that ends with this entry is not shorter than the witness knows. */
bool log_witness_agrees(const struct log *log, uint64_t last, uint64_t chain,
                        struct proto_fault *fault);
void log_witness_note(const struct log *log);
void log_witness_close(struct log *log);

/* log_segment.c: turns. */
/* Writes the end mark behind what is good and cuts the file there. Again after a failure is fine.
 */
bool log_segment_close(const struct log *log, int fd, uint64_t seed, const struct log_scan *scan,
                       struct proto_fault *fault);
/* Closes the active segment where its last good group ends. */
bool log_turn_close(struct log *log, struct proto_fault *fault);
/* Begins a segment; none is active. */
bool log_turn_begin(struct log *log, struct proto_fault *fault);
/* A further segment in the list, in place of one that has no entry. */
bool log_list_add(struct log *log, const struct log_segment *segment, struct proto_fault *fault);

#endif
