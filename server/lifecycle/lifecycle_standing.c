/* SPDX-License-Identifier: Apache-2.0 */
/* The walk, and of each account score, engagement and revenue; the rest is lifecycle_deed.c's. An
 * account that cannot be read, amounts in several currencies without rates, and sums of money
 * beyond their bound, end it. */
#include "server/lifecycle/lifecycle_standing.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_engage.h"
#include "server/measure/survival.h"

static void score_take(const struct lifecycle_standing *standing, int64_t raw,
                       struct measure_standing *account)
{
    if (standing->expression.document == NULL) {
        account->fit = account->p = MEASURE_NAN;
        account->grade = MEASURE_UNGRADED;
        return;
    }
    const struct model_scorecard *scorecard = standing->expression.document->scorecard;
    account->fit = model_fit(scorecard, raw);
    account->p = model_p(scorecard, raw);
    account->grade = (uint8_t)(model_grade(scorecard, account->fit) - 'A');
}

static bool segment_take(struct lifecycle_standing *standing, uint32_t slot,
                         struct measure_standing *account, struct proto_fault *fault)
{
    struct engine_worker *worker = standing->worker;
    if (standing->by == NULL) {
        return true;
    }
    return engine_values(worker, slot, NULL, fault)
               ? lifecycle_segment_of(&standing->segments, worker, standing->by, &account->segment,
                                      fault)
               : lifecycle_fault_of(worker, slot, fault);
}

/* Sums of what some accounts pay a year, in whole minor units, are what views tell. */
static bool arr_add(struct lifecycle_standing *standing, int64_t mrr, struct proto_fault *fault)
{
    return measure_sum_add(&standing->arr, mrr, (struct measure_worth){12, 1}) ||
           proto_fault_set(fault, PROTO_LIMIT, "subscriptions",
                           "all revenue of a year together is more than %lld minor units",
                           (long long)MEASURE_SUM_MAX);
}

/* As for all accounts: without a currency and rates, that of the first amount. */
static bool subscriptions_check(struct lifecycle_standing *standing,
                                const struct measure_subscription *subscriptions, size_t count,
                                struct proto_fault *fault)
{
    struct measure_rules *rules = standing->rules;
    for (size_t i = 0; i < count; i++) {
        if (rules->base[0] == '\0' && rules->rate_count == 0) {
            memcpy(rules->base, subscriptions[i].currency, sizeof rules->base);
        }
        if (!measure_subscription_check(&subscriptions[i], 1, rules, fault)) {
            return false;
        }
    }
    return true;
}

static void renewal_find(const struct lifecycle_standing *standing,
                         const struct measure_subscription *subscriptions, size_t count,
                         struct measure_standing *account)
{
    int64_t at_ms = standing->options.view.at_ms;
    for (size_t i = 0; i < count; i++) {
        int64_t end = measure_subscription_end(&subscriptions[i], standing->rules);
        bool runs = !subscriptions[i].one_off && subscriptions[i].start_ms <= at_ms && at_ms < end;
        if (runs && end < account->renewal_ms) {
            account->renewal_ms = end;
        }
    }
}

/* Whether it stayed, by how engaged it was when it began, or a window ago. */
static void stayed_count(struct lifecycle_standing *standing, const struct measure_spells *spells,
                         const struct measure_standing *account)
{
    const struct measure_view *asked = &standing->options.view;
    int64_t began = account->since_ms + asked->onboarding_ms;
    int64_t then = asked->at_ms - asked->window_ms;
    bool customer = false;
    bool later = false;
    if (began <= then) {
        (void)measure_account_at(spells, 0, began, &customer);
        (void)measure_account_at(spells, 0, began + asked->window_ms, &later);
    }
    if (customer) {
        struct measure_tally *tally =
            &standing->view.starters[lifecycle_band_at(standing, began, NULL)];
        tally->n++;
        tally->hits += !later;
    }
    if (account->customer_then && began <= then) {
        enum measure_band band = lifecycle_band_at(standing, then, NULL);
        struct measure_kept *kept = &standing->view.kept[account->grade][band];
        bool grew = account->customer && account->mrr > account->mrr_then;
        kept->n++;
        kept->kept += account->customer;
        kept->grew += grew;
        kept->growth += grew ? account->mrr - account->mrr_then : 0;
    }
}

/* Of who began between two years and one year ago: the month in which it was lost. */
static void cohort_count(struct lifecycle_standing *standing, const struct measure_life *life,
                         int64_t since_ms)
{
    int64_t age = standing->options.view.at_ms - since_ms;
    if (age < 12 * MEASURE_MONTH_MS || age >= 24 * MEASURE_MONTH_MS) {
        return;
    }
    standing->cohort.customers++;
    if (life->ended && life->duration <= MEASURE_LOST_MONTHS * MEASURE_MONTH_MS) {
        int64_t month = life->duration > 0 ? (life->duration - 1) / MEASURE_MONTH_MS : 0;
        standing->cohort.lost[month]++;
    }
}

static void revenue_take(struct lifecycle_standing *standing, const struct measure_spells *spells,
                         struct measure_standing *account)
{
    const struct measure_view *asked = &standing->options.view;
    struct measure_life life;
    account->mrr = measure_account_at(spells, 0, asked->at_ms, &account->customer);
    account->mrr_then =
        measure_account_at(spells, 0, asked->at_ms - asked->window_ms, &account->customer_then);
    if (!measure_life_of(spells, 0, asked->at_ms + 1, 0, &account->since_ms, &life)) {
        account->since_ms = MEASURE_NEVER;
        return;
    }
    account->lapsed = life.ended;
    stayed_count(standing, spells, account);
    cohort_count(standing, &life, account->since_ms);
}

static bool revenue_add(struct lifecycle_standing *standing, struct proto_fault *fault)
{
    struct measure_standing *account = &standing->accounts[standing->count];
    struct lifecycle_collect *collect = &standing->collect;
    struct measure_spells spells = {.accounts = 0};
    size_t count = 0;
    struct measure_subscription *subscriptions =
        measure_events_subscriptions(collect->events, collect->count, &count, fault);
    for (size_t i = 0; i < count; i++) {
        subscriptions[i].account = 0; /* spells are of this one alone */
    }
    bool good = subscriptions != NULL &&
                (count == 0 ||
                 (subscriptions_check(standing, subscriptions, count, fault) &&
                  measure_spells_make(subscriptions, count, 1, standing->rules, &spells, fault)));
    if (good && count > 0) {
        standing->subscriptions += count;
        renewal_find(standing, subscriptions, count, account);
        revenue_take(standing, &spells, account);
        good = arr_add(standing, account->mrr, fault);
    }
    measure_spells_fini(&spells);
    free(subscriptions);
    return good;
}

static bool account_read(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct lifecycle_standing *standing = context;
    struct measure_engaged engaged;
    if (!base_grow(&standing->accounts, &standing->room, (size_t)standing->count + 1,
                   sizeof *standing->accounts, "accounts", fault)) {
        return false;
    }
    struct measure_standing *account = &standing->accounts[standing->count];
    *account = (struct measure_standing){
        .slot = slot, .since_ms = MEASURE_NEVER, .renewal_ms = MEASURE_NEVER, .last_ms = INT64_MIN};
    score_take(standing, raw, account);
    if (!segment_take(standing, slot, account, fault) ||
        !lifecycle_collect_account(&standing->collect, slot, standing->count, fault)) {
        return false;
    }
    account->band = (uint8_t)lifecycle_band_at(standing, standing->options.view.at_ms, &engaged);
    account->engagement = engaged.millionths;
    account->last_ms = engaged.last_ms;
    if (standing->collect.count > 0 &&
        !(lifecycle_deeds_add(standing, fault) && revenue_add(standing, fault))) {
        return fault->code == PROTO_BAD_FIELD ? lifecycle_fault_of(standing->worker, slot, fault)
                                              : false;
    }
    standing->count++;
    return true;
}

/* What tables read, pointing to what was gathered. */
static bool view_make(struct lifecycle_standing *standing, struct proto_fault *fault)
{
    struct measure_view *view = &standing->view;
    uint32_t campaigns = standing->campaign_names.count;
    uint32_t requests = standing->request_names.count;
    standing->campaigns_told = calloc((size_t)campaigns + 1, sizeof(struct measure_campaign));
    standing->requests_told = calloc((size_t)requests + 1, sizeof(struct measure_request));
    if (standing->campaigns_told == NULL || standing->requests_told == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for campaigns");
    }
    for (uint32_t i = 0; i < campaigns; i++) {
        standing->campaigns_told[i] = standing->campaigns[i].told;
        standing->campaigns_told[i].name = standing->campaign_names.texts[i];
    }
    for (uint32_t i = 0; i < requests; i++) {
        standing->requests_told[i] = standing->asked[i].told;
        standing->requests_told[i].name = standing->request_names.texts[i];
    }
    view->accounts = standing->accounts;
    view->count = standing->count;
    view->segments = (const char *const *)standing->segments.texts;
    view->segment_count = standing->segments.count;
    view->by = standing->by != NULL ? standing->by->name : "";
    view->by_label = standing->by != NULL && lifecycle_field_is_label(standing->by);
    view->members = standing->members;
    view->member_count = standing->member_count;
    view->campaigns = standing->campaigns_told;
    view->campaign_count = campaigns;
    view->askings = standing->askings;
    view->asking_count = standing->asking_count;
    view->requests = standing->requests_told;
    view->request_count = requests;
    lifecycle_amount_end(&standing->amount);
    return true;
}

static bool ready(struct lifecycle_standing *standing, const struct lifecycle_request *request,
                  struct proto_fault *fault)
{
    const struct lifecycle_standing_options *options = &standing->options;
    if (!lifecycle_engagement_find(standing->worker->state, options->engagement,
                                   &standing->definition, fault)) {
        return proto_fault_within(fault, "parameters.engagement");
    }
    if (!lifecycle_field_find(standing->worker, request->by, "by", false, &standing->by, fault) ||
        (standing->by != NULL && !lifecycle_segments_begin(&standing->segments, fault))) {
        return false;
    }
    standing->journeys = (struct measure_journey_options){.from_ms = EVENT_MS_MIN,
                                                          .to_ms = EVENT_MS_MAX,
                                                          .as_of_ms = options->view.at_ms,
                                                          .lookback_ms = options->lookback_ms,
                                                          .mature_ms = options->mature_ms,
                                                          .won = options->won,
                                                          .lost = options->lost};
    standing->view = options->view;
    standing->amount = (struct lifecycle_amount){.rules = standing->rules};
    /* Where no version is active the views tell what there is without one. */
    bool scores = request->icp > 0 || standing->worker->state->active_version > 0;
    standing->view.scored = scores;
    return engine_expression_open(standing->worker, request->filter, request->icp, scores,
                                  &standing->expression, fault);
}

bool lifecycle_standing_make(struct engine_worker *worker, const struct engine_job *job,
                             const struct lifecycle_request *request,
                             const struct lifecycle_standing_options *options,
                             struct measure_rules *rules, struct lifecycle_standing *standing,
                             struct proto_fault *fault)
{
    *standing = (struct lifecycle_standing){
        .worker = worker, .job = job, .options = *options, .rules = rules};
    lifecycle_collect_init(&standing->collect, worker, job, &request->as_of, UINT32_MAX);
    standing->collect.whole = true;
    if (!ready(standing, request, fault)) {
        return false;
    }
    struct engine_walk walk = {.worker = worker,
                               .job = job,
                               .filter = standing->expression.filter,
                               .document = standing->expression.document,
                               .context = standing,
                               .each = account_read};
    return engine_walk(&walk, fault) && view_make(standing, fault);
}

void lifecycle_standing_fini(struct lifecycle_standing *standing)
{
    lifecycle_collect_fini(&standing->collect);
    measure_journey_reader_fini(&standing->reader);
    engine_expression_close(&standing->expression);
    lifecycle_names_fini(&standing->segments);
    lifecycle_names_fini(&standing->campaign_names);
    lifecycle_names_fini(&standing->request_names);
    lifecycle_names_fini(&standing->kinds);
    free(standing->accounts);
    free(standing->campaigns);
    free(standing->asked);
    free(standing->members);
    free(standing->askings);
    free(standing->campaigns_told);
    free(standing->requests_told);
}
