/* SPDX-License-Identifier: Apache-2.0 */
/* Members of campaigns, one for each campaign and account: whether they are on a list, in a
 * segment, worked in time, and whose. A list or a field that is not there, and a filter that cannot
 * be read, end it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_focus.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/store/store.h"

bool lifecycle_campaign_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct lifecycle_focus_settings *focus = &settings->focus;
    if (!lifecycle_times_or_none(request, &focus->from_ms, &focus->to_ms, fault) ||
        !lifecycle_time_or_none(request, "as-of", &settings->journey.options.as_of_ms, fault) ||
        !lifecycle_focus_text(request, "campaign", &focus->campaign, fault) ||
        !lifecycle_focus_text(request, "tal", &focus->tal, fault) ||
        !lifecycle_focus_text(request, "segment-filter", &focus->segment_filter, fault) ||
        !lifecycle_focus_text(request, "worked-by", &focus->worked_by, fault) ||
        !lifecycle_number(request, "within", &focus->within_days, fault) ||
        !lifecycle_count(request, "owners", &focus->campaigns.owners, fault) ||
        !lifecycle_count(request, "least", &focus->campaigns.least, fault)) {
        return false;
    }
    if (proto_span_is(focus->campaign, "all")) {
        focus->campaign.bytes = 0;
    }
    if (proto_span_is(focus->worked_by, "any")) {
        focus->worked_by.bytes = 0;
    }
    focus->campaigns.segment = focus->segment_filter.bytes > 0;
    return true;
}

/* The first touch of a campaign, of the account that was looked at last. */
struct first {
    uint32_t account; /* from 1 */
    const struct event *touch;
};

struct reaching {
    struct lifecycle_run *run;
    struct lifecycle_collect collect;
    const struct feature_field *by; /* of owners; NULL: persons of events */
    struct lifecycle_names campaigns, owners;
    struct measure_members members;
    uint8_t *on_list, *in_segment; /* by slot */
    struct first *firsts;          /* by campaign */
    size_t first_room;
    uint32_t *touched; /* campaigns of the account under way */
    size_t touched_count;
    uint32_t accounts;
    int64_t as_of_ms;
};

static bool is_touch(const struct reaching *reaching, const struct event *event)
{
    const struct lifecycle_focus_settings *focus = &reaching->run->settings.focus;
    return event->type == EVENT_TOUCH && event->campaign.bytes > 0 &&
           event->time_ms <= reaching->as_of_ms &&
           (focus->campaign.bytes == 0 || proto_span_equal(event->campaign, focus->campaign));
}

/* Done by somebody about the account, and no touch of the campaign itself. */
static bool is_work(const struct reaching *reaching, const struct event *event,
                    struct proto_span campaign)
{
    struct proto_span by = reaching->run->settings.focus.worked_by;
    return (by.bytes == 0 || proto_span_equal(event->function, by)) &&
           !(event->type == EVENT_TOUCH && proto_span_equal(event->campaign, campaign));
}

/* Person of the newest step or work up to the moment of looking; empty: nobody. */
static struct proto_span person_of(const struct reaching *reaching, struct proto_span campaign)
{
    const struct lifecycle_collect *collect = &reaching->collect;
    struct proto_span person = {NULL, 0};
    int64_t newest_ms = INT64_MIN;
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        bool owns = event->type != EVENT_TOUCH || is_work(reaching, event, campaign);
        if (owns && event->person.bytes > 0 && event->time_ms <= reaching->as_of_ms &&
            event->time_ms >= newest_ms) {
            person = event->person;
            newest_ms = event->time_ms;
        }
    }
    return person;
}

static bool owner_find(struct reaching *reaching, uint32_t slot, struct proto_span campaign,
                       uint32_t *owner, struct proto_fault *fault)
{
    struct engine_worker *worker = reaching->run->worker;
    struct proto_span person = {NULL, 0};
    if (reaching->by != NULL) {
        if (!engine_values(worker, slot, NULL, fault)) {
            return lifecycle_fault_of(worker, slot, fault);
        }
        return lifecycle_segment_of(&reaching->owners, worker, reaching->by, owner, fault);
    }
    person = person_of(reaching, campaign);
    return lifecycle_name_number(
        &reaching->owners, person.bytes > 0 ? person : proto_span_text("(none)"), owner, fault);
}

/* `first` is the account's first touch of its campaign. */
static bool member_add(struct reaching *reaching, uint32_t slot, const struct event *first,
                       struct proto_fault *fault)
{
    const struct lifecycle_focus_settings *focus = &reaching->run->settings.focus;
    const struct lifecycle_collect *collect = &reaching->collect;
    int64_t until_ms = first->time_ms + (int64_t)(focus->within_days * (double)MEASURE_DAY_MS);
    struct measure_member member = {.on_list = (reaching->on_list[slot / 8] >> slot % 8 & 1) != 0,
                                    .in_segment =
                                        (reaching->in_segment[slot / 8] >> slot % 8 & 1) != 0};
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        member.worked |= event->time_ms >= first->time_ms && event->time_ms <= until_ms &&
                         event->time_ms <= reaching->as_of_ms &&
                         is_work(reaching, event, first->campaign);
    }
    member.watched = member.worked || until_ms <= reaching->as_of_ms;
    return lifecycle_name_number(&reaching->campaigns, first->campaign, &member.campaign, fault) &&
           owner_find(reaching, slot, first->campaign, &member.owner, fault) &&
           measure_members_add(&reaching->members, &member, fault);
}

/* Both arrays by campaign have one room; what is new is of no account. */
static bool firsts_room(struct reaching *reaching, size_t count, struct proto_fault *fault)
{
    size_t before = reaching->first_room;
    size_t room[2] = {before, before};
    if (!base_grow(&reaching->firsts, &room[0], count, sizeof *reaching->firsts, "campaigns",
                   fault) ||
        !base_grow(&reaching->touched, &room[1], count, sizeof *reaching->touched, "campaigns",
                   fault)) {
        return false;
    }
    if (room[0] > before) {
        memset(reaching->firsts + before, 0, (room[0] - before) * sizeof *reaching->firsts);
    }
    reaching->first_room = room[0];
    return true;
}

/* The first touch of each campaign of the account; of one moment the first that stands. */
static bool firsts_find(struct reaching *reaching, struct proto_fault *fault)
{
    const struct lifecycle_collect *collect = &reaching->collect;
    reaching->touched_count = 0;
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        uint32_t campaign = 0;
        if (!is_touch(reaching, event)) {
            continue;
        }
        if (!lifecycle_name_number(&reaching->campaigns, event->campaign, &campaign, fault) ||
            !firsts_room(reaching, (size_t)campaign + 1, fault)) {
            return false;
        }
        struct first *first = &reaching->firsts[campaign];
        if (first->account != reaching->accounts) {
            *first = (struct first){reaching->accounts, event};
            reaching->touched[reaching->touched_count++] = campaign;
        } else if (event->time_ms < first->touch->time_ms) {
            first->touch = event;
        }
    }
    return true;
}

static bool account_add(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct reaching *reaching = context;
    const struct lifecycle_focus_settings *focus = &reaching->run->settings.focus;
    (void)raw;
    reaching->accounts++;
    if (!lifecycle_collect_account(&reaching->collect, slot, reaching->accounts, fault) ||
        !firsts_find(reaching, fault)) {
        return false;
    }
    for (size_t i = 0; i < reaching->touched_count; i++) {
        const struct event *first = reaching->firsts[reaching->touched[i]].touch;
        if (first->time_ms >= focus->from_ms && first->time_ms < focus->to_ms &&
            (!member_add(reaching, slot, first, fault) ||
             !measure_goes_on(&reaching->run->pace, fault))) {
            return false;
        }
    }
    return true;
}

static bool segment_mark(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct reaching *reaching = context;
    (void)raw;
    (void)fault;
    reaching->in_segment[slot / 8] |= (uint8_t)(1 << slot % 8);
    return true;
}

/* Accounts of the list and of the segment, as bits by slot. */
static bool marks_make(struct reaching *reaching, struct measure_campaign_options *options,
                       struct proto_fault *fault)
{
    struct lifecycle_run *run = reaching->run;
    const struct lifecycle_focus_settings *focus = &run->settings.focus;
    uint32_t count = store_view_slots(engine_worker_view(run->worker));
    size_t listed = 0;
    reaching->in_segment = calloc((size_t)count / 8 + 1, 1);
    if (reaching->in_segment == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts", count);
    }
    if (!lifecycle_list_bits(run, focus->tal, &reaching->on_list, &listed, fault)) {
        return false;
    }
    options->list = focus->tal.bytes > 0 || listed > 0;
    if (focus->segment_filter.bytes > 0) {
        struct lifecycle_request request = *run->request;
        request.filter = focus->segment_filter;
        if (!lifecycle_walk(run->worker, run->job, &request, reaching, segment_mark, fault)) {
            if (strcmp(fault->field, "filter") == 0) {
                (void)snprintf(fault->field, sizeof fault->field, "parameters.segment-filter");
            }
            return false;
        }
    }
    return true;
}

bool lifecycle_campaign_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct reaching reaching = {.run = run, .as_of_ms = lifecycle_journey_as_of(run)};
    struct measure_campaign_options options = run->settings.focus.campaigns;
    options.pace = &run->pace;
    lifecycle_collect_init(&reaching.collect, run->worker, run->job, &run->request->as_of,
                           MEASURE_JOURNEY_TYPES);
    reaching.collect.whole = true;
    bool good =
        lifecycle_field_find(run->worker, run->request->by, "by", false, &reaching.by, fault) &&
        (reaching.by == NULL || lifecycle_segments_begin(&reaching.owners, fault)) &&
        marks_make(&reaching, &options, fault) &&
        lifecycle_walk(run->worker, run->job, run->request, &reaching, account_add, fault) &&
        measure_campaign_table(&reaching.members, (const char *const *)reaching.campaigns.texts,
                               (const char *const *)reaching.owners.texts, &options,
                               &run->result->table, fault);
    run->result->accounts = reaching.accounts;
    run->result->events = reaching.collect.known;
    run->result->newest_ms = reaching.collect.newest_ms;
    lifecycle_collect_fini(&reaching.collect);
    lifecycle_names_fini(&reaching.campaigns);
    lifecycle_names_fini(&reaching.owners);
    measure_members_fini(&reaching.members);
    free(reaching.on_list);
    free(reaching.in_segment);
    free(reaching.firsts);
    free(reaching.touched);
    return good;
}
