/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts with what they pay a year, or with what was won of them, by the values of one field or
 * two. A base without subscriptions, or without anything won, ends it; so do fields of too many
 * values. */
#include "server/lifecycle/lifecycle_focus.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_amount.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"

bool lifecycle_focus_text(const struct lifecycle_request *request, const char *name,
                          struct proto_span *text, struct proto_fault *fault)
{
    *text = (struct proto_span){NULL, 0};
    return !lifecycle_given(request, name) || lifecycle_text(request, name, text, fault);
}

bool lifecycle_focus_read(const struct lifecycle_request *request,
                          struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const words[] = {"customers", "won"};
    struct measure_focus_options *options = &settings->focus.focus;
    size_t place = 0;
    if (request->by.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "by",
                               "focus needs it: the field whose values are the groups");
    }
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_word(request, "of", words, 2, &place, fault) ||
        !lifecycle_focus_text(request, "second", &settings->focus.second, fault) ||
        !lifecycle_number(request, "deal", &options->deal, fault) ||
        !lifecycle_count(request, "top", &options->top, fault) ||
        !lifecycle_count(request, "resamples", &options->resamples, fault) ||
        !lifecycle_count(request, "seed", &options->seed, fault) ||
        !lifecycle_count(request, "least", &options->least, fault)) {
        return false;
    }
    settings->focus.won = place == 1;
    if (!settings->focus.won && settings->journey.options.owner.bytes > 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.owner",
                               "owner is of deals, of=won; a filter chooses customers");
    }
    return settings->focus.won ||
           (!lifecycle_given(request, "from") && !lifecycle_given(request, "to")) ||
           proto_fault_set(
               fault, PROTO_BAD_FIELD, "parameters.from",
               "from and to are of deals, of=won; customers are those of one day, as-of");
}

struct grouping {
    struct lifecycle_run *run;
    const struct feature_field *fields[2]; /* the second may be NULL */
    struct lifecycle_names values[2], names;
    struct lifecycle_amount amount;
    struct measure_focus_unit *units;
    size_t count, room;
    uint32_t slot; /* of the account under way */
    bool won;      /* it has a unit, the last */
};

/* The number of an account's group. */
static bool group_find(struct grouping *grouping, uint32_t slot, uint32_t *number,
                       struct proto_fault *fault)
{
    struct engine_worker *worker = grouping->run->worker;
    char *joined = NULL;
    uint32_t of[2] = {0, 0};
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    for (int f = 0; f < 2 && grouping->fields[f] != NULL; f++) {
        if (!lifecycle_segment_of(&grouping->values[f], worker, grouping->fields[f], &of[f],
                                  fault)) {
            return false;
        }
    }
    const char *first = grouping->values[0].texts[of[0]];
    if (grouping->fields[1] != NULL &&
        asprintf(&joined, "%s / %s", first, grouping->values[1].texts[of[1]]) < 0) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a pair of values");
    }
    bool good = lifecycle_name_number(
        &grouping->names, proto_span_text(joined != NULL ? joined : first), number, fault);
    free(joined);
    return good && (*number < MEASURE_FOCUS_GROUPS_MAX ||
                    proto_fault_set(fault, PROTO_LIMIT, "by",
                                    "the fields have more than %d pairs of values",
                                    MEASURE_FOCUS_GROUPS_MAX));
}

static bool unit_add(struct grouping *grouping, uint32_t slot, double amount,
                     struct proto_fault *fault)
{
    struct measure_focus_unit unit = {.count = 1, .amount = amount};
    if (!base_grow(&grouping->units, &grouping->room, grouping->count + 1, sizeof *grouping->units,
                   "accounts", fault)) {
        return false;
    }
    if (!group_find(grouping, slot, &unit.group, fault)) {
        return false;
    }
    grouping->units[grouping->count++] = unit;
    return true;
}

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct grouping *grouping = context;
    (void)fault;
    grouping->slot = slot;
    grouping->won = false;
    return true;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct grouping *grouping = context;
    int64_t minor = 0;
    if (journey->end != MEASURE_JOURNEY_WON) {
        return true;
    }
    if (!lifecycle_amount_settle(&grouping->amount, journey->outcome, &minor, fault)) {
        return false;
    }
    if (grouping->won) {
        grouping->units[grouping->count - 1].amount += (double)minor;
        return true;
    }
    grouping->won = true;
    return unit_add(grouping, grouping->slot, (double)minor, fault);
}

/* What each customer pays a year. */
static bool customers_add(struct grouping *grouping, const struct lifecycle_gather *gather,
                          struct proto_fault *fault)
{
    struct lifecycle_run *run = grouping->run;
    struct measure_spells spells = {.accounts = 0};
    int64_t at_ms = lifecycle_journey_as_of(run);
    bool good = measure_spells_make(gather->subscriptions, gather->count, gather->accounts,
                                    &run->result->rules, &spells, fault);
    for (uint32_t a = 0; a < spells.accounts && good; a++) {
        bool customer = false;
        int64_t mrr = measure_account_at(&spells, a, at_ms, &customer);
        if (customer) {
            good = unit_add(grouping, gather->slots[a], (double)mrr * 12, fault);
        }
    }
    measure_spells_fini(&spells);
    return good;
}

static bool customers_read(struct grouping *grouping, struct proto_fault *fault)
{
    struct lifecycle_run *run = grouping->run;
    struct lifecycle_result *result = run->result;
    struct lifecycle_gather gather;
    bool good = lifecycle_gather(run->worker, run->job, run->request, &gather, fault);
    result->accounts = gather.accounts;
    result->events = gather.collect.known;
    result->subscriptions = gather.count;
    result->newest_ms = gather.collect.newest_ms;
    if (good && gather.count == 0) {
        good = proto_fault_set(fault, PROTO_NO_EVIDENCE, "",
                               "insufficient: no subscription is told of the %u accounts that were "
                               "looked at; of=won counts deals",
                               gather.accounts);
    }
    good = good && lifecycle_gather_settle(&gather, &result->rules, fault) &&
           customers_add(grouping, &gather, fault);
    lifecycle_gather_fini(&gather);
    return good;
}

static bool table_fill(struct grouping *grouping, struct proto_fault *fault)
{
    struct lifecycle_run *run = grouping->run;
    struct measure_focus_options options = run->settings.focus.focus;
    lifecycle_amount_end(&grouping->amount);
    options.deal *= measure_money_units(run->result->rules.base);
    return measure_focus_table(grouping->units, grouping->count,
                               (const char *const *)grouping->names.texts, grouping->names.count,
                               &options, &run->pace, &run->result->table, fault);
}

bool lifecycle_focus_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct grouping grouping = {.run = run, .amount = {.rules = &run->result->rules}};
    const struct lifecycle_journey_look look = {
        .context = &grouping, .enter = account_enter, .each = journey_add};
    const struct lifecycle_focus_settings *settings = &run->settings.focus;
    bool good = lifecycle_field_find(run->worker, run->request->by, "by", false,
                                     &grouping.fields[0], fault) &&
                lifecycle_field_find(run->worker, settings->second, "parameters.second", false,
                                     &grouping.fields[1], fault) &&
                lifecycle_segments_begin(&grouping.values[0], fault) &&
                lifecycle_segments_begin(&grouping.values[1], fault);
    if (good && settings->won) {
        good = lifecycle_journeys_look(run, &look, fault);
    } else if (good) {
        good = customers_read(&grouping, fault);
    }
    good = good && table_fill(&grouping, fault);
    lifecycle_names_fini(&grouping.values[0]);
    lifecycle_names_fini(&grouping.values[1]);
    lifecycle_names_fini(&grouping.names);
    free(grouping.units);
    return good;
}
