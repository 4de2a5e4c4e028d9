/* SPDX-License-Identifier: Apache-2.0 */
/* Events are parted into touches and steps and sorted; what decides of each is cut into journeys
 * (journey_cut.h), and those are told with their events. Memory can run out. */
#include "server/measure/journey.h"

#include <stdlib.h>

int measure_moment_compare(const struct event *a, const struct event *b)
{
    if (a->time_ms != b->time_ms) {
        return a->time_ms < b->time_ms ? -1 : 1;
    }
    if (a->seq != b->seq) {
        return a->seq < b->seq ? -1 : 1;
    }
    int source = proto_span_compare(a->source, b->source);
    return source != 0 ? source : proto_span_compare(a->id, b->id);
}

/* Events out of columns have no id: those of one moment are in order where they lie. */
static int moment_order(const struct event *a, const struct event *b)
{
    int order = measure_moment_compare(a, b);
    return order != 0 ? order : ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static int touches_order(const void *left, const void *right)
{
    return moment_order(*(const struct event *const *)left, *(const struct event *const *)right);
}

static int steps_order(const void *left, const void *right)
{
    const struct event *a = *(const struct event *const *)left;
    const struct event *b = *(const struct event *const *)right;
    int subject = proto_span_compare(a->subject, b->subject);
    return subject != 0 ? subject : moment_order(a, b);
}

void measure_journey_reader_fini(struct measure_journey_reader *reader)
{
    free(reader->touches);
    free(reader->chosen);
    free(reader->steps);
    free(reader->instants);
    measure_cutter_fini(&reader->cutter);
    *reader = (struct measure_journey_reader){.cutter = reader->cutter};
}

static bool room_make(struct measure_journey_reader *reader, size_t count,
                      struct proto_fault *fault)
{
    if (count <= reader->room) {
        return true;
    }
    measure_journey_reader_fini(reader);
    reader->touches = calloc(count, sizeof *reader->touches);
    reader->chosen = calloc(count, sizeof *reader->chosen);
    reader->steps = calloc(count, sizeof *reader->steps);
    reader->instants = calloc(count, sizeof *reader->instants);
    if (reader->touches == NULL || reader->chosen == NULL || reader->steps == NULL ||
        reader->instants == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu events of a journey",
                               count);
    }
    reader->room = count;
    return true;
}

/* Texts out of columns are one where they are the same, and need not be read to be seen so. */
static inline bool text_same(struct proto_span a, struct proto_span b)
{
    return (a.data == b.data && a.bytes == b.bytes) || proto_span_equal(a, b);
}

/* Sorts what is not in order yet: events out of columns are, but for their subjects. */
static void events_sort(const struct event **events, size_t count, bool by_subject)
{
    for (size_t i = 1; i < count; i++) {
        const struct event *a = events[i - 1];
        const struct event *b = events[i];
        bool sooner = a->time_ms < b->time_ms && (!by_subject || text_same(a->subject, b->subject));
        if (!sooner && (by_subject ? steps_order : touches_order)(&events[i - 1], &events[i]) > 0) {
            qsort(events, count, sizeof *events, by_subject ? steps_order : touches_order);
            return;
        }
    }
}

struct reading {
    struct measure_journey_reader *reader;
    const struct measure_journey_options *options;
    size_t touch_count, step_count;
    measure_journey_each each;
    void *context;
};

static bool is_end(const struct event *event, struct proto_span kind)
{
    return event->type == EVENT_OUTCOME && proto_span_equal(event->kind, kind);
}

/* Of an opportunity's subject its number, as steps_say numbers them; 0: it is none. */
static uint32_t opportunity_of(const struct reading *reading, const struct measure_instant *steps,
                               struct proto_span subject)
{
    size_t low = 0;
    size_t high = reading->step_count;
    if (high > 0 && text_same(reading->reader->steps[0]->subject, subject)) {
        return steps[0].subject;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = proto_span_compare(reading->reader->steps[middle]->subject, subject);
        if (order == 0) {
            return steps[middle].subject;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return 0;
}

static void steps_say(const struct reading *reading, struct measure_instant *instants)
{
    const struct measure_journey_options *options = reading->options;
    uint32_t subject = 0;
    for (size_t i = 0; i < reading->step_count; i++) {
        const struct event *step = reading->reader->steps[i];
        /* What has none comes first, where there is an order by subject at all. */
        bool other = i == 0 ? step->subject.bytes > 0
                            : !text_same(step->subject, reading->reader->steps[i - 1]->subject);
        subject += other && !options->by_account;
        instants[i] = (struct measure_instant){
            .time_ms = step->time_ms,
            .seq = step->seq,
            .subject = subject,
            .at = (uint32_t)i,
            .kind = step->type == EVENT_STAGE      ? MEASURE_INSTANT_STAGE
                    : step->type == EVENT_DECISION ? MEASURE_INSTANT_DECISION
                    : is_end(step, options->won)   ? MEASURE_INSTANT_WON
                                                   : MEASURE_INSTANT_LOST,
            .owned = options->owner.bytes > 0 && proto_span_equal(step->person, options->owner)};
    }
}

/* After the steps were said. */
static void touches_say(const struct reading *reading, const struct measure_instant *steps,
                        struct measure_instant *instants)
{
    for (size_t i = 0; i < reading->touch_count; i++) {
        const struct event *touch = reading->reader->touches[i];
        instants[i] = (struct measure_instant){.time_ms = touch->time_ms,
                                               .seq = touch->seq,
                                               .at = (uint32_t)i,
                                               .kind = MEASURE_INSTANT_TOUCH};
        if (touch->subject.bytes > 0 && !reading->options->by_account) {
            instants[i].subject = opportunity_of(reading, steps, touch->subject);
            instants[i].bound = instants[i].subject > 0;
        }
    }
}

/* A journey as its events. */
static bool cut_tell(void *context, const struct measure_cut *cut, struct proto_fault *fault)
{
    const struct reading *reading = context;
    struct measure_journey_reader *reader = reading->reader;
    size_t first = cut->steps != NULL ? cut->steps[0].at : 0;
    struct measure_journey journey = {.end = cut->end,
                                      .mature = cut->mature,
                                      .created_ms = cut->created_ms,
                                      .end_ms = cut->end_ms,
                                      .touches = reader->chosen,
                                      .touch_count = cut->touch_count,
                                      .steps = reader->steps + first,
                                      .step_count = cut->step_count};
    for (size_t i = 0; i < cut->touch_count; i++) {
        reader->chosen[i] = reader->touches[cut->touches[i]->at];
    }
    if (cut->end != MEASURE_JOURNEY_OPEN) {
        journey.outcome = journey.steps[cut->step_count - 1];
    }
    if (cut->steps != NULL && !reading->options->by_account) {
        journey.subject = reader->steps[first]->subject;
    }
    return reading->each(reading->context, &journey, fault);
}

bool measure_journeys_read(struct measure_journey_reader *reader,
                           const struct measure_event *events, size_t count,
                           const struct measure_journey_options *options, measure_journey_each each,
                           void *context, struct proto_fault *fault)
{
    struct reading reading = {
        .reader = reader, .options = options, .each = each, .context = context};
    if (!room_make(reader, count, fault)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct event *event = events[i].event;
        if (event->type == EVENT_TOUCH) {
            reader->touches[reading.touch_count++] = event;
        } else if (event->type == EVENT_STAGE || event->type == EVENT_DECISION ||
                   is_end(event, options->won) || is_end(event, options->lost)) {
            reader->steps[reading.step_count++] = event;
        }
    }
    events_sort(reader->touches, reading.touch_count, false);
    events_sort(reader->steps, reading.step_count, !options->by_account);
    struct measure_instant *steps = reader->instants + reading.touch_count;
    steps_say(&reading, steps);
    touches_say(&reading, steps, reader->instants);
    const struct measure_instants instants = {reader->instants, reading.touch_count, steps,
                                              reading.step_count};
    return measure_journeys_cut(&reader->cutter, &instants, options, cut_tell, &reading, fault);
}
