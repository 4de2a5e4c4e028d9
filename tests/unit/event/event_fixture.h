/* SPDX-License-Identifier: Apache-2.0 */
/* Events for tests: one of each type with all that it takes, and random ones of a seed. Ownership:
 * texts are literals, or point into the room given. Threads: pure. */
#ifndef TESTS_EVENT_FIXTURE_H
#define TESTS_EVENT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/event/event.h"

static inline struct event event_example(enum event_type type)
{
    struct event event = {.type = type,
                          .has = event_type_takes(type),
                          .time_ms = INT64_C(1700000000000),
                          .source = proto_span_text("crm"),
                          .id = proto_span_text("006-1")};
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        enum event_member member = (enum event_member)i;
        if ((event.has >> i & 1) == 0) {
            continue;
        }
        if (!event_member_is_text(member)) {
            *event_number(&event, member) = (int64_t)i + 1;
        } else if (member == EVENT_MEMBER_CURRENCY) {
            *event_text(&event, member) = proto_span_text("USD");
        } else {
            *event_text(&event, member) = proto_span_text(event_member_name(member));
        }
    }
    if ((event.has & EVENT_HAS_END) != 0) {
        event.end_ms = event.time_ms + 1;
    }
    return event;
}

static inline uint64_t event_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* One that event_check passes; its id is made of `number`, written into `id` (24 bytes). */
static inline struct event event_of(uint64_t *state, uint64_t number, char *id)
{
    static const char *const words[] = {"won", "lost", "email", "Pro", "Basic plan", "Zürich"};
    struct event event = event_example((enum event_type)(event_random(state) % EVENT_TYPE_COUNT));
    uint32_t drop = (uint32_t)event_random(state) & ~event_type_needs(event.type);
    if ((drop & EVENT_HAS_CURRENCY) != 0) {
        drop |= EVENT_HAS_AMOUNT;
    }
    drop &= ~event_type_needs(event.type);
    event.has &= ~drop;
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        enum event_member member = (enum event_member)i;
        bool text = event_member_is_text(member);
        if ((event.has >> i & 1) == 0) {
            if (text) {
                *event_text(&event, member) = (struct proto_span){NULL, 0};
            } else {
                *event_number(&event, member) = 0;
            }
        } else if (text && member != EVENT_MEMBER_CURRENCY) {
            *event_text(&event, member) = proto_span_text(words[event_random(state) % 6]);
        } else if (!text && member != EVENT_MEMBER_END && member != EVENT_MEMBER_MONTHS) {
            *event_number(&event, member) = (int64_t)(event_random(state) % 2000000) - 1000000;
        }
    }
    event.time_ms =
        INT64_C(1600000000000) + (int64_t)(event_random(state) % 1500) * INT64_C(86400000);
    event.time_ms += event_random(state) % 4 == 0 ? (int64_t)(event_random(state) % 86400000) : 0;
    event.end_ms = (event.has & EVENT_HAS_END) != 0
                       ? event.time_ms + (int64_t)(event_random(state) % 90) * INT64_C(86400000)
                       : 0;
    event.source = proto_span_text(event_random(state) % 3 == 0 ? "billing" : "crm");
    size_t at = 24;
    id[--at] = '\0';
    do {
        id[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    id[--at] = '-';
    id[--at] = 'E';
    event.id = proto_span_text(id + at);
    return event;
}

#endif
