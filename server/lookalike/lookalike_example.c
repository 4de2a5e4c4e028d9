/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of a query that both its preparation and the exclusion of families take: an example to
 * its values, a slot to be left out, one search. */
#include <stdlib.h>

#include "server/engine/slots.h"
#include "server/engine/walk.h"
#include "server/lookalike/lookalike_query.h"

bool lookalike_query_exclude(struct lookalike_query *query, uint32_t slot,
                             struct proto_fault *fault)
{
    struct lookalike_slots *to = &query->exclude;
    if (slot == STORE_NO_SLOT) {
        return true;
    }
    if (to->count == to->room) {
        size_t room = to->room == 0 ? 64 : to->room * 2;
        uint32_t *list = realloc(to->list, room * sizeof *list);
        if (!list) {
            return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a look-alike query");
        }
        to->list = list;
        to->room = room;
    }
    to->list[to->count++] = slot;
    return true;
}

bool lookalike_example_values(struct engine_worker *worker, const struct lookalike_example *example,
                              uint32_t *slot, struct proto_fault *fault)
{
    struct proto_fault local = {0};
    size_t slots = worker->state->schema ? worker->state->schema->id_count : 0;
    *slot = engine_find(worker, &example->name, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    if (*slot == STORE_NO_SLOT && !example->values) {
        return proto_fault_set(fault, PROTO_NOT_FOUND, "",
                               "no account has this id, key or email domain");
    }
    if (*slot != STORE_NO_SLOT) {
        if (!engine_values(worker, *slot, NULL, fault)) {
            return false;
        }
    } else {
        if (!ENGINE_SCRATCH(worker, values, value_slots, slots, fault)) {
            return false;
        }
        for (size_t i = 0; i < slots; i++) {
            worker->values[i].present = false;
        }
    }
    for (size_t i = 0; i < example->value_slots && i < slots; i++) {
        if (example->values && example->values[i].present) {
            worker->values[i] = example->values[i];
        }
    }
    return true;
}

bool lookalike_query_search(struct lookalike_query *query, struct proto_fault *fault)
{
    struct similar_examples examples = {
        .positives = query->positives,
        .positive_count = query->positive_count,
        .negatives = query->negatives,
        .negative_count = query->negative_count,
        .base = {.k = query->hit_room,
                 .recall = query->query->recall,
                 .filter = query->filter,
                 .exclude = query->exclude.list,
                 .exclude_count = (uint32_t)query->exclude.count},
    };
    struct similar_report *report = &query->result->report;
    enum similar_status status;
    if (examples.positive_count == 1 && examples.negative_count == 0) {
        examples.base.vector = examples.positives[0];
        status = similar_search(query->set->set, query->set->scratch, &examples.base, query->hits,
                                &query->hit_count, report);
    } else {
        status = similar_compose(query->set->set, query->set->scratch, &examples, query->hits,
                                 &query->hit_count, report);
    }
    return status == SIMILAR_OK || lookalike_fault(status, fault);
}

void lookalike_query_sort(struct lookalike_query *query)
{
    engine_slots_sort(query->exclude.list, query->exclude.count);
}
