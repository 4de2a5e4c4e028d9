/* SPDX-License-Identifier: Apache-2.0 */
/* What values and keys of an account were before: entries in groups, a group for each commit that
 * changed something, and a value of the table `history` that holds the newest of them.
 *
 *   entry   u8 kind | type · 8 | source · 64 | not kept · 128, number of the field; then, of those
 *           with a value: zigzag of its true time, and u8 bytes and text of its source if it has
 *           one; unless it is not kept: number of its bytes, and they as in a record
 *           (server/feature/record.h). Of a key, whose field is 0: u8 bytes and text
 *   group   number of its sequence (left out in a command and in the overlay, where it is known),
 *           zigzag of the time at which it became known, number of bytes, entries
 * Numbers and zigzag: server/event/event_number.h. How groups lie in the table: past_piece.h. Of
 * one account as many of the newest groups are kept as fit PROTO_HISTORY_BYTES_MAX, counted as they
 * are stored: what is kept depends on what was written and not on when it was folded. A value of
 * more than PROTO_HISTORY_VALUE_BYTES_MAX bytes is not kept, and its entry says so.
 *
 * Ownership: spans borrow; a history has a list of its own. Errors: PROTO_CORRUPT,
 * PROTO_NO_MEMORY. Threads: pure. Cost: some 10 ns an entry. */
#ifndef STORE_PAST_H
#define STORE_PAST_H

#include "server/disk/layout.h"
#include "server/feature/value.h"

enum store_past_kind {
    STORE_PAST_CHANGED, /* this was the value until then */
    STORE_PAST_ADDED,   /* there was none */
    STORE_PAST_TAKEN,   /* this was the value, and was taken away */
    STORE_PAST_LATE,    /* it came when a newer one was known, and never was the value */
    STORE_PAST_MARK,    /* what was before is not known */
    STORE_PAST_KEY_ADDED,
    STORE_PAST_KEY_TAKEN,
    STORE_PAST_KINDS,
};

struct store_past {
    enum store_past_kind kind;
    uint16_t field;
    enum feature_type type;
    bool unkept;
    int64_t time_ms; /* when the value was true */
    struct proto_span source;
    struct proto_span bytes; /* of a value, or the text of a key */
};

static inline bool store_past_is_key(const struct store_past *past)
{
    return past->kind == STORE_PAST_KEY_ADDED || past->kind == STORE_PAST_KEY_TAKEN;
}

static inline bool store_past_has_value(const struct store_past *past)
{
    return past->kind != STORE_PAST_ADDED && past->kind != STORE_PAST_MARK &&
           !store_past_is_key(past);
}

/* At least what store_past_encode writes. */
size_t store_past_room(const struct store_past *past);
size_t store_past_encode(const struct store_past *past, uint8_t *out);
/* The true time of the entry before, as it was encoded; count 0: there is none. Entries of one
 * change mostly have the same one. */
struct store_past_time {
    int64_t time_ms;
    size_t count;
    uint8_t bytes[16];
};
/* The same bytes, with less work where the time is that of the entry before. */
size_t store_past_encode_behind(const struct store_past *past, struct store_past_time *time,
                                uint8_t *out);
/* The entry at *at; false at the end, *at then is entries.bytes, or where there is none. */
bool store_past_next(struct proto_span entries, size_t *at, struct store_past *past);
/* The value of an entry that has one and keeps it; false: its bytes are none. */
bool store_past_value(const struct store_past *past, struct feature_value *value);

struct store_past_group {
    uint64_t seq;
    int64_t known_ms;
    struct proto_span entries;
};

#define STORE_PAST_GROUP_HEAD_MAX 30u
/* sequenced: with its sequence. Returns the bytes. */
size_t store_past_group_encode(const struct store_past_group *group, bool sequenced, uint8_t *out);
/* As store_past_next; without a sequence, that is left alone. Entries are not looked at. */
bool store_past_group_next(struct proto_span groups, bool sequenced, size_t *at,
                           struct store_past_group *group);
/* Whether all is as it must be, down to the entries. */
bool store_past_groups_sound(struct proto_span groups, bool sequenced);

struct store_history {
    bool lost; /* to damage, as its newest piece tells */
    bool gone; /* groups up to and with these are not kept */
    uint64_t gone_seq;
    int64_t gone_known_ms;
    struct store_past_group *list; /* oldest first */
    size_t count, room;
};

void store_history_fini(struct store_history *history);
bool store_history_add(struct store_history *history, const struct store_past_group *group,
                       struct proto_fault *fault);
/* Adds groups as a command or the overlay has them. */
bool store_history_add_run(struct store_history *history, struct proto_span groups, uint64_t seq,
                           struct proto_fault *fault);
/* Leaves what fits. */
void store_history_trim(struct store_history *history);
/* How many of the groups were known at that sequence and time (UINT64_MAX, INT64_MAX: any): what
 * the account was then is what it is, with the changes of the others taken back, of each field the
 * first that is not late. False: that is not kept. */
bool store_history_cut(const struct store_history *history, uint64_t seq, int64_t known_ms,
                       size_t *cut);
/* Bytes of a group as it is stored. */
size_t store_past_group_bytes(const struct store_past_group *group);

#endif
