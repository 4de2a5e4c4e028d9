/* SPDX-License-Identifier: Apache-2.0 */
/* The texts follow the header in their order. Decoding holds every length against what is there,
 * and an entry that names other records than its act does is none. */
#include "server/identity/identity_entry.h"

#include <assert.h>
#include <string.h>

enum {
    AT_ACT = 1,
    AT_TAKEN = 4,
    AT_WHAT = 8,
    AT_BEFORE = 12,
    AT_LENGTHS = 20,
    AT_REASON = 24,
    LAYOUT = 1,
    TEXT_BYTES_MAX = 255,
};

static const struct {
    const char *word;
    unsigned records;
} acts[IDENTITY_ACT_END] = {
#define X(ACT, word, records, meaning) [IDENTITY_##ACT] = {word, records},
    IDENTITY_ACTS(X)
#undef X
};

const char *identity_act_word(enum identity_act act)
{
    return acts[act].word;
}

unsigned identity_act_records(enum identity_act act)
{
    return acts[act].records;
}

enum identity_act identity_act_find(struct proto_span word)
{
    for (unsigned act = IDENTITY_NO_ACT + 1; act < IDENTITY_ACT_END; act++) {
        if (proto_span_equal(word, proto_span_text(acts[act].word))) {
            return (enum identity_act)act;
        }
    }
    return IDENTITY_NO_ACT;
}

static void set_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint32_t get_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

size_t identity_entry_bytes(const struct identity_entry *entry)
{
    return IDENTITY_ENTRY_HEADER_BYTES + entry->ids[0].bytes + entry->ids[1].bytes +
           entry->author.bytes + entry->reason.bytes;
}

static uint8_t *text_put(uint8_t *at, struct proto_span text)
{
    if (text.bytes > 0) {
        memcpy(at, text.data, text.bytes);
    }
    return at + text.bytes;
}

void identity_entry_encode(const struct identity_entry *entry, uint8_t *out)
{
    assert(entry->ids[0].bytes <= TEXT_BYTES_MAX && entry->ids[1].bytes <= TEXT_BYTES_MAX &&
           entry->author.bytes <= TEXT_BYTES_MAX &&
           entry->reason.bytes <= IDENTITY_REASON_BYTES_MAX);
    memset(out, 0, IDENTITY_ENTRY_HEADER_BYTES);
    out[0] = LAYOUT;
    out[AT_ACT] = (uint8_t)entry->act;
    set_u32(out + AT_TAKEN, entry->taken_by);
    set_u32(out + AT_WHAT, entry->what);
    set_u32(out + AT_BEFORE, entry->before[0]);
    set_u32(out + AT_BEFORE + 4, entry->before[1]);
    out[AT_LENGTHS] = (uint8_t)entry->ids[0].bytes;
    out[AT_LENGTHS + 1] = (uint8_t)entry->ids[1].bytes;
    out[AT_LENGTHS + 2] = (uint8_t)entry->author.bytes;
    out[AT_REASON] = (uint8_t)entry->reason.bytes;
    out[AT_REASON + 1] = (uint8_t)(entry->reason.bytes >> 8);
    uint8_t *at = out + IDENTITY_ENTRY_HEADER_BYTES;
    at = text_put(at, entry->ids[0]);
    at = text_put(at, entry->ids[1]);
    at = text_put(at, entry->author);
    (void)text_put(at, entry->reason);
}

bool identity_entry_decode(struct proto_span bytes, struct identity_entry *entry)
{
    const uint8_t *head = bytes.data;
    if (bytes.bytes < IDENTITY_ENTRY_HEADER_BYTES || head[0] != LAYOUT ||
        head[AT_ACT] <= IDENTITY_NO_ACT || head[AT_ACT] >= IDENTITY_ACT_END || head[2] != 0 ||
        head[3] != 0 || head[AT_LENGTHS + 3] != 0 || head[26] != 0 || head[27] != 0) {
        return false;
    }
    *entry = (struct identity_entry){
        .act = (enum identity_act)head[AT_ACT],
        .taken_by = get_u32(head + AT_TAKEN),
        .what = get_u32(head + AT_WHAT),
        .before = {get_u32(head + AT_BEFORE), get_u32(head + AT_BEFORE + 4)}};
    size_t lengths[4] = {head[AT_LENGTHS], head[AT_LENGTHS + 1], head[AT_LENGTHS + 2],
                         (size_t)(head[AT_REASON] | head[AT_REASON + 1] << 8)};
    struct proto_span *texts[4] = {&entry->ids[0], &entry->ids[1], &entry->author, &entry->reason};
    size_t at = IDENTITY_ENTRY_HEADER_BYTES;
    for (unsigned i = 0; i < 4; i++) {
        *texts[i] = (struct proto_span){head + at, lengths[i]};
        at += lengths[i];
    }
    unsigned records = identity_act_records(entry->act);
    bool named = entry->act == IDENTITY_UNDO ||
                 ((lengths[0] > 0) == (records > 0) && (lengths[1] > 0) == (records > 1));
    return at == bytes.bytes && named && lengths[3] <= IDENTITY_REASON_BYTES_MAX;
}
