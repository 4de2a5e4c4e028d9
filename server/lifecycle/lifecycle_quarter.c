/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys as deals: when they were created and closed, what was paid against the list, and whether
 * the account left later, which is not known where nobody is told to have left. Amounts in several
 * currencies need rates. */
#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_focus.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/price_list.h"

bool lifecycle_quarter_read(const struct lifecycle_request *request,
                            struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_quarter_options *options = &settings->focus.quarter;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_text(request, "churn-kind", &settings->focus.churn_kind, fault) ||
        !lifecycle_text(request, "list", &settings->focus.list, fault) ||
        !lifecycle_count(request, "days", &options->days, fault) ||
        !lifecycle_count(request, "first-month", &options->first_month, fault) ||
        !lifecycle_count(request, "least", &options->least, fault) ||
        !lifecycle_days(request, "mature", &options->mature_ms, fault) ||
        !lifecycle_days(request, "churn-days", &settings->focus.churn_ms, fault)) {
        return false;
    }
    options->from_ms = settings->journey.options.from_ms;
    options->to_ms = settings->journey.options.to_ms;
    /* Which deals count is said by when they closed, which the table looks at. */
    settings->journey.options.from_ms = INT64_MIN;
    settings->journey.options.to_ms = INT64_MAX;
    return true;
}

struct dealing {
    struct lifecycle_run *run;
    struct measure_prices prices;
    struct lifecycle_amount amount;
    struct measure_deals deals;
    const struct measure_event *events; /* of the account under way */
    size_t event_count;
    int64_t as_of_ms;
    bool leaving_told; /* some account has left, so that one without such an outcome has not */
};

static bool leaving(const struct dealing *dealing, const struct event *event)
{
    return event->type == EVENT_OUTCOME &&
           proto_span_equal(event->kind, dealing->run->settings.focus.churn_kind);
}

static bool account_seen(void *context, uint32_t slot, const struct measure_event *events,
                         size_t count, struct proto_fault *fault)
{
    struct dealing *dealing = context;
    (void)slot;
    (void)fault;
    dealing->events = events;
    dealing->event_count = count;
    for (size_t i = 0; i < count && !dealing->leaving_told; i++) {
        dealing->leaving_told =
            events[i].event->time_ms <= dealing->as_of_ms && leaving(dealing, events[i].event);
    }
    return true;
}

static enum measure_left left_of(const struct dealing *dealing, int64_t won_ms)
{
    const struct lifecycle_focus_settings *settings = &dealing->run->settings.focus;
    if (won_ms > dealing->as_of_ms - settings->churn_ms) {
        return MEASURE_LEFT_UNKNOWN;
    }
    for (size_t i = 0; i < dealing->event_count; i++) {
        const struct event *event = dealing->events[i].event;
        if (leaving(dealing, event) && event->time_ms >= won_ms &&
            event->time_ms <= won_ms + settings->churn_ms) {
            return MEASURE_LEFT;
        }
    }
    return MEASURE_LEFT_NOT;
}

/* Amounts are settled in the currency that was found first, so that list prices are in it too. */
static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct dealing *dealing = context;
    struct measure_deal deal = {.created_ms = journey->created_ms,
                                .end_ms = journey->end_ms,
                                .end = journey->end,
                                .amount = MEASURE_NAN,
                                .list = MEASURE_NAN};
    if (journey->step_count == 0) {
        return true; /* touches alone are no deal */
    }
    if (journey->end == MEASURE_JOURNEY_WON) {
        const struct event *outcome = journey->outcome;
        int64_t minor = 0;
        if (!lifecycle_amount_settle(&dealing->amount, outcome, &minor, fault) ||
            !measure_goes_on(&dealing->run->pace, fault)) {
            return false;
        }
        deal.left = left_of(dealing, journey->end_ms);
        if ((outcome->has & EVENT_HAS_AMOUNT) != 0) {
            bool units = (outcome->has & EVENT_HAS_QUANTITY) != 0 && outcome->quantity > 0;
            deal.amount = (double)minor;
            deal.list = measure_prices_find(&dealing->prices, outcome->label) *
                        (units ? (double)outcome->quantity / 1000 : 1);
        }
    }
    return measure_deals_add(&dealing->deals, &deal, fault);
}

bool lifecycle_quarter_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct dealing dealing = {.run = run,
                              .amount = {.rules = &run->result->rules},
                              .as_of_ms = lifecycle_journey_as_of(run)};
    const struct lifecycle_journey_look look = {
        .context = &dealing, .seen = account_seen, .each = journey_add};
    struct measure_quarter_options options = run->settings.focus.quarter;
    options.as_of_ms = dealing.as_of_ms;
    bool good = measure_prices_read(run->settings.focus.list, &dealing.prices, fault) &&
                lifecycle_journeys_look(run, &look, fault);
    if (good) {
        lifecycle_amount_end(&dealing.amount);
        double minor = measure_money_units(run->result->rules.base);
        for (size_t i = 0; i < dealing.deals.count; i++) {
            struct measure_deal *deal = &dealing.deals.items[i];
            deal->list *= minor;
            deal->left = dealing.leaving_told ? deal->left : MEASURE_LEFT_UNKNOWN;
        }
        good = measure_quarter_table(&dealing.deals, &options, &run->result->table, fault);
    }
    measure_prices_fini(&dealing.prices);
    measure_deals_fini(&dealing.deals);
    return good;
}
