/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys by person, team or period of their creation, at equal fit. A base without an ICP where
 * fit is asked for ends it. */
#include <stdio.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/feature/date_text.h"
#include "server/lifecycle/lifecycle_fit.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_period.h"
#include "server/measure/yield.h"

bool lifecycle_yield_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const periods[] = {"month", "quarter", "year"};
    struct measure_yield_options *options = &settings->journey.yield;
    unsigned period = 0;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_member_or_read(request, "group-by", periods, 3, &settings->journey.channel,
                                  &period, fault) ||
        !lifecycle_fit_read(request, &settings->journey.fit_known, fault) ||
        !lifecycle_days(request, "window", &options->window_ms, fault) ||
        !lifecycle_count(request, "least", &options->least, fault)) {
        return false;
    }
    options->chained = period > 0;
    settings->journey.period = period; /* LIFECYCLE_PERIOD_MONTH and the two behind it */
    return true;
}

struct working {
    struct lifecycle_run *run;
    struct lifecycle_fit fit;
    struct lifecycle_names names;
    struct measure_yields yields;
    int32_t *days; /* by group where groups are periods: its first day */
    size_t day_room;
};

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct working *all = context;
    bool good = lifecycle_fit_enter(&all->fit, slot, fault);
    all->yields.fit = all->fit.value;
    return good;
}

static bool period_number(struct working *all, int64_t created_ms, uint32_t *group,
                          struct proto_fault *fault)
{
    char text[FEATURE_DATE_TEXT_BYTES];
    enum lifecycle_period period = (enum lifecycle_period)all->run->settings.journey.period;
    int32_t day = lifecycle_period_of(period, created_ms);
    (void)feature_date_print(day * MEASURE_DAY_MS, text);
    if (!lifecycle_name_number(&all->names, proto_span_text(text), group, fault)) {
        return false;
    }
    if (!base_grow(&all->days, &all->day_room, (size_t)*group + 1, sizeof *all->days, "periods",
                   fault)) {
        return false;
    }
    all->days[*group] = day;
    return true;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct working *all = context;
    const struct lifecycle_settings *settings = &all->run->settings;
    uint32_t group = 0;
    bool good = settings->journey.period != LIFECYCLE_PERIOD_NONE
                    ? period_number(all, journey->created_ms, &group, fault)
                    : lifecycle_name_number(&all->names,
                                            lifecycle_group_of(journey, settings->journey.channel),
                                            &group, fault);
    return good && measure_yields_add(&all->yields, group, journey, fault);
}

/* Periods numbered in the order of the calendar; names are moved with them. */
static bool periods_sort(struct working *all, struct proto_fault *fault)
{
    uint32_t count = all->names.count;
    uint32_t *place = calloc((size_t)count + 1, sizeof *place);
    char **texts = calloc((size_t)count + 1, sizeof *texts);
    bool good = place != NULL && texts != NULL;
    for (uint32_t g = 0; g < count && good; g++) {
        for (uint32_t o = 0; o < count; o++) {
            place[g] += all->days[o] < all->days[g];
        }
        texts[place[g]] = all->names.texts[g];
    }
    for (size_t i = 0; i < all->yields.count && good; i++) {
        all->yields.items[i].group = place[all->yields.items[i].group];
    }
    if (good && count > 0) {
        memcpy(all->names.texts, texts, count * sizeof *texts);
    }
    free(place);
    free(texts);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u periods", count);
}

bool lifecycle_yield_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct working all = {.run = run,
                          .yields = {.options = run->settings.journey.yield,
                                     .as_of_ms = lifecycle_journey_as_of(run),
                                     .mature_ms = run->settings.journey.options.mature_ms,
                                     .pace = &run->pace}};
    const struct lifecycle_journey_look look = {
        .context = &all, .enter = account_enter, .each = journey_add};
    bool good = lifecycle_fit_open(&all.fit, run, run->settings.journey.fit_known, fault);
    all.yields.options.tenths = all.fit.tenths;
    good = good && lifecycle_journeys_look(run, &look, fault) &&
           (!all.yields.options.chained || periods_sort(&all, fault)) &&
           measure_yields_table(&all.yields, (const char *const *)all.names.texts, all.names.count,
                                &run->result->table, fault);
    measure_yields_fini(&all.yields);
    lifecycle_fit_close(&all.fit);
    lifecycle_names_fini(&all.names);
    free(all.days);
    return good;
}
