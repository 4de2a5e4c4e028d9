/* SPDX-License-Identifier: Apache-2.0 */
/* Events as values that a filter speaks of: type, source, id, time, known and the members of
 * event_member.def, by those names; texts as categories, numbers as numbers, times as dates.
 *
 * Ownership: owns schema and filter until _fini. Errors: BAD_FILTER at "where" with the column,
 * NO_MEMORY. Threads: one. Cost: some 50 µs to open, 50 ns an event. */
#ifndef LIFECYCLE_LIFECYCLE_WHERE_H
#define LIFECYCLE_LIFECYCLE_WHERE_H

#include "server/event/event.h"
#include "server/filter/filter_narrow.h"

enum lifecycle_where_field {
    LIFECYCLE_WHERE_TYPE,
    LIFECYCLE_WHERE_SOURCE,
    LIFECYCLE_WHERE_ID,
    LIFECYCLE_WHERE_TIME,
    LIFECYCLE_WHERE_KNOWN,
    LIFECYCLE_WHERE_MEMBERS, /* + enum event_member */
    LIFECYCLE_WHERE_FIELDS = LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_COUNT
};

struct lifecycle_where {
    struct feature_schema *schema;
    struct filter *filter; /* NULL: every event */
    struct feature_value values[LIFECYCLE_WHERE_FIELDS];
    uint32_t reads; /* bits 1 << lifecycle_where_field */
};

bool lifecycle_where_open(struct lifecycle_where *where, struct proto_span text,
                          struct proto_fault *fault);
void lifecycle_where_fini(struct lifecycle_where *where);
bool lifecycle_where_match(struct lifecycle_where *where, const struct event *event);

/* What differs between events that have all else in common, and its place among the numbers of a
 * narrowed condition. */
enum lifecycle_where_number {
    LIFECYCLE_WHERE_NUMBER_TIME,
    LIFECYCLE_WHERE_NUMBER_AMOUNT,
    LIFECYCLE_WHERE_NUMBER_QUANTITY,
    LIFECYCLE_WHERE_NUMBERS
};
/* Whether the condition reads it. */
bool lifecycle_where_reads(const struct lifecycle_where *where, enum lifecycle_where_number number);
/* What is left of the condition for events like this one, whatever their numbers; filter not NULL.
 * False where it cannot be narrowed (filter_narrow.h). */
bool lifecycle_where_narrow(struct lifecycle_where *where, const struct event *event,
                            struct filter_narrow *narrow);

#endif
