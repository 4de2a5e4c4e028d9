/* SPDX-License-Identifier: Apache-2.0 */
/* The log: every accepted batch, one entry each, in segment files that are only ever appended to.
 * What has been appended is on disk; tables elsewhere follow behind and are made again from here.
 *
 * Writing. log_append takes a group of entries, gives them the next sequence numbers, and returns
 * after ONE write (more only beyond a MiB) and ONE fdatasync. A segment was filled with zeros
 * before its first entry, by a thread of the log, so that the sync moves no metadata. A segment
 * that is full is closed and the next begun (a turn: four more syncs, every segment_bytes).
 *
 * Failing. A group that could not be written or synced is not there: its segment is cut where the
 * last good group ends and never written again, because after a failed sync nobody knows what the
 * disk holds; the next group begins a new segment. If even the cut fails, log_failed says so, each
 * append tries the cut anew before anything else, and a program had better leave: a start cuts.
 * The disk is full: PROTO_DISK_FULL, and the next group is tried as if nothing had been. SIGXFSZ
 * must be ignored or blocked by the program: a limit on file sizes is then PROTO_DISK_FULL too.
 *
 * Opening. Bytes at the end that are no whole entry are cut off, if they can be what a crash left
 * of the last group. Anything else that does not fit (a bad entry before a group that is good, a
 * gap, a segment of another store) is refused by name of entry, segment and byte: PROTO_CORRUPT.
 * The last group that is found is written and synced again, because a process whose sync failed may
 * have left it in the cache alone. What a crash leaves of a group, from its first entry on, is kept
 * although nobody was told that it is.
 *
 * What this rests on: a sector is written whole or not at all; a write does not harm other sectors.
 * A flip within the very last group of a log that was not closed looks like the end that a crash
 * left, unless the witness (log_witness.c) tells of that group, as it does after everything but a
 * power cut; head_min and the tables of the store narrow what is left.
 *
 * Ownership: the log owns its files; the folder is guarded by the caller's lock against a second
 * opening. Errors: PROTO_IO, PROTO_DISK_FULL, PROTO_CORRUPT, PROTO_NO_MEMORY, PROTO_TOO_LARGE,
 * PROTO_NOT_FOUND (trimmed away). Threads: log_append one thread at a time; log_trim one thread at
 * a time, while others append and read; a reader belongs to one thread; the rest from any thread.
 * Cost: a write and a sync a group, 60 ns an entry of 512 bytes beside. Layout: log_entry.h.
 * Source: PostgreSQL's WAL for preallocation, "Can applications recover from fsync failures?"
 * (Rebello, USENIX ATC 2020) for what a failed sync leaves. */
#ifndef LOG_COMMIT_LOG_H
#define LOG_COMMIT_LOG_H

#include "proto/fault.h"
#include "proto/span.h"
#include "server/log/log_io.h"

/* One entry: four of the largest frames, and some room for what the store adds. */
#define LOG_PAYLOAD_BYTES_MAX (((size_t)64 << 20) + 4096)
#define LOG_OPERATION_BYTES 16
#define LOG_SEGMENT_BYTES ((size_t)64 << 20) /* a turn every 64 MiB costs some 3 % */
#define LOG_SEGMENT_BYTES_MIN ((size_t)256 << 10)
/* Starts and failures make small segments; beyond this the oldest go, whatever their bytes. */
#define LOG_SEGMENTS_KEPT 1024

struct log;
struct log_reader;

struct log_options {
    const char *path;        /* folder, made if absent (0700) */
    uint64_t identity;       /* of the store: segments of another store are refused */
    uint64_t first;          /* sequence of the first entry, where there is no segment; 0: 1 */
    uint64_t head_min;       /* the log is known to reach so far; one that ends before is damaged */
    size_t segment_bytes;    /* 0: LOG_SEGMENT_BYTES */
    const struct log_io *io; /* NULL: the system's; borrowed */
    bool prepare_inline;     /* no thread: segments are filled with zeros at their turn */
};

struct log_entry {
    uint64_t sequence; /* set by log_append */
    int64_t time_ms;
    uint32_t commands;
    uint32_t flags; /* the caller's, as is what follows */
    uint8_t operation[LOG_OPERATION_BYTES];
    struct proto_span payload; /* borrowed */
};

/* Whether a segment lies in the folder. */
bool log_there(const char *path);
struct log *log_open(const struct log_options *options, struct proto_fault *fault);
/* Closes the last segment properly, so that the next opening examines nothing. NULL is fine. */
void log_close(struct log *log);

/* Appends all or nothing; sets their sequences. */
bool log_append(struct log *log, struct log_entry *entries, size_t count,
                struct proto_fault *fault);
/* A group failed, and what is left of it could not be cut: it may be found by the next start. */
bool log_failed(const struct log *log);

uint64_t log_head(const struct log *log);  /* last sequence that is durable; floor - 1: none */
uint64_t log_floor(const struct log *log); /* oldest sequence kept */

/* Drops oldest segments until the rest has at most bytes_max bytes: those whose entries all have
 * sequences up to `folded`. The newest stays whatever its size. */
bool log_trim(struct log *log, uint64_t folded, uint64_t bytes_max, struct proto_fault *fault);

/* Removes what is kept of dropped segments to become the next ones; false: there was nothing.
 * log_append does so where the disk is full. */
bool log_room_give(struct log *log);
/* The same if room on the disk is short. */
void log_room_look(struct log *log);

/* Reads entries after a sequence, in order, also while others append. PROTO_NOT_FOUND: they are
 * trimmed away. An entry borrows from its reader until the next call. */
enum log_got { LOG_GOT_FAULT, LOG_GOT_NONE, LOG_GOT_ENTRY };
struct log_reader *log_reader_open(struct log *log, uint64_t after, struct proto_fault *fault);
/* LOG_GOT_NONE: the head is reached; more may come. */
enum log_got log_reader_next(struct log_reader *reader, struct log_entry *entry,
                             struct proto_fault *fault);
void log_reader_close(struct log_reader *reader);

/* Reads all and checks every entry and its link to the one before; on_bad is told of each fault,
 * on_read (NULL: nobody) after each segment, and may end it. Returns the number of faults; *fault
 * is set where the reading itself failed: PROTO_NO_MEMORY ends it and is no fault of the log. */
uint64_t log_verify(struct log *log, void (*on_bad)(void *context, const char *what),
                    bool (*on_read)(void *context, uint64_t bytes), void *context,
                    struct proto_fault *fault);

/* What is left of a log that log_open refuses; nothing is changed. `follows`: the entry is the next
 * one after `after` and those before it; others cannot be applied. each() returns false, with
 * *fault, to end. */
struct log_salvage {
    uint64_t after;
    bool (*each)(void *context, const struct log_entry *entry, bool follows,
                 struct proto_fault *fault);
    void *context;
};
struct log_salvaged {
    uint64_t last;         /* that follows */
    uint64_t beyond;       /* read, and do not follow */
    uint64_t acknowledged; /* known to have been; 0: not known */
    bool damaged;
};
bool log_salvage(const struct log_options *options, const struct log_salvage *request,
                 struct log_salvaged *salvaged, struct proto_fault *fault);

struct log_stats {
    uint64_t bytes;     /* of all segments, as far as they are written */
    uint64_t segments;  /* kept */
    uint64_t groups;    /* appended since the opening */
    uint64_t failures;  /* groups that could not be */
    uint64_t cut_bytes; /* that the opening cut off, as left by a crash */
};
void log_stats(struct log *log, struct log_stats *stats);

#endif
