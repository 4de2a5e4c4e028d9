/* SPDX-License-Identifier: Apache-2.0 */
/* One account: its events that stand, in one walk for what is counted, and as subscriptions for
 * what is measured. What the rules cannot measure is told as it is for all accounts. */
#include <stdlib.h>

#include "proto/table.h"
#include "server/lifecycle/lifecycle_collect.h"
#include "server/measure/survival.h"

struct one {
    struct lifecycle_collect *collect;
    const struct measure_rules *rules;
    struct base_arena *arena;
    struct lifecycle_account *account;
    int64_t at_ms;
};

static void outcome_count(struct lifecycle_account *account, const struct event *event)
{
    account->renewals += proto_span_is(event->kind, "renewed");
    account->churned += proto_span_is(event->kind, "churned");
    bool answer = proto_span_is(event->kind, "nps") && (event->has & EVENT_HAS_QUANTITY) != 0;
    if (answer && (account->nps_ms == MEASURE_NEVER || event->time_ms >= account->nps_ms)) {
        account->nps = event->quantity;
        account->nps_ms = event->time_ms;
    }
}

static void events_count(const struct one *one)
{
    struct lifecycle_account *account = one->account;
    for (size_t i = 0; i < one->collect->count; i++) {
        const struct event *event = one->collect->events[i].event;
        int64_t at = event->time_ms;
        if (at > one->at_ms) {
            continue;
        }
        if (event->type == EVENT_OUTCOME) {
            outcome_count(account, event);
        }
        if (event->type == EVENT_TOUCH) {
            bool first = account->first_touch_ms == MEASURE_NEVER;
            account->first_touch_ms =
                first || at < account->first_touch_ms ? at : account->first_touch_ms;
            account->last_touch_ms =
                first || at > account->last_touch_ms ? at : account->last_touch_ms;
        }
    }
}

/* Texts of what runs, for as long as the arena lives. */
static struct proto_span kept(struct base_arena *arena, struct proto_span text)
{
    return (struct proto_span){(const uint8_t *)base_arena_text(arena, text), text.bytes};
}

static bool open_list(const struct one *one, const struct measure_subscription *subscriptions,
                      size_t count, struct proto_fault *fault)
{
    struct lifecycle_account *account = one->account;
    size_t most = count < PROTO_SUBSCRIPTIONS_LISTED_MAX ? count : PROTO_SUBSCRIPTIONS_LISTED_MAX;
    struct lifecycle_open *open = base_arena_array(one->arena, most + 1, sizeof *open);
    for (size_t i = 0; i < count && open != NULL; i++) {
        const struct measure_subscription *s = &subscriptions[i];
        int64_t end = measure_subscription_end(s, one->rules);
        if (s->one_off || s->start_ms > one->at_ms || one->at_ms >= end) {
            continue;
        }
        if (account->open_count++ < most) {
            const struct event *event = one->collect->events[i].event;
            struct lifecycle_open *item = &open[account->open_listed++];
            *item = (struct lifecycle_open){.subject = kept(one->arena, event->subject),
                                            .kind = kept(one->arena, event->kind),
                                            .label = kept(one->arena, event->label),
                                            .amount = event->amount,
                                            .months = event->months,
                                            .start_ms = s->start_ms,
                                            .end_ms = end};
            memcpy(item->currency, s->currency, sizeof item->currency);
        }
    }
    account->open = open;
    return base_arena_ok(one->arena) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu subscriptions", count);
}

/* As for all accounts: without a currency and rates, that of the amounts. */
static bool currency_find(const struct measure_subscription *subscriptions, size_t count,
                          struct measure_rules *rules, struct proto_fault *fault)
{
    bool open = rules->base[0] == '\0' && rules->rate_count == 0;
    for (size_t i = 0; i < count; i++) {
        if (open && i == 0) {
            memcpy(rules->base, subscriptions[0].currency, sizeof rules->base);
        }
        if (!measure_subscription_check(&subscriptions[i], 1, rules, fault)) {
            return false;
        }
    }
    return true;
}

static bool revenue_fill(struct one *one, struct proto_fault *fault)
{
    struct lifecycle_account *account = one->account;
    struct measure_rules rules = *one->rules;
    struct measure_spells spells = {.accounts = 0};
    size_t count = 0;
    struct measure_subscription *subscriptions =
        measure_events_subscriptions(one->collect->events, one->collect->count, &count, fault);
    bool good = subscriptions != NULL && currency_find(subscriptions, count, &rules, fault) &&
                open_list(one, subscriptions, count, fault) &&
                measure_spells_make(subscriptions, count, 1, &rules, &spells, fault);
    if (good) {
        struct measure_life life;
        account->mrr = measure_account_at(&spells, 0, one->at_ms, &account->customer);
        memcpy(account->currency, rules.base, sizeof account->currency);
        if (measure_life_of(&spells, 0, one->at_ms + 1, 0, &account->since_ms, &life)) {
            int64_t until = one->at_ms - account->since_ms;
            account->tenure_days = (life.duration < until ? life.duration : until) / MEASURE_DAY_MS;
        } else {
            account->since_ms = MEASURE_NEVER;
        }
    }
    measure_spells_fini(&spells);
    free(subscriptions);
    return good;
}

bool lifecycle_account(struct engine_worker *worker, uint32_t slot, int64_t at_ms,
                       const struct measure_rules *rules, const struct lifecycle_as_of *as_of,
                       struct base_arena *arena, struct lifecycle_account *account,
                       struct proto_fault *fault)
{
    struct lifecycle_collect collect;
    struct one one = {&collect, rules, arena, account, at_ms};
    uint64_t seq = engine_worker_seq(worker);
    *account = (struct lifecycle_account){.since_ms = MEASURE_NEVER,
                                          .first_touch_ms = MEASURE_NEVER,
                                          .last_touch_ms = MEASURE_NEVER,
                                          .nps_ms = MEASURE_NEVER,
                                          .seq = as_of->seq < seq ? as_of->seq : seq};
    lifecycle_collect_init(&collect, worker, NULL, as_of,
                           UINT32_C(1) << EVENT_SUBSCRIPTION | UINT32_C(1) << EVENT_OUTCOME |
                               UINT32_C(1) << EVENT_TOUCH);
    bool good = lifecycle_collect_account(&collect, slot, 0, fault);
    if (good) {
        account->events = collect.known;
        account->newest_ms = collect.newest_ms;
        events_count(&one);
        good = revenue_fill(&one, fault);
    }
    lifecycle_collect_fini(&collect);
    return good;
}
