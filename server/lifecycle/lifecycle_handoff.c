/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of journeys as handoffs. Too many stages and a base without stages end it. */
#include "server/engine/engine.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/handoff.h"

bool lifecycle_handoffs_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_handoff_options *options = &settings->journey.handoffs;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_text(request, "answered-by", &settings->journey.answered_by, fault) ||
        !lifecycle_number(request, "within", &options->within_days, fault) ||
        !lifecycle_count(request, "owners", &options->owners, fault) ||
        !lifecycle_count(request, "least", &options->least, fault)) {
        return false;
    }
    options->owners_told = true;
    if (proto_span_is(settings->journey.answered_by, "any")) {
        settings->journey.answered_by.bytes = 0;
    }
    return true;
}

static bool name_number(void *context, struct proto_span text, uint32_t *number,
                        struct proto_fault *fault)
{
    return lifecycle_name_number(context, text, number, fault);
}

bool lifecycle_handoffs_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct lifecycle_names stages = {.count = 0};
    struct lifecycle_names owners = {.count = 0};
    struct lifecycle_names reasons = {.count = 0};
    struct measure_handoffs handoffs = {.namer = {name_number, &stages, &owners, &reasons},
                                        .answered_by = run->settings.journey.answered_by,
                                        .as_of_ms = lifecycle_journey_as_of(run),
                                        .mature_ms = run->settings.journey.options.mature_ms,
                                        .pace = &run->pace};
    bool good = lifecycle_journeys_walk(run, measure_handoffs_add, &handoffs, fault);
    if (good) {
        const struct measure_handoff_names names = {(const char *const *)stages.texts,
                                                    (const char *const *)owners.texts,
                                                    (const char *const *)reasons.texts,
                                                    stages.count,
                                                    owners.count,
                                                    reasons.count};
        good = measure_handoffs_table(&handoffs, &names, &run->settings.journey.handoffs,
                                      &run->result->table, fault);
    }
    measure_handoffs_fini(&handoffs);
    lifecycle_names_fini(&stages);
    lifecycle_names_fini(&owners);
    lifecycle_names_fini(&reasons);
    return good;
}
