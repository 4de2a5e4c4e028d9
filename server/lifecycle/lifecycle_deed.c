/* SPDX-License-Identifier: Apache-2.0 */
/* What an account did beside paying: its opportunities as cases, the campaigns that touched it,
 * what was spent on it, and what it asked for. Each case stands in the cell of the engagement that
 * the account had when the case was created. */
#include "server/base/grow.h"
#include "server/lifecycle/lifecycle_standing.h"

enum measure_band lifecycle_band_at(const struct lifecycle_standing *standing, int64_t at_ms,
                                    struct measure_engaged *sum)
{
    const struct measure_engagement *weights = &standing->definition.engagement;
    struct measure_engaged engaged = measure_engaged_none();
    for (size_t i = 0; i < standing->collect.count; i++) {
        measure_engagement_add(weights, standing->collect.events[i].event, at_ms, &engaged);
    }
    if (sum != NULL) {
        *sum = engaged;
    }
    return measure_engagement_band(weights, engaged.millionths);
}

static struct lifecycle_campaign *campaign_of(struct lifecycle_standing *standing,
                                              const struct event *event, struct proto_fault *fault)
{
    uint32_t number = 0;
    uint32_t before = standing->campaign_names.count;
    if (!lifecycle_name_number(&standing->campaign_names, event->campaign, &number, fault) ||
        !base_grow(&standing->campaigns, &standing->campaign_room, (size_t)number + 1,
                   sizeof *standing->campaigns, "campaigns", fault)) {
        return NULL;
    }
    if (number == before) {
        standing->campaigns[number] = (struct lifecycle_campaign){.last_account = 0};
    }
    return &standing->campaigns[number];
}

static bool member_add(struct lifecycle_standing *standing, const struct event *event,
                       struct proto_fault *fault)
{
    struct lifecycle_campaign *campaign = campaign_of(standing, event, fault);
    if (campaign == NULL) {
        return false;
    }
    if (campaign->last_account == standing->count + 1) {
        return true;
    }
    campaign->last_account = standing->count + 1;
    if (!base_grow(&standing->members, &standing->member_room, standing->member_count + 1,
                   sizeof *standing->members, "members of campaigns", fault)) {
        return false;
    }
    standing->members[standing->member_count++] =
        (struct measure_membership){(uint32_t)(campaign - standing->campaigns), standing->count};
    return true;
}

/* Who acts to win customers; everybody else serves them. */
static bool wins(const struct event *event)
{
    return event->function.bytes == 0 || proto_span_is(event->function, "sales") ||
           proto_span_is(event->function, "marketing");
}

static bool spend_add(struct lifecycle_standing *standing, const struct event *event,
                      struct proto_fault *fault)
{
    const struct measure_view *asked = &standing->options.view;
    struct measure_standing *account = &standing->accounts[standing->count];
    int64_t minor = 0;
    if (!lifecycle_amount_settle(&standing->amount, event, &minor, fault)) {
        return false;
    }
    standing->view.spent = true;
    if (event->campaign.bytes > 0) {
        struct lifecycle_campaign *campaign = campaign_of(standing, event, fault);
        if (campaign == NULL) {
            return false;
        }
        campaign->told.spend += minor;
    }
    if (event->time_ms > asked->at_ms - asked->window_ms) {
        *(wins(event) ? &account->won_spend : &account->serving) += minor;
    }
    return true;
}

static struct proto_span request_name(const struct event *event)
{
    return event->label.bytes > 0     ? event->label
           : event->kind.bytes > 0    ? event->kind
           : event->subject.bytes > 0 ? event->subject
                                      : proto_span_text("(unnamed)");
}

static struct lifecycle_asked *asked_of(struct lifecycle_standing *standing,
                                        const struct event *event, struct proto_fault *fault)
{
    uint32_t number = 0;
    uint32_t kind = 0;
    uint32_t before = standing->request_names.count;
    if (!lifecycle_name_number(&standing->request_names, request_name(event), &number, fault) ||
        !lifecycle_name_number(&standing->kinds, event->kind, &kind, fault) ||
        !base_grow(&standing->asked, &standing->asked_room, (size_t)number + 1,
                   sizeof *standing->asked, "requests", fault)) {
        return NULL;
    }
    if (number == before) {
        /* Texts of names stay where they are. */
        standing->asked[number] =
            (struct lifecycle_asked){.told = {.kind = standing->kinds.texts[kind]}};
    }
    return &standing->asked[number];
}

static bool request_add(struct lifecycle_standing *standing, const struct event *event,
                        struct proto_fault *fault)
{
    int64_t at_ms = standing->options.view.at_ms;
    bool any = proto_span_is(standing->options.kind, "any");
    if (!any && !proto_span_equal(event->kind, standing->options.kind)) {
        return true;
    }
    struct lifecycle_asked *asked = asked_of(standing, event, fault);
    if (asked == NULL) {
        return false;
    }
    if (asked->last_account != standing->count + 1) {
        if (!base_grow(&standing->askings, &standing->asking_room, standing->asking_count + 1,
                       sizeof *standing->askings, "requests", fault)) {
            return false;
        }
        asked->last_account = standing->count + 1;
        asked->last = standing->asking_count++;
        standing->askings[asked->last] =
            (struct measure_asking){.request = (uint32_t)(asked - standing->asked),
                                    .account = standing->count,
                                    .oldest_ms = INT64_MAX};
    }
    struct measure_asking *asking = &standing->askings[asked->last];
    bool open = (event->has & EVENT_HAS_END) == 0 || event->end_ms > at_ms;
    asking->count++;
    asking->open += open;
    asking->oldest_ms =
        open && event->time_ms < asking->oldest_ms ? event->time_ms : asking->oldest_ms;
    return true;
}

/* Of what has only answers, renewals and the like nobody says how it ended. */
static bool is_case(const struct lifecycle_standing *standing,
                    const struct measure_journey *journey)
{
    for (size_t i = 0; i < journey->step_count; i++) {
        const struct event *step = journey->steps[i];
        if (step->type == EVENT_STAGE || proto_span_equal(step->kind, standing->options.won) ||
            proto_span_equal(step->kind, standing->options.lost)) {
            return true;
        }
    }
    return false;
}

static bool pipeline_add(struct lifecycle_standing *standing, const struct measure_journey *journey,
                         struct proto_fault *fault)
{
    struct measure_standing *account = &standing->accounts[standing->count];
    int64_t minor = 0;
    for (size_t i = journey->step_count; i > 0; i--) {
        const struct event *step = journey->steps[i - 1];
        if ((step->has & EVENT_HAS_AMOUNT) != 0) {
            if (!lifecycle_amount_settle(&standing->amount, step, &minor, fault)) {
                return false;
            }
            break;
        }
    }
    account->open++;
    account->pipeline += minor;
    return true;
}

/* Each campaign among its touches once. */
static bool touched_count(struct lifecycle_standing *standing,
                          const struct measure_journey *journey, bool won,
                          struct proto_fault *fault)
{
    for (size_t i = 0; i < journey->touch_count; i++) {
        if (journey->touches[i]->campaign.bytes == 0) {
            continue;
        }
        struct lifecycle_campaign *campaign = campaign_of(standing, journey->touches[i], fault);
        if (campaign == NULL) {
            return false;
        }
        if (campaign->last_case != standing->cases) {
            campaign->last_case = standing->cases;
            campaign->told.cases.n++;
            campaign->told.cases.hits += won;
        }
    }
    return true;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct lifecycle_standing *standing = context;
    struct measure_standing *account = &standing->accounts[standing->count];
    int64_t mature = journey->created_ms + standing->options.mature_ms;
    if (!is_case(standing, journey)) {
        return true;
    }
    if (journey->end == MEASURE_JOURNEY_OPEN && !pipeline_add(standing, journey, fault)) {
        return false;
    }
    if (mature > standing->options.view.at_ms) {
        return true;
    }
    bool won = journey->end == MEASURE_JOURNEY_WON && journey->end_ms <= mature;
    enum measure_band band = lifecycle_band_at(standing, journey->created_ms, NULL);
    struct measure_tally *cell = &standing->view.cells[account->grade][band];
    cell->n++;
    cell->hits += won;
    account->cases++;
    account->won += won;
    standing->cases++;
    return touched_count(standing, journey, won, fault);
}

static bool event_add(struct lifecycle_standing *standing, const struct event *event,
                      struct proto_fault *fault)
{
    if (event->time_ms > standing->options.view.at_ms) {
        return true;
    }
    switch (event->type) {
    case EVENT_TOUCH:
        return event->campaign.bytes == 0 || member_add(standing, event, fault);
    case EVENT_SPEND:
        return spend_add(standing, event, fault);
    case EVENT_REQUEST:
        return request_add(standing, event, fault);
    default:
        return true;
    }
}

bool lifecycle_deeds_add(struct lifecycle_standing *standing, struct proto_fault *fault)
{
    const struct lifecycle_collect *collect = &standing->collect;
    for (size_t i = 0; i < collect->count; i++) {
        if (!event_add(standing, collect->events[i].event, fault)) {
            return false;
        }
    }
    return measure_journeys_read(&standing->reader, collect->events, collect->count,
                                 &standing->journeys, journey_add, standing, fault);
}
