/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys as sequences of numbers, kept until all are there. A journey that is too young is
 * counted and forgotten. Names and memory can run out. */
#include "server/measure/pattern.h"

#include <stdlib.h>

#include "server/base/grow.h"

void measure_patterns_fini(struct measure_patterns *patterns)
{
    free(patterns->steps);
    free(patterns->cases);
    free(patterns->fits);
    patterns->steps = NULL;
    patterns->cases = NULL;
    patterns->fits = NULL;
    patterns->count = patterns->room = patterns->step_count = patterns->step_room = 0;
}

/* Cases and their fits have one room. */
static bool cases_room(struct measure_patterns *all, struct proto_fault *fault)
{
    size_t room[2] = {all->room, all->room};
    bool good =
        base_grow(&all->cases, &room[0], all->count + 1, sizeof *all->cases, "journeys", fault) &&
        base_grow(&all->fits, &room[1], all->count + 1, sizeof *all->fits, "journeys", fault);
    all->room = good ? room[0] : all->room;
    return good;
}

bool measure_patterns_sequence(struct measure_patterns *patterns, const uint16_t *steps,
                               size_t count, int64_t created_ms, bool won,
                               struct proto_fault *fault)
{
    if (!cases_room(patterns, fault) ||
        !base_grow(&patterns->steps, &patterns->step_room, patterns->step_count + count,
                   sizeof *patterns->steps, "steps", fault)) {
        return false;
    }
    patterns->fits[patterns->count] = patterns->fit;
    patterns->cases[patterns->count++] =
        (struct measure_case){created_ms, patterns->step_count, (uint8_t)count, won};
    for (size_t i = 0; i < count; i++) {
        patterns->steps[patterns->step_count++] = steps[i];
    }
    return true;
}

/* Whether the goal was reached, and the moment from which on nothing counts. */
static bool reached(const struct measure_patterns *all, const struct measure_journey *journey,
                    int64_t *until_ms)
{
    struct proto_span goal = all->options.goal;
    *until_ms = journey->end == MEASURE_JOURNEY_OPEN ? INT64_MAX : journey->end_ms;
    for (size_t i = 0; i < journey->step_count && goal.bytes > 0; i++) {
        const struct event *step = journey->steps[i];
        if (step->type == EVENT_STAGE && proto_span_equal(step->kind, goal)) {
            *until_ms = step->time_ms;
            return true;
        }
    }
    return goal.bytes == 0 && journey->end == MEASURE_JOURNEY_WON;
}

/* The next of touches and steps by time, a touch before a step of its moment unless it was told
 * later; NULL: there is none. */
static const struct event *next_of(const struct measure_patterns *all,
                                   const struct measure_journey *journey, size_t *touch,
                                   size_t *step)
{
    bool touches = all->options.of != MEASURE_OF_STAGES;
    bool stages = all->options.of != MEASURE_OF_TOUCHES;
    while (*step < journey->step_count && journey->steps[*step]->type == EVENT_OUTCOME) {
        (*step)++;
    }
    const struct event *a =
        touches && *touch < journey->touch_count ? journey->touches[*touch] : NULL;
    const struct event *b = stages && *step < journey->step_count ? journey->steps[*step] : NULL;
    bool first = a != NULL && (b == NULL || a->time_ms < b->time_ms ||
                               (a->time_ms == b->time_ms && a->seq <= b->seq));
    *touch += first;
    *step += !first && b != NULL;
    return first ? a : b;
}

bool measure_patterns_add(void *patterns, const struct measure_journey *journey,
                          struct proto_fault *fault)
{
    struct measure_patterns *all = patterns;
    uint16_t steps[MEASURE_WINDOW_MAX];
    size_t count = 0;
    size_t touch = 0;
    size_t step = 0;
    int64_t until_ms = 0;
    int64_t first_ms = 0;
    if (journey->created_ms > all->as_of_ms - all->mature_ms) {
        all->young++;
        return true;
    }
    bool won = reached(all, journey, &until_ms);
    while (count < all->options.first) {
        const struct event *event = next_of(all, journey, &touch, &step);
        uint32_t number = 0;
        first_ms = count == 0 && event != NULL ? event->time_ms : first_ms;
        if (event == NULL || event->time_ms >= until_ms ||
            event->time_ms - first_ms > all->options.window_ms) {
            break;
        }
        if (!all->number(all->context, event, &number, fault)) {
            return false;
        }
        if (number >= MEASURE_STEPS_NAMED_MAX) {
            return proto_fault_set(fault, PROTO_LIMIT, "", "more than %d names of steps",
                                   MEASURE_STEPS_NAMED_MAX);
        }
        steps[count++] = (uint16_t)number;
    }
    all->empty += count == 0;
    return measure_patterns_sequence(all, steps, count, journey->created_ms, won, fault);
}
