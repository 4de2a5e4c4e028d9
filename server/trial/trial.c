/* SPDX-License-Identifier: Apache-2.0 */
/* The list is opened, each outcome's cases are read and put into the tables, and of the first the
 * verdict is found and said. */
#include "server/trial/trial.h"

#include <stdlib.h>

#include "server/trial/trial_case.h"

/* Of intervals of rates and forecasts, and of promises (docs/methods/forecast.md). */
#define RATE_BEST_AT 100.0
#define PROMISE_BEST_AT 25.0

struct trying {
    const struct trial_request *request;
    struct trial_request dated; /* the same with the day from which on cases count */
    struct trial_result *result;
    struct trial_list list;
    struct trial_profile profile;
    struct trial_reading reading;
    struct measure_pace pace;
};

const char *trial_outcome_name(enum trial_outcome outcome)
{
    static const char *const names[TRIAL_OUTCOMES] = {"closed", "retained", "expanded"};
    return names[outcome];
}

static bool goes_on(void *context, struct proto_fault *fault)
{
    return engine_scan_goes_on(context, fault);
}

static bool is_member(const struct verdict_case *one)
{
    return one->part == VERDICT_MEMBER;
}

static bool is_held_out(const struct verdict_case *one)
{
    return one->part == VERDICT_HELD_OUT;
}

static bool is_missed(const struct verdict_case *one)
{
    return one->part == VERDICT_MISSED;
}

static bool is_sampled(const struct verdict_case *one)
{
    return one->sampled;
}

static bool is_other(const struct verdict_case *one)
{
    return one->part == VERDICT_OTHER;
}

/* Rates of what was frozen, by part. */
static bool rates_add(struct trying *trying, const struct trial_cases *cases,
                      const struct verdict_options *options, struct proto_fault *fault)
{
    static const struct {
        const char *name;
        bool (*keep)(const struct verdict_case *one);
        bool frozen; /* of lists that froze it alone */
    } parts[] = {{"on the list", is_member, false},
                 {"held out", is_held_out, true},
                 {"just missed", is_missed, true},
                 {"sample", is_sampled, true},
                 {"others", is_other, false}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        bool wanted = parts[i].frozen ? trying->list.compares : true;
        wanted =
            wanted && (parts[i].keep != is_held_out || trying->list.parts[VERDICT_HELD_OUT] > 0);
        wanted = wanted && (parts[i].keep != is_other || !trying->list.compares);
        if (wanted &&
            !verdict_rate_add(&trying->result->tables[TRIAL_RATE], cases->items, cases->count,
                              parts[i].name, parts[i].keep, options, fault)) {
            return false;
        }
    }
    return true;
}

static bool lifts_add(struct trying *trying, const struct trial_cases *cases,
                      enum trial_outcome outcome, struct verdict_options options,
                      struct proto_fault *fault)
{
    struct verdict_said *said = &trying->result->said;
    struct verdict_lift ignored;
    options.alpha = verdict_alpha(said);
    for (int against = 0; against < VERDICT_AGAINSTS; against++) {
        struct verdict_lift *lift = outcome == TRIAL_CLOSED ? &said->lifts[against] : &ignored;
        if (said->asked[against] &&
            !verdict_lift_add(&trying->result->tables[TRIAL_LIFT], cases->items, cases->count,
                              (enum verdict_against)against, NULL, &options, lift, fault)) {
            return false;
        }
    }
    return true;
}

static bool tables_add(struct trying *trying, struct trial_cases *cases, enum trial_outcome outcome,
                       struct proto_fault *fault)
{
    struct trial_result *result = trying->result;
    struct verdict_options options = {.outcome = trial_outcome_name(outcome),
                                      .alpha = trying->request->alpha,
                                      .best_at = RATE_BEST_AT,
                                      .dated = true,
                                      .weekly = trying->request->weekly,
                                      .pace = &trying->pace};
    uint64_t open = 0;
    if (!verdict_settle(cases->items, cases->count, cases->at_ms, &open, fault) ||
        !lifts_add(trying, cases, outcome, options, fault) ||
        !rates_add(trying, cases, &options, fault)) {
        return false;
    }
    if (outcome != TRIAL_CLOSED) {
        return true; /* what was predicted is the first outcome */
    }
    result->open = result->said.open = open;
    if (!verdict_rivals_add(&result->tables[TRIAL_FORECAST], cases->items, cases->count, &options,
                            fault)) {
        return false;
    }
    options.best_at = PROMISE_BEST_AT;
    return verdict_promise_add(&result->tables[TRIAL_PROMISE], cases->items, cases->count,
                               trying->list.groups, trying->list.group_count, 0, &options, NULL,
                               fault);
}

static bool outcome_try(struct trying *trying, enum trial_outcome outcome,
                        struct proto_fault *fault)
{
    struct trial_cases cases;
    struct trial_result *result = trying->result;
    bool good =
        trial_cases_read(&trying->reading, trying->request->policies[outcome], &cases, fault);
    if (good && outcome == TRIAL_CLOSED) {
        result->at_ms = cases.at_ms;
        result->seq = cases.seq;
        result->accounts = cases.accounts;
        result->events = cases.events;
        result->cases = result->said.cases = cases.count;
        result->before = result->said.before = cases.before;
        result->elsewhere = cases.elsewhere;
        result->touches = cases.touches;
        result->said.effort_told = cases.touches > 0 || cases.count == 0;
    }
    good = good && tables_add(trying, &cases, outcome, fault);
    free(cases.items);
    return good;
}

static void said_begin(struct trying *trying)
{
    const struct trial_list *list = &trying->list;
    struct trial_result *result = trying->result;
    result->created_ms = list->created_ms;
    result->since_ms =
        trying->request->since_ms == TRIAL_CREATION ? list->created_ms : trying->request->since_ms;
    result->said = (struct verdict_said){
        .list = json_string_value(json_object_get(result->document, "name")),
        .asked = {[VERDICT_EQUAL_EFFORT] = true,
                  [VERDICT_JUST_MISSED] = list->parts[VERDICT_MISSED] > 0,
                  [VERDICT_HOLD_OUT] = list->parts[VERDICT_HELD_OUT] > 0},
        .compares = list->compares,
        .effort_asked = trying->request->effort,
        .early = result->since_ms<list->created_ms, .held_out = list->parts[VERDICT_HELD_OUT]> 0,
        .has_last = list->has_last,
        .by_hand = trying->profile.count > 0,
        .alpha = trying->request->alpha};
    trying->dated = *trying->request;
    trying->dated.since_ms = result->since_ms;
}

static bool ready(struct trying *trying, struct proto_fault *fault)
{
    const struct trial_request *request = trying->request;
    struct trial_result *result = trying->result;
    struct engine_worker *worker = trying->reading.worker;
    if (worker->state->schema == NULL) {
        return proto_fault_set(fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    if (!trial_list_open(worker, request->list, &trying->list, fault) ||
        !trial_profile_read(request->profile, worker->state->schema, &trying->profile, fault) ||
        !lifecycle_field_find(worker, request->by, "by", false, &trying->reading.by, fault)) {
        return false;
    }
    result->document = json_incref(trying->list.document);
    said_begin(trying);
    trying->reading.request = &trying->dated;
    trying->reading.list = &trying->list;
    trying->reading.profile = &trying->profile;
    return lifecycle_segments_begin(&trying->reading.values, fault);
}

bool trial_measure(struct engine_worker *worker, const struct engine_job *job,
                   const struct trial_request *request, struct trial_result *result,
                   struct proto_fault *fault)
{
    static const enum measure_id tables[TRIAL_TABLES] = {MEASURE_ID_LIFT, MEASURE_ID_RATE,
                                                         MEASURE_ID_FORECAST, MEASURE_ID_PROMISE};
    struct trying trying = {.request = request,
                            .result = result,
                            .reading = {.worker = worker, .job = job},
                            .pace = {goes_on, (void *)(uintptr_t)job}};
    *result = (struct trial_result){.document = NULL};
    for (int t = 0; t < TRIAL_TABLES; t++) {
        measure_table_init(&result->tables[t], tables[t]);
    }
    bool good = ready(&trying, fault);
    for (int outcome = 0; good && outcome < TRIAL_OUTCOMES; outcome++) {
        good = request->policies[outcome] == NULL ||
               outcome_try(&trying, (enum trial_outcome)outcome, fault);
    }
    if (good) {
        result->said.verdict = verdict_decide(&result->said);
        verdict_words_make(&result->said, &result->words);
        verdict_cannot_make(&result->said, &result->cannot);
        verdict_next_make(&result->said, &result->tables[TRIAL_FORECAST],
                          &result->tables[TRIAL_PROMISE], &result->next);
    }
    lifecycle_names_fini(&trying.reading.values);
    lifecycle_names_fini(&trying.reading.people);
    trial_profile_fini(&trying.profile);
    trial_list_fini(&trying.list);
    return good;
}

void trial_fini(struct trial_result *result)
{
    json_decref(result->document);
    for (int t = 0; t < TRIAL_TABLES; t++) {
        measure_table_fini(&result->tables[t]);
    }
    result->document = NULL;
}
