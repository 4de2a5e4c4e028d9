/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys as paths of channels, of their events or, where columns have them, of instants and the
 * channel of each shape. An open one that is not mature is no path yet. Too many channels and
 * amounts of several currencies end it. */
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/event/event_money.h"
#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/attribution.h"

bool lifecycle_attribution_read(const struct lifecycle_request *request,
                                struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const weights[] = {"count", "value"};
    size_t place = 0;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_member_read(request, "channel", &settings->journey.channel, fault) ||
        !lifecycle_word(request, "weigh", weights, 2, &place, fault) ||
        !lifecycle_number(request, "half-life", &settings->journey.half_life, fault) ||
        !lifecycle_count(request, "least", &settings->journey.least, fault)) {
        return false;
    }
    settings->journey.by_value = place == 1;
    return true;
}

struct crediting {
    struct lifecycle_run *run;
    struct lifecycle_amount amount;
    struct lifecycle_names names;
    struct measure_attribution attribution;
    uint32_t *channels; /* of the journey under way */
    double *days;
    size_t room;
    uint32_t *shapes; /* by shape: number of its channel, from 1; 0: not asked yet */
    size_t shape_count, shape_room;
};

static bool room_make(struct crediting *crediting, size_t count, struct proto_fault *fault)
{
    if (count <= crediting->room) {
        return true;
    }
    uint32_t *channels = realloc(crediting->channels, count * sizeof *channels);
    crediting->channels = channels != NULL ? channels : crediting->channels;
    double *days = realloc(crediting->days, count * sizeof *days);
    crediting->days = days != NULL ? days : crediting->days;
    if (channels == NULL || days == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu touches", count);
    }
    crediting->room = count;
    return true;
}

/* What a journey that was won is worth, in units of the currency. */
static bool weight_of(struct crediting *crediting, const struct event *outcome, double *weight,
                      struct proto_fault *fault)
{
    int64_t minor = 0;
    if (!lifecycle_amount_settle(&crediting->amount, outcome, &minor, fault)) {
        return false;
    }
    const char *base = crediting->amount.rules->base;
    const char *currency = base[0] != '\0' ? base : crediting->amount.currency;
    *weight = (double)minor / (double)measure_money_units(currency);
    return true;
}

static double days_of(int64_t ms)
{
    return (double)ms / (double)MEASURE_DAY_MS;
}

static bool path_add(struct crediting *crediting, enum measure_journey_end end, size_t count,
                     double weight, struct proto_fault *fault)
{
    bool won = end == MEASURE_JOURNEY_WON;
    const struct measure_path path = {.channels = crediting->channels,
                                      .days = crediting->days,
                                      .count = count,
                                      .won = won,
                                      .lost = !won,
                                      .weight = won ? weight : 0};
    return measure_attribution_add(&crediting->attribution, &path, fault);
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct crediting *crediting = context;
    double weight = 1;
    if (journey->end == MEASURE_JOURNEY_OPEN && !journey->mature) {
        return true;
    }
    if ((journey->end == MEASURE_JOURNEY_WON && crediting->run->settings.journey.by_value &&
         !weight_of(crediting, journey->outcome, &weight, fault)) ||
        !room_make(crediting, journey->touch_count, fault)) {
        return false;
    }
    for (size_t i = 0; i < journey->touch_count; i++) {
        const struct event *touch = journey->touches[i];
        struct proto_span channel =
            lifecycle_member_of(touch, crediting->run->settings.journey.channel);
        if (!lifecycle_name_number(&crediting->names, channel, &crediting->channels[i], fault)) {
            return false;
        }
        crediting->days[i] = days_of(journey->end_ms - touch->time_ms);
    }
    return path_add(crediting, journey->end, journey->touch_count, weight, fault);
}

/* Asked once of each shape, when a touch that counts has it, so that channels are numbered as they
 * are where events are read. */
static bool shape_ask(struct crediting *crediting, const struct lifecycle_instants *all,
                      uint32_t shape, struct proto_fault *fault)
{
    size_t count = (size_t)shape + 1;
    if (count > crediting->shape_count) {
        if (!base_grow(&crediting->shapes, &crediting->shape_room, count, sizeof *crediting->shapes,
                       "shapes of events", fault)) {
            return false;
        }
        memset(crediting->shapes + crediting->shape_count, 0,
               (count - crediting->shape_count) * sizeof *crediting->shapes);
        crediting->shape_count = count;
    }
    uint32_t number = 0;
    const struct event *touch = lifecycle_shape(lifecycle_columns_shapes(all->mark.columns), shape);
    if (!lifecycle_name_number(&crediting->names,
                               lifecycle_member_of(touch, crediting->run->settings.journey.channel),
                               &number, fault)) {
        return false;
    }
    crediting->shapes[shape] = number + 1;
    return true;
}

static bool cut_add(void *context, const struct lifecycle_instants *all,
                    const struct measure_cut *cut, struct proto_fault *fault)
{
    struct crediting *crediting = context;
    double weight = 1;
    if (cut->end == MEASURE_JOURNEY_OPEN && !cut->mature) {
        return true;
    }
    if (cut->end == MEASURE_JOURNEY_WON && crediting->run->settings.journey.by_value) {
        const struct event outcome =
            lifecycle_instants_event(all, cut->steps[cut->step_count - 1].at);
        if (!weight_of(crediting, &outcome, &weight, fault)) {
            return false;
        }
    }
    if (!room_make(crediting, cut->touch_count, fault)) {
        return false;
    }
    for (size_t i = 0; i < cut->touch_count; i++) {
        const struct measure_instant *touch = cut->touches[i];
        uint32_t shape = lifecycle_instants_shape(all, touch->at);
        if ((shape >= crediting->shape_count || crediting->shapes[shape] == 0) &&
            !shape_ask(crediting, all, shape, fault)) {
            return false;
        }
        crediting->channels[i] = crediting->shapes[shape] - 1;
        if (cut->end == MEASURE_JOURNEY_WON) { /* what is lost shares no credit out */
            crediting->days[i] = days_of(cut->end_ms - touch->time_ms);
        }
    }
    return path_add(crediting, cut->end, cut->touch_count, weight, fault);
}

bool lifecycle_attribution_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct crediting crediting = {.run = run, .amount = {.rules = &run->result->rules}};
    measure_attribution_init(&crediting.attribution, run->settings.journey.half_life, &run->pace);
    /* The person of a touch is its own and of no shape. */
    const struct lifecycle_journey_look look = {
        .context = &crediting,
        .each = journey_add,
        .cut = run->settings.journey.channel == LIFECYCLE_MEMBER_PERSON ? NULL : cut_add};
    bool good = lifecycle_journeys_look(run, &look, fault);
    if (good) {
        lifecycle_amount_end(&crediting.amount);
        good = measure_attribution_table(&crediting.attribution,
                                         (const char *const *)crediting.names.texts,
                                         run->settings.journey.least, &run->result->table, fault);
    }
    measure_attribution_fini(&crediting.attribution);
    lifecycle_names_fini(&crediting.names);
    free(crediting.channels);
    free(crediting.days);
    free(crediting.shapes);
    return good;
}
