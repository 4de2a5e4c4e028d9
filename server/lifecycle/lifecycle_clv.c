/* SPDX-License-Identifier: Apache-2.0 */
/* Lifetime value of what was told: customers of one cohort counted as they leave, period by period,
 * or purchases of each account; then the tables of server/measure. A cohort that nobody has watched
 * for a period, amounts in several currencies without rates, and whatever the models refuse end it.
 */
#include <stdlib.h>

#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/lifecycle/lifecycle_table.h"
#include "server/measure/movement.h"
#include "server/measure/survival.h"

static const char *const period_words[] = {"month", "quarter", "year"};
static const char *const unit_words[] = {"day", "week", "month"};
static const int64_t unit_ms[] = {MEASURE_DAY_MS, 7 * MEASURE_DAY_MS, MEASURE_MONTH_MS};

bool lifecycle_contract_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const told[] = {"lost", "of"};
    size_t place = 0;
    for (size_t i = 0; i < request->parameter_count; i++) {
        for (size_t t = 0; t < sizeof told / sizeof *told; t++) {
            if (proto_span_is(request->parameters[i].name, told[t])) {
                char field[32];
                (void)snprintf(field, sizeof field, "parameters.%s", told[t]);
                return proto_fault_set(fault, PROTO_BAD_FIELD, field,
                                       "the server counts who was lost; icp measure clv-sbg --lost "
                                       "takes counts");
            }
        }
    }
    if (!lifecycle_period(request, &settings->from_ms, &settings->to_ms, fault) ||
        !lifecycle_time(request, "as-of", &settings->clv.as_of_ms, fault) ||
        !lifecycle_word(request, "period", period_words, 3, &place, fault) ||
        !lifecycle_number(request, "discount", &settings->clv.discount, fault) ||
        !lifecycle_count(request, "periods", &settings->clv.told, fault)) {
        return false;
    }
    settings->period_months = measure_period_months(period_words[place]);
    return true;
}

/* Whole periods for which every customer of the cohort was watched: the youngest paid first just
 * before `to`. */
static size_t periods_watched(const struct lifecycle_settings *settings)
{
    size_t periods = 0;
    int64_t end = 0;
    while (
        periods < MEASURE_PERIODS_MAX &&
        measure_months_later(settings->to_ms, (int)(periods + 1) * settings->period_months, &end) &&
        end <= settings->clv.as_of_ms) {
        periods++;
    }
    return periods;
}

/* The period at whose end somebody who left at end_ms was gone: 0 for the first. */
static size_t period_of(int64_t start_ms, int64_t end_ms, int months, size_t most)
{
    size_t period = 0;
    int64_t end = 0;
    while (period < most && measure_months_later(start_ms, (int)(period + 1) * months, &end) &&
           end < end_ms) {
        period++;
    }
    return period;
}

bool lifecycle_contract_fill(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct lifecycle_settings *settings = &run->settings;
    const struct lifecycle_gather *gather = run->gather;
    struct measure_spells spells = {.accounts = 0};
    uint32_t lost[MEASURE_PERIODS_MAX] = {0};
    uint32_t customers = 0;
    size_t periods = periods_watched(settings);
    if (periods == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "the cohort was not watched for a whole period up to as-of");
    }
    if (!measure_spells_make_at(gather->subscriptions, gather->count, gather->accounts,
                                &run->result->rules, &run->pace, &spells, fault)) {
        return false;
    }
    for (uint32_t a = 0; a < spells.accounts; a++) {
        struct measure_life life;
        int64_t start = 0;
        if (!measure_life_of(&spells, a, settings->clv.as_of_ms, 0, &start, &life) ||
            start < settings->from_ms || start >= settings->to_ms) {
            continue;
        }
        customers++;
        size_t period =
            life.ended ? period_of(start, start + life.duration, settings->period_months, periods)
                       : periods;
        if (period < periods) {
            lost[period]++;
        }
    }
    measure_spells_fini(&spells);
    if (customers == 0) {
        return proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "nobody paid for the first time from from to to");
    }
    bool good = measure_clv_contract_table(lost, periods, customers, settings->clv.discount,
                                           settings->clv.told, &run->result->table, fault);
    if (!good && fault->code == PROTO_BAD_FIELD) {
        fault->code = PROTO_NO_EVIDENCE; /* counts that nobody gave are nobody's mistake */
        fault->field[0] = '\0';
    }
    return good;
}

bool lifecycle_purchases_read(const struct lifecycle_request *request,
                              struct lifecycle_settings *settings, struct proto_fault *fault)
{
    size_t place = 0;
    if (!lifecycle_time(request, "to", &settings->to_ms, fault) ||
        !lifecycle_word(request, "unit", unit_words, 3, &place, fault) ||
        !lifecycle_text(request, "kind", &settings->clv.kind, fault) ||
        !lifecycle_count(request, "horizon", &settings->clv.purchases.horizon, fault) ||
        !lifecycle_number(request, "discount", &settings->clv.purchases.discount, fault) ||
        !lifecycle_number(request, "margin", &settings->clv.purchases.margin, fault)) {
        return false;
    }
    settings->clv.unit_ms = unit_ms[place];
    return true;
}

struct bought {
    struct lifecycle_run *run;
    struct lifecycle_collect collect;
    struct measure_purchase *items;
    size_t count, room;
    uint32_t accounts;
    struct lifecycle_amount amount;
};

static bool purchase_add(struct bought *bought, const struct event *event,
                         struct proto_fault *fault)
{
    struct measure_purchase purchase = {.account = bought->accounts, .at_ms = event->time_ms};
    if (bought->count == bought->room) {
        size_t room = bought->room * 2 + 1024;
        struct measure_purchase *grown = realloc(bought->items, room * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu purchases", room);
        }
        bought->items = grown;
        bought->room = room;
    }
    if (!lifecycle_amount_settle(&bought->amount, event, &purchase.minor, fault)) {
        return false;
    }
    bought->items[bought->count++] = purchase;
    return true;
}

static bool account_add(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct bought *bought = context;
    struct lifecycle_collect *collect = &bought->collect;
    (void)raw;
    if (!lifecycle_collect_account(collect, slot, bought->accounts, fault)) {
        return false;
    }
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        if (event->type == EVENT_OUTCOME &&
            proto_span_equal(event->kind, bought->run->settings.clv.kind) &&
            !purchase_add(bought, event, fault)) {
            return lifecycle_fault_of(bought->run->worker, slot, fault);
        }
    }
    bought->accounts++;
    return true;
}

static bool table_make(struct bought *bought, struct proto_fault *fault)
{
    struct lifecycle_run *run = bought->run;
    struct measure_rules *rules = &run->result->rules;
    char shown[FEATURE_SHOWN_BYTES];
    size_t count = 0;
    if (bought->count == 0) {
        return proto_fault_set(
            fault, PROTO_NO_EVIDENCE, "",
            "no outcome of the kind '%s' is told of the %u accounts that were looked at",
            feature_text_show(run->settings.clv.kind, shown, sizeof shown), bought->accounts);
    }
    lifecycle_amount_end(&bought->amount);
    const struct measure_watch watch = {run->settings.to_ms, run->settings.clv.unit_ms,
                                        measure_money_units(rules->base)};
    run->settings.clv.purchases.pace = &run->pace;
    struct measure_buyer *buyers =
        measure_buyers_make(bought->items, bought->count, &watch, &count, fault);
    bool good =
        buyers != NULL && measure_clv_purchases_table(buyers, count, &run->settings.clv.purchases,
                                                      &run->result->table, fault);
    free(buyers);
    return good;
}

bool lifecycle_purchases_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct bought bought = {.run = run, .amount = {.rules = &run->result->rules}};
    lifecycle_collect_init(&bought.collect, run->worker, run->job, &run->request->as_of,
                           UINT32_C(1) << EVENT_OUTCOME);
    bool good = lifecycle_walk(run->worker, run->job, run->request, &bought, account_add, fault) &&
                table_make(&bought, fault);
    run->result->accounts = bought.accounts;
    run->result->events = bought.collect.known;
    run->result->newest_ms = bought.collect.newest_ms;
    lifecycle_collect_fini(&bought.collect);
    free(bought.items);
    return good;
}
