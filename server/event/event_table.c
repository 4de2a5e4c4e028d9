/* SPDX-License-Identifier: Apache-2.0 */
/* The two tables as functions: names, and where a struct keeps each member. */
#include "server/event/event.h"

struct type_row {
    const char *name;
    uint32_t needs, takes;
    const char *meaning;
};

static const struct type_row type_rows[EVENT_TYPE_COUNT] = {
#define X(NAME, name, needs, takes, ahead, meaning) {name, needs, (needs) | (takes), meaning},
#include "server/event/event_type.def"
#undef X
};

struct member_row {
    const char *name;
    size_t at; /* within struct event */
    bool text;
};

static const struct member_row member_rows[EVENT_MEMBER_COUNT] = {
#define T(NAME, name, text, most, meaning) {text, offsetof(struct event, name), true},
#define N(NAME, name, text, low, high, meaning) {text, offsetof(struct event, name), false},
#include "server/event/event_member.def"
#undef T
#undef N
};

static bool type_find(struct proto_span name, enum event_type *type)
{
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
        if (proto_span_is(name, type_rows[i].name)) {
            *type = (enum event_type)i;
            return true;
        }
    }
    return false;
}

bool event_type_read(struct proto_span name, const char *field, enum event_type *type,
                     struct proto_fault *fault)
{
    static const char names[] =
#define X(NAME, name, needs, takes, ahead, meaning) ", " name
#include "server/event/event_type.def"
#undef X
        ;
    return type_find(name, type) || proto_fault_set(fault, PROTO_BAD_FIELD, field,
                                                    "\"%.*s\" is no type of event; there are %s",
                                                    (int)(name.bytes < 40 ? name.bytes : 40),
                                                    (const char *)name.data, names + 2);
}

const char *event_type_name(enum event_type type)
{
    return type_rows[type].name;
}

const char *event_type_meaning(enum event_type type)
{
    return type_rows[type].meaning;
}

uint32_t event_type_needs(enum event_type type)
{
    return type_rows[type].needs;
}

uint32_t event_type_takes(enum event_type type)
{
    return type_rows[type].takes;
}

const char *event_member_name(enum event_member member)
{
    return member_rows[member].name;
}

bool event_member_find(struct proto_span name, enum event_member *member)
{
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        if (proto_span_is(name, member_rows[i].name)) {
            *member = (enum event_member)i;
            return true;
        }
    }
    return false;
}

bool event_member_is_text(enum event_member member)
{
    return member_rows[member].text;
}

struct proto_span *event_text(struct event *event, enum event_member member)
{
    void *at = (uint8_t *)event + member_rows[member].at;
    return at;
}

int64_t *event_number(struct event *event, enum event_member member)
{
    void *at = (uint8_t *)event + member_rows[member].at;
    return at;
}
