/* SPDX-License-Identifier: Apache-2.0 */
/* Events: what happened to an account, when it was true and when it became known.
 *
 * An event is never changed. What was wrong is taken back by an event of type retraction and told
 * anew under another id. It is known by its source and the source's id for it, within its account:
 * the same one told again is no second event. So late arrivals, repeated deliveries and
 * corrections in any order leave the same timeline.
 *
 * Shapes: event_type.def says which members a type needs and takes, event_member.def what they are.
 * Times are ms since 1970 UTC: time_ms when it happened (of an interval its beginning, with end_ms
 * exclusive), known_ms when icpd was told. Money is in whole minor units of its currency, never a
 * fraction; quantities in thousandths. `has` is a set of EVENT_HAS_…: members that are not in it
 * are empty or 0.
 *
 *   encoded, for the log and for memory:
 *    0 u8 type    1 u8 reserved (0)    2 u16 has    4 i64 time_ms
 *   12 u8 bytes of source, source     u8 bytes of id, id
 *      then each member that it has in the order of event_member.def: texts as u8 bytes and
 *      text, numbers as i64
 *
 * One event has one encoding. known_ms and seq are not in it: they are those of the batch that
 * brought it. Ownership: texts borrow from what was decoded. Errors: PROTO_BAD_FIELD with the
 * member in fault->field; PROTO_CORRUPT from event_decode. Threads: pure. Cost: some 30 ns to
 * encode or decode. Source: two times as in Snodgrass, Developing Time-Oriented
 * Database Applications in SQL (1999); ISO 4217. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include "proto/fault.h"
#include "proto/span.h"

/* Years 1 to 9999, as for values of accounts. */
#define EVENT_MS_MIN INT64_C(-62135596800000)
#define EVENT_MS_MAX INT64_C(253402300799999)
/* A million million dollars in cents, so that 80,000 of them can be added up in 64 bits. */
#define EVENT_AMOUNT_MAX INT64_C(100000000000000)
#define EVENT_SOURCE_BYTES_MAX 63u
#define EVENT_ID_BYTES_MAX 127u
#define EVENT_AHEAD_MS_MAX INT64_C(86400000)

enum event_type {
#define X(NAME, name, needs, takes, ahead, meaning) EVENT_##NAME,
#include "server/event/event_type.def"
#undef X
    EVENT_TYPE_COUNT
};

/* Places of members in event_member.def. */
enum event_member {
#define T(NAME, name, text, most, meaning) EVENT_MEMBER_##NAME,
#define N(NAME, name, text, low, high, meaning) EVENT_MEMBER_##NAME,
#include "server/event/event_member.def"
#undef T
#undef N
    EVENT_MEMBER_COUNT
};

enum event_has {
#define T(NAME, name, text, most, meaning) EVENT_HAS_##NAME = 1 << EVENT_MEMBER_##NAME,
#define N(NAME, name, text, low, high, meaning) EVENT_HAS_##NAME = 1 << EVENT_MEMBER_##NAME,
#include "server/event/event_member.def"
#undef T
#undef N
    EVENT_HAS_ALL = (1 << EVENT_MEMBER_COUNT) - 1
};

struct event {
    int64_t time_ms;  /* true time */
    int64_t known_ms; /* known time; of a read event */
    uint64_t seq;     /* of the log entry that brought it; of a read event */
    enum event_type type;
    uint32_t has; /* EVENT_HAS_… */
    struct proto_span source;
    struct proto_span id; /* the source's id */
#define T(NAME, name, text, most, meaning) struct proto_span name;
#define N(NAME, name, text, low, high, meaning) int64_t name;
#include "server/event/event_member.def"
#undef T
#undef N
};

/* False with *fault at `field`, which says which types there are. */
bool event_type_read(struct proto_span name, const char *field, enum event_type *type,
                     struct proto_fault *fault);
const char *event_type_name(enum event_type type);
const char *event_type_meaning(enum event_type type);
uint32_t event_type_needs(enum event_type type);
uint32_t event_type_takes(enum event_type type); /* what it needs included */

const char *event_member_name(enum event_member member);
bool event_member_find(struct proto_span name, enum event_member *member);
bool event_member_is_text(enum event_member member);
/* For walks over the table: where an event keeps a member of either kind. */
struct proto_span *event_text(struct event *event, enum event_member member);
int64_t *event_number(struct event *event, enum event_member member);

/* Whether an event may be stored as it is: members of its type, bounds, an end that is not before
 * its time, text that is UTF-8 without control characters, a true time that is not ahead of the
 * clock `now_ms` by more than a day where the type forbids that (INT64_MAX: there is no clock). */
bool event_check(const struct event *event, int64_t now_ms, struct proto_fault *fault);

/* The most that event_encode writes. */
#define EVENT_BYTES_MAX 1400u
size_t event_bytes(const struct event *event);
/* Writes event_bytes(event); the event passed event_check. Returns how many. */
size_t event_encode(const struct event *event, uint8_t *out);
/* From a whole encoding; what passes is encoded to the same bytes. Members are checked as
 * event_check does without a clock, but for UTF-8. known_ms and seq become 0. */
bool event_decode(struct proto_span bytes, struct event *event, struct proto_fault *fault);

/* Whether two events tell the same, whenever it became known. */
bool event_same(const struct event *a, const struct event *b);
/* What an event is known by within its account. */
uint64_t event_hash(struct proto_span source, struct proto_span id);

#endif
