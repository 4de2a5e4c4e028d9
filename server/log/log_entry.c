/* SPDX-License-Identifier: Apache-2.0 */
/* An entry is hashed in one go: header from byte 8 on, payload and padding, as they lie in the
 * file. When writing, the payload lies elsewhere, so the same bytes are fed in three pieces. When
 * reading, the length is compared with its limit before anything else is believed. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "server/base/hash.h"
#include "server/log/log_entry.h"

#include <string.h>

static const uint32_t page_magic = 0x534C4349;  /* "ICLS" */
static const uint32_t entry_magic = 0x454C4349; /* "ICLE" */
static const uint32_t end_magic = 0x5A4C4349;   /* "ICLZ" */

enum { CHECKED_FROM = 8, BRIEF_FROM = offsetof(struct log_head, brief), SMALL_BYTES = 2048 };

static uint64_t page_hash(const struct log_page *page)
{
    return XXH3_64bits((const uint8_t *)page + CHECKED_FROM, LOG_PAGE_BYTES - CHECKED_FROM);
}

void log_page_seal(struct log_page *page)
{
    page->magic = page_magic;
    page->layout = LOG_LAYOUT_VERSION;
    page->check = page_hash(page);
}

bool log_page_good(const struct log_page *page, uint64_t identity)
{
    static const uint8_t zeros[sizeof page->reserved];
    return page->magic == page_magic && page->layout == LOG_LAYOUT_VERSION &&
           page->check == page_hash(page) && (identity == 0 || page->identity == identity) &&
           memcmp(page->reserved, zeros, sizeof zeros) == 0;
}

static uint32_t brief_hash(const uint8_t *head, uint64_t seed)
{
    return (uint32_t)XXH3_64bits_withSeed(head + CHECKED_FROM, BRIEF_FROM - CHECKED_FROM, seed);
}

static uint64_t entry_hash(const struct log_head *head, uint64_t seed, struct proto_span payload)
{
    static const uint8_t zeros[8];
    const uint8_t *from = (const uint8_t *)head + CHECKED_FROM;
    size_t bytes = LOG_HEAD_BYTES - CHECKED_FROM;
    size_t padding = (size_t)(log_entry_bytes(payload.bytes) - LOG_HEAD_BYTES) - payload.bytes;
    if (payload.bytes <= SMALL_BYTES) {
        uint8_t whole[LOG_HEAD_BYTES + SMALL_BYTES + sizeof zeros];
        memcpy(whole, from, bytes);
        if (payload.bytes > 0) {
            memcpy(whole + bytes, payload.data, payload.bytes);
        }
        memcpy(whole + bytes + payload.bytes, zeros, sizeof zeros);
        return base_hash(whole, bytes + payload.bytes + padding, seed);
    }
    const struct proto_span parts[] = {{from, bytes}, payload, {zeros, padding}};
    return base_hash_parts(parts, sizeof parts / sizeof *parts, seed);
}

void log_head_seal(struct log_head *head, uint64_t seed, struct proto_span payload)
{
    head->magic = entry_magic;
    head->payload_bytes = (uint32_t)payload.bytes;
    head->brief = brief_hash((const uint8_t *)head, seed);
    head->check = entry_hash(head, seed, payload);
}

void log_end_seal(struct log_head *head, uint64_t seed, uint64_t sequence, uint64_t chain)
{
    *head = (struct log_head){.magic = end_magic, .sequence = sequence, .chain = chain};
    head->brief = brief_hash((const uint8_t *)head, seed);
    head->check = entry_hash(head, seed, (struct proto_span){NULL, 0});
}

uint64_t log_head_claims(const uint8_t *bytes, uint64_t seed)
{
    struct log_head head;
    memcpy(&head, bytes, sizeof head);
    bool end = head.magic == end_magic && head.payload_bytes == 0;
    if (!end && (head.magic != entry_magic || head.payload_bytes > LOG_PAYLOAD_BYTES_MAX)) {
        return 0;
    }
    return head.brief == brief_hash(bytes, seed) ? log_entry_bytes(head.payload_bytes) : 0;
}

enum log_kind log_head_check(const uint8_t *bytes, uint64_t count, uint64_t seed,
                             struct log_head *head)
{
    memcpy(head, bytes, sizeof *head);
    if (base_hash(bytes + CHECKED_FROM, (size_t)count - CHECKED_FROM, seed) != head->check) {
        return LOG_KIND_BAD;
    }
    return head->magic == end_magic ? LOG_KIND_END : LOG_KIND_ENTRY;
}
