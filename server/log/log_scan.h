/* SPDX-License-Identifier: Apache-2.0 */
/* Walking through one segment: where its good entries end, and whether what follows is what a crash
 * leaves or damage.
 *
 * A crash leaves the last group in any state: each of its sectors may be there or not. So behind
 * the first bad entry there may be good ones of the same group, but none of a later group, since a
 * group is written only after the one before is on disk. One good entry whose group begins behind
 * the bad one, or an end mark behind it, proves that the bad one once was good: damage.
 *
 * Ownership: everything borrows. Errors: PROTO_CORRUPT with entry, segment and byte; PROTO_IO,
 * PROTO_NO_MEMORY. Threads: pure but for the window's calls. Cost: 2 GB/s through the page cache.
 */
#ifndef LOG_LOG_SCAN_H
#define LOG_LOG_SCAN_H

#include "server/log/log_entry.h"
#include "server/log/log_window.h"

struct log_scan {
    uint64_t end;      /* place behind the last good entry */
    uint64_t last;     /* its sequence; first - 1: there is none */
    uint64_t chain;    /* its check, or that of the entry before the segment */
    uint64_t group_at; /* where its group begins; end: there is none */
    bool closed;       /* an end mark follows */
};

/* Reads the header page of the segment that should begin with `first`. */
bool log_scan_page(struct log_window *window, uint64_t identity, uint64_t first,
                   struct log_page *page, struct proto_fault *fault);

/* The entry or end mark at `at`, whole and linked to the entry before; LOG_KIND_BAD: there is none.
 * False with *fault: reading failed. *data: its bytes, until the window moves. */
bool log_scan_one(struct log_window *window, const struct log_page *page, uint64_t at,
                  struct log_head *head, const uint8_t **data, enum log_kind *kind,
                  struct proto_fault *fault);

/* Every entry from the first to `upto` (UINT64_MAX: all), then, unless the end mark or `upto` was
 * met, a search for proof of damage. False with *fault; *scan then says where. */
bool log_scan_all(struct log_window *window, const struct log_page *page, uint64_t upto,
                  struct log_scan *scan, struct proto_fault *fault);

/* The end of a closed segment of file_bytes from its end mark alone; false: there is no such mark
 * (*fault untouched), or reading failed. */
bool log_scan_end(struct log_window *window, const struct log_page *page, uint64_t file_bytes,
                  struct log_scan *scan, struct proto_fault *fault);

/* "<20 digits>.seg" */
#define LOG_NAME_BYTES 32
void log_segment_name(uint64_t first, char name[LOG_NAME_BYTES]);

#endif
