/* SPDX-License-Identifier: Apache-2.0 */
/* The grey area of the journeys that have ended. Too few of them end it. */
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/grey.h"

bool lifecycle_grey_read(const struct lifecycle_request *request,
                         struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_grey_options *options = &settings->journey.grey;
    return lifecycle_journey_read(request, settings, fault) &&
           lifecycle_days(request, "before", &options->before_ms, fault) &&
           lifecycle_days(request, "near", &options->near_ms, fault) &&
           lifecycle_days(request, "silent", &options->silent_ms, fault) &&
           lifecycle_count(request, "least", &options->least, fault);
}

bool lifecycle_grey_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct measure_grey grey = {.options = run->settings.journey.grey, .pace = &run->pace};
    bool good = lifecycle_journeys_walk(run, measure_grey_add, &grey, fault) &&
                measure_grey_table(&grey, &run->result->table, fault);
    measure_grey_fini(&grey);
    return good;
}
