/* SPDX-License-Identifier: Apache-2.0 */
/* The schema is made of the tables of members, so that a new one can be asked for at once. */
#include "server/lifecycle/lifecycle_where.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { SCHEMA_BYTES = 4096 };

static enum feature_type type_of(unsigned member)
{
    return event_member_is_text((enum event_member)member) ? FEATURE_CATEGORY
           : member == EVENT_MEMBER_END                    ? FEATURE_DATE
                                                           : FEATURE_NUMBER;
}

static struct feature_schema *schema_make(struct proto_fault *fault)
{
    char text[SCHEMA_BYTES] =
        "{\"fields\":[{\"name\":\"type\",\"type\":\"category\"},{\"name\":\"source\","
        "\"type\":\"category\"},{\"name\":\"id\",\"type\":\"category\"},{\"name\":\"time\","
        "\"type\":\"date\"},{\"name\":\"known\",\"type\":\"date\"}";
    size_t used = strlen(text);
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        used += (size_t)snprintf(
            text + used, sizeof text - used, ",{\"name\":\"%s\",\"type\":\"%s\"}",
            event_member_name((enum event_member)i), feature_type_name(type_of(i)));
        assert(used < sizeof text - 3); /* names are those of the table */
    }
    memcpy(text + used, "]}", 3);
    return feature_schema_parse(proto_span_text(text), 1, NULL, fault);
}

bool lifecycle_where_open(struct lifecycle_where *where, struct proto_span text,
                          struct proto_fault *fault)
{
    size_t count = 0;
    *where = (struct lifecycle_where){.filter = NULL};
    if (text.bytes == 0) {
        return true;
    }
    where->schema = schema_make(fault);
    if (where->schema == NULL) {
        return false;
    }
    assert(where->schema->id_count == LIFECYCLE_WHERE_FIELDS);
    where->filter = filter_parse(where->schema, text, fault, NULL);
    if (where->filter == NULL) {
        (void)snprintf(fault->field, sizeof fault->field, "%s",
                       fault->code == PROTO_BAD_FILTER ? "where" : fault->field);
        return false;
    }
    const uint16_t *fields = filter_fields(where->filter, &count);
    for (size_t i = 0; i < count; i++) {
        where->reads |= UINT32_C(1) << fields[i];
    }
    return true;
}

void lifecycle_where_fini(struct lifecycle_where *where)
{
    filter_destroy(where->filter);
    feature_schema_release(where->schema);
    *where = (struct lifecycle_where){.filter = NULL};
}

static struct feature_value text_of(struct proto_span text)
{
    return (struct feature_value){
        .present = text.bytes > 0, .type = FEATURE_CATEGORY, .text = text};
}

static struct feature_value number_of(int64_t number, bool present, enum feature_type type)
{
    return (struct feature_value){.present = present, .type = type, .number = (double)number};
}

static void values_set(struct lifecycle_where *where, const struct event *event)
{
    struct feature_value *values = where->values;
    uint32_t reads = where->reads;
    if ((reads & ((UINT32_C(1) << LIFECYCLE_WHERE_MEMBERS) - 1)) != 0) {
        values[LIFECYCLE_WHERE_TYPE] = text_of(proto_span_text(event_type_name(event->type)));
        values[LIFECYCLE_WHERE_SOURCE] = text_of(event->source);
        values[LIFECYCLE_WHERE_ID] = text_of(event->id);
        values[LIFECYCLE_WHERE_TIME] = number_of(event->time_ms, true, FEATURE_DATE);
        values[LIFECYCLE_WHERE_KNOWN] = number_of(event->known_ms, true, FEATURE_DATE);
    }
#define READ(NAME) ((reads >> (LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_##NAME) & 1) != 0)
#define T(NAME, name, text, most, meaning)                                                         \
    if (READ(NAME)) {                                                                              \
        values[LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_##NAME] = text_of(event->name);              \
    }
#define N(NAME, name, text, low, high, meaning)                                                    \
    if (READ(NAME)) {                                                                              \
        values[LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_##NAME] = number_of(                         \
            event->name, (event->has & EVENT_HAS_##NAME) != 0, type_of(EVENT_MEMBER_##NAME));      \
    }
#include "server/event/event_member.def"
#undef T
#undef N
#undef READ
}

bool lifecycle_where_match(struct lifecycle_where *where, const struct event *event)
{
    if (where->filter == NULL) {
        return true;
    }
    values_set(where, event);
    return filter_match(where->filter, where->values, LIFECYCLE_WHERE_FIELDS);
}

static const uint16_t number_fields[LIFECYCLE_WHERE_NUMBERS] = {
    [LIFECYCLE_WHERE_NUMBER_TIME] = LIFECYCLE_WHERE_TIME,
    [LIFECYCLE_WHERE_NUMBER_AMOUNT] = LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_AMOUNT,
    [LIFECYCLE_WHERE_NUMBER_QUANTITY] = LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_QUANTITY,
};

bool lifecycle_where_reads(const struct lifecycle_where *where, enum lifecycle_where_number number)
{
    return (where->reads >> number_fields[number] & 1) != 0;
}

bool lifecycle_where_narrow(struct lifecycle_where *where, const struct event *event,
                            struct filter_narrow *narrow)
{
    values_set(where, event);
    return filter_narrow_make(where->filter, where->values, LIFECYCLE_WHERE_FIELDS, number_fields,
                              LIFECYCLE_WHERE_NUMBERS, narrow);
}
