/* SPDX-License-Identifier: Apache-2.0 */
/* What measures of a list share: which events are work, whose they are, and which accounts are on
 * the list. A list that is not there, teams that cannot be read and a person in two of them end it.
 */
#include "server/lifecycle/lifecycle_keep.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/engine/walk.h"
#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_focus.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/store/store.h"

bool lifecycle_work_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const words[] = {"touch", "all"};
    struct lifecycle_keep_settings *keep = &settings->keep;
    size_t place = 0;
    bool good =
        lifecycle_times_or_none(request, &keep->from_ms, &keep->to_ms, fault) &&
        lifecycle_time_or_none(request, "as-of", &settings->journey.options.as_of_ms, fault) &&
        lifecycle_word(request, "acts", words, 2, &place, fault);
    keep->all_acts = place == 1;
    return good;
}

bool lifecycle_keep_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const more[] = {"team"};
    struct lifecycle_keep_settings *keep = &settings->keep;
    unsigned other = 0;
    if (!lifecycle_work_read(request, settings, fault) ||
        !lifecycle_member_or_read(request, "group-by", more, 1, &keep->member, &other, fault) ||
        !lifecycle_focus_text(request, "teams", &keep->teams, fault) ||
        !lifecycle_focus_text(request, "tal", &keep->tal, fault)) {
        return false;
    }
    keep->by_team = other == 1;
    return keep->by_team == (keep->teams.bytes > 0) ||
           (keep->by_team ? proto_fault_set(fault, PROTO_MISSING_FIELD, "parameters.teams",
                                            "group-by team needs it: north: Ann Lee, Bo Ray; "
                                            "south: Cy Poe")
                          : proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.teams",
                                            "teams are of group-by team"));
}

bool lifecycle_list_bits(const struct lifecycle_run *run, struct proto_span tal, uint8_t **bits,
                         size_t *listed, struct proto_fault *fault)
{
    uint32_t count = store_view_slots(engine_worker_view(run->worker));
    const uint32_t *slots = NULL;
    *bits = calloc((size_t)count / 8 + 1, 1);
    if (*bits == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u accounts", count);
    }
    if (!engine_state_list_slots(engine_worker_state(run->worker), tal, &slots, listed, fault)) {
        return proto_fault_set(fault,
                               fault->code == PROTO_NOT_FOUND ? PROTO_BAD_FIELD : fault->code,
                               "parameters.tal", "%s", fault->message);
    }
    for (size_t i = 0; i < *listed; i++) {
        if (slots[i] < count) {
            (*bits)[slots[i] / 8] |= (uint8_t)(1 << slots[i] % 8);
        }
    }
    return true;
}

static bool person_place(struct lifecycle_working *working, struct proto_span person,
                         uint32_t group, struct proto_fault *fault)
{
    uint32_t number = 0;
    if (!lifecycle_name_number(&working->persons, person, &number, fault) ||
        !base_grow(&working->team_of, &working->team_room, (size_t)number + 1,
                   sizeof *working->team_of, "persons", fault)) {
        return false;
    }
    if (number < working->team_count) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.teams",
                               "'%.*s' is told in a team already", (int)person.bytes,
                               (const char *)person.data);
    }
    working->team_of[number] = group;
    working->team_count = (size_t)number + 1;
    return true;
}

static bool teams_place(struct lifecycle_working *working, struct proto_fault *fault)
{
    struct proto_span text = working->run->settings.keep.teams;
    while (text.bytes > 0) {
        struct proto_span persons = feature_text_part(&text, ';');
        struct proto_span team = feature_text_part(&persons, ':');
        uint32_t group = 0;
        if (team.bytes == 0 || persons.bytes == 0) {
            return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.teams",
                                   "a team is its name, a colon and its persons: north: Ann Lee, "
                                   "Bo Ray; south: Cy Poe");
        }
        if (!lifecycle_name_number(&working->groups, team, &group, fault)) {
            return false;
        }
        while (persons.bytes > 0) {
            struct proto_span person = feature_text_part(&persons, ',');
            if (person.bytes > 0 && !person_place(working, person, group, fault)) {
                return false;
            }
        }
    }
    return true;
}

bool lifecycle_working_open(struct lifecycle_working *working, struct lifecycle_run *run,
                            bool listed, struct proto_fault *fault)
{
    size_t count = 0;
    working->run = run;
    working->amount = (struct lifecycle_amount){.rules = &run->result->rules};
    working->as_of_ms = lifecycle_journey_as_of(run);
    lifecycle_collect_init(&working->collect, run->worker, run->job, &run->request->as_of,
                           UINT32_C(1) << EVENT_TOUCH | UINT32_C(1) << EVENT_STAGE |
                               UINT32_C(1) << EVENT_DECISION | UINT32_C(1) << EVENT_SPEND);
    working->collect.whole = true;
    if (!teams_place(working, fault) ||
        (listed &&
         !lifecycle_list_bits(run, run->settings.keep.tal, &working->on_list, &count, fault))) {
        return false;
    }
    return !listed || count > 0 ||
           proto_fault_set(fault, PROTO_NO_EVIDENCE, "parameters.tal",
                           "there is no target account list of the active ICP version: tal names "
                           "one, tal-build makes one");
}

void lifecycle_working_close(struct lifecycle_working *working)
{
    lifecycle_collect_fini(&working->collect);
    lifecycle_names_fini(&working->groups);
    lifecycle_names_fini(&working->persons);
    free(working->team_of);
    free(working->on_list);
}

static bool account_walk(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct lifecycle_working *working = context;
    (void)raw;
    working->accounts++;
    return lifecycle_collect_account(&working->collect, slot, working->accounts, fault) &&
           working->account(working->context, slot, fault) &&
           measure_goes_on(&working->run->pace, fault);
}

bool lifecycle_working_walk(struct lifecycle_working *working, struct proto_fault *fault)
{
    struct lifecycle_run *run = working->run;
    bool good = lifecycle_walk(run->worker, run->job, run->request, working, account_walk, fault);
    lifecycle_amount_end(&working->amount);
    run->result->accounts = working->accounts;
    run->result->events = working->collect.known;
    run->result->newest_ms = working->collect.newest_ms;
    return good;
}

static bool in_time(const struct lifecycle_working *working, const struct event *event)
{
    const struct lifecycle_keep_settings *keep = &working->run->settings.keep;
    return event->time_ms >= keep->from_ms && event->time_ms < keep->to_ms &&
           event->time_ms <= working->as_of_ms;
}

bool lifecycle_is_act(const struct lifecycle_working *working, const struct event *event)
{
    bool act = event->type == EVENT_TOUCH ||
               (working->run->settings.keep.all_acts &&
                (event->type == EVENT_STAGE || event->type == EVENT_DECISION));
    return act && in_time(working, event);
}

bool lifecycle_is_spend(const struct lifecycle_working *working, const struct event *event)
{
    return event->type == EVENT_SPEND && in_time(working, event);
}

bool lifecycle_work_group(struct lifecycle_working *working, const struct event *event,
                          uint32_t *group, struct proto_fault *fault)
{
    const struct lifecycle_keep_settings *keep = &working->run->settings.keep;
    uint32_t person = 0;
    if (!keep->by_team) {
        return lifecycle_name_number(&working->groups, lifecycle_member_of(event, keep->member),
                                     group, fault);
    }
    if (event->person.bytes > 0 &&
        !lifecycle_name_number(&working->persons, event->person, &person, fault)) {
        return false;
    }
    if (event->person.bytes > 0 && person < working->team_count) {
        *group = working->team_of[person];
        return true;
    }
    return lifecycle_name_number(&working->groups, proto_span_text("(none)"), group, fault);
}
