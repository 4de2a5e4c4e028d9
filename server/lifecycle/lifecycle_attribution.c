/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys as paths of channels. An open one that is not mature is no path yet. Too many channels
 * and amounts of several currencies end it. */
#include <stdlib.h>

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
static bool weight_of(struct crediting *crediting, const struct measure_journey *journey,
                      double *weight, struct proto_fault *fault)
{
    int64_t minor = 0;
    *weight = 1;
    if (!crediting->run->settings.journey.by_value) {
        return true;
    }
    if (!lifecycle_amount_settle(&crediting->amount, journey->outcome, &minor, fault)) {
        return false;
    }
    const char *base = crediting->amount.rules->base;
    const char *currency = base[0] != '\0' ? base : crediting->amount.currency;
    *weight = (double)minor / (double)measure_money_units(currency);
    return true;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct crediting *crediting = context;
    bool won = journey->end == MEASURE_JOURNEY_WON;
    struct measure_path path = {.count = journey->touch_count, .won = won, .lost = !won};
    if (journey->end == MEASURE_JOURNEY_OPEN && !journey->mature) {
        return true;
    }
    if ((won && !weight_of(crediting, journey, &path.weight, fault)) ||
        !room_make(crediting, path.count, fault)) {
        return false;
    }
    for (size_t i = 0; i < path.count; i++) {
        const struct event *touch = journey->touches[i];
        struct proto_span channel =
            lifecycle_member_of(touch, crediting->run->settings.journey.channel);
        if (!lifecycle_name_number(&crediting->names, channel, &crediting->channels[i], fault)) {
            return false;
        }
        crediting->days[i] = (double)(journey->end_ms - touch->time_ms) / (double)MEASURE_DAY_MS;
    }
    path.channels = crediting->channels;
    path.days = crediting->days;
    return measure_attribution_add(&crediting->attribution, &path, fault);
}

bool lifecycle_attribution_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct crediting crediting = {.run = run, .amount = {.rules = &run->result->rules}};
    measure_attribution_init(&crediting.attribution, run->settings.journey.half_life, &run->pace);
    bool good = lifecycle_journeys_walk(run, journey_add, &crediting, fault);
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
    return good;
}
