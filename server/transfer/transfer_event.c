/* SPDX-License-Identifier: Apache-2.0 */
/* An event is one line: whose it is, what every event has, then its members by the names of their
 * table. Reading takes the same; a member that the type does not take, or that is no member, is
 * told by its name. */
#include "server/transfer/transfer_event.h"

static void name_write(struct transfer_text *text, const char *before, const char *name)
{
    transfer_text_raw(text, before);
    transfer_text_raw(text, "\"");
    transfer_text_raw(text, name);
    transfer_text_raw(text, "\":");
}

static void text_write(struct transfer_text *text, const char *before, const char *name,
                       struct proto_span value)
{
    name_write(text, before, name);
    transfer_text_string(text, value);
}

static void int_write(struct transfer_text *text, const char *name, int64_t value)
{
    name_write(text, ",", name);
    transfer_text_int(text, value);
}

void transfer_event_write(struct transfer_text *text, struct proto_span account,
                          const struct event *event)
{
    struct event copy = *event;
    text_write(text, "{", "event", account);
    text_write(text, ",", "type", proto_span_text(event_type_name(event->type)));
    int_write(text, "time_ms", event->time_ms);
    int_write(text, "known_ms", event->known_ms);
    text_write(text, ",", "source", event->source);
    text_write(text, ",", "id", event->id);
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        enum event_member member = (enum event_member)i;
        if ((event->has >> i & 1) == 0) {
            continue;
        }
        if (event_member_is_text(member)) {
            text_write(text, ",", event_member_name(member), *event_text(&copy, member));
        } else {
            int_write(text, event_member_name(member), *event_number(&copy, member));
        }
    }
    transfer_text_raw(text, "}\n");
}

static bool members_read(const struct transfer_line *line, struct event *event,
                         struct proto_fault *fault)
{
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        enum event_member member = (enum event_member)i;
        const char *name = event_member_name(member);
        if (json_object_get(line->json, name) == NULL) {
            continue;
        }
        event->has |= UINT32_C(1) << i;
        bool good = event_member_is_text(member)
                        ? transfer_line_text(line, name, event_text(event, member), fault)
                        : transfer_line_int(line, name, INT64_MIN, INT64_MAX,
                                            event_number(event, member), fault);
        if (!good) {
            return false;
        }
    }
    return true;
}

bool transfer_event_read(const struct transfer_line *line, struct proto_span *account,
                         struct event *event, struct proto_fault *fault)
{
    static const char *const names[] = {
        "event", "type", "time_ms", "known_ms", "source", "id",
#define T(NAME, name, text, most, meaning) text,
#define N(NAME, name, text, low, high, meaning) text,
#include "server/event/event_member.def"
#undef T
#undef N
    };
    struct proto_span type;
    *event = (struct event){.type = EVENT_TYPE_COUNT};
    if (!transfer_line_known(line, names, sizeof names / sizeof *names, fault) ||
        !transfer_line_text(line, "event", account, fault) ||
        !transfer_line_text(line, "type", &type, fault) ||
        !transfer_line_int(line, "time_ms", EVENT_MS_MIN, EVENT_MS_MAX, &event->time_ms, fault) ||
        !transfer_line_int(line, "known_ms", INT64_MIN, INT64_MAX, &event->known_ms, fault) ||
        !transfer_line_text(line, "source", &event->source, fault) ||
        !transfer_line_text(line, "id", &event->id, fault) || !members_read(line, event, fault)) {
        return false;
    }
    struct proto_fault why = {.code = PROTO_OK};
    if (!event_type_read(type, "type", &event->type, &why) ||
        !event_check(event, INT64_MAX, &why)) {
        *fault = why;
        return transfer_line_within(line, TRANSFER_AT(why.field), fault);
    }
    return true;
}
