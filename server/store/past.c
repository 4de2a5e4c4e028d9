/* SPDX-License-Identifier: Apache-2.0 */
/* Entries and groups are read number by number, each checked to end within its bytes. What is kept
 * of an account is found from the newest group backwards, until one does not fit. */
#include "server/store/past.h"

#include <stdlib.h>

#include "server/event/event_number.h"

enum {
    KIND_BITS = 7,
    TYPE_SHIFT = 3,
    SOURCE_BIT = 64,
    UNKEPT_BIT = 128,
    ENTRY_HEAD_MAX = 1 + 3 + EVENT_NUMBER_BYTES_MAX + 1 + EVENT_NUMBER_BYTES_MAX,
};

static_assert(STORE_PAST_KINDS <= KIND_BITS + 1 && (int)FEATURE_DATE <= KIND_BITS,
              "kind and type of an entry have three bits each");

size_t store_past_room(const struct store_past *past)
{
    return ENTRY_HEAD_MAX + past->source.bytes + past->bytes.bytes;
}

static size_t span_put(uint8_t *out, struct proto_span span)
{
    if (span.bytes == sizeof(uint64_t)) {
        memcpy(out, span.data, sizeof(uint64_t)); /* a number: most of all values */
    } else if (span.bytes > 0) {
        memcpy(out, span.data, span.bytes);
    }
    return span.bytes;
}

/* All of `bytes` is copied, which store_past_room has room for behind kind and field. */
static size_t time_put(uint8_t *out, int64_t time_ms, struct store_past_time *time)
{
    static_assert(sizeof time->bytes >= EVENT_NUMBER_BYTES_MAX &&
                      4 + sizeof time->bytes <= ENTRY_HEAD_MAX,
                  "a time as it is kept is whole, and fits an entry");
    if (time->count == 0 || time->time_ms != time_ms) {
        time->time_ms = time_ms;
        time->count = event_number_put(time->bytes, event_zigzag(time_ms));
    }
    memcpy(out, time->bytes, sizeof time->bytes);
    return time->count;
}

size_t store_past_encode(const struct store_past *past, uint8_t *out)
{
    struct store_past_time none = {.count = 0};
    return store_past_encode_behind(past, &none, out);
}

size_t store_past_encode_behind(const struct store_past *past, struct store_past_time *time,
                                uint8_t *out)
{
    bool value = store_past_has_value(past);
    bool source = value && past->source.bytes > 0;
    size_t at = 1 + event_number_put(out + 1, past->field);
    out[0] = (uint8_t)((unsigned)past->kind | (value ? (unsigned)past->type << TYPE_SHIFT : 0) |
                       (source ? SOURCE_BIT : 0) | (value && past->unkept ? UNKEPT_BIT : 0));
    if (store_past_is_key(past)) {
        out[at++] = (uint8_t)past->bytes.bytes;
        return at + span_put(out + at, past->bytes);
    }
    if (!value) {
        return at;
    }
    at += time_put(out + at, past->time_ms, time);
    if (source) {
        out[at++] = (uint8_t)past->source.bytes;
        at += span_put(out + at, past->source);
    }
    if (!past->unkept) {
        at += event_number_put(out + at, past->bytes.bytes);
        at += span_put(out + at, past->bytes);
    }
    return at;
}

static bool number_take(struct proto_span from, size_t *at, uint64_t *number)
{
    size_t bytes = event_number_get(from.data + *at, from.bytes - *at, number);
    *at += bytes;
    return bytes > 0;
}

static bool span_take(struct proto_span from, size_t *at, uint64_t bytes, struct proto_span *span)
{
    if (bytes > from.bytes - *at) {
        return false;
    }
    *span = (struct proto_span){from.data + *at, (size_t)bytes};
    *at += (size_t)bytes;
    return true;
}

/* Behind the number of the field. */
static bool value_take(struct proto_span from, size_t *at, uint8_t head, struct store_past *past)
{
    uint64_t number;
    past->type = (enum feature_type)(head >> TYPE_SHIFT & KIND_BITS);
    past->unkept = (head & UNKEPT_BIT) != 0;
    if (past->type > FEATURE_DATE || !number_take(from, at, &number)) {
        return false;
    }
    past->time_ms = event_unzigzag(number);
    if ((head & SOURCE_BIT) != 0 &&
        (*at >= from.bytes || !span_take(from, at, from.data[(*at)++], &past->source))) {
        return false;
    }
    return past->unkept ||
           (number_take(from, at, &number) && number <= PROTO_HISTORY_VALUE_BYTES_MAX &&
            span_take(from, at, number, &past->bytes));
}

static bool key_take(struct proto_span from, size_t *at, struct store_past *past)
{
    if (*at >= from.bytes) {
        return false;
    }
    uint8_t bytes = from.data[(*at)++];
    return bytes > 0 && span_take(from, at, bytes, &past->bytes);
}

bool store_past_next(struct proto_span entries, size_t *at, struct store_past *past)
{
    size_t next = *at;
    uint64_t field;
    if (next >= entries.bytes) {
        return false;
    }
    uint8_t head = entries.data[next++];
    *past = (struct store_past){.kind = (enum store_past_kind)(head & KIND_BITS)};
    if (past->kind >= STORE_PAST_KINDS || !number_take(entries, &next, &field) ||
        field > UINT16_MAX) {
        return false;
    }
    past->field = (uint16_t)field;
    if (store_past_has_value(past) && !value_take(entries, &next, head, past)) {
        return false;
    }
    if (store_past_is_key(past) && !key_take(entries, &next, past)) {
        return false;
    }
    *at = next;
    return true;
}

bool store_past_value(const struct store_past *past, struct feature_value *value)
{
    struct proto_span bytes = past->bytes;
    *value = (struct feature_value){
        .present = true, .type = past->type, .time_ms = past->time_ms, .text = bytes};
    if (feature_type_is_number(past->type)) {
        if (bytes.bytes != sizeof value->number) {
            return false;
        }
        memcpy(&value->number, bytes.data, sizeof value->number);
    } else if (past->type == FEATURE_FLAG) {
        if (bytes.bytes != 1) {
            return false;
        }
        value->flag = bytes.data[0] != 0;
    }
    return feature_value_valid(value);
}

size_t store_past_group_encode(const struct store_past_group *group, bool sequenced, uint8_t *out)
{
    size_t at = sequenced ? event_number_put(out, group->seq) : 0;
    at += event_number_put(out + at, event_zigzag(group->known_ms));
    at += event_number_put(out + at, group->entries.bytes);
    return at + span_put(out + at, group->entries);
}

size_t store_past_group_bytes(const struct store_past_group *group)
{
    uint8_t head[STORE_PAST_GROUP_HEAD_MAX];
    struct store_past_group bare = {.seq = group->seq, .known_ms = group->known_ms};
    size_t bytes = store_past_group_encode(&bare, true, head) - 1;
    return bytes + event_number_put(head, group->entries.bytes) + group->entries.bytes;
}

bool store_past_group_next(struct proto_span groups, bool sequenced, size_t *at,
                           struct store_past_group *group)
{
    size_t next = *at;
    uint64_t number;
    if (next >= groups.bytes || (sequenced && !number_take(groups, &next, &group->seq)) ||
        !number_take(groups, &next, &number)) {
        return false;
    }
    group->known_ms = event_unzigzag(number);
    if (!number_take(groups, &next, &number) ||
        !span_take(groups, &next, number, &group->entries)) {
        return false;
    }
    *at = next;
    return true;
}

bool store_past_groups_sound(struct proto_span groups, bool sequenced)
{
    struct store_past_group group;
    size_t at = 0;
    while (store_past_group_next(groups, sequenced, &at, &group)) {
        struct store_past past;
        struct feature_value value;
        size_t entry = 0;
        while (store_past_next(group.entries, &entry, &past)) {
            if (store_past_has_value(&past) && !past.unkept && !store_past_value(&past, &value)) {
                return false;
            }
        }
        if (entry != group.entries.bytes) {
            return false;
        }
    }
    return at == groups.bytes;
}

void store_history_fini(struct store_history *history)
{
    free(history->list);
    *history = (struct store_history){.count = 0};
}

bool store_history_add(struct store_history *history, const struct store_past_group *group,
                       struct proto_fault *fault)
{
    if (history->count == history->room) {
        size_t room = history->room == 0 ? 16 : history->room * 2;
        struct store_past_group *list = realloc(history->list, room * sizeof *list);
        if (list == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "",
                                   "no memory for %zu changes of an account", room);
        }
        history->list = list;
        history->room = room;
    }
    history->list[history->count++] = *group;
    return true;
}

bool store_history_add_run(struct store_history *history, struct proto_span groups, uint64_t seq,
                           struct proto_fault *fault)
{
    struct store_past_group group = {.seq = seq};
    size_t at = 0;
    while (store_past_group_next(groups, false, &at, &group)) {
        if (!store_history_add(history, &group, fault)) {
            return false;
        }
    }
    return at == groups.bytes ||
           proto_fault_set(fault, PROTO_INTERNAL, "history", "a history in memory is none");
}

void store_history_trim(struct store_history *history)
{
    size_t bytes = 0;
    size_t first = history->count;
    while (first > 0) {
        bytes += store_past_group_bytes(&history->list[first - 1]);
        if (bytes > PROTO_HISTORY_BYTES_MAX) {
            break;
        }
        first--;
    }
    if (first == 0) {
        return;
    }
    history->gone = true;
    history->gone_seq = history->list[first - 1].seq;
    history->gone_known_ms = history->list[first - 1].known_ms;
    history->count -= first;
    memmove(history->list, history->list + first, history->count * sizeof *history->list);
}

static bool has_mark(struct proto_span entries)
{
    struct store_past past;
    for (size_t at = 0; store_past_next(entries, &at, &past);) {
        if (past.kind == STORE_PAST_MARK) {
            return true;
        }
    }
    return false;
}

bool store_history_cut(const struct store_history *history, uint64_t seq, int64_t known_ms,
                       size_t *cut)
{
    *cut = 0;
    for (size_t i = 0; i < history->count; i++) {
        const struct store_past_group *group = &history->list[i];
        *cut = group->seq <= seq && group->known_ms <= known_ms ? i + 1 : *cut;
    }
    for (size_t i = *cut; i < history->count; i++) {
        if (has_mark(history->list[i].entries)) {
            return false;
        }
    }
    return *cut > 0 || !history->gone ||
           (history->gone_seq <= seq && history->gone_known_ms <= known_ms);
}
