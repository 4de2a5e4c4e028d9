/* SPDX-License-Identifier: Apache-2.0 */
/* The account's events that stand, each added with its share. A definition of another metric has no
 * weights, and is refused. */
#include "server/lifecycle/lifecycle_engage.h"

#include <string.h>

#include "server/lifecycle/lifecycle_collect.h"
#include "server/lifecycle/lifecycle_define.h"

bool lifecycle_engagement_find(const struct engine_state *state, struct proto_span reference,
                               struct measure_definition *definition, struct proto_fault *fault)
{
    if (!lifecycle_definition(state, reference, definition, fault)) {
        return false;
    }
    return definition->metric == MEASURE_METRICS ||
           definition->metric == MEASURE_METRIC_ENGAGEMENT ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "",
                           "'%s' is a definition of %s, and one of engagement is wanted",
                           definition->name, measure_metric_info(definition->metric)->name);
}

bool lifecycle_engage(struct engine_worker *worker, uint32_t slot, int64_t at_ms,
                      const struct measure_definition *definition,
                      const struct lifecycle_as_of *as_of, uint32_t most,
                      struct lifecycle_engaged *engaged, struct proto_fault *fault)
{
    const struct measure_engagement *weights = &definition->engagement;
    struct lifecycle_collect collect;
    *engaged = (struct lifecycle_engaged){
        .sum = measure_engaged_none(), .at_ms = at_ms, .version = definition->version};
    memcpy(engaged->name, definition->name, sizeof engaged->name);
    lifecycle_collect_init(&collect, worker, NULL, as_of, measure_engagement_types(weights));
    collect.most = most;
    bool good = lifecycle_collect_account(&collect, slot, 0, fault);
    for (size_t i = 0; i < collect.count && good; i++) {
        measure_engagement_add(weights, collect.events[i].event, at_ms, &engaged->sum);
    }
    engaged->band = measure_engagement_band(weights, engaged->sum.millionths);
    lifecycle_collect_fini(&collect);
    return good;
}
