/* SPDX-License-Identifier: Apache-2.0 */
/* Segments as bytes. A file `<first sequence, 20 digits>.seg` is one header page, then entries from
 * byte 4096 on, each at a multiple of 8, then, once it is closed, an end mark with which it ends.
 *
 *   page     0 u64 check: XXH3(bytes 8 … 4095)     8 u32 magic "ICLS"    12 u32 layout, 1
 *           16 u64 seed, random                   24 u64 identity of the store
 *           32 u64 first sequence                 40 u64 check of the entry before it, 0: none
 *           48 … 4095 reserved, 0
 *
 *   entry    0 u64 check: XXH3(bytes 8 … of header, payload and padding, seed of the segment)
 *            8 u32 magic "ICLE"                   12 u32 bytes of payload
 *           16 u64 sequence                       24 u64 check of the entry before
 *           32 i64 time, ms since 1970            40 u32 commands    44 u32 flags
 *           48 u8 × 16 operation id, 0: none      64 u32 place in its group, from 0
 *           68 u32 low half of XXH3(bytes 8 … 67, seed): so a length is believed for a reason
 *           72 payload, then zeros up to a multiple of 8
 *
 *   end      the same 72 bytes with magic "ICLZ", the sequence of the last entry and its check as
 *            that of the entry before; all else but the checks 0
 *
 * The seed is why bytes of an older file that lie in reused blocks, or bytes that somebody stored
 * as a value, never pass for an entry. The chain is why an entry that is left out is noticed, and
 * the place in the group why a torn group can be told from a good one.
 *
 * Ownership: everything borrows. Errors: a bool, the caller knows the place. Threads: pure. Cost:
 * XXH3 of the entry, some 60 ns at 512 bytes. Source: XXH3 of xxHash. */
#ifndef LOG_LOG_ENTRY_H
#define LOG_LOG_ENTRY_H

#include <assert.h>

#include "server/log/commit_log.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "segments are little-endian");

#define LOG_PAGE_BYTES 4096u
#define LOG_LAYOUT_VERSION 1u

struct log_page {
    uint64_t check;
    uint32_t magic;
    uint32_t layout;
    uint64_t seed;
    uint64_t identity;
    uint64_t first;
    uint64_t chain;
    uint8_t reserved[LOG_PAGE_BYTES - 48];
};
static_assert(sizeof(struct log_page) == LOG_PAGE_BYTES, "a header is one page");
static_assert(offsetof(struct log_page, chain) == 40, "as drawn");

struct log_head {
    uint64_t check;
    uint32_t magic;
    uint32_t payload_bytes;
    uint64_t sequence;
    uint64_t chain;
    int64_t time_ms;
    uint32_t commands;
    uint32_t flags;
    uint8_t operation[LOG_OPERATION_BYTES];
    uint32_t place;
    uint32_t brief; /* of the header alone */
};
static_assert(sizeof(struct log_head) == 72, "as drawn");
static_assert(offsetof(struct log_head, time_ms) == 32, "as drawn");
static_assert(offsetof(struct log_head, place) == 64, "as drawn");

#define LOG_HEAD_BYTES sizeof(struct log_head)

/* Bytes of an entry within its segment. */
static inline uint64_t log_entry_bytes(size_t payload_bytes)
{
    return LOG_HEAD_BYTES + (((uint64_t)payload_bytes + 7) & ~UINT64_C(7));
}

/* Fills check, magic and layout. */
void log_page_seal(struct log_page *page);
/* Whether a header page is whole, of this layout and, if identity is not 0, of that store. */
bool log_page_good(const struct log_page *page, uint64_t identity);

/* Fills magic and check of an entry whose payload stands elsewhere. */
void log_head_seal(struct log_head *head, uint64_t seed, struct proto_span payload);
/* The end mark behind the entry `sequence`, whose check is `chain`. */
void log_end_seal(struct log_head *head, uint64_t seed, uint64_t sequence, uint64_t chain);

enum log_kind { LOG_KIND_BAD, LOG_KIND_ENTRY, LOG_KIND_END };
/* How many bytes the entry or mark takes whose first LOG_HEAD_BYTES are given; 0: none begins here.
 */
uint64_t log_head_claims(const uint8_t *bytes, uint64_t seed);
/* Checks what log_head_claims said is here, `count` bytes of it. */
enum log_kind log_head_check(const uint8_t *bytes, uint64_t count, uint64_t seed,
                             struct log_head *head);

#endif
