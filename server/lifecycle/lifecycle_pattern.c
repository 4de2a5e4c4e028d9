/* SPDX-License-Identifier: Apache-2.0 */
/* Journeys as sequences of steps, at equal fit. Too many names, a base without an ICP where fit is
 * asked for, and a timeline that cannot be read end it. */
#include <stdio.h>

#include "server/lifecycle/lifecycle_fit.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/pattern.h"

static bool forms_read(const struct lifecycle_request *request,
                       struct measure_pattern_options *options, struct proto_fault *fault)
{
    static const char *const of[] = {"touches", "stages", "both"};
    static const char *const forms[] = {"adjacent", "gapped", "both"};
    static const char *const shown[] = {"found", "all"};
    size_t steps = 0;
    size_t form = 0;
    size_t show = 0;
    if (!lifecycle_word(request, "steps-of", of, 3, &steps, fault) ||
        !lifecycle_word(request, "form", forms, 3, &form, fault) ||
        !lifecycle_word(request, "show", shown, 2, &show, fault)) {
        return false;
    }
    options->of = (enum measure_pattern_of)steps;
    options->adjacent = form != 1;
    options->gapped = form != 0;
    options->all = show == 1;
    return true;
}

bool lifecycle_patterns_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_pattern_options *options = &settings->journey.patterns;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_member_read(request, "channel", &settings->journey.channel, fault) ||
        !lifecycle_fit_read(request, &settings->journey.fit_known, fault) ||
        !lifecycle_text(request, "goal", &options->goal, fault) ||
        !forms_read(request, options, fault) ||
        !lifecycle_days(request, "window", &options->window_ms, fault) ||
        !lifecycle_count(request, "first", &options->first, fault) ||
        !lifecycle_count(request, "longest", &options->longest, fault) ||
        !lifecycle_count(request, "top", &options->top, fault) ||
        !lifecycle_count(request, "least", &options->least, fault)) {
        return false;
    }
    if (proto_span_is(options->goal, "won")) {
        options->goal.bytes = 0;
    }
    return true;
}

struct sequencing {
    struct measure_patterns patterns;
    struct lifecycle_fit fit;
    struct lifecycle_names names;
    unsigned channel;
};

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct sequencing *all = context;
    bool good = lifecycle_fit_enter(&all->fit, slot, fault);
    all->patterns.fit = all->fit.value;
    return good;
}

/* Stages beside touches stand in brackets, so that a demo is not taken for one. */
static bool step_number(void *context, const struct event *step, uint32_t *number,
                        struct proto_fault *fault)
{
    struct sequencing *all = context;
    char text[EVENT_ID_BYTES_MAX + 3];
    if (step->type == EVENT_TOUCH) {
        return lifecycle_name_number(&all->names, lifecycle_member_of(step, all->channel), number,
                                     fault);
    }
    struct proto_span kind = step->kind.bytes > 0 ? step->kind : proto_span_text("(none)");
    if (all->patterns.options.of == MEASURE_OF_STAGES) {
        return lifecycle_name_number(&all->names, kind, number, fault);
    }
    (void)snprintf(text, sizeof text, "[%.*s]", (int)kind.bytes, (const char *)kind.data);
    return lifecycle_name_number(&all->names, proto_span_text(text), number, fault);
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct sequencing *all = context;
    return measure_patterns_add(&all->patterns, journey, fault);
}

bool lifecycle_patterns_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct lifecycle_settings *settings = &run->settings;
    struct sequencing all = {.channel = settings->journey.channel,
                             .patterns = {.options = settings->journey.patterns,
                                          .as_of_ms = lifecycle_journey_as_of(run),
                                          .mature_ms = settings->journey.options.mature_ms,
                                          .pace = &run->pace,
                                          .number = step_number}};
    const struct lifecycle_journey_look look = {
        .context = &all, .enter = account_enter, .each = journey_add};
    all.patterns.context = &all;
    bool good = lifecycle_fit_open(&all.fit, run, settings->journey.fit_known, fault);
    all.patterns.options.tenths = all.fit.tenths;
    good = good && lifecycle_journeys_look(run, &look, fault) &&
           measure_patterns_table(&all.patterns, (const char *const *)all.names.texts,
                                  &run->result->table, fault);
    measure_patterns_fini(&all.patterns);
    lifecycle_fit_close(&all.fit);
    lifecycle_names_fini(&all.names);
    return good;
}
