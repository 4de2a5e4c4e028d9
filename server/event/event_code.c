/* SPDX-License-Identifier: Apache-2.0 */
/* One event to bytes and back. The encoder writes what event_check passed; the decoder trusts
 * nothing: lengths are held against the bytes left before they are followed, and what could not
 * have been written (reserved bits, empty texts, members that the type does not take, bytes behind
 * the last member) is refused, so that an event has one encoding. */
#include "server/event/event_names.h"

#include <assert.h>
#include <xxhash.h>

enum { HEAD_BYTES = 12 };

static_assert(EVENT_MEMBER_COUNT <= 16, "the members of an event fit its u16");
static_assert(HEAD_BYTES + 2 + EVENT_SOURCE_BYTES_MAX + EVENT_ID_BYTES_MAX
#define T(NAME, name, text, most, meaning) +1 + (most) /* NOLINT(bugprone-macro-parentheses) */
#define N(NAME, name, text, low, high, meaning) +8     /* NOLINT(bugprone-macro-parentheses) */
#include "server/event/event_member.def"
#undef T
#undef N
                  <= EVENT_BYTES_MAX,
              "an event fits EVENT_BYTES_MAX");
#define T(NAME, name, text, most, meaning) static_assert((most) <= 255, "its length is a byte");
#define N(NAME, name, text, low, high, meaning)
#include "server/event/event_member.def"
#undef T
#undef N

size_t event_bytes(const struct event *event)
{
    size_t bytes = HEAD_BYTES + 2 + event->source.bytes + event->id.bytes;
#define T(NAME, name, text, most, meaning)                                                         \
    bytes += (event->has & EVENT_HAS_##NAME) != 0 ? 1 + event->name.bytes : 0;
#define N(NAME, name, text, low, high, meaning)                                                    \
    bytes += (event->has & EVENT_HAS_##NAME) != 0 ? 8 : 0;
#include "server/event/event_member.def"
#undef T
#undef N
    return bytes;
}

static uint8_t *text_put(uint8_t *out, struct proto_span text)
{
    *out = (uint8_t)text.bytes;
    memcpy(out + 1, text.data, text.bytes);
    return out + 1 + text.bytes;
}

static uint8_t *number_put(uint8_t *out, int64_t number)
{
    memcpy(out, &number, sizeof number);
    return out + sizeof number;
}

size_t event_encode(const struct event *event, uint8_t *out)
{
    uint8_t *at = out;
    uint16_t has = (uint16_t)event->has;
    at[0] = (uint8_t)event->type;
    at[1] = 0;
    memcpy(at + 2, &has, sizeof has);
    at = number_put(at + 4, event->time_ms);
    at = text_put(at, event->source);
    at = text_put(at, event->id);
#define T(NAME, name, text, most, meaning)                                                         \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        at = text_put(at, event->name);                                                            \
    }
#define N(NAME, name, text, low, high, meaning)                                                    \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        at = number_put(at, event->name);                                                          \
    }
#include "server/event/event_member.def"
#undef T
#undef N
    return (size_t)(at - out);
}

/* A walk over the bytes; once it failed it stays so. */
struct walk {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static struct proto_span text_get(struct walk *walk, size_t most)
{
    size_t bytes = walk->left > 0 ? walk->at[0] : 0;
    if (walk->bad || bytes == 0 || bytes > most || bytes > walk->left - 1) {
        walk->bad = true;
        return (struct proto_span){NULL, 0};
    }
    struct proto_span text = {walk->at + 1, bytes};
    walk->at += 1 + bytes;
    walk->left -= 1 + bytes;
    return text;
}

static int64_t number_get(struct walk *walk, int64_t low, int64_t high)
{
    int64_t number = 0;
    if (walk->bad || walk->left < sizeof number) {
        walk->bad = true;
        return 0;
    }
    memcpy(&number, walk->at, sizeof number);
    walk->at += sizeof number;
    walk->left -= sizeof number;
    walk->bad = number < low || number > high;
    return number;
}

static void members_get(struct walk *walk, struct event *event)
{
#define T(NAME, name, text, most, meaning)                                                         \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        event->name = text_get(walk, most);                                                        \
    }
#define N(NAME, name, text, low, high, meaning)                                                    \
    if ((event->has & EVENT_HAS_##NAME) != 0) {                                                    \
        event->name = number_get(walk, low, high);                                                 \
    }
#include "server/event/event_member.def"
#undef T
#undef N
}

bool event_decode(struct proto_span bytes, struct event *event, struct proto_fault *fault)
{
    struct walk walk = {.at = bytes.data, .left = bytes.bytes};
    uint16_t has = 0;
    *event = (struct event){.type = EVENT_TYPE_COUNT};
    if (bytes.bytes >= HEAD_BYTES && bytes.data[0] < EVENT_TYPE_COUNT && bytes.data[1] == 0) {
        event->type = (enum event_type)bytes.data[0];
        memcpy(&has, bytes.data + 2, sizeof has);
        walk.at += 4;
        walk.left -= 4;
        event->has = has;
    }
    if (event->type == EVENT_TYPE_COUNT || (has & ~event_type_takes(event->type)) != 0 ||
        (event_type_needs(event->type) & ~(uint32_t)has) != 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "event", "the bytes begin no event");
    }
    event->time_ms = number_get(&walk, EVENT_MS_MIN, EVENT_MS_MAX);
    event->source = text_get(&walk, EVENT_SOURCE_BYTES_MAX);
    event->id = text_get(&walk, EVENT_ID_BYTES_MAX);
    members_get(&walk, event);
    if (walk.bad || walk.left > 0) {
        return proto_fault_set(fault, PROTO_CORRUPT, "event",
                               "an event that ends early, goes on behind its end, or has a member "
                               "out of bounds");
    }
    return true;
}

bool event_names(struct proto_span bytes, struct proto_span *source, struct proto_span *id)
{
    size_t at = HEAD_BYTES;
    struct proto_span *const texts[] = {source, id};
    for (unsigned i = 0; i < 2; i++) {
        if (at >= bytes.bytes || bytes.data[at] > bytes.bytes - at - 1) {
            return false;
        }
        *texts[i] = (struct proto_span){bytes.data + at + 1, bytes.data[at]};
        at += 1 + (size_t)bytes.data[at];
    }
    return true;
}

bool event_same(const struct event *a, const struct event *b)
{
    bool same = a->type == b->type && a->has == b->has && a->time_ms == b->time_ms &&
                proto_span_equal(a->source, b->source) && proto_span_equal(a->id, b->id);
#define T(NAME, name, text, most, meaning) same = same && proto_span_equal(a->name, b->name);
#define N(NAME, name, text, low, high, meaning) same = same && a->name == b->name;
#include "server/event/event_member.def"
#undef T
#undef N
    return same;
}

uint64_t event_hash(struct proto_span source, struct proto_span id)
{
    return XXH3_64bits_withSeed(id.data, id.bytes, XXH3_64bits(source.data, source.bytes));
}
