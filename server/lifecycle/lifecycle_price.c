/* SPDX-License-Identifier: Apache-2.0 */
/* What was won, or is paid a month, as sales with a segment and a package. Amounts in several
 * currencies need rates, and nothing sold ends it. */
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_focus.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/price_list.h"

bool lifecycle_price_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const words[] = {"won", "subscriptions"};
    size_t place = 0;
    if (!lifecycle_times_or_none(request, &settings->focus.from_ms, &settings->focus.to_ms,
                                 fault) ||
        !lifecycle_word(request, "of", words, 2, &place, fault) ||
        !lifecycle_owner_read(request, &settings->journey.options.owner, fault) ||
        !lifecycle_text(request, "won-kind", &settings->journey.options.won, fault) ||
        !lifecycle_text(request, "list", &settings->focus.list, fault) ||
        !lifecycle_count(request, "least", &settings->focus.price.least, fault)) {
        return false;
    }
    settings->focus.subscriptions = place == 1;
    settings->focus.price.segments = request->by.bytes > 0;
    return !settings->focus.subscriptions || settings->journey.options.owner.bytes == 0 ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.owner",
                           "owner is of deals, of=won; a filter chooses subscribers");
}

struct selling {
    struct lifecycle_run *run;
    struct lifecycle_collect collect;
    const struct feature_field *by;
    struct lifecycle_names segments, packages;
    struct measure_prices prices;
    struct lifecycle_amount amount;
    struct measure_sales sales;
    uint32_t accounts;
};

/* Sold in the time that is asked for, with an amount: of subscriptions those that are paid for more
 * than once. */
static bool is_sale(const struct selling *selling, const struct event *event)
{
    const struct lifecycle_settings *settings = &selling->run->settings;
    if ((event->has & EVENT_HAS_AMOUNT) == 0 || event->time_ms < settings->focus.from_ms ||
        event->time_ms >= settings->focus.to_ms) {
        return false;
    }
    if (settings->focus.subscriptions) {
        return event->type == EVENT_SUBSCRIPTION && event->months > 0 && event->amount > 0 &&
               (event->kind.bytes == 0 || proto_span_is(event->kind, "paid"));
    }
    return event->type == EVENT_OUTCOME &&
           proto_span_equal(event->kind, settings->journey.options.won) &&
           (settings->journey.options.owner.bytes == 0 ||
            proto_span_equal(event->person, settings->journey.options.owner));
}

static bool sale_add(struct selling *selling, const struct event *event, uint32_t segment,
                     struct proto_fault *fault)
{
    struct measure_sale sale = {.segment = segment, .units = 1};
    int64_t minor = 0;
    struct proto_span label = event->label.bytes > 0 ? event->label : proto_span_text("(none)");
    if (!lifecycle_amount_settle(&selling->amount, event, &minor, fault) ||
        !lifecycle_name_number(&selling->packages, label, &sale.package, fault)) {
        return false;
    }
    sale.amount = (double)minor;
    if (selling->run->settings.focus.subscriptions) {
        sale.amount /= (double)event->months;
    }
    if ((event->has & EVENT_HAS_QUANTITY) != 0 && event->quantity > 0) {
        sale.units = (double)event->quantity / 1000;
    }
    sale.list = measure_prices_find(&selling->prices, label);
    return measure_sales_add(&selling->sales, &sale, fault);
}

static bool account_add(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct selling *selling = context;
    struct engine_worker *worker = selling->run->worker;
    struct lifecycle_collect *collect = &selling->collect;
    uint32_t segment = 0;
    bool known = selling->by == NULL;
    (void)raw;
    if (!lifecycle_collect_account(collect, slot, selling->accounts, fault)) {
        return false;
    }
    selling->accounts++;
    for (size_t i = 0; i < collect->count; i++) {
        if (!is_sale(selling, collect->events[i].event)) {
            continue;
        }
        if (!known && !engine_values(worker, slot, NULL, fault)) {
            return lifecycle_fault_of(worker, slot, fault);
        }
        if (!known &&
            !lifecycle_segment_of(&selling->segments, worker, selling->by, &segment, fault)) {
            return false;
        }
        known = true;
        if (!sale_add(selling, collect->events[i].event, segment, fault)) {
            return lifecycle_fault_of(worker, slot, fault);
        }
    }
    return true;
}

static bool table_fill(struct selling *selling, struct proto_fault *fault)
{
    struct lifecycle_run *run = selling->run;
    struct measure_price_options options = run->settings.focus.price;
    options.pace = &run->pace;
    lifecycle_amount_end(&selling->amount);
    options.minor = measure_money_units(run->result->rules.base);
    for (size_t i = 0; i < selling->sales.count; i++) {
        selling->sales.items[i].list *= options.minor;
    }
    return measure_price_table(&selling->sales, (const char *const *)selling->segments.texts,
                               (const char *const *)selling->packages.texts, &options,
                               &run->result->table, fault);
}

bool lifecycle_price_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct selling selling = {.run = run, .amount = {.rules = &run->result->rules}};
    lifecycle_collect_init(&selling.collect, run->worker, run->job, &run->request->as_of,
                           UINT32_C(1) << EVENT_OUTCOME | UINT32_C(1) << EVENT_SUBSCRIPTION);
    selling.collect.whole = run->settings.journey.options.owner.bytes > 0;
    bool good =
        measure_prices_read(run->settings.focus.list, &selling.prices, fault) &&
        lifecycle_field_find(run->worker, run->request->by, "by", false, &selling.by, fault) &&
        lifecycle_segments_begin(&selling.segments, fault) &&
        lifecycle_walk(run->worker, run->job, run->request, &selling, account_add, fault) &&
        table_fill(&selling, fault);
    run->result->accounts = selling.accounts;
    run->result->events = selling.collect.known;
    run->result->newest_ms = selling.collect.newest_ms;
    lifecycle_collect_fini(&selling.collect);
    lifecycle_names_fini(&selling.segments);
    lifecycle_names_fini(&selling.packages);
    measure_prices_fini(&selling.prices);
    measure_sales_fini(&selling.sales);
    return good;
}
