/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys of two groups, by strata: the values of a field of accounts, or, where none is asked
 * for, tenths of all journeys by the score of their accounts. A base without an ICP needs a field.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/grow.h"
#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_fit.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/gap.h"
#include "server/measure/tenth.h"

enum { GROUPS_TOLD = 12 };

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

/* A case where strata are tenths. */
struct parted {
    bool second, won;
};

struct parting {
    struct lifecycle_run *run;
    struct lifecycle_fit fit;
    struct lifecycle_names groups; /* that there are, to tell who asks for another */
    bool first_there;
    struct measure_stratum *strata; /* by number of the name */
    size_t stratum_room;
    int64_t *raws; /* by case, where strata are tenths */
    struct parted *cases;
    size_t count, room;
};

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct parting *parting = context;
    return lifecycle_fit_enter(&parting->fit, slot, fault);
}

static bool case_keep(struct parting *parting, bool second, bool won, struct proto_fault *fault)
{
    size_t room[2] = {parting->room, parting->room}; /* cases and their scores have one */
    if (!base_grow(&parting->cases, &room[0], parting->count + 1, sizeof *parting->cases,
                   "journeys", fault) ||
        !base_grow(&parting->raws, &room[1], parting->count + 1, sizeof *parting->raws, "journeys",
                   fault)) {
        return false;
    }
    parting->room = room[0];
    parting->raws[parting->count] = parting->fit.value;
    parting->cases[parting->count].second = second;
    parting->cases[parting->count++].won = won;
    return true;
}

static bool strata_room(struct parting *parting, size_t count, struct proto_fault *fault)
{
    if (count > MEASURE_STRATA_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "by", "more than %d strata", MEASURE_STRATA_MAX);
    }
    size_t before = parting->stratum_room;
    if (!base_grow(&parting->strata, &parting->stratum_room, count, sizeof *parting->strata,
                   "strata", fault)) {
        return false;
    }
    for (size_t s = before; s < parting->stratum_room; s++) {
        parting->strata[s] = (struct measure_stratum){.n = {0}};
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
    if (parting->fit.tenths) {
        return case_keep(parting, !first, won, fault);
    }
    if (!strata_room(parting, (size_t)parting->fit.value + 1, fault)) {
        return false;
    }
    stratum_count(&parting->strata[parting->fit.value], !first, won);
    return true;
}

static bool tenths_fill(struct parting *parting, struct proto_fault *fault)
{
    uint32_t *tenths = calloc(parting->count + 1, sizeof *tenths);
    bool good = tenths != NULL && strata_room(parting, MEASURE_TENTHS, fault);
    if (tenths == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu scores",
                               parting->count);
    }
    good =
        good && measure_tenths(parting->raws, parting->count, tenths, &parting->run->pace, fault);
    for (size_t i = 0; i < parting->count && good; i++) {
        stratum_count(&parting->strata[tenths[i]], parting->cases[i].second, parting->cases[i].won);
    }
    for (uint32_t tenth = 0; tenth < MEASURE_TENTHS && good; tenth++) {
        char name[LIFECYCLE_FIT_BYTES];
        uint32_t ignored = 0;
        lifecycle_tenth_text(tenth, name);
        good = lifecycle_name_number(&parting->fit.names, proto_span_text(name), &ignored, fault);
    }
    free(tenths);
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
    const struct lifecycle_names *names = &parting->fit.names;
    const struct lifecycle_journey_look look = {
        .context = parting, .enter = account_enter, .each = journey_add};
    if (!lifecycle_fit_open(&parting->fit, run, true, fault) ||
        !lifecycle_journeys_look(run, &look, fault) ||
        (parting->fit.tenths && !tenths_fill(parting, fault)) ||
        !strata_room(parting, names->count, fault)) {
        return false;
    }
    if (!parting->first_there) {
        return group_absent(parting, fault);
    }
    return measure_gap_table(parting->strata, (const char *const *)names->texts, names->count,
                             &run->settings.journey.gap, &run->pace, &run->result->table, fault);
}

bool lifecycle_gap_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct parting parting = {.run = run};
    bool good = parting_make(&parting, fault);
    lifecycle_fit_close(&parting.fit);
    lifecycle_names_fini(&parting.groups);
    free(parting.strata);
    free(parting.cases);
    free(parting.raws);
    return good;
}
