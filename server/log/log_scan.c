/* SPDX-License-Identifier: Apache-2.0 */
/* Entries are followed from the first, each checked and linked to the one before, until one does
 * not fit. Whether that is the end that a crash left is then settled by looking for anything good
 * behind it, at every multiple of 8: only entries and marks of this segment pass, by its seed. */
#include "server/log/log_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void log_segment_name(uint64_t first, char name[LOG_NAME_BYTES])
{
    snprintf(name, LOG_NAME_BYTES, "%020" PRIu64 ".seg", first);
}

bool log_scan_page(struct log_window *window, uint64_t identity, uint64_t first,
                   struct log_page *page, struct proto_fault *fault)
{
    size_t got;
    char name[LOG_NAME_BYTES];
    const uint8_t *bytes = log_window_get(window, 0, LOG_PAGE_BYTES, &got, fault);
    if (bytes == NULL) {
        return false;
    }
    log_segment_name(first, name);
    if (got < LOG_PAGE_BYTES) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log", "segment %s of the log is cut off",
                               name);
    }
    memcpy(page, bytes, sizeof *page);
    if (!log_page_good(page, 0) || page->first != first) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "the header of segment %s of the log is damaged, or of another "
                               "version than %u",
                               name, LOG_LAYOUT_VERSION);
    }
    if (!log_page_good(page, identity)) {
        return proto_fault_set(fault, PROTO_CORRUPT, "log",
                               "segment %s of the log belongs to another store", name);
    }
    return true;
}

/* Whole and of this segment, wherever it is. */
static bool any_at(struct log_window *window, uint64_t seed, uint64_t at, struct log_head *head,
                   const uint8_t **data, enum log_kind *kind, struct proto_fault *fault)
{
    size_t got;
    *kind = LOG_KIND_BAD;
    const uint8_t *bytes = log_window_get(window, at, LOG_HEAD_BYTES, &got, fault);
    if (bytes == NULL) {
        return false;
    }
    uint64_t claims = got < LOG_HEAD_BYTES ? 0 : log_head_claims(bytes, seed);
    if (claims == 0) {
        return true;
    }
    bytes = log_window_get(window, at, (size_t)claims, &got, fault);
    if (bytes == NULL) {
        return false;
    }
    if (got >= claims) {
        *kind = log_head_check(bytes, claims, seed, head);
    }
    *data = bytes;
    return true;
}

bool log_scan_one(struct log_window *window, const struct log_page *page, uint64_t at,
                  struct log_head *head, const uint8_t **data, enum log_kind *kind,
                  struct proto_fault *fault)
{
    return any_at(window, page->seed, at, head, data, kind, fault);
}

static bool damage(const struct log_page *page, const struct log_scan *scan,
                   const struct log_head *head, uint64_t at, struct proto_fault *fault)
{
    char name[LOG_NAME_BYTES];
    log_segment_name(page->first, name);
    return proto_fault_set(fault, PROTO_CORRUPT, "log",
                           "entry %" PRIu64 " of the log, at byte %" PRIu64 " of segment %s, is "
                           "damaged: entry %" PRIu64 " at byte %" PRIu64 " follows it",
                           scan->last + 1, scan->end, name, head->sequence, at);
}

/* Whether what is good at a later place proves that the entry missing at scan->end was once good.
 */
static bool is_proof(const struct log_scan *scan, const struct log_head *head, enum log_kind kind)
{
    uint64_t missing = scan->last + 1;
    return kind == LOG_KIND_END ? head->sequence >= missing
                                : head->sequence - head->place > missing;
}

/* Looks at every multiple of 8 behind the end. */
static bool tail_examine(struct log_window *window, const struct log_page *page,
                         const struct log_scan *scan, struct proto_fault *fault)
{
    struct log_head head;
    const uint8_t *data;
    enum log_kind kind;
    for (uint64_t at = scan->end;;) {
        size_t got;
        const uint8_t *bytes = log_window_get(window, at, LOG_HEAD_BYTES, &got, fault);
        if (bytes == NULL) {
            return false;
        }
        if (got < LOG_HEAD_BYTES) {
            return true;
        }
        size_t step = 0;
        while (step + LOG_HEAD_BYTES <= got && log_head_claims(bytes + step, page->seed) == 0) {
            step += 8;
        }
        at += step;
        if (step + LOG_HEAD_BYTES > got) {
            continue;
        }
        if (!any_at(window, page->seed, at, &head, &data, &kind, fault)) {
            return false;
        }
        if (kind != LOG_KIND_BAD && is_proof(scan, &head, kind)) {
            return damage(page, scan, &head, at, fault);
        }
        at += 8;
    }
}

bool log_scan_all(struct log_window *window, const struct log_page *page, uint64_t upto,
                  struct log_scan *scan, struct proto_fault *fault)
{
    *scan = (struct log_scan){.end = LOG_PAGE_BYTES,
                              .last = page->first - 1,
                              .chain = page->chain,
                              .group_at = LOG_PAGE_BYTES};
    while (scan->last < upto) {
        struct log_head head;
        const uint8_t *data;
        enum log_kind kind;
        if (!log_scan_one(window, page, scan->end, &head, &data, &kind, fault)) {
            return false;
        }
        if (kind == LOG_KIND_END && head.sequence == scan->last && head.chain == scan->chain) {
            scan->closed = true;
            return true;
        }
        if (kind != LOG_KIND_ENTRY || head.sequence != scan->last + 1 ||
            head.chain != scan->chain) {
            return tail_examine(window, page, scan, fault);
        }
        if (head.place == 0) {
            scan->group_at = scan->end;
        }
        scan->end += log_entry_bytes(head.payload_bytes);
        scan->last = head.sequence;
        scan->chain = head.check;
    }
    return true;
}

bool log_scan_end(struct log_window *window, const struct log_page *page, uint64_t file_bytes,
                  struct log_scan *scan, struct proto_fault *fault)
{
    struct log_head head;
    const uint8_t *data;
    enum log_kind kind;
    if (file_bytes < LOG_PAGE_BYTES + LOG_HEAD_BYTES || file_bytes % 8 != 0) {
        return false;
    }
    uint64_t at = file_bytes - LOG_HEAD_BYTES;
    if (!log_scan_one(window, page, at, &head, &data, &kind, fault) || kind != LOG_KIND_END ||
        head.sequence + 1 < page->first) {
        return false;
    }
    *scan = (struct log_scan){
        .end = at, .last = head.sequence, .chain = head.chain, .group_at = at, .closed = true};
    return true;
}
