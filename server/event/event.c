/* SPDX-License-Identifier: Apache-2.0 */
/* What makes an event one that may be stored. The members of its type are looked at first, then
 * each for itself, in the order of the table; the first that is wrong is told, by name. */
#include "server/event/event.h"

#include "proto/reader.h"

static bool text_check(struct proto_span text, size_t most, const char *name,
                       struct proto_fault *fault)
{
    if (text.bytes == 0 || text.bytes > most) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, name, "%zu bytes where 1 to %zu are right",
                               text.bytes, most);
    }
    for (size_t i = 0; i < text.bytes; i++) {
        if (text.data[i] < ' ' || text.data[i] == 0x7f) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, name,
                                   "byte %zu is a control character; text of one line is right",
                                   i + 1);
        }
    }
    if (!proto_utf8_valid(text)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, name, "the text is not UTF-8");
    }
    return true;
}

static bool number_check(int64_t number, int64_t low, int64_t high, const char *name,
                         struct proto_fault *fault)
{
    if (number < low || number > high) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, name, "%lld is not from %lld to %lld",
                               (long long)number, (long long)low, (long long)high);
    }
    return true;
}

static bool currency_check(struct proto_span currency, struct proto_fault *fault)
{
    bool good = currency.bytes == 3;
    for (size_t i = 0; good && i < 3; i++) {
        good = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    }
    return good || proto_fault_set(fault, PROTO_BAD_FIELD, "currency",
                                   "a currency is three capital letters, as USD");
}

/* Names of members in a set, for a message. */
static void members_print(uint32_t has, char *out, size_t out_bytes)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        const char *name = event_member_name((enum event_member)i);
        size_t bytes = strlen(name);
        if ((has >> i & 1) == 0 || at + bytes + 3 > out_bytes) {
            continue;
        }
        if (at > 0) {
            memcpy(out + at, ", ", 2);
            at += 2;
        }
        memcpy(out + at, name, bytes + 1);
        at += bytes;
    }
}

static const char *first_member(uint32_t has)
{
    return event_member_name((enum event_member)__builtin_ctz(has));
}

static bool members_check(const struct event *event, struct proto_fault *fault)
{
    uint32_t lacks = event_type_needs(event->type) & ~event->has;
    uint32_t more = event->has & ~event_type_takes(event->type);
    const char *type = event_type_name(event->type);
    if (lacks != 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, first_member(lacks),
                               "an event of type %s needs it", type);
    }
    if (more != 0) {
        char names[160];
        members_print(event_type_takes(event->type), names, sizeof names);
        return proto_fault_set(fault, PROTO_BAD_FIELD, first_member(more),
                               "an event of type %s does not take it; it takes %s", type, names);
    }
    if ((event->has & EVENT_HAS_AMOUNT) != 0 && (event->has & EVENT_HAS_CURRENCY) == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "currency",
                               "an amount needs a currency, as USD");
    }
    return true;
}

static bool values_check(const struct event *event, struct proto_fault *fault)
{
#define T(NAME, name, text, most, meaning)                                                         \
    if ((event->has & EVENT_HAS_##NAME) != 0 && !text_check(event->name, most, text, fault)) {     \
        return false;                                                                              \
    }
#define N(NAME, name, text, low, high, meaning)                                                    \
    if ((event->has & EVENT_HAS_##NAME) != 0 &&                                                    \
        !number_check(event->name, low, high, text, fault)) {                                      \
        return false;                                                                              \
    }
#include "server/event/event_member.def"
#undef T
#undef N
    return (event->has & EVENT_HAS_CURRENCY) == 0 || currency_check(event->currency, fault);
}

static bool ahead(enum event_type type)
{
    static const bool rows[EVENT_TYPE_COUNT] = {
#define X(NAME, name, needs, takes, ahead, meaning) ahead,
#include "server/event/event_type.def"
#undef X
    };
    return rows[type];
}

bool event_check(const struct event *event, int64_t now_ms, struct proto_fault *fault)
{
    if (!text_check(event->source, EVENT_SOURCE_BYTES_MAX, "source", fault) ||
        !text_check(event->id, EVENT_ID_BYTES_MAX, "id", fault) ||
        !number_check(event->time_ms, EVENT_MS_MIN, EVENT_MS_MAX, "time", fault) ||
        !members_check(event, fault) || !values_check(event, fault)) {
        return false;
    }
    if ((event->has & EVENT_HAS_END) != 0 && event->end_ms < event->time_ms) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "end", "the end is before the time");
    }
    if ((event->has & EVENT_HAS_RETRACTS) != 0 && proto_span_equal(event->retracts, event->id)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "retracts",
                               "an event cannot take itself back; a retraction has its own id");
    }
    if (!ahead(event->type) && now_ms < EVENT_MS_MAX &&
        event->time_ms > now_ms + EVENT_AHEAD_MS_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "time",
                               "the time is ahead of the clock by %lld days; an event of type %s "
                               "has happened",
                               (long long)((event->time_ms - now_ms) / EVENT_AHEAD_MS_MAX),
                               event_type_name(event->type));
    }
    return true;
}
