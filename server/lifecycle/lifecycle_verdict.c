/* SPDX-License-Identifier: Apache-2.0 */
/* Members by their names, then each shape once: whether its events are in, unless that depends on
 * their numbers, and which row they fall into. A member that is none is refused; memory can run
 * out.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_asking.h"

bool lifecycle_members_read(struct lifecycle_asking *asking, struct proto_fault *fault)
{
    const struct lifecycle_query *query = asking->query;
    for (size_t i = 0; i < query->member_count; i++) {
        enum event_member member = EVENT_MEMBER_COUNT;
        char field[32];
        char shown[FEATURE_SHOWN_BYTES];
        bool type = proto_span_is(query->members[i], "type");
        bool source = proto_span_is(query->members[i], "source");
        bool known = type || source ||
                     (event_member_find(query->members[i], &member) &&
                      event_member_is_text(member) && member != EVENT_MEMBER_RETRACTS);
        (void)snprintf(field, sizeof field, "members[%zu]", i);
        if (!known) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, field,
                                   "type, source, kind, label, subject, motion, function, "
                                   "campaign, person or currency, not '%s'",
                                   feature_text_show(query->members[i], shown, sizeof shown));
        }
        asking->members[i] = type     ? LIFECYCLE_BY_TYPE
                             : source ? LIFECYCLE_BY_SOURCE
                                      : (unsigned)member;
    }
    return true;
}

bool lifecycle_columns_do(const struct lifecycle_asking *asking)
{
    const struct lifecycle_query *query = asking->query;
    const uint32_t absent = UINT32_C(1) << LIFECYCLE_WHERE_ID |
                            UINT32_C(1) << LIFECYCLE_WHERE_KNOWN |
                            UINT32_C(1) << (LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_SUBJECT) |
                            UINT32_C(1) << (LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_PERSON) |
                            UINT32_C(1) << (LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_RETRACTS) |
                            UINT32_C(1) << (LIFECYCLE_WHERE_MEMBERS + EVENT_MEMBER_END);
    bool all = (asking->where.reads & absent) == 0 &&
               query->as_of.seq >= engine_worker_seq(asking->worker) &&
               query->as_of.known_ms == INT64_MAX;
    for (size_t i = 0; i < query->member_count; i++) {
        all = all && asking->members[i] != EVENT_MEMBER_SUBJECT &&
              asking->members[i] != EVENT_MEMBER_PERSON;
    }
    return all;
}

static struct proto_span member_text(const struct event *event, unsigned member)
{
    if (member == LIFECYCLE_BY_TYPE) {
        return proto_span_text(event_type_name(event->type));
    }
    return member == LIFECYCLE_BY_SOURCE
               ? event->source
               : *event_text((struct event *)(uintptr_t)event, (enum event_member)member);
}

bool lifecycle_verdict_of(struct lifecycle_asking *asking, const struct event *event, bool ask,
                          struct lifecycle_verdict *verdict, struct proto_fault *fault)
{
    const struct lifecycle_query *query = asking->query;
    struct lifecycle_names *texts = &asking->result->texts;
    *verdict = (struct lifecycle_verdict){.known = true, .ask = ask};
    verdict->in = (query->types == 0 || (query->types >> event->type & 1) != 0) &&
                  (ask || lifecycle_where_match(&asking->where, event));
    for (size_t i = 0; i < query->member_count && verdict->in; i++) {
        struct proto_span text = member_text(event, asking->members[i]);
        if (text.bytes > 0 && !lifecycle_name_number(texts, text, &verdict->members[i], fault)) {
            return false;
        }
    }
    return !verdict->in || query->sum != LIFECYCLE_SUM_AMOUNT ||
           (event->has & EVENT_HAS_AMOUNT) == 0 || event->currency.bytes == 0 ||
           lifecycle_name_number(texts, event->currency, &verdict->currency, fault);
}

/* Whether a condition reads a number that events of the shape have, or their time. */
static bool needs_numbers(const struct lifecycle_where *where, uint32_t has)
{
    return lifecycle_where_reads(where, LIFECYCLE_WHERE_NUMBER_TIME) ||
           (lifecycle_where_reads(where, LIFECYCLE_WHERE_NUMBER_AMOUNT) &&
            (has & EVENT_HAS_AMOUNT) != 0) ||
           (lifecycle_where_reads(where, LIFECYCLE_WHERE_NUMBER_QUANTITY) &&
            (has & EVENT_HAS_QUANTITY) != 0);
}

/* What a row of the shape is asked: one interval for most, that of all numbers or of none where the
 * shape decides it. */
static void verdict_narrow(struct lifecycle_asking *asking, const struct event *event,
                           struct lifecycle_verdict *verdict)
{
    struct filter_narrow narrow;
    verdict->low = -HUGE_VAL;
    verdict->high = HUGE_VAL;
    verdict->inside = verdict->in;
    if (!verdict->in || !verdict->ask) {
        verdict->ask = false;
        return;
    }
    if (!lifecycle_where_narrow(&asking->where, event, &narrow)) {
        return;
    }
    verdict->ask = narrow.count > 1 && narrow.first < FILTER_NARROW_STEPS;
    if (verdict->ask) {
        verdict->narrow = malloc(sizeof narrow);
        if (verdict->narrow != NULL) {
            *verdict->narrow = narrow;
        }
    } else if (narrow.first < FILTER_NARROW_STEPS) {
        verdict->number = (enum lifecycle_where_number)narrow.steps[0].number;
        verdict->low = narrow.steps[0].low;
        verdict->high = narrow.steps[0].high;
        verdict->inside = narrow.steps[0].yes == FILTER_NARROW_TRUE;
    } else {
        verdict->in = verdict->inside = narrow.first == FILTER_NARROW_TRUE;
    }
}

const struct lifecycle_verdict *lifecycle_verdict_get(struct lifecycle_asking *asking,
                                                      uint32_t shape, struct proto_fault *fault)
{
    if (shape >= asking->verdict_count) {
        size_t count = (size_t)shape * 2 + 256;
        struct lifecycle_verdict *grown = realloc(asking->verdicts, count * sizeof *grown);
        if (grown == NULL) {
            (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu shapes", count);
            return NULL;
        }
        memset(grown + asking->verdict_count, 0, (count - asking->verdict_count) * sizeof *grown);
        asking->verdicts = grown;
        asking->verdict_count = count;
    }
    struct lifecycle_verdict *verdict = &asking->verdicts[shape];
    const struct event *event = lifecycle_shape(lifecycle_columns_shapes(asking->columns), shape);
    bool known = verdict->known;
    if (!known && !lifecycle_verdict_of(asking, event, needs_numbers(&asking->where, event->has),
                                        verdict, fault)) {
        return NULL;
    }
    if (!known) {
        verdict_narrow(asking, event, verdict);
    }
    return verdict;
}

void lifecycle_verdicts_free(struct lifecycle_asking *asking)
{
    for (size_t shape = 0; shape < asking->verdict_count; shape++) {
        free(asking->verdicts[shape].narrow);
    }
    free(asking->verdicts);
}
