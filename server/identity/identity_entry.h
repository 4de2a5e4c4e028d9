/* SPDX-License-Identifier: Apache-2.0 */
/* An identity entry: one statement of a person, or of a match that a person accepted, about which
 * source records are one account. Entries are numbered from 1 and never go; an undo takes one away
 * by a further entry, and both stay to be read.
 *
 * Layout, little-endian:
 *
 *    0 u8 layout (1)   1 u8 act   2 u16 reserved (0)   4 u32 entry that took it away, 0: it stands
 *    8 u32 what: of an undo, the entry that it takes away
 *   12 u32 × 2 before: the entry before this one that names `account`, that names `with`; 0: none
 *   20 u8 bytes of account, 21 of with, 22 of author, 23 reserved (0)   24 u16 bytes of reason
 *   26 u16 reserved (0)   28 account, with, author, reason
 *
 * Ownership: a decoded entry borrows. Errors: false for bytes that are none. Threads: pure. */
#ifndef IDENTITY_ENTRY_H
#define IDENTITY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/span.h"

#define IDENTITY_ENTRY_HEADER_BYTES 28
#define IDENTITY_REASON_BYTES_MAX 1024u

/* X(ACT, "word", records that it names, "what it says") */
#define IDENTITY_ACTS(X)                                                                           \
    X(LINK, "link", 2, "two records are one account, unless a never stands between them")          \
    X(MERGE, "merge", 2, "two records are one account; the first gives its id")                    \
    X(SPLIT, "split", 1, "a record stands alone: links and merges of before do not count for it")  \
    X(PIN, "pin", 1, "a record gives its account the id, and comes first where values tie")        \
    X(NEVER, "never", 2, "two records are not one account")                                        \
    X(UNDO, "undo", 0, "an entry is taken away")
enum identity_act {
    IDENTITY_NO_ACT,
#define X(ACT, word, records, meaning) IDENTITY_##ACT,
    IDENTITY_ACTS(X)
#undef X
        IDENTITY_ACT_END
};

struct identity_entry {
    enum identity_act act;
    uint32_t taken_by;
    uint32_t what;
    uint32_t before[2];
    struct proto_span ids[2]; /* account, with; empty where the act names none */
    struct proto_span author;
    struct proto_span reason;
};

const char *identity_act_word(enum identity_act act);
unsigned identity_act_records(enum identity_act act);
/* IDENTITY_NO_ACT if it is none. */
enum identity_act identity_act_find(struct proto_span word);

/* ids and author at most 255 bytes each, reason at most IDENTITY_REASON_BYTES_MAX. */
size_t identity_entry_bytes(const struct identity_entry *entry);
void identity_entry_encode(const struct identity_entry *entry, uint8_t *out);
bool identity_entry_decode(struct proto_span bytes, struct identity_entry *entry);

#endif
