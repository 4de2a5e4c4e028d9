/* SPDX-License-Identifier: Apache-2.0 */
/* Each account's journeys, spend and subscriptions, by the group of what came first. Amounts of
 * several currencies without rates end it. */
#include <stdlib.h>

#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/motion.h"

bool lifecycle_motions_read(const struct lifecycle_request *request,
                            struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const weights[] = {"value", "count"};
    struct measure_motion_options *options = &settings->journey.motions;
    struct measure_journey_options *journeys = &settings->journey.options;
    size_t place = 0;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_member_read(request, "group-by", &settings->journey.channel, fault) ||
        !lifecycle_word(request, "weigh", weights, 2, &place, fault) ||
        !lifecycle_days(request, "lag", &settings->journey.lag_ms, fault) ||
        !lifecycle_number(request, "margin", &options->margin, fault) ||
        !lifecycle_count(request, "least", &options->least, fault)) {
        return false;
    }
    options->by_count = place == 1;
    options->from_ms = journeys->from_ms;
    options->to_ms = journeys->to_ms;
    options->mature_ms = journeys->mature_ms;
    /* Whoever was won before the period is no new customer of it: every journey is read. */
    journeys->from_ms = INT64_MIN;
    journeys->to_ms = INT64_MAX;
    return true;
}

struct grouping {
    struct lifecycle_run *run;
    struct lifecycle_amount amount;
    struct lifecycle_names names;
    struct measure_motions motions;
    unsigned member;
    int64_t lag_ms;
};

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct grouping *all = context;
    (void)slot;
    (void)fault;
    measure_motions_account(&all->motions);
    return true;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct grouping *all = context;
    uint32_t group = 0;
    int64_t minor = 0;
    return lifecycle_name_number(&all->names, lifecycle_group_of(journey, all->member), &group,
                                 fault) &&
           (journey->end != MEASURE_JOURNEY_WON ||
            lifecycle_amount_settle(&all->amount, journey->outcome, &minor, fault)) &&
           measure_motions_journey(&all->motions, group, journey, minor, fault);
}

/* Whether spend of that time is held against the period. */
static bool in_time(const struct grouping *all, int64_t at_ms)
{
    const struct measure_motion_options *options = &all->motions.options;
    int64_t lag_ms = all->lag_ms;
    return (options->from_ms == INT64_MIN || at_ms >= options->from_ms - lag_ms) &&
           at_ms < options->to_ms - lag_ms;
}

static bool spend_add(struct grouping *all, const struct measure_event *events, size_t count,
                      struct proto_fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        const struct event *event = events[i].event;
        uint32_t group = 0;
        int64_t minor = 0;
        if (event->type != EVENT_SPEND || !in_time(all, event->time_ms)) {
            continue;
        }
        if (!lifecycle_amount_settle(&all->amount, event, &minor, fault) ||
            !lifecycle_name_number(&all->names, lifecycle_member_of(event, all->member), &group,
                                   fault) ||
            !measure_motions_spend(&all->motions, group, minor, fault)) {
            return false;
        }
    }
    return true;
}

/* The rules, with the currency of what was told. */
static struct measure_rules rules_of(const struct grouping *all)
{
    struct measure_rules rules = *all->amount.rules;
    if (rules.base[0] == '\0' && rules.rate_count == 0) {
        memcpy(rules.base, all->amount.currency, sizeof rules.base);
    }
    return rules;
}

static bool revenue_add(struct grouping *all, struct measure_event *events, size_t count,
                        struct proto_fault *fault)
{
    const struct measure_motion_options *options = &all->motions.options;
    struct measure_spells spells = {.accounts = 0};
    size_t made = 0;
    struct measure_subscription *subscriptions =
        measure_events_subscriptions(events, count, &made, fault);
    bool good = subscriptions != NULL;
    if (good && made > 0) {
        for (size_t i = 0; i < made && good; i++) {
            subscriptions[i].account = 0;
            good = lifecycle_amount_fits(&all->amount, subscriptions[i].currency, fault);
        }
        struct measure_rules rules = rules_of(all);
        for (size_t i = 0; i < made && good; i++) {
            good = measure_subscription_check(&subscriptions[i], 1, &rules, fault);
        }
        good = good && measure_spells_make(subscriptions, made, 1, &rules, &spells, fault);
    }
    if (good && made > 0) {
        bool open = options->from_ms == INT64_MIN;
        measure_motions_revenue(
            &all->motions, open ? 0 : measure_account_at(&spells, 0, options->from_ms, NULL),
            measure_account_at(&spells, 0, options->to_ms, NULL),
            open || (measure_account_at(&spells, 0, options->from_ms, NULL) == 0 &&
                     !measure_account_before(&spells, 0, options->from_ms)));
    }
    measure_spells_fini(&spells);
    free(subscriptions);
    return good;
}

static bool account_leave(void *context, uint32_t slot, struct measure_event *events, size_t count,
                          struct proto_fault *fault)
{
    struct grouping *all = context;
    uint32_t none = 0;
    (void)slot;
    return spend_add(all, events, count, fault) && revenue_add(all, events, count, fault) &&
           lifecycle_name_number(&all->names, proto_span_text("(none)"), &none, fault) &&
           measure_motions_account_end(&all->motions, none, fault);
}

bool lifecycle_motions_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct grouping all = {.run = run,
                           .amount = {.rules = &run->result->rules},
                           .member = run->settings.journey.channel,
                           .lag_ms = run->settings.journey.lag_ms,
                           .motions = {.options = run->settings.journey.motions,
                                       .as_of_ms = lifecycle_journey_as_of(run),
                                       .pace = &run->pace}};
    const struct lifecycle_journey_look look = {.context = &all,
                                                .enter = account_enter,
                                                .each = journey_add,
                                                .leave = account_leave,
                                                .types = UINT32_C(1) << EVENT_SPEND |
                                                         UINT32_C(1) << EVENT_SUBSCRIPTION};
    if (all.motions.options.to_ms > all.motions.as_of_ms) {
        all.motions.options.to_ms = all.motions.as_of_ms; /* nothing later is seen */
    }
    bool good = lifecycle_journeys_look(run, &look, fault);
    if (good) {
        lifecycle_amount_end(&all.amount);
        good = measure_motions_table(&all.motions, (const char *const *)all.names.texts,
                                     measure_money_units(run->result->rules.base),
                                     &run->result->table, fault);
    }
    measure_motions_fini(&all.motions);
    lifecycle_names_fini(&all.names);
    return good;
}
