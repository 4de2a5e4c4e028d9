/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of one subject are a journey, and each gets the touches of its lookback. Memory can run
 * out, and who asked can give up. */
#include "server/measure/journey_cut.h"

#include <stdlib.h>

/* An account with many opportunities has its touches looked at for each of them. */
#define TOUCHES_PER_ASKING 65536u

void measure_cutter_fini(struct measure_cutter *cutter)
{
    free(cutter->chosen);
    cutter->chosen = NULL;
    cutter->room = 0;
}

static bool room_make(struct measure_cutter *cutter, size_t count, struct proto_fault *fault)
{
    if (count <= cutter->room) {
        return true;
    }
    measure_cutter_fini(cutter);
    cutter->chosen = calloc(count, sizeof *cutter->chosen);
    if (cutter->chosen == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu touches of a journey",
                               count);
    }
    cutter->room = count;
    return true;
}

struct cutting {
    struct measure_cutter *cutter;
    const struct measure_instants *instants;
    const struct measure_journey_options *options;
    measure_cut_each each;
    void *context;
};

/* The first touch at from_ms or later. */
static size_t touch_from(const struct measure_instants *instants, int64_t from_ms)
{
    size_t low = 0;
    size_t high = instants->touch_count;
    if (high == 0 || instants->touches[0].time_ms >= from_ms) {
        return 0;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool before = instants->touches[middle].time_ms < from_ms;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low;
}

static bool touches_choose(const struct cutting *cutting, struct measure_cut *cut,
                           struct proto_fault *fault)
{
    struct measure_cutter *cutter = cutting->cutter;
    const struct measure_instants *instants = cutting->instants;
    const struct measure_journey_options *options = cutting->options;
    uint32_t subject = cut->steps != NULL ? cut->steps[0].subject : 0;
    bool late_out = options->late_left_out && cut->end != MEASURE_JOURNEY_OPEN;
    uint64_t told = late_out ? cut->steps[cut->step_count - 1].seq : UINT64_MAX;
    int64_t last_ms = cut->end_ms;
    if (options->until_created && cut->step_count > 0 && cut->created_ms < last_ms) {
        last_ms = cut->created_ms;
    }
    int64_t first_ms = options->lookback_ms < last_ms - EVENT_MS_MIN
                           ? last_ms - options->lookback_ms
                           : EVENT_MS_MIN;
    cut->touches = cutter->chosen;
    for (size_t t = touch_from(instants, first_ms); t < instants->touch_count; t++) {
        const struct measure_instant *touch = &instants->touches[t];
        if (++cutter->looked % TOUCHES_PER_ASKING == 0 && !measure_goes_on(cutter->pace, fault)) {
            return false;
        }
        if (touch->time_ms > last_ms) {
            break;
        }
        if (touch->seq <= told &&
            (options->by_account || !touch->bound || touch->subject == subject)) {
            cutter->chosen[cut->touch_count++] = touch;
        }
    }
    return true;
}

/* The first that is won, else the last that is lost; SIZE_MAX: it is open. */
static size_t end_find(const struct measure_instant *steps, size_t count, int64_t as_of_ms)
{
    size_t lost = SIZE_MAX;
    for (size_t i = 0; i < count && steps[i].time_ms <= as_of_ms; i++) {
        if (steps[i].kind == MEASURE_INSTANT_WON) {
            return i;
        }
        lost = steps[i].kind == MEASURE_INSTANT_LOST ? i : lost;
    }
    return lost;
}

/* What ends it, and when; its steps until then. */
static void steps_cut(const struct measure_instant *steps, size_t count, int64_t as_of_ms,
                      struct measure_cut *cut)
{
    size_t end = end_find(steps, count, as_of_ms);
    *cut = (struct measure_cut){.end = MEASURE_JOURNEY_OPEN, .end_ms = as_of_ms, .steps = steps};
    if (end != SIZE_MAX) {
        cut->end_ms = steps[end].time_ms;
        cut->end =
            steps[end].kind == MEASURE_INSTANT_WON ? MEASURE_JOURNEY_WON : MEASURE_JOURNEY_LOST;
        cut->step_count = end + 1;
        return;
    }
    while (cut->step_count < count && steps[cut->step_count].time_ms <= as_of_ms) {
        cut->step_count++;
    }
}

static bool journey_tell(const struct cutting *cutting, const struct measure_instant *steps,
                         size_t count, struct proto_fault *fault)
{
    const struct measure_journey_options *options = cutting->options;
    struct measure_cut cut;
    steps_cut(steps, count, options->as_of_ms, &cut);
    cut.created_ms = cut.step_count > 0 ? steps[0].time_ms : cut.end_ms;
    if (options->owner.bytes > 0 && (cut.step_count == 0 || !steps[0].owned)) {
        return true;
    }
    if (!touches_choose(cutting, &cut, fault)) {
        return false;
    }
    if (cut.step_count == 0 && cut.touch_count == 0) {
        return true; /* nothing of it was there yet */
    }
    if (cut.step_count == 0) {
        cut.created_ms = cut.touches[0]->time_ms;
    }
    cut.mature =
        cut.end == MEASURE_JOURNEY_OPEN && cut.created_ms <= options->as_of_ms - options->mature_ms;
    return cut.created_ms < options->from_ms || cut.created_ms >= options->to_ms ||
           cutting->each(cutting->context, &cut, fault);
}

bool measure_journeys_cut(struct measure_cutter *cutter, const struct measure_instants *instants,
                          const struct measure_journey_options *options, measure_cut_each each,
                          void *context, struct proto_fault *fault)
{
    const struct cutting cutting = {cutter, instants, options, each, context};
    const struct measure_instant *steps = instants->steps;
    if (!room_make(cutter, instants->touch_count, fault)) {
        return false;
    }
    if (instants->step_count == 0) {
        return instants->touch_count == 0 || journey_tell(&cutting, NULL, 0, fault);
    }
    for (size_t i = 0; i < instants->step_count;) {
        size_t first = i;
        bool decided = true; /* and nothing else */
        for (; i < instants->step_count &&
               (options->by_account || steps[i].subject == steps[first].subject);
             i++) {
            decided = decided && steps[i].kind == MEASURE_INSTANT_DECISION;
        }
        bool sole = i - first == instants->step_count;
        if ((sole || !decided) && !journey_tell(&cutting, steps + first, i - first, fault)) {
            return false;
        }
    }
    return true;
}
