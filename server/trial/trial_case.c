/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts are labelled; then, account by account, cases become those of the list. An account
 * whose timeline cannot be read ends it: no verdict is better than one with accounts missing. */
#include "server/trial/trial_case.h"

#include <stdlib.h>

#include "server/engine/as_of.h"
#include "server/lifecycle/lifecycle_collect.h"
#include "server/math/special.h"

enum { PEOPLE_MAX = 4096, ARENA_BYTES = 64 << 10 };
#define ARENA_BYTES_MAX ((size_t)16 << 20)

/* One account under way. */
struct walking {
    struct trial_reading *reading;
    struct trial_cases *cases;
    const struct measure_policy *policy;
    const struct lifecycle_label *label;
    struct lifecycle_collect collect;
    struct base_arena arena;
    struct feature_value *values; /* as of when the list was frozen */
    struct proto_span *sources;
    size_t slots;
    const struct trial_account *account; /* NULL: in no part */
    uint32_t stratum;
    double points;
};

uint32_t trial_effort_bin(uint64_t touches)
{
    return touches == 0 ? 0 : touches <= 2 ? 1 : touches <= 5 ? 2 : touches <= 10 ? 3 : 4;
}

const char *trial_effort_name(uint32_t bin)
{
    static const char *const names[] = {"none", "1 to 2", "3 to 5", "6 to 10", "11 or more"};
    return names[bin < 5 ? bin : 4];
}

static bool no_memory(struct proto_fault *fault, size_t count)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
}

/* Stratum and points of the account by its values of then; what is not kept is a stratum of its
 * own. */
static bool values_read(struct walking *walking, uint32_t slot, struct proto_fault *fault)
{
    struct trial_reading *reading = walking->reading;
    const struct engine_as_of as_of = {.moment_ms = reading->list->created_ms,
                                       .arena = &walking->arena};
    struct feature_record record;
    struct feature_value none = {.present = false};
    enum engine_row_kind kind;
    walking->stratum = 0;
    walking->points = MATH_NAN;
    if (reading->by == NULL && reading->profile->count == 0) {
        return true;
    }
    base_arena_reset(&walking->arena);
    if (!engine_values_as_of(reading->worker, slot, &as_of, &record, walking->values,
                             walking->sources, walking->slots, &kind, fault)) {
        return lifecycle_fault_of(reading->worker, slot, fault);
    }
    if (kind != ENGINE_ROW_NOT_KEPT && reading->profile->count > 0) {
        walking->points = trial_profile_points(reading->profile, walking->values, walking->slots);
    }
    if (reading->by == NULL || kind == ENGINE_ROW_NOT_KEPT) {
        return reading->by == NULL ||
               lifecycle_segment_number(&reading->values, &none, &walking->stratum, fault);
    }
    return lifecycle_segment_of_values(&reading->values, reading->worker, walking->values,
                                       reading->by, &walking->stratum, fault);
}

static bool account_enter(struct walking *walking, uint32_t slot, struct proto_fault *fault)
{
    const struct trial_request *request = walking->reading->request;
    walking->account = trial_list_find(walking->reading->list, slot);
    if (walking->account == NULL && walking->reading->list->compares) {
        return true;
    }
    return values_read(walking, slot, fault) &&
           ((!request->effort && !request->owners) ||
            lifecycle_collect_account(&walking->collect, slot, 0, fault));
}

static uint64_t touches_count(const struct walking *walking, const struct lifecycle_case *one)
{
    const struct lifecycle_collect *collect = &walking->collect;
    int64_t until =
        one->settled_ms < walking->label->at_ms ? one->settled_ms : walking->label->at_ms;
    uint64_t count = 0;
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        count += event->type == EVENT_TOUCH && event->time_ms >= one->moment_ms &&
                 event->time_ms <= until;
    }
    return count;
}

/* Whose it was when it began: the person of the first event of that moment that names one. */
static bool person_number(struct walking *walking, const struct lifecycle_case *one,
                          uint32_t *number, struct proto_fault *fault)
{
    const struct lifecycle_collect *collect = &walking->collect;
    struct lifecycle_names *people = &walking->reading->people;
    struct proto_span person = proto_span_text("(nobody)");
    for (size_t i = 0; i < collect->count; i++) {
        const struct event *event = collect->events[i].event;
        bool of_case = one->subject.bytes == 0 || proto_span_equal(event->subject, one->subject);
        if (event->time_ms == one->moment_ms && of_case && event->person.bytes > 0) {
            person = event->person;
            break;
        }
    }
    if (!lifecycle_name_number(people, person, number, fault)) {
        return false;
    }
    return people->count <= PEOPLE_MAX ||
           proto_fault_set(fault, PROTO_LIMIT, "owners", "more than %d people", PEOPLE_MAX);
}

static bool case_add(struct walking *walking, const struct lifecycle_case *one,
                     struct proto_fault *fault)
{
    const struct trial_request *request = walking->reading->request;
    const struct trial_account *account = walking->account;
    struct trial_cases *cases = walking->cases;
    struct verdict_case *made = &cases->items[cases->count];
    bool open = one->settled_ms > cases->at_ms;
    uint32_t person = 0;
    *made = (struct verdict_case){
        .moment_ms = one->moment_ms,
        .settled_ms = open ? VERDICT_NEVER : one->settled_ms,
        .account = one->slot,
        .count = 1,
        .part = account != NULL ? account->part : VERDICT_OTHER,
        .sampled = account != NULL && account->sampled,
        .won = !open && (walking->policy->positive >> one->archetype & 1) != 0,
        .p = account != NULL ? account->p : MATH_NAN,
        .last_p = account != NULL ? account->last_p : MATH_NAN,
        .points = walking->points,
        .group_count = account != NULL ? account->group_count : 0,
    };
    if (account != NULL) {
        memcpy(made->groups, account->groups, sizeof made->groups);
    }
    if (request->effort) {
        uint64_t touches = touches_count(walking, one);
        cases->touches += touches;
        made->effort = trial_effort_bin(touches);
    }
    if (request->owners && !person_number(walking, one, &person, fault)) {
        return false;
    }
    made->stratum = walking->stratum * (PEOPLE_MAX + 1) + person;
    cases->count++;
    return true;
}

static bool cases_walk(struct walking *walking, struct proto_fault *fault)
{
    const struct lifecycle_label *label = walking->label;
    for (size_t i = 0; i < label->count; i++) {
        const struct lifecycle_case *one = &label->cases[i];
        bool first = i == 0 || one[-1].slot != one->slot;
        if (first && (!engine_scan_goes_on(walking->reading->job, fault) ||
                      !account_enter(walking, one->slot, fault))) {
            return false;
        }
        if (walking->account == NULL && walking->reading->list->compares) {
            walking->cases->elsewhere++;
        } else if (one->moment_ms < walking->reading->request->since_ms) {
            walking->cases->before++;
        } else if (one->moment_ms <= walking->cases->at_ms && !case_add(walking, one, fault)) {
            return false;
        }
    }
    return true;
}

static bool walk_label(struct trial_reading *reading, const struct measure_policy *policy,
                       const struct lifecycle_label *label, struct trial_cases *cases,
                       struct proto_fault *fault)
{
    struct walking walking = {.reading = reading, .cases = cases, .policy = policy, .label = label};
    const struct feature_schema *schema = reading->worker->state->schema;
    walking.slots = schema != NULL ? schema->id_count : 0;
    walking.values = calloc(walking.slots + 1, sizeof *walking.values);
    walking.sources = calloc(walking.slots + 1, sizeof *walking.sources);
    cases->items = calloc(label->count + 1, sizeof *cases->items);
    lifecycle_collect_init(&walking.collect, reading->worker, reading->job,
                           &reading->request->as_of,
                           UINT32_C(1) << EVENT_TOUCH | UINT32_C(1) << EVENT_STAGE);
    walking.collect.whole = reading->request->owners;
    base_arena_init(&walking.arena, ARENA_BYTES, ARENA_BYTES_MAX);
    bool good = walking.values != NULL && walking.sources != NULL && cases->items != NULL;
    good = good ? cases_walk(&walking, fault) : no_memory(fault, label->count);
    base_arena_fini(&walking.arena);
    lifecycle_collect_fini(&walking.collect);
    free(walking.values);
    free(walking.sources);
    return good;
}

bool trial_cases_read(struct trial_reading *reading, const struct measure_policy *policy,
                      struct trial_cases *cases, struct proto_fault *fault)
{
    const struct lifecycle_label_request request = {.policy = policy,
                                                    .at_ms = reading->request->at_ms,
                                                    .as_of = reading->request->as_of,
                                                    .subjects = true};
    struct lifecycle_label label;
    *cases = (struct trial_cases){.items = NULL};
    bool good = lifecycle_label(reading->worker, reading->job, &request, &label, fault);
    if (good) {
        cases->at_ms = label.at_ms;
        cases->seq = label.seq;
        cases->accounts = label.accounts;
        cases->events = label.events;
        good = walk_label(reading, policy, &label, cases, fault);
    }
    lifecycle_label_fini(&label);
    return good;
}
