/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys of two groups, by strata: the values of a field of accounts, or, where none is asked
 * for, tenths of all journeys by the score of their accounts. A base without an ICP needs a field.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine/expression.h"
#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/math/order.h"
#include "server/measure/gap.h"

enum { TENTHS = 10, GROUPS_TOLD = 12 };

bool lifecycle_gap_read(const struct lifecycle_request *request,
                        struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_gap_options *options = &settings->journey.gap;
    return lifecycle_journey_read(request, settings, fault) &&
           lifecycle_member_read(request, "group-by", &settings->journey.channel, fault) &&
           lifecycle_text(request, "a", &settings->journey.group[0], fault) &&
           lifecycle_text(request, "b", &settings->journey.group[1], fault) &&
           lifecycle_count(request, "resamples", &options->resamples, fault) &&
           lifecycle_count(request, "seed", &options->seed, fault) &&
           lifecycle_count(request, "least", &options->least, fault);
}

struct parting {
    struct lifecycle_run *run;
    const struct feature_field *by;        /* of strata; NULL: tenths by score */
    const struct learn_document *document; /* that scores */
    struct lifecycle_names names;          /* of strata */
    struct lifecycle_names groups;         /* that there are, to tell who asks for another */
    bool first_there;
    struct measure_stratum *strata; /* by number of the name */
    size_t stratum_room;
    struct {
        int64_t raw;
        bool second, won;
    } *cases; /* where strata are tenths */
    size_t count, room;
    uint32_t stratum; /* of the account under way */
    int64_t raw;
};

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct parting *parting = context;
    struct engine_worker *worker = parting->run->worker;
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    return parting->by != NULL
               ? lifecycle_segment_number(&parting->names, &worker->values[parting->by->id],
                                          &parting->stratum, fault)
               : engine_values_raw(worker, parting->document, &parting->raw, fault);
}

static bool case_keep(struct parting *parting, bool second, bool won, struct proto_fault *fault)
{
    if (parting->count == parting->room) {
        size_t room = parting->room * 2 + 1024;
        void *grown = realloc(parting->cases, room * sizeof *parting->cases);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu journeys", room);
        }
        parting->cases = grown;
        parting->room = room;
    }
    parting->cases[parting->count].raw = parting->raw;
    parting->cases[parting->count].second = second;
    parting->cases[parting->count++].won = won;
    return true;
}

static bool strata_room(struct parting *parting, size_t count, struct proto_fault *fault)
{
    if (count > MEASURE_STRATA_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "by", "more than %d strata", MEASURE_STRATA_MAX);
    }
    if (count > parting->stratum_room) {
        size_t room = parting->stratum_room * 2 + count + 16;
        struct measure_stratum *grown = realloc(parting->strata, room * sizeof *grown);
        if (grown == NULL) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu strata", room);
        }
        for (size_t s = parting->stratum_room; s < room; s++) {
            grown[s] = (struct measure_stratum){.n = {0}};
        }
        parting->strata = grown;
        parting->stratum_room = room;
    }
    return true;
}

static void stratum_count(struct measure_stratum *stratum, bool second, bool won)
{
    stratum->n[second] += 1;
    stratum->won[second] += won;
}

/* The group is that of the first step, before anybody knew how it would end. */
static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct parting *parting = context;
    const struct lifecycle_settings *settings = &parting->run->settings;
    const struct proto_span *group = settings->journey.group;
    bool won = journey->end == MEASURE_JOURNEY_WON;
    if (journey->step_count == 0 || (journey->end == MEASURE_JOURNEY_OPEN && !journey->mature)) {
        return true;
    }
    struct proto_span of = lifecycle_member_of(journey->steps[0], settings->journey.channel);
    bool first = proto_span_equal(of, group[0]);
    uint32_t ignored = 0;
    parting->first_there = parting->first_there || first;
    /* One more than are named: it is said that there are more. */
    if (parting->groups.count <= GROUPS_TOLD &&
        !lifecycle_name_number(&parting->groups, of, &ignored, fault)) {
        return false;
    }
    if (!first && !proto_span_is(group[1], "rest") && !proto_span_equal(of, group[1])) {
        return true;
    }
    if (parting->by == NULL) {
        return case_keep(parting, !first, won, fault);
    }
    if (!strata_room(parting, (size_t)parting->stratum + 1, fault)) {
        return false;
    }
    stratum_count(&parting->strata[parting->stratum], !first, won);
    return true;
}

/* Journeys in tenths by score; those of one score stay in one. */
static bool tenths_fill(struct parting *parting, struct proto_fault *fault)
{
    int64_t *raws = calloc(parting->count + 1, sizeof *raws);
    bool good = raws != NULL && strata_room(parting, TENTHS, fault);
    if (raws == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu scores",
                               parting->count);
    }
    for (size_t i = 0; i < parting->count; i++) {
        raws[i] = parting->cases[i].raw;
    }
    math_sort_i64(raws, parting->count);
    for (size_t i = 0; i < parting->count && good; i++) {
        unsigned tenth = 0;
        while (tenth + 1 < TENTHS &&
               parting->cases[i].raw >= raws[parting->count * (tenth + 1) / TENTHS]) {
            tenth++;
        }
        stratum_count(&parting->strata[tenth], parting->cases[i].second, parting->cases[i].won);
    }
    for (unsigned tenth = 1; tenth <= TENTHS && good; tenth++) {
        char name[24];
        uint32_t ignored = 0;
        (void)snprintf(name, sizeof name, "fit %u of %d", tenth, TENTHS);
        good = lifecycle_name_number(&parting->names, proto_span_text(name), &ignored, fault);
    }
    free(raws);
    return good;
}

static bool group_absent(const struct parting *parting, struct proto_fault *fault)
{
    char shown[FEATURE_SHOWN_BYTES];
    char there[200] = "";
    static const char more[] = ", …"; /* whole names, and a sign where there are more */
    size_t used = 0;
    for (uint32_t g = 0; g < parting->groups.count; g++) {
        const char *name = parting->groups.texts[g];
        if (g == GROUPS_TOLD || used + strlen(name) + 2 + sizeof more > sizeof there) {
            (void)snprintf(there + used, sizeof there - used, "%s", g > 0 ? more : more + 2);
            break;
        }
        used +=
            (size_t)snprintf(there + used, sizeof there - used, "%s%s", g > 0 ? ", " : "", name);
    }
    return proto_fault_set(
        fault, PROTO_BAD_FIELD, "parameters.a",
        "no journey that can be counted is of '%s'; there are %s",
        feature_text_show(parting->run->settings.journey.group[0], shown, sizeof shown),
        parting->groups.count > 0 ? there : "none at all");
}

static bool parting_make(struct parting *parting, struct proto_fault *fault)
{
    struct lifecycle_run *run = parting->run;
    if ((parting->by != NULL && !lifecycle_segments_begin(&parting->names, fault)) ||
        !lifecycle_journeys_enter(run, account_enter, journey_add, parting, fault) ||
        (parting->by == NULL && !tenths_fill(parting, fault)) ||
        !strata_room(parting, parting->names.count, fault)) {
        return false;
    }
    if (!parting->first_there) {
        return group_absent(parting, fault);
    }
    return measure_gap_table(parting->strata, (const char *const *)parting->names.texts,
                             parting->names.count, &run->settings.journey.gap, &run->pace,
                             &run->result->table, fault);
}

bool lifecycle_gap_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct parting parting = {.run = run};
    struct engine_expression expression = {.filter = NULL};
    const struct proto_span none = {NULL, 0};
    bool good =
        lifecycle_field_find(run->worker, run->request->by, "by", false, &parting.by, fault);
    if (good && parting.by == NULL) {
        good =
            engine_expression_open(run->worker, none, run->request->icp, true, &expression, fault);
        parting.document = expression.document;
    }
    good = good && parting_make(&parting, fault);
    engine_expression_close(&expression);
    lifecycle_names_fini(&parting.names);
    lifecycle_names_fini(&parting.groups);
    free(parting.strata);
    free(parting.cases);
    return good;
}
