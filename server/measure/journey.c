/* SPDX-License-Identifier: Apache-2.0 */
/* Events are parted into touches and steps; steps, sorted by opportunity and time, are cut into
 * journeys, and each gets the touches of its lookback. Memory can run out. */
#include "server/measure/journey.h"

#include <stdlib.h>

/* An account with many opportunities has its touches looked at for each of them. */
#define TOUCHES_PER_ASKING 65536u

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
    *reader = (struct measure_journey_reader){.pace = reader->pace, .looked = reader->looked};
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
    if (reader->touches == NULL || reader->chosen == NULL || reader->steps == NULL) {
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

/* Whether a subject is one of the account's opportunities. */
static bool is_opportunity(const struct reading *reading, struct proto_span subject)
{
    size_t low = 0;
    size_t high = reading->step_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = proto_span_compare(reading->reader->steps[middle]->subject, subject);
        if (order == 0) {
            return true;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return false;
}

/* The first touch at from_ms or later. */
static size_t touch_from(const struct reading *reading, int64_t from_ms)
{
    size_t low = 0;
    size_t high = reading->touch_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = reading->reader->touches[middle]->time_ms < from_ms;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

static bool touch_counts(const struct reading *reading, const struct event *touch,
                         const struct measure_journey *journey)
{
    const struct measure_journey_options *options = reading->options;
    if (options->late_left_out && measure_touch_late(touch, journey->outcome)) {
        return false;
    }
    return options->by_account || touch->subject.bytes == 0 ||
           text_same(touch->subject, journey->subject) || !is_opportunity(reading, touch->subject);
}

static bool touches_choose(const struct reading *reading, struct measure_journey *journey,
                           struct proto_fault *fault)
{
    struct measure_journey_reader *reader = reading->reader;
    const struct measure_journey_options *options = reading->options;
    int64_t last_ms = journey->end_ms;
    if (options->until_created && journey->step_count > 0 && journey->created_ms < last_ms) {
        last_ms = journey->created_ms;
    }
    int64_t first_ms = options->lookback_ms < last_ms - EVENT_MS_MIN
                           ? last_ms - options->lookback_ms
                           : EVENT_MS_MIN;
    journey->touches = reader->chosen;
    for (size_t t = touch_from(reading, first_ms); t < reading->touch_count; t++) {
        const struct event *touch = reader->touches[t];
        if (++reader->looked % TOUCHES_PER_ASKING == 0 && !measure_goes_on(reader->pace, fault)) {
            return false;
        }
        if (touch->time_ms > last_ms) {
            break;
        }
        if (touch_counts(reading, touch, journey)) {
            reader->chosen[journey->touch_count++] = touch;
        }
    }
    return true;
}

/* The first that is won, else the last that is lost; SIZE_MAX: it is open. */
static size_t end_find(const struct reading *reading, const struct event *const *steps,
                       size_t count)
{
    size_t lost = SIZE_MAX;
    for (size_t i = 0; i < count && steps[i]->time_ms <= reading->options->as_of_ms; i++) {
        if (is_end(steps[i], reading->options->won)) {
            return i;
        }
        lost = is_end(steps[i], reading->options->lost) ? i : lost;
    }
    return lost;
}

static bool journey_tell(const struct reading *reading, const struct event *const *steps,
                         size_t count, struct proto_fault *fault)
{
    const struct measure_journey_options *options = reading->options;
    size_t end = end_find(reading, steps, count);
    struct measure_journey journey = {
        .end = MEASURE_JOURNEY_OPEN, .end_ms = options->as_of_ms, .steps = steps};
    if (end != SIZE_MAX) {
        journey.outcome = steps[end];
        journey.end_ms = steps[end]->time_ms;
        journey.end = is_end(steps[end], options->won) ? MEASURE_JOURNEY_WON : MEASURE_JOURNEY_LOST;
        journey.step_count = end + 1;
    } else {
        while (journey.step_count < count &&
               steps[journey.step_count]->time_ms <= options->as_of_ms) {
            journey.step_count++;
        }
    }
    if (count > 0 && !options->by_account) {
        journey.subject = steps[0]->subject;
    }
    journey.created_ms = journey.step_count > 0 ? steps[0]->time_ms : journey.end_ms;
    if (options->owner.bytes > 0 &&
        (journey.step_count == 0 || !proto_span_equal(steps[0]->person, options->owner))) {
        return true;
    }
    if (!touches_choose(reading, &journey, fault)) {
        return false;
    }
    if (journey.step_count == 0 && journey.touch_count == 0) {
        return true; /* nothing of it was there yet */
    }
    if (journey.step_count == 0) {
        journey.created_ms = journey.touches[0]->time_ms;
    }
    journey.mature = journey.end == MEASURE_JOURNEY_OPEN &&
                     journey.created_ms <= options->as_of_ms - options->mature_ms;
    return journey.created_ms < options->from_ms || journey.created_ms >= options->to_ms ||
           reading->each(reading->context, &journey, fault);
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
    if (reading.step_count == 0) {
        return reading.touch_count == 0 || journey_tell(&reading, NULL, 0, fault);
    }
    for (size_t i = 0; i < reading.step_count;) {
        size_t first = i;
        bool decided = true; /* and nothing else */
        for (; i < reading.step_count &&
               (options->by_account ||
                text_same(reader->steps[i]->subject, reader->steps[first]->subject));
             i++) {
            decided = decided && reader->steps[i]->type == EVENT_DECISION;
        }
        bool sole = i - first == reading.step_count;
        if ((sole || !decided) &&
            !journey_tell(&reading, reader->steps + first, i - first, fault)) {
            return false;
        }
    }
    return true;
}
